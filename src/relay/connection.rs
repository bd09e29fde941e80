//! One legacy client's connection, as the relay sees it: who it is, what it declared, and on which of its
//! streams a question can reach it now.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, OnceLock, PoisonError};

use jiff::Timestamp;
use rmcp::RoleServer;
use rmcp::model::{ClientCapabilities, ProgressToken, ProtocolVersion, RequestId};
use rmcp::service::Peer;
use tokio::sync::{RwLock, RwLockReadGuard, watch};

use crate::task::{AskKind, SessionId, Task, TaskId};

/// A stream that a message to the client can take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// The stream that the client opened for whatever comes (HTTP GET, or stdio). The number tells one
    /// from the next, when the next one does not take up where it broke off.
    Standalone(u64),
    /// The stream of a request that the client waits on.
    Request(RequestId),
}

/// What is open now.
#[derive(Debug)]
struct Streams {
    standalone: bool,
    /// Standalone streams so far that did not resume an earlier one.
    began: u64,
    requests: HashSet<RequestId>,
    /// Tasks whose result the client waits for, and the request that waits.
    results: HashMap<TaskId, RequestId>,
    gone: Option<String>,
}

/// What a status notification needs of a task and an event does not say.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) created_at: Timestamp,
    pub(crate) ttl_ms: Option<u64>,
    pub(crate) progress_token: Option<ProgressToken>,
}

/// A connection. The server tells it what opens and closes; prompts wait on it.
#[derive(Debug)]
pub struct Connection {
    id: SessionId,
    peer: OnceLock<Peer<RoleServer>>,
    streams: watch::Sender<Streams>,
    facts: Mutex<HashMap<TaskId, Facts>>,
    /// Held, shared, while a task is being submitted: its events can come before its facts are known here.
    submissions: RwLock<()>,
}

impl Connection {
    /// A connection without any stream yet.
    pub fn new(id: SessionId) -> Self {
        let streams = Streams {
            standalone: false,
            began: 0,
            requests: HashSet::new(),
            results: HashMap::new(),
            gone: None,
        };
        Self {
            id,
            peer: OnceLock::new(),
            streams: watch::Sender::new(streams),
            facts: Mutex::new(HashMap::new()),
            submissions: RwLock::new(()),
        }
    }

    /// The session's id.
    pub fn id(&self) -> &SessionId {
        &self.id
    }

    /// Names the way to the client; the first name stands.
    pub(super) fn set_peer(&self, peer: Peer<RoleServer>) -> bool {
        self.peer.set(peer).is_ok()
    }

    pub(super) fn peer(&self) -> Option<&Peer<RoleServer>> {
        self.peer.get()
    }

    /// The standalone stream opened; `resumed` when it goes on where the last one broke off.
    pub fn opened(&self, resumed: bool) {
        self.streams.send_modify(|streams| {
            streams.standalone = true;
            streams.began += u64::from(!resumed);
        });
    }

    /// The standalone stream broke off.
    pub fn lost(&self) {
        self.streams.send_modify(|streams| streams.standalone = false);
    }

    /// A request's stream is open.
    pub fn request_opened(&self, request: RequestId) {
        self.streams.send_modify(|streams| {
            streams.requests.insert(request);
        });
    }

    /// A request's stream ended or broke off.
    pub fn request_closed(&self, request: &RequestId) {
        self.streams.send_modify(|streams| {
            streams.requests.remove(request);
        });
    }

    /// The client waits for a task's result: its questions may take that request's stream.
    pub fn awaits_result(&self, task: TaskId, request: RequestId) -> impl Drop + Send + '_ {
        self.streams.send_modify(|streams| drop(streams.results.insert(task.clone(), request)));
        Awaiting { connection: self, task }
    }

    /// The connection is over, for this reason.
    pub fn leave(&self, reason: &str) {
        self.streams.send_if_modified(|streams| {
            let first = streams.gone.is_none();
            streams.gone.get_or_insert_with(|| reason.to_owned());
            first
        });
    }

    /// Why the connection is over; waits until it is.
    pub async fn gone(&self) -> String {
        let mut changes = self.streams.subscribe();
        // The sender is part of `self`, so it outlives this wait.
        let gone = changes.wait_for(|streams| streams.gone.is_some()).await;
        gone.ok().and_then(|streams| streams.gone.clone()).unwrap_or_default()
    }

    /// A task is about to be submitted; keep what this returns until [`Connection::submitted`] was called.
    pub async fn submitting(&self) -> RwLockReadGuard<'_, ()> {
        self.submissions.read().await
    }

    /// Waits until the facts of every task submitted by now are known.
    pub(super) async fn settled(&self) {
        drop(self.submissions.write().await);
    }

    /// The client submitted a task: what later notifications about it need.
    pub fn submitted(&self, task: &Task, progress_token: Option<ProgressToken>) {
        let facts = Facts { created_at: task.created_at, ttl_ms: task.new.ttl_ms, progress_token };
        self.facts().insert(task.id().clone(), facts);
    }

    pub(super) fn facts_of(&self, task: &TaskId) -> Option<Facts> {
        self.facts().get(task).cloned()
    }

    pub(super) fn forget(&self, task: &TaskId) {
        self.facts().remove(task);
    }

    fn facts(&self) -> std::sync::MutexGuard<'_, HashMap<TaskId, Facts>> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The open stream that a question of `task` should take; one of a foreground call takes `origin`'s.
    pub(super) fn route(&self, task: &TaskId, origin: Option<&RequestId>) -> Option<Route> {
        let streams = self.streams.borrow();
        if let Some(origin) = origin.filter(|origin| streams.requests.contains(origin)) {
            return Some(Route::Request(origin.clone()));
        }
        if streams.standalone {
            return Some(Route::Standalone(streams.began));
        }
        let waiting = streams.results.get(task).filter(|request| streams.requests.contains(request));
        waiting.map(|request| Route::Request(request.clone()))
    }

    /// Whether what was sent on `route` still reaches the client.
    pub(super) fn carries(&self, route: &Route) -> bool {
        let streams = self.streams.borrow();
        match route {
            Route::Standalone(began) => streams.standalone && streams.began == *began,
            Route::Request(request) => streams.requests.contains(request),
        }
    }

    /// Whether `route` was followed by another that did not take up where it broke off.
    pub(super) fn replaced(&self, route: &Route) -> bool {
        matches!(route, Route::Standalone(began) if self.streams.borrow().began != *began)
    }

    /// Changes of the streams from now on.
    pub(super) fn changes(&self) -> Changes {
        Changes { receiver: self.streams.subscribe() }
    }

    /// How many standalone streams began, and whether one is open.
    pub(super) fn standalone(&self) -> (u64, bool) {
        let streams = self.streams.borrow();
        (streams.began, streams.standalone)
    }

    /// Why the connection is over, if it is.
    pub(super) fn gone_now(&self) -> Option<String> {
        self.streams.borrow().gone.clone()
    }

    /// Why the client cannot be asked this, if it cannot.
    pub(super) fn undeclared(&self, kind: &AskKind) -> Option<String> {
        let info = self.peer()?.peer_info();
        undeclared(info.as_ref().map(|info| &info.capabilities), kind)
    }

    /// The protocol version that the session speaks, once it is initialized.
    pub fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.peer().and_then(Peer::peer_info).map(|info| info.protocol_version.clone())
    }
}

struct Awaiting<'a> {
    connection: &'a Connection,
    task: TaskId,
}

impl Drop for Awaiting<'_> {
    fn drop(&mut self) {
        self.connection.streams.send_modify(|streams| drop(streams.results.remove(&self.task)));
    }
}

/// What a client with these capabilities did not declare and would have to, to be asked this.
pub(crate) fn undeclared(capabilities: Option<&ClientCapabilities>, kind: &AskKind) -> Option<String> {
    let Some(declared) = capabilities.and_then(|all| all.elicitation.as_ref()) else {
        return Some("the client did not declare the elicitation capability".to_owned());
    };
    // An empty capability means forms only (2025-11-25, client/elicitation).
    let (form, url) = (declared.form.is_some(), declared.url.is_some());
    match kind {
        AskKind::Form { .. } if form || !url => None,
        AskKind::Url { .. } if url => None,
        AskKind::Form { .. } => Some("the client did not declare elicitation by form".to_owned()),
        AskKind::Url { .. } => Some("the client did not declare elicitation by URL".to_owned()),
    }
}

/// Changes of a connection's streams.
pub(super) struct Changes {
    receiver: watch::Receiver<Streams>,
}

impl Changes {
    /// Waits for the next one.
    pub(super) async fn next(&mut self) {
        if self.receiver.changed().await.is_err() {
            // The connection is gone with everything that could change.
            std::future::pending::<()>().await;
        }
    }
}
