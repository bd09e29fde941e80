//! The questions of a task that is followed: which are open, and what was told of them.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::asked::AskedQuestion;
use super::{Client, ClientError, ClientResult};
use crate::task::{Answer, TaskStatus};

/// After how long it is told that a server still shows a question whose answer it took: the protocol allows for some.
/// FastMCP 4 queues the next leg before it acknowledges, and shows none.
pub(super) const COUNTS_WITHIN: Duration = Duration::from_secs(5);

/// How many questions of one task are answered while it is followed: as many as rounds of a call. Nobody reads so many, so
/// that more of them come from a server that makes up a new one for each answer.
const MOST_QUESTIONS: usize = 1000;

/// The questions of one followed task.
#[derive(Default)]
pub(super) struct Questions {
    /// Those that the last look showed.
    pub(super) seen: Map<String, Value>,
    /// Keys that were answered here, and when; they never come again, though a look may still show them for a while.
    pub(super) answered: HashMap<String, Instant>,
    /// The one that is being asked.
    pub(super) asking: Option<Asking>,
    /// How often the server refused the last question's answers.
    pub(super) refusals: u32,
    /// Keys of what nobody here can answer, and that was told.
    pub(super) unanswerable: HashSet<String>,
    /// Keys of answered questions of which it was told that they are still open.
    pub(super) told_open: HashSet<String>,
    /// Since when the task waits for input and shows no question, and whether that was told.
    unshown: Option<(Instant, bool)>,
}

/// Whether another question of a task is answered after so many.
pub(super) fn may_go_on(task: &str, answered: usize) -> ClientResult<()> {
    if answered < MOST_QUESTIONS {
        return Ok(());
    }
    Err(ClientError::TooManyQuestions { task: task.to_owned(), answered })
}

impl Questions {
    /// Takes out of what was seen what this client cannot answer. It keeps nothing else from being asked, and is an error
    /// where nothing else is left: nobody here can help the task then.
    pub(super) fn set_aside(&mut self, client: &Client) -> ClientResult<()> {
        let (seen, last) = client.answerable(std::mem::take(&mut self.seen), &mut self.unanswerable);
        self.seen = seen;
        match last {
            Some(error) if self.seen.is_empty() => Err(error),
            _ => Ok(()),
        }
    }

    /// Sets the page aside that was asked about and must not be opened, where nobody here has said no to it: the other
    /// questions can be answered all the same. Any other error ends the whole.
    pub(super) fn leave_page(&mut self, error: ClientError) -> ClientResult<()> {
        let is_left = matches!(error, ClientError::LeftOpen { .. });
        match self.asking.take().filter(|asking| is_left && asking.is_refused_page) {
            Some(page) => drop(self.unanswerable.insert(page.key)),
            None => return Err(error),
        }
        Ok(())
    }

    /// Whether it is to be told that a task of that status waits and has shown no question for a while: a server that takes
    /// an answer may show the task so for a moment.
    pub(super) fn is_unshown(&mut self, status: TaskStatus) -> bool {
        if status != TaskStatus::InputRequired || !self.seen.is_empty() {
            self.unshown = None;
            return false;
        }
        let (since, is_told) = self.unshown.get_or_insert_with(|| (Instant::now(), false));
        since.elapsed() >= COUNTS_WITHIN && !std::mem::replace(is_told, since.elapsed() >= COUNTS_WITHIN)
    }

    /// Those that were answered long ago and are still shown, each once.
    pub(super) fn uncounted(&mut self) -> Vec<String> {
        let Self { seen, answered, told_open, .. } = self;
        let is_long_answered =
            |key: &&String| answered.get(*key).is_some_and(|at| at.elapsed() >= COUNTS_WITHIN);
        seen.keys().filter(is_long_answered).filter(|key| told_open.insert((*key).clone())).cloned().collect()
    }
}

/// A question at the answerer's; dropping it takes it back.
pub(super) struct Asking {
    pub(super) key: String,
    /// Whether it is a page that must not be opened.
    pub(super) is_refused_page: bool,
    pub(super) reply: AbortOnDropHandle<ClientResult<(AskedQuestion, Answer)>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_that_asks_something_new_for_each_answer_is_left() {
        assert!(may_go_on("t1", MOST_QUESTIONS - 1).is_ok());
        let left = may_go_on("t1", MOST_QUESTIONS).expect_err("it is enough").to_string();
        assert!(left.contains("task t1 has had 1000 questions answered here"), "{left}");
    }
}
