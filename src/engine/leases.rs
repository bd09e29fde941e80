//! The workers of this process, as its time keeper has to know them: they are alive, whatever their lease says. A
//! process that was paused for longer than a lease (SIGSTOP, a closed lid, a virtual machine's snapshot) finds its own
//! claims due when it goes on; they are its workers' to renew, not its time keeper's to give away.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::task::WorkerId;

/// Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Leases {
    living: Arc<Mutex<HashMap<WorkerId, Arc<Notify>>>>,
}

/// A worker that lives in this process. It counts as gone when this is dropped.
#[derive(Debug)]
pub(crate) struct Living {
    leases: Leases,
    worker: WorkerId,
    overdue: Arc<Notify>,
}

impl Leases {
    fn living(&self) -> MutexGuard<'_, HashMap<WorkerId, Arc<Notify>>> {
        self.living.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begin(&self, worker: &WorkerId) -> Living {
        let overdue = Arc::new(Notify::new());
        self.living().insert(worker.clone(), overdue.clone());
        Living { leases: self.clone(), worker: worker.clone(), overdue }
    }

    /// Whether the worker lives here. Where it does, it is told that its lease has ended.
    pub(super) fn remind(&self, worker: &WorkerId) -> bool {
        let living = self.living();
        let overdue = living.get(worker);
        overdue.inspect(|overdue| overdue.notify_one()).is_some()
    }
}

impl Living {
    /// Waits until the time keeper finds that the lease has ended. Dropping the future loses nothing.
    pub(crate) async fn overdue(&self) {
        self.overdue.notified().await;
    }
}

impl Drop for Living {
    fn drop(&mut self) {
        let mut living = self.leases.living();
        if living.get(&self.worker).is_some_and(|overdue| Arc::ptr_eq(overdue, &self.overdue)) {
            living.remove(&self.worker);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_worker_is_reminded_for_as_long_as_it_lives() {
        let (leases, worker) = (Leases::default(), WorkerId::generate("here"));
        let before = leases.begin(&worker);
        // One that begins again under the same name takes its place.
        let living = leases.begin(&worker);
        drop(before);
        assert!(leases.remind(&worker), "it lives");
        living.overdue().await;
        drop(living);
        assert!(!leases.remind(&worker), "it is gone");
    }
}
