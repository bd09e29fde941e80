//! One answer for several questions of one form.

use super::{Inbox, Key};
use crate::desk::answer::{Delivered, Sending};
use crate::desk::bulk::{Tally, ends_all};
use crate::desk::failure::Failure;
use crate::desk::text;
use crate::fastmcp::Way;
use crate::task::{Answer, AskKind};

impl Inbox {
    /// Answers each of these questions with the answer for its place, as long as it is one of that kind. The tally has what
    /// became of those that were sent, also where the rest is called off. What is a failure for all that follow as well is an
    /// error.
    pub(crate) async fn answer_alike(
        &self,
        keys: &[Key],
        (by, kind): (&dyn Fn(usize) -> Answer, &AskKind),
        tally: &mut Tally,
    ) -> Result<(), Failure> {
        for key in keys {
            match self.answer_one(key, by(key.place), kind).await {
                Ok(Delivered::Taken(_)) => {
                    tally.done += 1;
                    self.close(key);
                }
                Ok(Delivered::Refused { problem, .. }) => tally.fails(&named(key, &problem)),
                Err(failure) if ends_all(&failure) => return Err(failure),
                Err(failure) => tally.fails(&named(key, &failure.to_string())),
            }
        }
        Ok(())
    }

    async fn answer_one(&self, key: &Key, answer: Answer, kind: &AskKind) -> Result<Delivered, Failure> {
        let found = self.find(&key.of_task()).await?;
        let question = found.question(Some(&key.question), Way::Supported).await?;
        if question.asked.ask.kind != *kind {
            return Err(Failure::usage("it has another form now"));
        }
        Sending::new(&found, &question, answer, Way::Supported).attempt().await
    }
}

/// Why a question has not taken the answer, with its task.
fn named(key: &Key, why: &str) -> Failure {
    Failure::usage(format!("{}: {}", text::line(text::short_id(&key.task)), text::sentence(why)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_refused_is_told_with_its_reason() {
        let key = |task: &str| Key { place: 0, task: task.to_owned(), question: "q1".to_owned() };
        let in_words = |tally: &Tally| tally.in_words("answered", "were late", "refused");
        let mut tally = Tally { done: 3, ..Tally::default() };
        assert_eq!(in_words(&tally), "3 answered");
        for task in ["aaaaaaaabb", "b", "c", "d"] {
            tally.fails(&named(&key(task), "too\nlate"));
        }
        let said = in_words(&tally);
        assert_eq!(
            said,
            "3 answered, 4 refused: aaaaaaaa: too; late; b: too; late; c: too; late; and 1 more"
        );
    }
}
