//! What one reader of one task's or one session's events has not taken yet, bounded in bytes.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use serde::Serialize;
use tokio::sync::Notify;

use crate::task::Event;

/// The most bytes of JSON that wait for one reader; one that is slower is told to look for itself.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// What a reader gets.
#[derive(Debug, Clone)]
pub enum Signal {
    /// The next event.
    Event(Arc<Event>),
    /// Events may have been missed, or the store is another one: look at the state itself.
    Resync,
}

/// What waits for one reader.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    filled: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    events: VecDeque<(Arc<Event>, usize)>,
    bytes: usize,
    /// Something was left out: the reader has to look at the state, which then has all that was.
    missed: bool,
}

impl Queue {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, event: &Arc<Event>, bytes: usize) {
        let mut waiting = self.waiting();
        if waiting.missed {
            return;
        }
        if waiting.bytes + bytes > MOST_BYTES && !waiting.events.is_empty() {
            *waiting = Waiting { missed: true, ..Waiting::default() };
        } else {
            waiting.bytes += bytes;
            waiting.events.push_back((event.clone(), bytes));
        }
        drop(waiting);
        self.filled.notify_one();
    }

    /// Whatever waits is overtaken: the reader has to look at the state.
    pub(super) fn resync(&self) {
        *self.waiting() = Waiting { missed: true, ..Waiting::default() };
        self.filled.notify_one();
    }

    fn pop(&self) -> Option<Signal> {
        let mut waiting = self.waiting();
        if std::mem::take(&mut waiting.missed) {
            return Some(Signal::Resync);
        }
        let (event, bytes) = waiting.events.pop_front()?;
        waiting.bytes -= bytes;
        Some(Signal::Event(event))
    }
}

/// The readers of each task, or of each session.
#[derive(Debug)]
pub(super) struct Readers<K> {
    queues: Arc<Mutex<Queues<K>>>,
}

type Queues<K> = HashMap<K, Vec<Arc<Queue>>>;

impl<K> Default for Readers<K> {
    fn default() -> Self {
        Self { queues: Arc::default() }
    }
}

impl<K: Eq + Hash + Clone + Send + Sync + 'static> Readers<K> {
    fn queues(&self) -> MutexGuard<'_, Queues<K>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A reader of what comes from now on.
    pub(super) fn add(&self, key: &K) -> Feed {
        let queue = Arc::new(Queue::default());
        self.queues().entry(key.clone()).or_default().push(queue.clone());
        let (queues, key) = (Arc::downgrade(&self.queues), key.clone());
        let leave = move |queue: &Arc<Queue>| leave(&queues, &key, queue);
        Feed { queue, leave: Box::new(leave) }
    }

    /// Gives an event to the readers of `key`, and to no other.
    pub(super) fn push(&self, key: &K, event: &Arc<Event>) {
        let queues = self.queues();
        let Some(readers) = queues.get(key) else { return };
        let bytes = bytes(&**event);
        for queue in readers {
            queue.push(event, bytes);
        }
    }

    pub(super) fn resync(&self) {
        for queue in self.queues().values().flatten() {
            queue.resync();
        }
    }
}

fn leave<K: Eq + Hash>(queues: &Weak<Mutex<Queues<K>>>, key: &K, queue: &Arc<Queue>) {
    let Some(queues) = queues.upgrade() else { return };
    let mut queues = queues.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(readers) = queues.get_mut(key) else { return };
    readers.retain(|one| !Arc::ptr_eq(one, queue));
    if readers.is_empty() {
        queues.remove(key);
    }
}

/// Takes a reader off the list.
type Leave = Box<dyn Fn(&Arc<Queue>) + Send + Sync>;

/// One reader of one task's or one session's events, in their order.
pub struct Feed {
    queue: Arc<Queue>,
    leave: Leave,
}

impl Feed {
    /// The next event, or that the state has to be looked at. Losing the future loses nothing. Whoever waits here
    /// waits for its own end too: nothing comes any more when the process ends.
    pub async fn next(&mut self) -> Signal {
        loop {
            if let Some(signal) = self.queue.pop() {
                return signal;
            }
            // A push between the two leaves its permit here.
            self.queue.filled.notified().await;
        }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        (self.leave)(&self.queue);
    }
}

impl std::fmt::Debug for Feed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Feed").finish_non_exhaustive()
    }
}

/// How many bytes of JSON a value has, without keeping them.
pub(crate) fn bytes(value: &impl Serialize) -> usize {
    let mut counter = Counter(0);
    // A counter takes everything; what is no JSON counts as far as it is.
    let _ = serde_json::to_writer(&mut counter, value);
    counter.0
}

struct Counter(usize);

impl io::Write for Counter {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        self.0 += part.len();
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::task::{EventKind, Progress, TaskId};

    /// An event of a task, with a message of any size.
    pub(in crate::engine) fn progress(task: &TaskId, message: &str) -> Event {
        let step = Progress { current: 1.0, total: None, message: Some(message.into()) };
        Event::example(task, EventKind::Progress(step))
    }

    fn ready(feed: &Feed) -> Option<Signal> {
        feed.queue.pop()
    }

    #[test]
    fn a_reader_gets_its_own_tasks_events_only_and_leaves_nothing_behind() {
        let readers = Readers::default();
        let (mine, other) = (TaskId::generate(), TaskId::generate());
        let feed = readers.add(&mine);
        readers.push(&other, &Arc::new(progress(&other, "other")));
        assert!(ready(&feed).is_none());
        readers.push(&mine, &Arc::new(progress(&mine, "mine")));
        assert!(matches!(ready(&feed), Some(Signal::Event(event)) if event.task == mine));
        drop(feed);
        assert!(readers.queues().is_empty());
    }

    #[test]
    fn a_slow_reader_is_bounded_in_bytes_and_told_to_look() {
        let readers = Readers::default();
        let task = TaskId::generate();
        let feed = readers.add(&task);
        let large = Arc::new(progress(&task, &"x".repeat(1024 * 1024)));
        for _ in 0..20 {
            readers.push(&task, &large);
            assert!(feed.queue.waiting().bytes <= MOST_BYTES);
        }
        assert!(matches!(ready(&feed), Some(Signal::Resync)));
        assert!(ready(&feed).is_none(), "the state has what was left out");
        readers.push(&task, &large);
        assert!(matches!(ready(&feed), Some(Signal::Event(_))), "it goes on");
    }

    #[tokio::test]
    async fn a_reader_that_waits_is_woken() {
        let readers = Readers::default();
        let task = TaskId::generate();
        let mut feed = readers.add(&task);
        let pushed = async { readers.push(&task, &Arc::new(progress(&task, "step"))) };
        let (signal, ()) = tokio::join!(feed.next(), pushed);
        assert!(matches!(signal, Signal::Event(_)));
        readers.resync();
        assert!(matches!(feed.next().await, Signal::Resync));
    }
}
