//! A request as it is served: who sent it, what it says, and what all of them share.

use std::sync::Arc;

use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::config::{DRAIN, LAST_WORDS, ServeConfig, ServeError};
use super::dialect::Era;
use super::errors::invalid;
use super::wire::Object;
use crate::engine::{Engine, Viewer};
use crate::relay::{Connection, Modes, Relay, RelayConfig, Streams, answerer};
use crate::task::{Scope, SessionId, TaskId, Who};

/// What all connections of one server share.
#[derive(Debug)]
pub(super) struct Serving {
    pub(super) engine: Engine,
    pub(super) relay: Relay,
    pub(super) config: ServeConfig,
    /// Requests that are waited for when the server stops.
    pub(super) calls: TaskTracker,
    pub(super) stop: CancellationToken,
    /// Calls under way have had their time: each ends with an error.
    pub(super) overdue: CancellationToken,
}

impl Serving {
    /// Begins to serve an engine, until `stop`.
    pub(super) async fn start(
        engine: Engine,
        config: ServeConfig,
        stop: CancellationToken,
    ) -> Result<Arc<Self>, ServeError> {
        let relay = RelayConfig {
            unanswerable: config.unanswerable,
            vanish_grace: config.vanish_grace,
            poll_interval_ms: config.poll_interval_ms,
            faults: config.faults.clone(),
            decider: config.decider.clone(),
        };
        let relay = Relay::start(engine.clone(), relay, stop.clone()).await?;
        let (calls, overdue) = (TaskTracker::new(), CancellationToken::new());
        Ok(Arc::new(Self { engine, relay, config, calls, stop, overdue }))
    }

    /// Waits, once the server was told to stop, until every request under way has its response. Calls have their time to
    /// finish; what has not finished by then is told so.
    pub(super) async fn drain(&self) {
        self.calls.close();
        if tokio::time::timeout(DRAIN, self.calls.wait()).await.is_ok() {
            return;
        }
        tracing::info!(calls = self.calls.len(), "calls under way are given up");
        self.overdue.cancel();
        // What cannot even be told that is cut off.
        let _ = tokio::time::timeout(LAST_WORDS, self.calls.wait()).await;
    }
}

/// A legacy session or a stdio connection. Every message of it carries one.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) connection: Arc<Connection>,
}

impl Client {
    pub(super) fn new(id: SessionId, streams: Streams) -> Self {
        Self { connection: Arc::new(Connection::new(id, streams)) }
    }

    /// Binds the session to a scope; the first one stands.
    pub(super) fn bind(&self, scope: Scope) {
        self.connection.bind(scope);
    }

    /// The scope, once it is fixed.
    pub(super) fn bound(&self) -> Option<&Scope> {
        self.connection.scope()
    }

    pub(super) fn scope(&self) -> Scope {
        self.bound().cloned().unwrap_or_else(Scope::anonymous)
    }
}

/// The sender of one request.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) scope: Scope,
    /// Its session, in the legacy era.
    pub(super) client: Option<Arc<Client>>,
    /// The line that the request came over, on stdio in both eras, or its session.
    line: Option<Arc<Client>>,
}

impl Caller {
    pub(super) fn of(context: &RequestContext<RoleServer>, era: Era) -> Self {
        let client = context.extensions.get::<Arc<Client>>().cloned();
        let parts = context.extensions.get::<http::request::Parts>();
        let scope = parts.and_then(|parts| parts.extensions.get::<Scope>()).cloned();
        let scope = scope.or_else(|| client.as_ref().map(|client| client.scope()));
        Self {
            scope: scope.unwrap_or_else(Scope::anonymous),
            // A modern request stands for itself, even on a connection that lives on.
            client: client.clone().filter(|_| era == Era::Legacy),
            line: client,
        }
    }

    /// Waits until nothing can reach the sender any more; for ever where each request has its own connection.
    pub(super) async fn gone(&self) {
        match &self.line {
            Some(client) => drop(client.connection.gone().await),
            None => std::future::pending().await,
        }
    }

    pub(super) fn session(&self) -> Option<SessionId> {
        self.client.as_ref().map(|client| client.connection.id().clone())
    }

    pub(super) fn viewer(&self) -> Viewer {
        Viewer::Client { scope: self.scope.clone(), session: self.session() }
    }
}

/// The request as a handler gets it.
pub(super) struct Request {
    pub(super) caller: Caller,
    pub(super) params: Object,
    pub(super) context: RequestContext<RoleServer>,
}

impl Request {
    /// A string among the params.
    pub(super) fn text(&self, key: &str) -> Result<&str, ErrorData> {
        match self.params.get(key) {
            Some(Value::String(text)) => Ok(text),
            Some(other) => Err(invalid(format!("params.{key} must be a string, not {other}"))),
            None => Err(invalid(format!("params.{key} is missing"))),
        }
    }

    /// The task that the params name. One that cannot be an id is one that was never given out.
    pub(super) fn task_id(&self) -> Result<TaskId, ErrorData> {
        let text = self.text("taskId")?;
        text.parse().map_err(|error| invalid(format!("there is no such task: {error}")))
    }

    /// An object among the params; empty where it is left out.
    pub(super) fn object(&self, key: &str) -> Result<Object, ErrorData> {
        match self.params.get(key) {
            None | Some(Value::Null) => Ok(Object::new()),
            Some(Value::Object(object)) => Ok(object.clone()),
            Some(other) => Err(invalid(format!("params.{key} must be an object, not {other}"))),
        }
    }

    /// Whether it came over the line of the program that started this one, and with it has the store.
    pub(super) fn is_over_line(&self) -> bool {
        self.context.extensions.get::<http::request::Parts>().is_none()
    }

    /// Who answers, by that reply to a question.
    pub(super) fn answerer(&self, reply: &Value) -> Who {
        let client = self.context.meta.client_info();
        answerer::of_reply(Some(&self.caller.scope), client.as_ref(), reply)
    }

    /// Whether it declares the tasks extension.
    pub(super) fn declares_tasks(&self) -> bool {
        self.context.meta.client_capabilities().is_some_and(|capabilities| capabilities.supports_tasks())
    }

    /// In which ways it declares that its user can be asked.
    pub(super) fn modes(&self) -> Modes {
        Modes::of(self.context.meta.client_capabilities().as_ref())
    }
}
