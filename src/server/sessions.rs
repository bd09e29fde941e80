//! Legacy HTTP sessions, in the place of rmcp's own: bound to a scope, kept while a person thinks, and
//! over at once when the client says so.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use futures::Stream;
use rmcp::RoleServer;
use rmcp::model::{
    ClientJsonRpcMessage, ClientNotification, GetExtensions as _, GetMeta as _, JsonRpcMessage,
    ProtocolVersion, ServerJsonRpcMessage,
};
use rmcp::transport::Transport;
use rmcp::transport::streamable_http_server::SessionId as HttpSessionId;
use rmcp::transport::streamable_http_server::session::{ServerSseMessage, SessionManager};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::caller::Client;
use super::handshake;
use super::streams::Streams;
use crate::task::{Scope, SessionId};

/// Messages of one client that wait to be looked at.
const INBOUND: usize = 256;

/// Sessions of one server at once.
const MOST: usize = 50_000;

/// Why a session could not be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum SessionError {
    #[error("there are already {MOST} sessions")]
    TooMany,
    #[error("there is no session {0}, or it is over")]
    Over(HttpSessionId),
    #[error("there is no stream with the event {0:?}")]
    NoEvent(String),
}

/// The live sessions of one server.
#[derive(Debug)]
pub(super) struct Sessions {
    live: RwLock<HashMap<HttpSessionId, Arc<Session>>>,
    /// How many of them each scope has.
    counts: Mutex<HashMap<Scope, usize>>,
    /// How long a session may be silent, without any stream open.
    idle: Duration,
    calls: TaskTracker,
}

/// One session.
#[derive(Debug)]
pub(super) struct Session {
    client: Arc<Client>,
    streams: Arc<Streams>,
    inbound: mpsc::Sender<ClientJsonRpcMessage>,
    closed: CancellationToken,
    last_seen: Mutex<Instant>,
}

impl Sessions {
    /// No sessions yet. `calls` counts the requests that have no response.
    pub(super) fn new(idle: Duration, calls: TaskTracker) -> Self {
        Self { live: RwLock::default(), counts: Mutex::default(), idle, calls }
    }

    /// Whose session this is; `None` where there is no such session.
    pub(super) fn scope(&self, id: &str) -> Option<Scope> {
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        live.get(id).map(|session| session.client.scope())
    }

    /// How many sessions a scope has.
    pub(super) fn count(&self, scope: &Scope) -> usize {
        self.counts().get(scope).copied().unwrap_or_default()
    }

    fn uncount(&self, client: &Client) {
        let Some(scope) = client.bound() else { return };
        if let Some(count) = self.counts().get_mut(scope) {
            *count = count.saturating_sub(1);
        }
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<Scope, usize>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, id: &HttpSessionId) -> Result<Arc<Session>, SessionError> {
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        let session = live.get(id).cloned().ok_or_else(|| SessionError::Over(id.clone()))?;
        session.touch();
        Ok(session)
    }
}

impl Session {
    fn touch(&self) {
        *self.last_seen() = Instant::now();
    }

    fn last_seen(&self) -> MutexGuard<'_, Instant> {
        self.last_seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a message of the client over.
    async fn accept(
        &self,
        mut message: ClientJsonRpcMessage,
        id: &HttpSessionId,
    ) -> Result<(), SessionError> {
        message.insert_extension(self.client.clone());
        self.inbound.send(message).await.map_err(|_| SessionError::Over(id.clone()))
    }

    /// Whether the client understands an event without data.
    fn primes(&self) -> bool {
        self.client
            .connection
            .protocol_version()
            .is_some_and(|version| version >= ProtocolVersion::V_2025_11_25)
    }
}

impl SessionManager for Sessions {
    type Error = SessionError;
    type Transport = SessionTransport;

    async fn create_session(&self) -> Result<(HttpSessionId, SessionTransport), SessionError> {
        if self.live.read().unwrap_or_else(PoisonError::into_inner).len() >= MOST {
            return Err(SessionError::TooMany);
        }
        let id = SessionId::generate();
        let client = Arc::new(Client::new(id.clone()));
        let (sender, inbound) = mpsc::channel(INBOUND);
        let session = Arc::new(Session {
            streams: Arc::new(Streams::new(client.connection.clone(), self.calls.clone())),
            client,
            inbound: sender,
            closed: CancellationToken::new(),
            last_seen: Mutex::new(Instant::now()),
        });
        let id: HttpSessionId = id.as_str().into();
        self.live.write().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), session.clone());
        Ok((id, SessionTransport { session, inbound, idle: self.idle }))
    }

    async fn initialize_session(
        &self,
        id: &HttpSessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<ServerJsonRpcMessage, SessionError> {
        let session = self.find(id)?;
        if let JsonRpcMessage::Request(request) = &message {
            let parts = request.request.extensions().get::<http::request::Parts>();
            let scope = parts.and_then(|parts| parts.extensions.get::<Scope>()).cloned();
            let scope = scope.unwrap_or_else(Scope::anonymous);
            *self.counts().entry(scope.clone()).or_default() += 1;
            session.client.bind(scope);
        }
        let reply = session.streams.handshake();
        session.accept(message, id).await?;
        reply.await.map_err(|_| SessionError::Over(id.clone()))
    }

    async fn has_session(&self, id: &HttpSessionId) -> Result<bool, SessionError> {
        Ok(self.find(id).is_ok())
    }

    async fn close_session(&self, id: &HttpSessionId) -> Result<(), SessionError> {
        let session = self.live.write().unwrap_or_else(PoisonError::into_inner).remove(id);
        if let Some(session) = session {
            self.uncount(&session.client);
            session.client.connection.leave("the client closed its session");
            session.closed.cancel();
            session.streams.close();
        }
        Ok(())
    }

    async fn create_stream(
        &self,
        id: &HttpSessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, SessionError> {
        let session = self.find(id)?;
        let JsonRpcMessage::Request(request) = &message else { return Err(SessionError::Over(id.clone())) };
        let token = request.request.get_meta().get_progress_token();
        let reader = session.streams.open(request.id.clone(), token, session.primes());
        session.accept(message, id).await?;
        Ok(reader)
    }

    async fn accept_message(
        &self,
        id: &HttpSessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<(), SessionError> {
        let session = self.find(id)?;
        let cancelled = match &message {
            JsonRpcMessage::Notification(notification) => match &notification.notification {
                ClientNotification::CancelledNotification(cancelled) => cancelled.params.request_id.clone(),
                _ => None,
            },
            _ => None,
        };
        session.accept(message, id).await?;
        if let Some(request) = cancelled {
            session.streams.cancel(&request);
        }
        Ok(())
    }

    async fn create_standalone_stream(
        &self,
        id: &HttpSessionId,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, SessionError> {
        let session = self.find(id)?;
        Ok(session.streams.open_standalone(session.primes()))
    }

    async fn resume(
        &self,
        id: &HttpSessionId,
        last_event_id: String,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, SessionError> {
        let reader = self.find(id)?.streams.resume(&last_event_id);
        reader.ok_or(SessionError::NoEvent(last_event_id))
    }
}

/// A session as rmcp serves it.
#[derive(Debug)]
pub(super) struct SessionTransport {
    session: Arc<Session>,
    inbound: mpsc::Receiver<ClientJsonRpcMessage>,
    idle: Duration,
}

impl SessionTransport {
    /// When the session will have been silent for too long, as far as is known now.
    fn idle_at(&self) -> Instant {
        let since = if self.session.streams.attached() { Instant::now() } else { *self.session.last_seen() };
        since + self.idle
    }
}

impl Transport<RoleServer> for SessionTransport {
    type Error = SessionError;

    /// Routed before this returns, so messages keep the order in which they were sent.
    fn send(
        &mut self,
        message: ServerJsonRpcMessage,
    ) -> impl Future<Output = Result<(), SessionError>> + Send + 'static {
        let sent = self.session.streams.push(handshake::with_legacy_tasks(message));
        let id = || HttpSessionId::from(self.session.client.connection.id().as_str());
        std::future::ready(if sent { Ok(()) } else { Err(SessionError::Over(id())) })
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        loop {
            let idle_at = self.idle_at();
            tokio::select! {
                message = self.inbound.recv() => return message,
                () = self.session.closed.cancelled() => return None,
                () = tokio::time::sleep_until(idle_at) => {
                    if self.idle_at() <= Instant::now() {
                        self.session.client.connection.leave("the session was idle for too long");
                        return None;
                    }
                }
            }
        }
    }

    async fn close(&mut self) -> Result<(), SessionError> {
        self.session.client.connection.leave("the session is over");
        self.session.streams.close();
        Ok(())
    }
}
