//! One tail of the log per process, fanned out to everybody here who waits.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, broadcast, watch};
use tokio_util::sync::CancellationToken;

use crate::store::Tail;
use crate::task::{Event, EventKind, TaskId};

/// Signals that a slow subscriber may fall behind before it is told to look for itself.
const BACKLOG: usize = 8192;

/// Pauses between attempts to read a log that cannot be read: doubled from the first to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LAST_PAUSE: Duration = Duration::from_secs(5);

/// What a subscriber gets.
#[derive(Debug, Clone)]
pub enum Signal {
    /// The next event.
    Event(Arc<Event>),
    /// Events may have been missed: look at the state itself.
    Resync,
}

/// The fan-out. Dropping the last handle does not end the tail; its token does.
#[derive(Debug, Clone)]
pub struct Hub {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    signals: broadcast::Sender<Signal>,
    followed: Mutex<HashMap<TaskId, Arc<Bell>>>,
    /// Counts how often the tools may have changed.
    tools: watch::Sender<u64>,
}

impl Shared {
    fn followed(&self) -> MutexGuard<'_, HashMap<TaskId, Arc<Bell>>> {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, event: Event) {
        if let Some(bell) = self.followed().get(&event.task) {
            bell.ring(&event.kind);
        }
        // An error only means that nobody is subscribed.
        let _ = self.signals.send(Signal::Event(Arc::new(event)));
    }

    fn tools(&self) {
        self.tools.send_modify(|count| *count += 1);
    }

    fn wake_all(&self) {
        for bell in self.followed().values() {
            bell.ring_for_all();
        }
    }

    fn resync(&self) {
        self.tools();
        self.wake_all();
        let _ = self.signals.send(Signal::Resync);
    }
}

/// What rings when one task changes. Small, since a process has one for every question that waits in it.
#[derive(Debug, Default)]
struct Bell {
    changes: AtomicU32,
    answers: AtomicU32,
    ends: AtomicU32,
    rung: Notify,
}

impl Bell {
    /// Progress is frequent and changes nothing that a follower waits for; whoever asked knows that it did.
    fn ring(&self, kind: &EventKind) {
        match kind {
            EventKind::Progress(_) | EventKind::Noted { .. } => return,
            EventKind::Asked { .. } => {}
            kind => {
                self.answers.fetch_add(1, Ordering::Release);
                self.ends.fetch_add(u32::from(kind.is_end()), Ordering::Release);
            }
        }
        self.changes.fetch_add(1, Ordering::Release);
        self.rung.notify_waiters();
    }

    fn ring_for_all(&self) {
        self.ends.fetch_add(1, Ordering::Release);
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
enum Awaited {
    Changes,
    Answers,
}

impl Hub {
    pub(super) fn start(tail: Box<dyn Tail>, stop: CancellationToken) -> Self {
        let shared = Arc::new(Shared {
            signals: broadcast::channel(BACKLOG).0,
            followed: Mutex::new(HashMap::new()),
            tools: watch::Sender::default(),
        });
        tokio::spawn(run(shared.clone(), tail, stop));
        Self { shared }
    }

    /// Every event from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Signal> {
        self.shared.signals.subscribe()
    }

    /// Wakes everybody who follows a task here, so that they look at what else may have changed for them.
    pub fn wake_all(&self) {
        self.shared.wake_all();
    }

    /// Changes whenever the tools may be other ones.
    pub(super) fn tools(&self) -> watch::Receiver<u64> {
        self.shared.tools.subscribe()
    }

    /// Changes of one task from now on.
    pub fn follow(&self, task: &TaskId) -> Follow {
        self.listen(task, Awaited::Changes)
    }

    /// [`Hub::follow`] for whoever asked a question: its own asking is no change.
    pub fn follow_answers(&self, task: &TaskId) -> Follow {
        self.listen(task, Awaited::Answers)
    }

    fn listen(&self, task: &TaskId, awaited: Awaited) -> Follow {
        let bell = self.shared.followed().entry(task.clone()).or_default().clone();
        let (seen, ends) = (bell.count(awaited), bell.ends.load(Ordering::Acquire));
        Follow { shared: self.shared.clone(), task: task.clone(), seen, ends, bell, awaited }
    }
}

/// A wait for one task's changes. A change between two calls of [`Follow::changed`] is not lost.
#[derive(Debug)]
pub struct Follow {
    shared: Arc<Shared>,
    task: TaskId,
    bell: Arc<Bell>,
    awaited: Awaited,
    seen: u32,
    ends: u32,
}

impl Follow {
    /// Whether the task may have ended since the follow began. When not, it has not.
    pub fn may_have_ended(&self) -> bool {
        self.bell.ends.load(Ordering::Acquire) != self.ends
    }

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
        let mut followed = self.shared.followed();
        // Two hold the bell: the map, and this one. Others can only come by way of the map, which is locked.
        if Arc::strong_count(&self.bell) == 2 {
            followed.remove(&self.task);
        }
    }
}

async fn run(shared: Arc<Shared>, mut tail: Box<dyn Tail>, stop: CancellationToken) {
    let mut pause = FIRST_PAUSE;
    let mut failing = false;
    loop {
        let next = tokio::select! {
            () = stop.cancelled() => return,
            next = tail.next() => next,
        };
        match next {
            Ok(news) => {
                if failing {
                    tracing::info!("reading the event log again");
                    shared.resync();
                }
                (failing, pause) = (false, FIRST_PAUSE);
                if news.tools {
                    shared.tools();
                }
                for event in news.events {
                    shared.publish(event);
                }
            }
            Err(error) => {
                if !failing {
                    tracing::warn!(%error, "cannot read the event log; trying again");
                }
                failing = true;
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(pause) => {}
                }
                pause = (pause * 2).min(LAST_PAUSE);
            }
        }
    }
}
