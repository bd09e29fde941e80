//! What is open for one client: its streams, which message takes which, and what a client that lost one gets when it
//! comes back. The only book of it: prompts look here for their way.
//!
//! Every stream is a short log with at most one reader. A reader that broke off is replaced by one that names the
//! last event it saw (`Last-Event-ID`); nothing is sent twice, and nothing is lost that the log still has.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use rmcp::model::{JsonRpcMessage, ProgressToken, RequestId, ServerJsonRpcMessage};
use tokio::sync::{oneshot, watch};
use tokio_util::task::TaskTracker;

use super::log::Log;
use super::routes::{Route, has_its_place};
use super::state::{STANDALONE, State};
use crate::task::TaskId;

/// All streams of one client.
#[derive(Debug)]
pub(crate) struct Streams {
    /// Counts requests without a response: a stopping server waits for them.
    calls: TaskTracker,
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

/// A reader's place on a stream.
#[derive(Debug)]
pub(crate) struct Place {
    /// The stream.
    pub(crate) key: u64,
    reader: u64,
    /// The next message that it takes.
    pub(crate) next: u64,
}

impl Streams {
    /// None yet but for the standalone one. `calls` counts the requests that have no response.
    pub(crate) fn new(calls: TaskTracker) -> Self {
        Self { calls, state: Mutex::default(), changed: watch::Sender::default() }
    }

    /// One line that is open for everything as long as the client is there.
    pub(crate) fn line() -> Self {
        let streams = Self::new(TaskTracker::new());
        // Nobody takes messages from it: they go out on the line at once.
        let _place = streams.open_standalone();
        streams
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes of what is open, from now on.
    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// What is open is something else now.
    pub(super) fn tell_change(&self) {
        self.changed.send_replace(());
    }

    /// The next response goes to the returned receiver.
    pub(crate) fn handshake(&self) -> oneshot::Receiver<ServerJsonRpcMessage> {
        let (sender, receiver) = oneshot::channel();
        self.state().handshake = Some(sender);
        receiver
    }

    /// Sends a message on the stream that it belongs to; false when the session is over.
    pub(crate) fn push(&self, message: ServerJsonRpcMessage) -> bool {
        let mut state = self.state();
        if state.closed {
            return false;
        }
        let response = match &message {
            JsonRpcMessage::Response(response) => Some(response.id.clone()),
            JsonRpcMessage::Error(error) => error.id.clone(),
            _ => None,
        };
        let Some(response) = response else {
            let key = state.key_of(&message);
            // Nothing else comes between, as long as the state is held.
            has_its_place(&message);
            state.append(key, message);
            return true;
        };
        if let Some(handshake) = state.handshake.take() {
            // A client that left meanwhile is noticed elsewhere.
            let _ = handshake.send(message);
            return true;
        }
        // A request that was cancelled has no stream, and its response goes nowhere.
        if let Some((key, _)) = state.waiting.get(&response) {
            let key = *key;
            state.append(key, message);
        }
        let matters = state.finish(&response);
        drop(state);
        if matters {
            self.tell_change();
        }
        true
    }

    /// Opens the stream of a request; `None` where one of that id has no response yet.
    pub(crate) fn open(&self, request: &RequestId, token: Option<ProgressToken>) -> Option<Place> {
        let mut state = self.state();
        if state.waiting.contains_key(request) {
            return None;
        }
        state.last += 1;
        let key = state.last;
        let mut log = Log::default();
        let reader = log.attach();
        state.logs.insert(key, log);
        state.waiting.insert(request.clone(), (key, self.calls.token()));
        if let Some(token) = token {
            state.tokens.insert(token, key);
        }
        Some(Place { key, reader, next: 1 })
    }

    /// Opens the standalone stream: with what no reader took yet.
    pub(crate) fn open_standalone(&self) -> Place {
        let mut state = self.state();
        state.began += 1;
        let log = state.logs.entry(STANDALONE).or_default();
        let place = Place { key: STANDALONE, reader: log.attach(), next: log.taken() + 1 };
        drop(state);
        self.tell_change();
        place
    }

    /// Whether an event of that id was sent, on a stream that is still kept.
    pub(crate) fn has(&self, event: &str) -> bool {
        let sent = |(key, index)| self.state().logs.get(&key).is_some_and(|log: &Log| index <= log.last());
        read_event(event).is_some_and(sent)
    }

    /// Goes on after the event of that id; `None` where no such event was sent.
    pub(crate) fn resume(&self, event: &str) -> Option<Place> {
        let (key, index) = read_event(event)?;
        let mut state = self.state();
        let log = state.logs.get_mut(&key).filter(|log| index <= log.last())?;
        let (reader, complete) = (log.attach(), index >= log.dropped());
        state.began += u64::from(key == STANDALONE && !complete);
        drop(state);
        self.tell_change();
        Some(Place { key, reader, next: index + 1 })
    }

    /// The next message for a reader, with its number; `None` when there will be no more.
    pub(crate) fn poll(
        &self,
        place: &mut Place,
        cx: &mut Context<'_>,
    ) -> Poll<Option<(u64, Arc<ServerJsonRpcMessage>)>> {
        let mut state = self.state();
        let closed = state.closed;
        let log = state.logs.get_mut(&place.key).filter(|log| log.reader == place.reader);
        let Some(log) = log else { return Poll::Ready(None) };
        if let Some((index, message)) = log.take(place.next) {
            place.next = index + 1;
            return Poll::Ready(Some((index, message)));
        }
        if log.ended || closed {
            return Poll::Ready(None);
        }
        log.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// A reader went away.
    pub(crate) fn detach(&self, place: &Place) {
        let mut state = self.state();
        let log = state.logs.get_mut(&place.key).filter(|log| log.reader == place.reader);
        let Some(log) = log else { return };
        let broke_off = log.is_open();
        log.attached = false;
        log.waker = None;
        if state.closed {
            state.remove(place.key);
        } else {
            state.drop_oldest_ended();
        }
        drop(state);
        if broke_off {
            self.tell_change();
        }
    }

    /// The client gave its request up: there will be no response.
    pub(crate) fn cancel(&self, request: &RequestId) {
        if self.state().finish(request) {
            self.tell_change();
        }
    }

    /// The client answered a request of the server.
    pub(crate) fn answered(&self, request: &RequestId) {
        self.state().asked.remove(request);
    }

    /// Ends every stream; what is read now is read to its end.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.handshake = None;
        state.waiting.clear();
        state.logs.retain(|_, log| log.attached);
        for log in state.logs.values_mut() {
            log.end();
        }
    }

    /// Whether anybody reads.
    pub(crate) fn attached(&self) -> bool {
        self.state().logs.values().any(|log| log.attached)
    }

    /// The client waits for a task in this request, whose stream questions of the task may take.
    pub(super) fn await_result(&self, task: &TaskId, request: RequestId) {
        self.state().results.entry(task.clone()).or_default().push(request);
        self.tell_change();
    }

    /// The request waits no longer; true when none waits for the task any more.
    pub(super) fn await_no_more(&self, task: &TaskId, request: &RequestId) -> bool {
        let mut state = self.state();
        let Some(requests) = state.results.get_mut(task) else { return true };
        requests.retain(|one| one != request);
        let last = requests.is_empty();
        if last {
            state.results.remove(task);
        }
        drop(state);
        self.tell_change();
        last
    }

    /// How many standalone streams began, and whether one is open.
    pub(super) fn standalone(&self) -> (u64, bool) {
        let state = self.state();
        (state.began, state.is_open(STANDALONE))
    }

    /// The open stream that a question of `task` should take; one of a foreground call takes that of `call`.
    pub(super) fn route(&self, task: &TaskId, call: Option<&RequestId>) -> Option<Route> {
        self.state().route(task, call)
    }

    /// Whether what was sent on `route` still reaches the client.
    pub(super) fn carries(&self, route: &Route) -> bool {
        self.state().carries(route)
    }
}

/// The stream of an event and its place there.
fn read_event(id: &str) -> Option<(u64, u64)> {
    let (key, index) = id.split_once('-')?;
    Some((key.parse().ok()?, index.parse().ok()?))
}
