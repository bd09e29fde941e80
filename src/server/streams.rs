//! The streams of one legacy HTTP session: which message takes which, and what a client that lost one
//! gets when it comes back.
//!
//! Every stream is a short log with at most one reader. A reader that broke off is replaced by one that
//! names the last event it saw (`Last-Event-ID`); nothing is sent twice, and nothing is lost that the log
//! still has.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use rmcp::model::{
    GetExtensions as _, JsonRpcMessage, ProgressToken, RequestId, ServerJsonRpcMessage, ServerNotification,
};
use rmcp::service::OriginatingRequestId;
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::reader::Reader;
use crate::relay::Connection;

/// Messages that a stream keeps for a reader that lost its place.
const KEPT: usize = 1024;

/// Messages that a stream keeps for a reader that has not come to them.
const UNREAD: usize = 16 * KEPT;

/// Streams of requests that ended while nobody read, kept for a reader that comes back.
const KEPT_ENDED: usize = 32;

/// Streams that were read to their end, kept in case the connection broke off before the client had it all. Few,
/// since every request of a session leaves one.
const KEPT_READ: usize = 4;

/// The stream that is tied to no request.
pub(super) const STANDALONE: u64 = 0;

/// All streams of one session.
#[derive(Debug)]
pub(super) struct Streams {
    connection: Arc<Connection>,
    /// Counts requests without a response: a stopping server waits for them.
    calls: TaskTracker,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) streams: HashMap<u64, Stream>,
    /// Requests of the client that have no response yet.
    waiting: HashMap<RequestId, (u64, TaskTrackerToken)>,
    tokens: HashMap<ProgressToken, u64>,
    /// Requests to the client that took a request's stream.
    asked: HashMap<RequestId, u64>,
    /// Gets the response to `initialize`, which travels on no stream.
    handshake: Option<oneshot::Sender<ServerJsonRpcMessage>>,
    /// Counts streams, and their ends.
    last: u64,
    pub(super) closed: bool,
}

/// One stream's log.
#[derive(Debug, Default)]
pub(super) struct Stream {
    request: Option<RequestId>,
    kept: VecDeque<Arc<ServerJsonRpcMessage>>,
    /// Messages that are no longer kept.
    dropped: u64,
    /// The last message that a reader took.
    pub(super) taken: u64,
    pub(super) ended: bool,
    /// Orders the streams that ended.
    end: u64,
    /// Which reader reads now, counted from 1.
    pub(super) reader: u64,
    pub(super) attached: bool,
    pub(super) waker: Option<Waker>,
}

impl Stream {
    pub(super) fn last(&self) -> u64 {
        self.dropped + self.kept.len() as u64
    }

    pub(super) fn message(&self, index: u64) -> Option<Arc<ServerJsonRpcMessage>> {
        let at = index.checked_sub(self.dropped + 1)?;
        self.kept.get(usize::try_from(at).ok()?).cloned()
    }

    fn append(&mut self, message: ServerJsonRpcMessage) {
        let front_is_taken = self.taken > self.dropped;
        if self.kept.len() >= if front_is_taken { KEPT } else { UNREAD } {
            self.kept.pop_front();
            self.dropped += 1;
        }
        self.kept.push_back(Arc::new(message));
        self.wake();
    }

    fn end(&mut self) {
        self.ended = true;
        self.wake();
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Makes place for a new reader; one that still reads ends.
    fn attach(&mut self) -> u64 {
        self.reader += 1;
        self.attached = true;
        self.wake();
        self.reader
    }
}

impl Streams {
    pub(super) fn new(connection: Arc<Connection>, calls: TaskTracker) -> Self {
        let mut state = State::default();
        state.streams.insert(STANDALONE, Stream::default());
        Self { connection, calls, state: Mutex::new(state) }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next response goes to the returned receiver.
    pub(super) fn handshake(&self) -> oneshot::Receiver<ServerJsonRpcMessage> {
        let (sender, receiver) = oneshot::channel();
        self.lock().handshake = Some(sender);
        receiver
    }

    /// Sends a message on the stream that it belongs to; false when the session is over.
    pub(super) fn push(&self, message: ServerJsonRpcMessage) -> bool {
        let mut state = self.lock();
        if state.closed {
            return false;
        }
        let response = match &message {
            JsonRpcMessage::Response(response) => Some(response.id.clone()),
            JsonRpcMessage::Error(error) => error.id.clone(),
            _ => None,
        };
        if response.is_some()
            && let Some(handshake) = state.handshake.take()
        {
            // A client that left meanwhile is noticed elsewhere.
            let _ = handshake.send(message);
            return true;
        }
        let Some(response) = response else {
            let key = state.route(&message);
            if let Some(stream) = state.streams.get_mut(&key) {
                stream.append(message);
            }
            return true;
        };
        // A request that was cancelled has no stream, and its response goes nowhere.
        let key = state.waiting.get(&response).map(|(key, _)| *key);
        if let Some(stream) = key.and_then(|key| state.streams.get_mut(&key)) {
            stream.append(message);
        }
        state.finish(&response);
        drop(state);
        self.connection.request_closed(&response);
        true
    }

    /// Opens the stream of a request.
    pub(super) fn open(
        self: &Arc<Self>,
        request: RequestId,
        token: Option<ProgressToken>,
        primes: bool,
    ) -> Reader {
        let mut state = self.lock();
        state.last += 1;
        let key = state.last;
        let mut stream = Stream { request: Some(request.clone()), ..Stream::default() };
        let reader = stream.attach();
        state.streams.insert(key, stream);
        state.waiting.insert(request.clone(), (key, self.calls.token()));
        if let Some(token) = token {
            state.tokens.insert(token, key);
        }
        drop(state);
        self.connection.request_opened(request);
        Reader::new(self.clone(), key, reader, 1, primes)
    }

    /// Opens the standalone stream: with what no reader took yet.
    pub(super) fn open_standalone(self: &Arc<Self>, primes: bool) -> Reader {
        let mut state = self.lock();
        let stream = state.streams.entry(STANDALONE).or_default();
        let (reader, next) = (stream.attach(), stream.taken + 1);
        drop(state);
        self.connection.opened(false);
        Reader::new(self.clone(), STANDALONE, reader, next, primes)
    }

    /// Goes on after the event of that id; `None` where there is no such stream.
    pub(super) fn resume(self: &Arc<Self>, event: &str) -> Option<Reader> {
        let (key, index) = event.split_once('-')?;
        let (key, index): (u64, u64) = (key.parse().ok()?, index.parse().ok()?);
        let mut state = self.lock();
        let stream = state.streams.get_mut(&key)?;
        let (reader, complete) = (stream.attach(), index >= stream.dropped);
        let (request, ended) = (stream.request.clone(), stream.ended);
        drop(state);
        match request {
            None => self.connection.opened(complete),
            Some(request) if !ended => self.connection.request_opened(request),
            Some(_) => {}
        }
        Some(Reader::new(self.clone(), key, reader, index + 1, false))
    }

    /// The client gave its request up: there will be no response.
    pub(super) fn cancel(&self, request: &RequestId) {
        self.lock().finish(request);
        self.connection.request_closed(request);
    }

    /// Ends every stream.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.handshake = None;
        state.waiting.clear();
        for stream in state.streams.values_mut() {
            stream.end();
        }
    }

    /// Whether anybody reads.
    pub(super) fn attached(&self) -> bool {
        self.lock().streams.values().any(|stream| stream.attached)
    }

    /// A reader went away.
    pub(super) fn detach(&self, key: u64, reader: u64) {
        let mut state = self.lock();
        let Some(stream) = state.streams.get_mut(&key) else { return };
        if stream.reader != reader {
            return;
        }
        stream.attached = false;
        stream.waker = None;
        let request = stream.request.clone();
        state.drop_oldest_ended();
        drop(state);
        match request {
            None => self.connection.lost(),
            Some(request) => self.connection.request_closed(&request),
        }
    }
}

impl State {
    /// The stream of a message that is no response.
    fn route(&mut self, message: &ServerJsonRpcMessage) -> u64 {
        let key = match message {
            JsonRpcMessage::Request(request) => {
                let origin = request.request.extensions().get::<OriginatingRequestId>();
                let waiting = origin.and_then(|origin| self.waiting.get(&origin.0));
                let key = waiting.map(|(key, _)| *key);
                if let Some(key) = key {
                    self.asked.insert(request.id.clone(), key);
                }
                key
            }
            JsonRpcMessage::Notification(notification) => match &notification.notification {
                ServerNotification::ProgressNotification(progress) => {
                    self.tokens.get(&progress.params.progress_token).copied()
                }
                ServerNotification::CancelledNotification(cancelled) => {
                    cancelled.params.request_id.as_ref().and_then(|id| self.asked.remove(id))
                }
                _ => None,
            },
            _ => None,
        };
        key.unwrap_or(STANDALONE)
    }

    fn finish(&mut self, request: &RequestId) {
        let Some((key, _)) = self.waiting.remove(request) else { return };
        self.tokens.retain(|_, stream| *stream != key);
        self.asked.retain(|_, stream| *stream != key);
        self.last += 1;
        if let Some(stream) = self.streams.get_mut(&key) {
            stream.end = self.last;
            stream.end();
        }
    }

    fn drop_oldest_ended(&mut self) {
        for (read, kept) in [(true, KEPT_READ), (false, KEPT_ENDED)] {
            let ended = |(key, stream): (&u64, &Stream)| {
                let left = stream.ended && !stream.attached && *key != STANDALONE;
                (left && read == (stream.taken >= stream.last())).then_some((stream.end, *key))
            };
            let ended: Vec<_> = self.streams.iter().filter_map(ended).collect();
            if ended.len() > kept
                && let Some((_, oldest)) = ended.iter().min()
            {
                self.streams.remove(oldest);
            }
        }
    }
}
