//! Who could begin a task in the step that stores it.

use crate::task::{NewTask, WorkerId};

/// A worker that could begin a task at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdleWorker {
    /// Who it is.
    pub worker: WorkerId,
    /// All tools that it could begin a task of: what is queued of them is begun first.
    pub tools: Vec<String>,
}

impl IdleWorker {
    /// Whether it could begin this one.
    pub(super) fn offers(&self, new: &NewTask) -> bool {
        self.tools.contains(&new.tool)
    }
}
