//! Legacy HTTP sessions, in the place of rmcp's own: bound to a scope, kept while a person thinks, and
//! over at once when the client says so.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use futures::future::{Either, ready};
use futures::{Stream, stream};
use rmcp::model::{
    ClientJsonRpcMessage, ClientNotification, GetExtensions as _, GetMeta as _, JsonRpcMessage,
    ProtocolVersion, RequestId, ServerJsonRpcMessage,
};
use rmcp::transport::Transport;
use rmcp::transport::streamable_http_server::SessionId as HttpSessionId;
use rmcp::transport::streamable_http_server::session::{ServerSseMessage, SessionManager};
use rmcp::{ErrorData, RoleServer};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::reader::Reader;
use crate::relay::{Place, Streams};
use crate::server::dialect::with_legacy_tasks;
use crate::server::request::Client;
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
    counts: Counts,
    /// How long a session may be silent, without any stream open.
    idle: Duration,
    calls: TaskTracker,
}

/// How many sessions each scope has.
type Counts = Arc<Mutex<HashMap<Scope, usize>>>;

/// A session that is counted against its scope, on its way from the request that begins it into the session.
#[derive(Debug, Clone)]
pub(super) struct Counted {
    one: Arc<Mutex<Option<OneOfScope>>>,
}

impl Counted {
    fn take(&self) -> Option<OneOfScope> {
        self.one.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Counts as long as it is there.
#[derive(Debug)]
struct OneOfScope {
    counts: Counts,
    scope: Scope,
}

impl Drop for OneOfScope {
    fn drop(&mut self) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.scope) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.scope);
            }
        }
    }
}

/// One session.
#[derive(Debug)]
pub(super) struct Session {
    client: Arc<Client>,
    counted: Mutex<Option<OneOfScope>>,
    inbound: mpsc::Sender<ClientJsonRpcMessage>,
    closed: CancellationToken,
    last_seen: Mutex<Instant>,
}

impl Sessions {
    /// No sessions yet. `calls` counts the requests that have no response.
    pub(super) fn new(idle: Duration, calls: TaskTracker) -> Self {
        Self { live: RwLock::default(), counts: Counts::default(), idle, calls }
    }

    /// Whose session this is; `None` where there is no such session.
    pub(super) fn scope(&self, id: &str) -> Option<Scope> {
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        live.get(id).map(|session| session.client.scope())
    }

    /// Whether that session has a stream with that event; `None` where there is no such session.
    pub(super) fn has_event(&self, id: &str, event: &str) -> Option<bool> {
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        live.get(id).map(|session| session.streams().has(event))
    }

    /// Counts one more session of a scope; `None` where it has as many as it may.
    pub(super) fn count(&self, scope: &Scope, most: usize) -> Option<Counted> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(scope.clone()).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        let one = OneOfScope { counts: self.counts.clone(), scope: scope.clone() };
        Some(Counted { one: Arc::new(Mutex::new(Some(one))) })
    }

    /// Ends every stream of every session, since the server stops. The sessions themselves end with it.
    pub(super) fn end_streams(&self) {
        for session in self.live.read().unwrap_or_else(PoisonError::into_inner).values() {
            session.streams().close();
        }
    }

    fn find(&self, id: &HttpSessionId) -> Result<Arc<Session>, SessionError> {
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        let session = live.get(id).cloned().ok_or_else(|| SessionError::Over(id.clone()))?;
        session.touch();
        Ok(session)
    }
}

impl Session {
    fn streams(&self) -> &Streams {
        self.client.connection.streams()
    }

    fn reader(&self, place: Place, primes: bool) -> Reader {
        Reader::new(self.client.connection.clone(), place, primes)
    }

    fn counted(&self) -> MutexGuard<'_, Option<OneOfScope>> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

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
        let id = SessionId::generate();
        let client = Arc::new(Client::new(id.clone(), Streams::new(self.calls.clone())));
        let (sender, inbound) = mpsc::channel(INBOUND);
        let session = Arc::new(Session {
            client,
            counted: Mutex::default(),
            inbound: sender,
            closed: CancellationToken::new(),
            last_seen: Mutex::new(Instant::now()),
        });
        let id: HttpSessionId = id.as_str().into();
        let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
        if live.len() >= MOST {
            return Err(SessionError::TooMany);
        }
        live.insert(id.clone(), session.clone());
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
            session.client.bind(scope);
            let counted = parts.and_then(|parts| parts.extensions.get::<Counted>());
            *session.counted() = counted.and_then(Counted::take);
        }
        let reply = session.streams().handshake();
        session.accept(message, id).await?;
        reply.await.map_err(|_| SessionError::Over(id.clone()))
    }

    async fn has_session(&self, id: &HttpSessionId) -> Result<bool, SessionError> {
        Ok(self.find(id).is_ok())
    }

    async fn close_session(&self, id: &HttpSessionId) -> Result<(), SessionError> {
        let session = self.live.write().unwrap_or_else(PoisonError::into_inner).remove(id);
        if let Some(session) = session {
            session.counted().take();
            session.client.connection.leave("the client closed its session");
            session.closed.cancel();
            session.streams().close();
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
        let Some(place) = session.streams().open(&request.id, token) else {
            return Ok(Either::Right(stream::once(ready(id_in_use(&request.id)))));
        };
        let reader = session.reader(place, session.primes());
        session.accept(message, id).await?;
        Ok(Either::Left(reader))
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
        let answered = match &message {
            JsonRpcMessage::Response(response) => Some(response.id.clone()),
            JsonRpcMessage::Error(error) => error.id.clone(),
            _ => None,
        };
        session.accept(message, id).await?;
        if let Some(request) = cancelled {
            session.streams().cancel(&request);
        }
        if let Some(request) = answered {
            session.streams().answered(&request);
        }
        Ok(())
    }

    async fn create_standalone_stream(
        &self,
        id: &HttpSessionId,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, SessionError> {
        let session = self.find(id)?;
        Ok(session.reader(session.streams().open_standalone(), session.primes()))
    }

    async fn resume(
        &self,
        id: &HttpSessionId,
        last_event_id: String,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, SessionError> {
        let session = self.find(id)?;
        let place = session.streams().resume(&last_event_id);
        Ok(session.reader(place.ok_or(SessionError::NoEvent(last_event_id))?, false))
    }
}

/// The whole response to a request whose id is that of another one under way: its stream could not be told from the
/// other's.
fn id_in_use(request: &RequestId) -> ServerSseMessage {
    let problem =
        format!("a request with the id {request} has no response yet: give each request its own id");
    let error = ErrorData::invalid_request(problem, None);
    ServerSseMessage::from_message(JsonRpcMessage::error(error, Some(request.clone())))
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
        let since =
            if self.session.streams().attached() { Instant::now() } else { *self.session.last_seen() };
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
        let sent = self.session.streams().push(with_legacy_tasks(message));
        let id = || HttpSessionId::from(self.session.client.connection.id().as_str());
        std::future::ready(if sent { Ok(()) } else { Err(SessionError::Over(id())) })
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        loop {
            let idle_at = self.idle_at();
            tokio::select! {
                biased;
                () = self.session.closed.cancelled() => return None,
                message = self.inbound.recv() => return message,
                () = tokio::time::sleep_until(idle_at) => {}
            }
            if self.idle_at() <= Instant::now() {
                self.session.client.connection.leave("the session was idle for too long");
                return None;
            }
        }
    }

    async fn close(&mut self) -> Result<(), SessionError> {
        self.session.client.connection.leave("the session is over");
        self.session.streams().close();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_counts_from_before_it_begins_until_it_is_over() {
        let sessions = Sessions::new(Duration::from_secs(1), TaskTracker::new());
        let (anna, ben) = (Scope::named("anna"), Scope::named("ben"));
        let counted = sessions.count(&anna, 1).expect("the first one");
        assert!(sessions.count(&anna, 1).is_none() && sessions.count(&ben, 1).is_some());
        let session = counted.take().expect("it goes into the session");
        drop(counted);
        assert!(sessions.count(&anna, 1).is_none());
        drop(session);
        let gave_up = sessions.count(&anna, 1).expect("there is place again");
        drop(gave_up);
        assert!(sessions.counts.lock().expect("no panic").is_empty(), "nothing is left of either");
    }
}
