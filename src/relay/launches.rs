//! The book of tasks whose clients cannot be asked everything.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::modes::Modes;
use crate::task::{Question, QuestionId, Task, TaskId};

/// The tasks that were launched here by clients that cannot be asked everything, until they end.
#[derive(Debug, Default)]
pub(super) struct Launches {
    tasks: Mutex<HashMap<TaskId, Launch>>,
}

#[derive(Debug)]
struct Launch {
    modes: Modes,
    /// When the task's life is over. No event may tell of it: a store that was emptied tells nothing.
    ends: Option<Timestamp>,
    /// Questions that were settled, one way or the other.
    settled: HashSet<QuestionId>,
}

impl Launches {
    fn tasks(&self) -> MutexGuard<'_, HashMap<TaskId, Launch>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn enter(&self, task: &Task, modes: Modes) {
        let ttl = task.new.ttl_ms.and_then(|ttl| i64::try_from(ttl).ok());
        let ends = ttl.map(|ttl| task.created_at.as_millisecond().saturating_add(ttl));
        let ends = ends.and_then(|ends| Timestamp::from_millisecond(ends).ok());
        let launch = Launch { modes, ends, settled: HashSet::new() };
        self.tasks().insert(task.id().clone(), launch);
    }

    /// The task is kept until then.
    pub(super) fn kept_until(&self, task: &TaskId, end: Timestamp) {
        if let Some(launch) = self.tasks().get_mut(task) {
            launch.ends = Some(end);
        }
    }

    pub(super) fn forget(&self, task: &TaskId) {
        self.tasks().remove(task);
    }

    /// Forgets the tasks whose life is over; whether any is left.
    pub(super) fn forget_expired(&self) -> bool {
        let now = Timestamp::now();
        let mut tasks = self.tasks();
        tasks.retain(|_, launch| launch.ends.is_none_or(|ends| ends > now));
        !tasks.is_empty()
    }

    /// Why the client of that task cannot be asked this, where it cannot; only once for each question.
    pub(super) fn unaskable(&self, task: &TaskId, question: &Question) -> Option<String> {
        let mut tasks = self.tasks();
        let launch = tasks.get_mut(task)?;
        let reason = launch.modes.missing(&question.ask.kind)?;
        launch.settled.insert(question.id.clone()).then_some(reason)
    }
}
