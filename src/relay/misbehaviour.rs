//! The faults that lie with a server: each asked for by name, for all tasks or by a task's own script.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::task::{Event, EventKind, Fault, TaskId};

/// Tasks whose faults are remembered. They are there for tests of clients, which need few.
const REMEMBERED: usize = 10_000;

/// How a server misbehaves.
#[derive(Debug)]
pub(super) struct Misbehaviour {
    /// For every task.
    always: Vec<Fault>,
    tasks: Mutex<Tasks>,
}

#[derive(Debug, Default)]
struct Tasks {
    asked_for: HashMap<TaskId, Vec<Fault>>,
    /// Tasks of which a response was cut off already.
    cut: HashSet<TaskId>,
}

impl Misbehaviour {
    pub(super) fn new(always: Vec<Fault>) -> Self {
        Self { always, tasks: Mutex::default() }
    }

    /// Reads of a script's fault in the log.
    pub(super) fn learn(&self, event: &Event) {
        let EventKind::Noted { note } = &event.kind else { return };
        let Some(fault) = Fault::of_note(note) else { return };
        let mut tasks = self.tasks();
        if tasks.asked_for.len() < REMEMBERED {
            tasks.asked_for.entry(event.task.clone()).or_default().push(fault);
        }
    }

    /// Whether this is done to that task.
    pub(super) fn has(&self, task: &TaskId, fault: Fault) -> bool {
        let asked_for = || self.tasks().asked_for.get(task).is_some_and(|faults| faults.contains(&fault));
        self.always.contains(&fault) || asked_for()
    }

    /// [`Fault::DroppedConnection`]: once for each task, so that a client that comes back goes on.
    pub(super) fn cuts(&self, task: &TaskId) -> bool {
        if !self.has(task, Fault::DroppedConnection) {
            return false;
        }
        let mut tasks = self.tasks();
        tasks.cut.len() < REMEMBERED && tasks.cut.insert(task.clone())
    }

    fn tasks(&self) -> MutexGuard<'_, Tasks> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
