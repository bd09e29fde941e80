//! The faults that lie with a server: each asked for by name, for all tasks or by a task's own script.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::steps::Step;
use crate::task::{Answerer, Event, EventKind, Fault, TaskId};

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
            let faults = tasks.asked_for.entry(event.task.clone()).or_default();
            // Each is heard of twice: by all, and by the session that owns the task, for which the order counts.
            if !faults.contains(&fault) {
                faults.push(fault);
            }
        }
    }

    /// Whether this is done to that task.
    pub(super) fn has(&self, task: &TaskId, fault: Fault) -> bool {
        let asked_for = || self.tasks().asked_for.get(task).is_some_and(|faults| faults.contains(&fault));
        self.always.contains(&fault) || asked_for()
    }

    /// What a session does about an event, as the faults of its task will have it.
    pub(super) fn distort<'a>(&self, event: &Event, mut steps: Vec<Step<'a>>) -> Vec<Step<'a>> {
        let has = |fault| self.has(&event.task, fault);
        if has(Fault::StalledStream) {
            steps.retain(|step| !matches!(step, Step::Ask(_) | Step::Tell));
        }
        if has(Fault::MissingNotification) {
            steps.retain(|step| *step != Step::Tell);
        }
        if has(Fault::LateAnswerAccepted) {
            let timed_out = matches!(event.kind, EventKind::Answered { by: Answerer::Timeout, .. });
            let stays = |step: &Step<'_>| {
                *step == Step::WithdrawAll || (timed_out && matches!(step, Step::Withdraw(_)))
            };
            steps.retain(|step| !stays(step));
        }
        if has(Fault::QuestionAfterCancel) && matches!(event.kind, EventKind::Cancelled { .. }) {
            steps.push(Step::AskLast);
        }
        steps
    }

    /// Whether changes of the task are kept from its client.
    pub(super) fn silences(&self, task: &TaskId) -> bool {
        [Fault::MissingNotification, Fault::StalledStream].iter().any(|fault| self.has(task, *fault))
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
