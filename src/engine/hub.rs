//! One tail of the log per process, handed on to everybody here who waits.
//!
//! Whoever waits for one task or one session hears of that one only ([`Feed`], [`Follow`]), so that an event costs
//! what its own readers cost, however many wait for others. Who needs all of the log subscribes to all of it.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{broadcast, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::feed::{Feed, Readers, Signal, bytes};
use super::follow::{Awaited, Follow, Followers};
use super::retry::{FILE_AWAY, Failure as _, Retry};
use crate::store::{News, StoreError, Tail, Unreadable};
use crate::task::{Event, SessionId, TaskId};

/// Signals that a slow subscriber of all events may fall behind before it is told to look for itself.
const BACKLOG: usize = 8192;

/// The most bytes of JSON that wait for the slowest subscriber of all events.
const BACKLOG_BYTES: usize = 64 * 1024 * 1024;

/// The most causes of unreadable events that are remembered as told; beyond them, only debugging tells.
const MOST_CAUSES: usize = 64;

/// The fan-out. Dropping the last handle does not end the tail; its token does.
#[derive(Debug, Clone)]
pub struct Hub {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// For those who want all events.
    all: broadcast::Sender<Signal>,
    tasks: Readers<TaskId>,
    sessions: Readers<SessionId>,
    followers: Followers,
    /// Counts how often the tools may have changed.
    tools: watch::Sender<u64>,
    /// Counts how often the log was another one than before.
    lives: watch::Sender<u64>,
}

impl Shared {
    fn publish(&self, event: &Arc<Event>) {
        self.followers.ring(event);
        self.tasks.push(&event.task, event);
        if let Some(session) = &event.session {
            self.sessions.push(session, event);
        }
    }

    fn tools(&self) {
        self.tools.send_modify(|count| *count += 1);
    }

    fn resync(&self) {
        self.tools();
        self.followers.ring_all();
        self.tasks.resync();
        self.sessions.resync();
        // An error only means that nobody is subscribed.
        let _ = self.all.send(Signal::Resync);
    }
}

impl Hub {
    /// Begins to read. `lost` is told of an error that means that the store does not come back.
    pub(super) fn start(
        tail: Box<dyn Tail>,
        lost: watch::Sender<Option<StoreError>>,
        stop: CancellationToken,
    ) -> Self {
        let shared = Arc::new(Shared {
            all: broadcast::channel(BACKLOG).0,
            tasks: Readers::default(),
            sessions: Readers::default(),
            followers: Followers::default(),
            tools: watch::Sender::default(),
            lives: watch::Sender::default(),
        });
        tokio::spawn(run(Reading::new(shared.clone(), lost), tail, stop));
        Self { shared }
    }

    /// Every event from now on, of whichever task: only for those who want them all.
    pub fn subscribe(&self) -> broadcast::Receiver<Signal> {
        self.shared.all.subscribe()
    }

    /// The events of one task from now on.
    pub fn feed(&self, task: &TaskId) -> Feed {
        self.shared.tasks.add(task)
    }

    /// The events of one session's tasks from now on.
    pub fn session_feed(&self, session: &SessionId) -> Feed {
        self.shared.sessions.add(session)
    }

    /// Wakes everybody who follows a task here, so that they look at what else may have changed for them.
    pub fn wake_all(&self) {
        self.shared.followers.ring_all();
    }

    /// Changes whenever the tools may be other ones.
    pub(super) fn tools(&self) -> watch::Receiver<u64> {
        self.shared.tools.subscribe()
    }

    /// Changes whenever the store was emptied or came back older. Who subscribes to all events has seen the change by
    /// the time that they are told to look.
    pub(super) fn lives(&self) -> watch::Receiver<u64> {
        self.shared.lives.subscribe()
    }

    /// Changes of one task from now on.
    pub fn follow(&self, task: &TaskId) -> Follow {
        self.shared.followers.follow(task, Awaited::Changes)
    }

    /// [`Hub::follow`] for whoever asked a question: its own asking is no change.
    pub fn follow_answers(&self, task: &TaskId) -> Follow {
        self.shared.followers.follow(task, Awaited::Answers)
    }
}

/// Reads the log until `stop`.
async fn run(mut reading: Reading, mut tail: Box<dyn Tail>, stop: CancellationToken) {
    loop {
        let next = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            next = tail.next() => next,
        };
        let Some(pause) = reading.take(next) else { continue };
        if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
            return;
        }
    }
}

/// How reading the log goes.
struct Reading {
    shared: Arc<Shared>,
    lost: watch::Sender<Option<StoreError>>,
    /// Since when the store's file is away.
    gone: Option<Instant>,
    retry: Retry,
    passed_over: PassedOver,
    backlog: Backlog,
}

impl Reading {
    fn new(shared: Arc<Shared>, lost: watch::Sender<Option<StoreError>>) -> Self {
        Self {
            shared,
            lost,
            gone: None,
            retry: Retry::new("reading the event log"),
            passed_over: PassedOver::default(),
            backlog: Backlog::new(BACKLOG_BYTES),
        }
    }

    /// Hands on what the tail brought; how long to wait before it is asked again, where it failed.
    fn take(&mut self, next: Result<News, StoreError>) -> Option<Duration> {
        let news = match next {
            Ok(news) => news,
            Err(error) => {
                if !error.is_file_gone() {
                    self.gone = None;
                } else if self.gone.get_or_insert_with(Instant::now).elapsed() >= FILE_AWAY {
                    self.lost.send_replace(Some(error.clone()));
                }
                return Some(self.retry.failed(&error));
            }
        };
        self.gone = None;
        let had_failed = self.retry.worked();
        if news.reset {
            tracing::warn!("the event log is not the one that was read before; looking at every task anew");
            self.shared.lives.send_modify(|count| *count += 1);
        }
        if had_failed || news.reset {
            self.shared.resync();
        }
        if news.tools {
            self.shared.tools();
        }
        self.passed_over.tell(&news.unreadable);
        for event in news.events {
            let event = Arc::new(event);
            self.shared.publish(&event);
            self.backlog.send(&self.shared.all, event);
        }
        None
    }
}

/// Events that cannot be read, as a newer version writes them: nobody here hears of them, and the log is told once of
/// each cause.
#[derive(Debug, Default)]
pub(super) struct PassedOver {
    told: HashSet<String>,
}

impl PassedOver {
    pub(super) fn tell(&mut self, unreadable: &[Unreadable]) {
        for Unreadable { name, problem } in unreadable {
            if self.told.len() < MOST_CAUSES && self.told.insert(problem.clone()) {
                tracing::warn!(event = %name, %problem, "passing over events that cannot be read");
            } else {
                tracing::debug!(event = %name, %problem, "passing over an event that cannot be read");
            }
        }
    }
}

/// What the subscribers of all events have not all taken yet, in bytes.
#[derive(Debug)]
struct Backlog {
    most_bytes: usize,
    sizes: VecDeque<usize>,
    bytes: usize,
}

impl Backlog {
    fn new(most_bytes: usize) -> Self {
        Self { most_bytes, sizes: VecDeque::new(), bytes: 0 }
    }

    /// Sends the event; where too much waits already, that the state has to be looked at in its place.
    fn send(&mut self, all: &broadcast::Sender<Signal>, event: Arc<Event>) {
        if all.receiver_count() == 0 {
            *self = Self::new(self.most_bytes);
            return;
        }
        while self.sizes.len() > all.len() {
            self.bytes -= self.sizes.pop_front().unwrap_or_default();
        }
        let size = bytes(&*event);
        let fits = self.bytes + size <= self.most_bytes;
        let (signal, size) = if fits { (Signal::Event(event), size) } else { (Signal::Resync, 0) };
        self.sizes.push_back(size);
        self.bytes += size;
        // An error only means that the last subscriber just left.
        let _ = all.send(signal);
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use tokio::sync::mpsc;

    use super::super::feed::tests::progress;
    use super::*;
    use crate::store::StoreResult;

    /// A log that says what the test says.
    struct Said(mpsc::UnboundedReceiver<StoreResult<News>>);

    #[async_trait]
    impl Tail for Said {
        async fn next(&mut self) -> StoreResult<News> {
            match self.0.recv().await {
                Some(news) => news,
                None => std::future::pending().await,
            }
        }
    }

    /// A hub, and what its log says next.
    fn hub() -> (Hub, mpsc::UnboundedSender<StoreResult<News>>, CancellationToken) {
        let (log, said) = mpsc::unbounded_channel();
        let stop = CancellationToken::new();
        (Hub::start(Box::new(Said(said)), watch::Sender::default(), stop.clone()), log, stop)
    }

    #[tokio::test]
    async fn a_log_that_is_another_one_makes_everybody_look_again() {
        let (hub, log, _stop) = hub();
        let (task, session) = (TaskId::generate(), SessionId::generate());
        let (mut feed, mut of_session) = (hub.feed(&task), hub.session_feed(&session));
        let (mut follow, mut all) = (hub.follow_answers(&task), hub.subscribe());
        log.send(Ok(News { reset: true, ..News::default() })).expect("the hub reads");
        assert!(matches!(feed.next().await, Signal::Resync));
        assert!(matches!(of_session.next().await, Signal::Resync));
        assert!(matches!(all.recv().await, Ok(Signal::Resync)));
        follow.changed().await;
    }

    #[tokio::test]
    async fn events_that_cannot_be_read_are_passed_over_and_others_arrive() {
        let (hub, log, _stop) = hub();
        let task = TaskId::generate();
        let mut feed = hub.feed(&task);
        let unreadable = vec![Unreadable { name: "7-0".into(), problem: "unknown event paused".into() }];
        let events = vec![progress(&task, "step")];
        log.send(Ok(News { events, unreadable, ..News::default() })).expect("the hub reads");
        assert!(matches!(feed.next().await, Signal::Event(event) if event.task == task));
    }

    #[tokio::test]
    async fn a_log_that_could_not_be_read_makes_everybody_look_again() {
        let (hub, log, _stop) = hub();
        let task = TaskId::generate();
        let mut feed = hub.feed(&task);
        let away = StoreError::Unreachable { location: "here".into(), problem: "away".into() };
        log.send(Err(away)).expect("the hub reads");
        let step = || Ok(News { events: vec![progress(&task, "step")], ..News::default() });
        log.send(step()).expect("the hub reads");
        assert!(matches!(feed.next().await, Signal::Resync), "the state has what came since");
        log.send(step()).expect("the hub reads");
        assert!(matches!(feed.next().await, Signal::Event(_)));
    }

    #[test]
    fn each_cause_is_told_once() {
        let mut passed_over = PassedOver::default();
        let unreadable = |problem: &str| [Unreadable { name: "7-0".to_owned(), problem: problem.to_owned() }];
        for problem in ["one", "one", "other", "one"] {
            passed_over.tell(&unreadable(problem));
        }
        assert_eq!(passed_over.told.len(), 2);
    }

    #[test]
    fn a_slow_subscriber_of_all_events_is_bounded_in_bytes_and_told_to_look() {
        let (all, mut slow) = broadcast::channel(BACKLOG);
        let event = Arc::new(progress(&TaskId::generate(), &"x".repeat(8 * 1024)));
        let mut backlog = Backlog::new(64 * 1024);
        for _ in 0..10 {
            backlog.send(&all, event.clone());
            assert!(backlog.bytes <= 64 * 1024);
        }
        let signals: Vec<_> = std::iter::from_fn(|| slow.try_recv().ok()).collect();
        assert_eq!(signals.len(), 10);
        assert!(matches!(signals[9], Signal::Resync), "what was left out has to be looked for");
        backlog.send(&all, event);
        assert!(matches!(slow.try_recv(), Ok(Signal::Event(_))), "there is place again");
    }
}
