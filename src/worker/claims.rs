//! The claims that this worker holds, and how a run learns that its task is no longer its own.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::store::ClaimKey;
use crate::task::{Event, EventKind, TaskId};

/// The attempt under which each is held, and what tells its run that it was taken.
type Tasks = HashMap<TaskId, (u32, CancellationToken)>;

/// Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Claims {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    tasks: Mutex<Tasks>,
    parked: CancellationToken,
    given_back: CancellationToken,
}

/// A claim that is held; it is let go when this is dropped.
pub(super) struct Claim {
    claims: Claims,
    key: ClaimKey,
    taken: CancellationToken,
}

impl Claim {
    /// What the store knows it by.
    pub(super) fn key(&self) -> &ClaimKey {
        &self.key
    }

    /// Fires when the task ended elsewhere, was deleted, or was claimed by another worker.
    pub(super) fn taken(&self) -> &CancellationToken {
        &self.taken
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut tasks = self.claims.tasks();
        if tasks.get(&self.key.task).is_some_and(|(attempt, _)| *attempt == self.key.attempt) {
            tasks.remove(&self.key.task);
        }
    }
}

/// What an event means for a claim that is held.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Nothing.
    Nothing,
    /// Its run was told that it is over.
    Taken,
    /// It may be over: the store knows.
    Doubtful,
}

impl Claims {
    fn tasks(&self) -> MutexGuard<'_, Tasks> {
        self.inner.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn hold(&self, key: &ClaimKey) -> Claim {
        let taken = CancellationToken::new();
        let before = self.tasks().insert(key.task.clone(), (key.attempt, taken.clone()));
        if let Some((_, before)) = before {
            before.cancel();
        }
        Claim { claims: self.clone(), key: key.clone(), taken }
    }

    /// Fires when the worker is stopping: no run waits for a person here any more.
    pub(super) fn parked(&self) -> &CancellationToken {
        &self.inner.parked
    }

    /// Fires when the worker's time to drain is over: every run ends, and another worker goes on.
    pub(super) fn given_back(&self) -> &CancellationToken {
        &self.inner.given_back
    }

    /// Tells every run not to wait for people any more.
    pub(super) fn park_waiting(&self) {
        self.inner.parked.cancel();
    }

    /// Tells every run to end.
    pub(super) fn give_back_all(&self) {
        self.inner.given_back.cancel();
    }

    /// Acts on an event.
    pub(super) fn hear(&self, event: &Event) -> Heard {
        let tasks = self.tasks();
        let Some((held, taken)) = tasks.get(&event.task) else { return Heard::Nothing };
        match &event.kind {
            EventKind::Claimed { attempt, .. } if attempt > held => {}
            // The end may be what the run itself has just recorded, and then it does not listen any more.
            kind if kind.is_end() => {}
            // It may have been written before the claim that is held now, and be heard only after it.
            EventKind::Requeued { .. } => return Heard::Doubtful,
            _ => return Heard::Nothing,
        }
        taken.cancel();
        Heard::Taken
    }

    /// How many are held.
    pub(super) fn count(&self) -> usize {
        self.tasks().len()
    }

    /// All that are held.
    pub(super) fn held(&self) -> HashSet<ClaimKey> {
        let tasks = self.tasks();
        let key =
            |(task, (attempt, _)): (&TaskId, &(u32, _))| ClaimKey { task: task.clone(), attempt: *attempt };
        tasks.iter().map(key).collect()
    }

    /// Tells the run under this very claim that it is over; false where there is none any more.
    pub(super) fn end(&self, key: &ClaimKey) -> bool {
        let tasks = self.tasks();
        let run = tasks.get(&key.task).filter(|(attempt, _)| *attempt == key.attempt);
        run.inspect(|(_, taken)| taken.cancel()).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::{Cursor, Scope, TaskStatus};

    fn event(task: &TaskId, kind: EventKind) -> Event {
        Event {
            cursor: Cursor::START,
            at: jiff::Timestamp::UNIX_EPOCH,
            task: task.clone(),
            tool: "tool".to_owned(),
            session: None,
            scope: Scope::anonymous(),
            hidden: false,
            status: TaskStatus::Working,
            kind,
        }
    }

    #[test]
    fn a_run_hears_of_whatever_ends_its_claim() {
        let (claims, task) = (Claims::default(), TaskId::generate());
        let heard = |attempt: u32, kind: EventKind| {
            let claim = claims.hold(&ClaimKey { task: task.clone(), attempt });
            (claims.hear(&event(&task, kind)), claim.taken().is_cancelled())
        };
        let claimed = |attempt| EventKind::Claimed { worker: "w".parse().expect("an id"), attempt };
        let failed = EventKind::Failed { code: -32603, message: "its attempts are used up".to_owned() };
        assert_eq!(heard(2, claimed(3)), (Heard::Taken, true), "by another worker");
        assert_eq!(heard(2, claimed(2)), (Heard::Nothing, false), "its own");
        assert_eq!(heard(2, failed), (Heard::Taken, true), "its last attempt was failed by another");
        assert_eq!(heard(2, EventKind::Expired {}), (Heard::Taken, true));
        let requeued = EventKind::Requeued { reason: "?".to_owned() };
        assert_eq!(heard(2, requeued), (Heard::Doubtful, false));
        assert_eq!(claims.count(), 0, "each is let go");
    }
}
