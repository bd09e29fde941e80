//! The tasks that this worker holds, and how a run learns that its task is no longer its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::Shared;
use crate::engine::Signal;
use crate::store::ClaimKey;
use crate::task::{Event, EventKind, TaskId};

/// What a run listens to.
#[derive(Debug, Clone, Default)]
pub(super) struct Signals {
    /// The task was cancelled, deleted or claimed by another worker.
    pub(super) taken: CancellationToken,
    /// The worker is stopping: do not wait for a person here.
    pub(super) parked: CancellationToken,
    /// The worker's time to drain is over: end now, another worker goes on.
    pub(super) given_back: CancellationToken,
}

type Tasks = HashMap<TaskId, (u32, Signals)>;

#[derive(Debug, Clone, Default)]
pub(super) struct Held {
    tasks: Arc<Mutex<Tasks>>,
}

/// A held task; it is let go when this is dropped.
pub(super) struct Hold {
    held: Held,
    claim: ClaimKey,
    signals: Signals,
}

impl Hold {
    pub(super) fn signals(&self) -> Signals {
        self.signals.clone()
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
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn hold(&self, claim: &ClaimKey) -> Hold {
        let signals = Signals::default();
        let before = self.tasks().insert(claim.task.clone(), (claim.attempt, signals.clone()));
        if let Some((_, before)) = before {
            before.taken.cancel();
        }
        Hold { held: self.clone(), claim: claim.clone(), signals }
    }

    /// Whether this very claim is held here.
    pub(super) fn holds(&self, claim: &ClaimKey) -> bool {
        self.tasks().get(&claim.task).is_some_and(|(attempt, _)| *attempt == claim.attempt)
    }

    /// Tells every run not to wait for people any more.
    pub(super) fn park_waiting(&self) {
        self.tasks().values().for_each(|(_, signals)| signals.parked.cancel());
    }

    /// Tells every run to end.
    pub(super) fn give_back_all(&self) {
        self.tasks().values().for_each(|(_, signals)| signals.given_back.cancel());
    }

    fn hear(&self, event: &Event) {
        let tasks = self.tasks();
        let Some((held, signals)) = tasks.get(&event.task) else { return };
        let taken = match &event.kind {
            EventKind::Claimed { attempt, .. } => attempt != held,
            EventKind::Cancelled { .. } | EventKind::Expired {} | EventKind::Requeued { .. } => true,
            _ => false,
        };
        if taken {
            signals.taken.cancel();
        }
    }

    fn claims(&self) -> Vec<(ClaimKey, Signals)> {
        let tasks = self.tasks();
        let claims = tasks.iter().map(|(task, (attempt, signals))| {
            (ClaimKey { task: task.clone(), attempt: *attempt }, signals.clone())
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
            Ok(Signal::Event(event)) => shared.held.hear(&event),
            Ok(Signal::Resync) | Err(RecvError::Lagged(_)) => look_again(&shared).await,
            Err(RecvError::Closed) => return,
        }
    }
}

/// After events may have been missed: asks the store about every held task.
async fn look_again(shared: &Shared) {
    for (claim, signals) in shared.held.claims() {
        match shared.engine.store().get(&claim.task).await {
            Ok(Some(task)) if task.attempt == claim.attempt && task.worker.is_some() => {}
            Ok(_) => signals.taken.cancel(),
            // The store is away again; its return brings another resync.
            Err(_) => return,
        }
    }
}
