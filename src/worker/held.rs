//! The tasks that this worker holds, and how a run learns that its task is no longer its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::Shared;
use crate::engine::Signal;
use crate::store::ClaimKey;
use crate::task::{Event, EventKind, TaskId};

/// The attempt under which each is held, and what tells its run that it was taken.
type Tasks = HashMap<TaskId, (u32, CancellationToken)>;

/// Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Held {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    tasks: Mutex<Tasks>,
    parked: CancellationToken,
    given_back: CancellationToken,
}

/// A held task; it is let go when this is dropped.
pub(super) struct Hold {
    held: Held,
    claim: ClaimKey,
    taken: CancellationToken,
}

impl Hold {
    pub(super) fn claim(&self) -> &ClaimKey {
        &self.claim
    }

    /// Fires when the task was cancelled, deleted or claimed by another worker.
    pub(super) fn taken(&self) -> &CancellationToken {
        &self.taken
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut tasks = self.held.tasks();
        if tasks.get(&self.claim.task).is_some_and(|(attempt, _)| *attempt == self.claim.attempt) {
            tasks.remove(&self.claim.task);
        }
    }
}

impl Held {
    fn tasks(&self) -> MutexGuard<'_, Tasks> {
        self.inner.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn hold(&self, claim: &ClaimKey) -> Hold {
        let taken = CancellationToken::new();
        let before = self.tasks().insert(claim.task.clone(), (claim.attempt, taken.clone()));
        if let Some((_, before)) = before {
            before.cancel();
        }
        Hold { held: self.clone(), claim: claim.clone(), taken }
    }

    /// Whether this very claim is held here.
    pub(super) fn holds(&self, claim: &ClaimKey) -> bool {
        self.tasks().get(&claim.task).is_some_and(|(attempt, _)| *attempt == claim.attempt)
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

    /// Acts on an event; returns the claim that it may have ended, for the store to decide.
    fn hear(&self, event: &Event) -> Option<(ClaimKey, CancellationToken)> {
        let tasks = self.tasks();
        let (held, taken) = tasks.get(&event.task)?;
        match &event.kind {
            EventKind::Claimed { attempt, .. } if attempt > held => taken.cancel(),
            EventKind::Cancelled { .. } | EventKind::Expired {} => taken.cancel(),
            // It may have been written before the claim that is held now, and be heard only after it.
            EventKind::Requeued { .. } => {
                return Some((ClaimKey { task: event.task.clone(), attempt: *held }, taken.clone()));
            }
            _ => {}
        }
        None
    }

    fn claims(&self) -> Vec<(ClaimKey, CancellationToken)> {
        let tasks = self.tasks();
        let claims = tasks.iter().map(|(task, (attempt, taken))| {
            (ClaimKey { task: task.clone(), attempt: *attempt }, taken.clone())
        });
        claims.collect()
    }
}

/// Listens for cancelled and taken tasks until `stop`.
pub(super) async fn watch(shared: Arc<Shared>, stop: CancellationToken) {
    let Ok(hub) = shared.engine.hub().await else { return };
    let mut signals = hub.subscribe();
    loop {
        let signal = tokio::select! {
            () = stop.cancelled() => return,
            signal = signals.recv() => signal,
        };
        match signal {
            Ok(Signal::Event(event)) => {
                if let Some(claim) = shared.held.hear(&event) {
                    look_again(&shared, vec![claim]).await;
                }
            }
            Ok(Signal::Resync) | Err(RecvError::Lagged(_)) => {
                look_again(&shared, shared.held.claims()).await;
            }
            Err(RecvError::Closed) => return,
        }
    }
}

/// Asks the store whether these claims still hold.
async fn look_again(shared: &Shared, claims: Vec<(ClaimKey, CancellationToken)>) {
    for (claim, taken) in claims {
        match shared.engine.store().get(&claim.task).await {
            Ok(Some(task)) if task.attempt == claim.attempt && task.worker.is_some() => {}
            Ok(_) => taken.cancel(),
            // The store is away again; its return brings another resync.
            Err(_) => return,
        }
    }
}
