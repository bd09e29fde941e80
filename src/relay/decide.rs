//! Who decides on questions before anybody is shown them, and the turns by which each is decided once.

use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use tokio::sync::{Mutex, watch};

use crate::task::{Answer, Question, QuestionId, Task, TaskId};

/// Questions that are decided at once: each task has one of these places, so that of two who come with the same question
/// one waits for the other.
const PLACES: usize = 16;

/// Who decides on questions. It knows neither the store nor a client.
pub trait Decide: fmt::Debug + Send + Sync {
    /// The question's answer; none where it is left to people.
    fn decide(&self, task: &Task, question: &Question) -> Option<Answer>;

    /// Whether it has left that question to people already: nobody then reads the task for it.
    fn has_left(&self, task: &TaskId, question: &QuestionId) -> bool;

    /// What became of that answer: an error says why it does not count.
    fn done(&self, task: &Task, question: &Question, answer: &Answer, done: Result<(), String>);

    /// Changes whenever what is open shall be decided on again.
    fn changes(&self) -> watch::Receiver<u64>;
}

/// Who decides, if anybody does.
#[derive(Debug)]
pub(super) struct Ruling {
    pub(super) decider: Option<Arc<dyn Decide>>,
    places: [Mutex<()>; PLACES],
}

impl Ruling {
    pub(super) fn new(decider: Option<Arc<dyn Decide>>) -> Self {
        Self { decider, places: Default::default() }
    }

    /// The turn of a task.
    pub(super) fn place(&self, task: &TaskId) -> &Mutex<()> {
        let mut hasher = DefaultHasher::new();
        task.hash(&mut hasher);
        let at = usize::try_from(hasher.finish() % PLACES as u64).unwrap_or_default();
        &self.places[at]
    }
}
