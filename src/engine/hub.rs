//! One tail of the log per process, fanned out to everybody here who waits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{broadcast, watch};
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
    followed: Mutex<HashMap<TaskId, watch::Sender<u64>>>,
    /// Counts how often the tools may have changed.
    tools: watch::Sender<u64>,
}

impl Shared {
    fn followed(&self) -> MutexGuard<'_, HashMap<TaskId, watch::Sender<u64>>> {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, event: Event) {
        if wakes_followers(&event.kind)
            && let Some(sender) = self.followed().get(&event.task)
        {
            sender.send_modify(|count| *count += 1);
        }
        // An error only means that nobody is subscribed.
        let _ = self.signals.send(Signal::Event(Arc::new(event)));
    }

    fn tools(&self) {
        self.tools.send_modify(|count| *count += 1);
    }

    fn resync(&self) {
        self.tools();
        for sender in self.followed().values() {
            sender.send_modify(|count| *count += 1);
        }
        let _ = self.signals.send(Signal::Resync);
    }
}

/// Progress is frequent and changes nothing that a follower waits for.
fn wakes_followers(kind: &EventKind) -> bool {
    !matches!(kind, EventKind::Progress(_) | EventKind::Noted { .. })
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

    /// Changes whenever the tools may be other ones.
    pub(super) fn tools(&self) -> watch::Receiver<u64> {
        self.shared.tools.subscribe()
    }

    /// Changes of one task from now on.
    pub fn follow(&self, task: &TaskId) -> Follow {
        let receiver =
            self.shared.followed().entry(task.clone()).or_insert_with(|| watch::channel(0).0).subscribe();
        Follow { shared: self.shared.clone(), task: task.clone(), receiver: Some(receiver) }
    }
}

/// A wait for one task's changes. A change between two calls of [`Follow::changed`] is not lost.
#[derive(Debug)]
pub struct Follow {
    shared: Arc<Shared>,
    task: TaskId,
    receiver: Option<watch::Receiver<u64>>,
}

impl Follow {
    /// Waits until the task changed since the last call (or since the follow began). It may also return
    /// when nothing changed: look at the state.
    pub async fn changed(&mut self) {
        if let Some(receiver) = &mut self.receiver {
            // The sender lives in the map as long as this receiver does, so this cannot fail.
            let _ = receiver.changed().await;
        }
    }
}

impl Drop for Follow {
    fn drop(&mut self) {
        let mut followed = self.shared.followed();
        self.receiver = None;
        if followed.get(&self.task).is_some_and(|sender| sender.receiver_count() == 0) {
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
