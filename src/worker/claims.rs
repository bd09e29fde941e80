//! The claims that this worker holds, and how a run learns that its task is no longer its own.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::store::ClaimKey;
use crate::task::{Event, EventKind, TaskId};

type Tasks = HashMap<TaskId, Held>;

/// What is known of a task.
#[derive(Debug)]
struct Held {
    /// The attempt under which it is held.
    attempt: u32,
    /// Tells its run that it was taken.
    taken: CancellationToken,
    /// Whether the store has said that it is held, and not only been asked.
    arrived: bool,
    /// Whether its run has ended, and only its outcome is being recorded.
    ended: bool,
}

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
    arrived: bool,
}

impl Claim {
    /// The same once the store has said that the task is held.
    pub(super) fn arrived(mut self) -> Self {
        self.arrived = true;
        if let Some(held) = self.claims.tasks().get_mut(&self.key.task) {
            held.arrived |= held.attempt == self.key.attempt;
        }
        self
    }

    /// Its run has ended, and what it brought is recorded now: that the store knows the claim no longer is no loss then.
    pub(super) fn ended(&self) {
        if let Some(held) = self.claims.tasks().get_mut(&self.key.task) {
            held.ended |= held.attempt == self.key.attempt;
        }
    }

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
        // What did not arrive here may have been claimed from its queue meanwhile, under the same attempt.
        let is_it = |held: &Held| held.attempt == self.key.attempt && held.arrived == self.arrived;
        if tasks.get(&self.key.task).is_some_and(is_it) {
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

    /// A claim that the store has given.
    pub(super) fn hold(&self, key: &ClaimKey) -> Claim {
        self.insert(key, true)
    }

    /// A claim that the store is about to be asked for: whatever is heard of the task is heard for it.
    pub(super) fn expect(&self, key: &ClaimKey) -> Claim {
        self.insert(key, false)
    }

    fn insert(&self, key: &ClaimKey, arrived: bool) -> Claim {
        let taken = CancellationToken::new();
        let held = Held { attempt: key.attempt, taken: taken.clone(), arrived, ended: false };
        let before = self.tasks().insert(key.task.clone(), held);
        if let Some(before) = before {
            before.taken.cancel();
        }
        Claim { claims: self.clone(), key: key.clone(), taken, arrived }
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
        let Some(held) = tasks.get(&event.task) else { return Heard::Nothing };
        match &event.kind {
            EventKind::Claimed { attempt, .. } if *attempt > held.attempt => {}
            // The end may be what the run itself has just recorded, and then it does not listen any more.
            kind if kind.is_end() => {}
            // It may have been written before the claim that is held now, and be heard only after it.
            EventKind::Requeued { .. } => return Heard::Doubtful,
            _ => return Heard::Nothing,
        }
        held.taken.cancel();
        Heard::Taken
    }

    /// How many are held.
    pub(super) fn count(&self) -> usize {
        self.tasks().len()
    }

    /// All that are held, and those that may be in a moment.
    pub(super) fn held(&self) -> HashSet<ClaimKey> {
        self.tasks().iter().map(key).collect()
    }

    /// All of which the store has said that they are held.
    pub(super) fn arrived(&self) -> HashSet<ClaimKey> {
        self.tasks().iter().filter(|(_, held)| held.arrived).map(key).collect()
    }

    /// Tells the run under this very claim that it is over; false where there is none any more, or it has ended.
    pub(super) fn end(&self, key: &ClaimKey) -> bool {
        let tasks = self.tasks();
        let run = tasks.get(&key.task).filter(|held| held.attempt == key.attempt);
        run.inspect(|held| held.taken.cancel()).is_some_and(|held| !held.ended)
    }
}

fn key((task, held): (&TaskId, &Held)) -> ClaimKey {
    ClaimKey { task: task.clone(), attempt: held.attempt }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_that_did_not_arrive_leaves_the_one_that_did() {
        let (claims, task) = (Claims::default(), TaskId::generate());
        let key = ClaimKey { task: task.clone(), attempt: 1 };
        let expected = claims.expect(&key);
        assert!(claims.arrived().is_empty(), "the store may not know it yet");
        assert!(claims.held().contains(&key), "nor is it one that nobody knows of");
        assert_eq!(claims.hear(&Event::example(&task, EventKind::Expired { pruned: false })), Heard::Taken);
        assert!(expected.taken().is_cancelled(), "it is heard of before it arrives");
        let queued = claims.hold(&key);
        drop(expected);
        assert!(claims.arrived().contains(&key), "it was claimed from its queue");
        drop(queued);
        assert_eq!(claims.count(), 0);
        let arrived = claims.expect(&key).arrived();
        assert!(claims.arrived().contains(&key));
        drop(arrived);
        assert_eq!(claims.count(), 0);
    }

    #[test]
    fn a_claim_whose_run_has_ended_is_no_loss() {
        let claims = Claims::default();
        let key = ClaimKey { task: TaskId::generate(), attempt: 1 };
        let claim = claims.hold(&key);
        assert!(claims.end(&key), "its run is told");
        claim.ended();
        assert!(!claims.end(&key), "what it brought was recorded a moment ago");
        assert!(claim.taken().is_cancelled());
    }

    #[test]
    fn a_run_hears_of_whatever_ends_its_claim() {
        let (claims, task) = (Claims::default(), TaskId::generate());
        let heard = |attempt: u32, kind: EventKind| {
            let claim = claims.hold(&ClaimKey { task: task.clone(), attempt });
            (claims.hear(&Event::example(&task, kind)), claim.taken().is_cancelled())
        };
        let claimed = |attempt| EventKind::Claimed { worker: "w".parse().expect("an id"), attempt };
        let failed = EventKind::Failed { code: -32603, message: "its attempts are used up".to_owned() };
        assert_eq!(heard(2, claimed(3)), (Heard::Taken, true), "by another worker");
        assert_eq!(heard(2, claimed(2)), (Heard::Nothing, false), "its own");
        assert_eq!(heard(2, failed), (Heard::Taken, true), "its last attempt was failed by another");
        assert_eq!(heard(2, EventKind::Expired { pruned: false }), (Heard::Taken, true));
        let requeued = EventKind::Requeued { reason: "?".to_owned() };
        assert_eq!(heard(2, requeued), (Heard::Doubtful, false));
        assert_eq!(claims.count(), 0, "each is let go");
    }
}
