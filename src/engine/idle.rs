//! The workers of this process, as its submissions have to know them: one that is idle begins a task in the step that
//! stores it, which spares the queue, a wake-up and a claim.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use futures::future::BoxFuture;

use super::Engine;
use crate::store::StoreResult;
use crate::task::{NewTask, Task};

/// A submission that goes on when nobody waits for it any more: a worker has to know what it has begun.
pub(crate) type Submitting = BoxFuture<'static, StoreResult<Task>>;

/// A worker that may be idle.
pub(crate) trait Begins: Send + Sync {
    /// Stores a task, and begins it where nothing older waits; the task itself where this worker could not begin it
    /// now.
    fn submit(&self, new: Box<NewTask>, most_open: u32) -> Result<Submitting, Box<NewTask>>;
}

/// All of them.
#[derive(Default)]
pub(super) struct Idle {
    workers: Mutex<Vec<Weak<dyn Begins>>>,
}

impl fmt::Debug for Idle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Idle").finish_non_exhaustive()
    }
}

impl Engine {
    /// Has a worker of this process begin tasks that this process submits, for as long as it is there.
    pub(crate) fn begins(&self, worker: &Arc<dyn Begins>) {
        self.inner.idle.add(worker);
    }

    /// Stores a task, by an idle worker of this process where there is one.
    pub(super) async fn store_task(&self, new: NewTask) -> StoreResult<Task> {
        let most_open = self.limits().open_tasks;
        match self.inner.idle.submit(Box::new(new), most_open) {
            Ok(submitting) => submitting.await,
            Err(new) => self.inner.store.submit(&new, most_open).await,
        }
    }
}

impl Idle {
    pub(super) fn add(&self, worker: &Arc<dyn Begins>) {
        let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        workers.retain(|known| known.strong_count() > 0);
        workers.push(Arc::downgrade(worker));
    }

    /// [`Begins::submit`] of the first that can.
    pub(super) fn submit(&self, new: Box<NewTask>, most_open: u32) -> Result<Submitting, Box<NewTask>> {
        let workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut refused = new;
        for worker in workers.iter().filter_map(Weak::upgrade) {
            match worker.submit(refused, most_open) {
                Ok(submitting) => return Ok(submitting),
                Err(new) => refused = new,
            }
        }
        Err(refused)
    }
}
