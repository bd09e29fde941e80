//! One answer for several questions of one form.

use super::{Inbox, Key};
use crate::desk::answer::{Delivered, Sending};
use crate::desk::failure::Failure;
use crate::desk::text;
use crate::fastmcp::Way;
use crate::task::{Answer, AskKind};

/// The most reasons that are told.
const TOLD: usize = 3;

/// What became of an answer that went to several questions.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    answered: usize,
    /// Tasks whose question has not taken it, with the reasons.
    refused: Vec<(String, String)>,
}

impl Tally {
    /// "3 answered, 1 refused: 7w3k9q2m: …".
    pub(crate) fn in_words(&self) -> String {
        if self.refused.is_empty() {
            return format!("{} answered", self.answered);
        }
        let one = |(task, why): &(String, String)| {
            format!("{}: {}", text::line(text::short_id(task)), text::sentence(why))
        };
        let told: Vec<String> = self.refused.iter().take(TOLD).map(one).collect();
        let more = self.refused.len().saturating_sub(TOLD);
        let more = if more == 0 { String::new() } else { format!("; {more} more") };
        let (answered, refused) = (self.answered, self.refused.len());
        format!("{answered} answered, {refused} refused: {}{more}", told.join("; "))
    }

    fn count(&mut self, key: &Key, done: Result<Delivered, Failure>) {
        match done {
            Ok(Delivered::Taken(_)) => self.answered += 1,
            Ok(Delivered::Refused { problem, .. }) => self.refused.push((key.task.clone(), problem)),
            Err(failure) => self.refused.push((key.task.clone(), failure.to_string())),
        }
    }
}

impl Inbox<'_> {
    /// Answers each of these questions with that answer, as long as it is one of that kind.
    pub(crate) async fn answer_alike(&self, keys: &[Key], answer: &Answer, kind: &AskKind) -> Tally {
        let mut tally = Tally::default();
        for key in keys {
            let result = self.answer_one(key, answer, kind).await;
            if matches!(result, Ok(Delivered::Taken(_))) {
                self.close(key);
            }
            tally.count(key, result);
        }
        tally
    }

    async fn answer_one(&self, key: &Key, answer: &Answer, kind: &AskKind) -> Result<Delivered, Failure> {
        let found = self.find(key).await?;
        let question = found.question(Some(&key.question), Way::Supported).await?;
        if question.asked.ask.kind != *kind {
            return Err(Failure::usage("it has another form now"));
        }
        Sending::new(&found, &question, answer.clone(), Way::Supported).attempt().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_refused_is_told_with_its_reason() {
        let key = |task: &str| Key { place: 0, task: task.to_owned(), question: "q1".to_owned() };
        let mut tally = Tally { answered: 3, refused: Vec::new() };
        assert_eq!(tally.in_words(), "3 answered");
        for task in ["aaaaaaaabb", "b", "c", "d"] {
            tally.count(&key(task), Err(Failure::usage("too\nlate")));
        }
        let said = tally.in_words();
        assert_eq!(said, "3 answered, 4 refused: aaaaaaaa: too; late; b: too; late; c: too; late; 1 more");
    }
}
