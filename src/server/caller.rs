//! Who sent a request.

use std::sync::{Arc, OnceLock};

use rmcp::RoleServer;
use rmcp::service::RequestContext;

use super::dialect::Era;
use crate::engine::Viewer;
use crate::relay::Connection;
use crate::task::{Scope, SessionId};

/// A legacy session or a stdio connection. Every message of it carries one.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) connection: Arc<Connection>,
    /// Whose it is: fixed when the session begins.
    scope: OnceLock<Scope>,
}

impl Client {
    pub(super) fn new(id: SessionId) -> Self {
        Self { connection: Arc::new(Connection::new(id)), scope: OnceLock::new() }
    }

    /// Binds the session to a scope; the first one stands.
    pub(super) fn bind(&self, scope: Scope) {
        self.scope.get_or_init(|| scope);
    }

    /// The scope, once it is fixed.
    pub(super) fn bound(&self) -> Option<&Scope> {
        self.scope.get()
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
            client: client.filter(|_| era == Era::Legacy),
        }
    }

    pub(super) fn session(&self) -> Option<SessionId> {
        self.client.as_ref().map(|client| client.connection.id().clone())
    }

    pub(super) fn viewer(&self) -> Viewer {
        Viewer::Client { scope: self.scope.clone(), session: self.session() }
    }
}
