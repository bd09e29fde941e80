//! Tasks that this process submits itself and that its idle worker begins at once.
//!
//! The worker knows of such a task before the store does: what happens to it meanwhile is heard, and nothing gives it
//! back as one that nobody knows of.

use std::sync::Arc;

use futures::FutureExt as _;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Shared;
use super::claims::Claim;
use super::roster::{Entry, Slot};
use super::run::{self, Place};
use crate::engine::{Begins, Submitting};
use crate::store::{ClaimKey, IdleWorker, StoreError, StoreResult};
use crate::task::{NewTask, Task};

/// A worker as submissions of its process see it.
pub(super) struct Arrivals {
    shared: Arc<Shared>,
    tracker: TaskTracker,
    stop: CancellationToken,
}

/// What is kept for a task that may be begun.
struct Kept {
    entry: Arc<Entry>,
    slot: Slot,
    claim: Claim,
    idle: IdleWorker,
}

impl Arrivals {
    /// Until `stop`; the runs are tracked like all others.
    pub(super) fn of(
        shared: &Arc<Shared>,
        tracker: &TaskTracker,
        stop: &CancellationToken,
    ) -> Arc<dyn Begins> {
        Arc::new(Self { shared: shared.clone(), tracker: tracker.clone(), stop: stop.clone() })
    }

    fn kept_for(&self, new: &NewTask) -> Option<Kept> {
        if self.stop.is_cancelled() {
            return None;
        }
        let (entry, slot, tools) = self.shared.roster.take_for(&new.tool)?;
        let claim = self.shared.claims.expect(&ClaimKey { task: new.id.clone(), attempt: 1 });
        let idle = IdleWorker { worker: self.shared.config.id.clone(), tools };
        Some(Kept { entry, slot, claim, idle })
    }
}

impl Begins for Arrivals {
    fn submit(&self, new: Box<NewTask>, most_open: u32) -> Result<Submitting, Box<NewTask>> {
        let Some(kept) = self.kept_for(&new) else { return Err(new) };
        let (shared, tracker) = (self.shared.clone(), self.tracker.clone());
        let location = shared.engine.store().location();
        // On its own, since whoever submits may leave before the reply comes.
        let submission = self.tracker.spawn(submit(shared, tracker, (new, most_open), kept));
        let ended = |ended: Result<_, tokio::task::JoinError>| {
            ended.unwrap_or_else(|error| Err(StoreError::Backend { location, problem: error.to_string() }))
        };
        Ok(submission.map(ended).boxed())
    }
}

async fn submit(
    shared: Arc<Shared>,
    tracker: TaskTracker,
    (new, most_open): (Box<NewTask>, u32),
    kept: Kept,
) -> StoreResult<Task> {
    let Kept { entry, slot, claim, idle } = kept;
    let submitted = shared.engine.store().submit_to(&new, most_open, Some(&idle)).await;
    match &submitted {
        Ok(task) if task.worker.is_some() => {
            let (claim, place) = (claim.arrived(), Place::Free(entry, slot));
            tracker.spawn(run::run_one(shared.clone(), Box::new(task.clone()), claim, place));
        }
        // It is queued like any other.
        Ok(_) | Err(StoreError::TooManyTasks { .. } | StoreError::Refused { .. }) => {}
        Err(_) => {
            // It may have been done, and only its reply was lost: then the store knows more than this worker.
            drop(claim);
            shared.roster.call_off(true);
        }
    }
    submitted
}
