//! Bells that ring when one task changes: the cheapest way to wait for it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::task::{Event, EventKind, TaskId};

/// What rings when one task changes. Small, since a process has one for every question that waits in it.
#[derive(Debug, Default)]
struct Bell {
    changes: AtomicU32,
    answers: AtomicU32,
    rung: Notify,
}

impl Bell {
    /// Progress is frequent and changes nothing that a follower waits for; whoever asked knows that it did, and had the
    /// task claimed before: the first attempt takes it from nobody.
    fn ring(&self, kind: &EventKind) {
        match kind {
            EventKind::Progress(_)
            | EventKind::Noted { .. }
            | EventKind::Reminded { .. }
            | EventKind::Unanswerable { .. } => return,
            EventKind::Asked { .. }
            | EventKind::Extended { .. }
            | EventKind::Submitted {}
            | EventKind::Claimed { attempt: 1, .. } => {}
            _ => drop(self.answers.fetch_add(1, Ordering::Release)),
        }
        self.changes.fetch_add(1, Ordering::Release);
        self.rung.notify_waiters();
    }

    fn ring_for_all(&self) {
        self.answers.fetch_add(1, Ordering::Release);
        self.changes.fetch_add(1, Ordering::Release);
        self.rung.notify_waiters();
    }

    fn count(&self, awaited: Awaited) -> u32 {
        match awaited {
            Awaited::Changes => self.changes.load(Ordering::Acquire),
            Awaited::Answers => self.answers.load(Ordering::Acquire),
        }
    }
}

/// What a [`Follow`] is woken by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Awaited {
    Changes,
    Answers,
}

/// The bells of all tasks that somebody follows here.
#[derive(Debug, Clone, Default)]
pub(super) struct Followers {
    bells: Arc<Mutex<HashMap<TaskId, Arc<Bell>>>>,
}

impl Followers {
    fn bells(&self) -> MutexGuard<'_, HashMap<TaskId, Arc<Bell>>> {
        self.bells.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn follow(&self, task: &TaskId, awaited: Awaited) -> Follow {
        let bell = self.bells().entry(task.clone()).or_default().clone();
        let seen = bell.count(awaited);
        Follow { followers: self.clone(), task: task.clone(), seen, bell, awaited }
    }

    pub(super) fn ring(&self, event: &Event) {
        if let Some(bell) = self.bells().get(&event.task) {
            bell.ring(&event.kind);
        }
    }

    pub(super) fn ring_all(&self) {
        for bell in self.bells().values() {
            bell.ring_for_all();
        }
    }
}

/// A wait for one task's changes. A change between two calls of [`Follow::changed`] is not lost.
#[derive(Debug)]
pub struct Follow {
    followers: Followers,
    task: TaskId,
    bell: Arc<Bell>,
    awaited: Awaited,
    seen: u32,
}

impl Follow {
    /// Waits until the task changed since the last call (or since the follow began). It may also return
    /// when nothing changed: look at the state.
    pub async fn changed(&mut self) {
        loop {
            // Listening begins before the count is read, so nothing falls between the two.
            let rung = self.bell.rung.notified();
            let count = self.bell.count(self.awaited);
            if count != self.seen {
                self.seen = count;
                return;
            }
            rung.await;
        }
    }
}

impl Drop for Follow {
    fn drop(&mut self) {
        let mut bells = self.followers.bells();
        // Two hold the bell: the map, and this one. Others can only come by way of the map, which is locked.
        if Arc::strong_count(&self.bell) == 2 {
            bells.remove(&self.task);
        }
    }
}
