//! What a server needs to know, and why it could not go on.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use super::auth::Tokens;
use super::sign_ins::SignIns;
use super::tls::Identity;
use crate::engine::EngineError;
use crate::relay::Decide;
use crate::task::{Fault, Unanswerable};

/// How long a stopping server waits for calls that are under way.
pub(super) const DRAIN: Duration = Duration::from_secs(5);

/// How long calls that did not finish have to say so, clients to read what waits in streams that ended, and then to let
/// go of their connections.
pub(super) const LAST_WORDS: Duration = Duration::from_secs(1);

/// Pages for people.
#[derive(Debug, Clone)]
pub struct Pages {
    /// The pages.
    pub router: axum::Router,
    /// Who is signed in to them.
    pub sign_ins: SignIns,
}

/// What a server needs to know.
#[derive(Clone)]
pub struct ServeConfig {
    /// Who is let in.
    pub tokens: Tokens,
    /// The certificate, for TLS; none for plain HTTP.
    pub identity: Option<Identity>,
    /// Requests of one scope per second; none for as many as come.
    pub rate_limit: Option<NonZeroU32>,
    /// Requests and open streams of one scope at once.
    pub max_requests: usize,
    /// Legacy sessions of one scope at once.
    pub max_sessions: usize,
    /// How long a client may take for a request's head, and as long again for its body.
    pub read_time: Duration,
    /// Hosts for which requests are taken, besides loopback ones, each with or without a port; `*` for any.
    pub allowed_hosts: Vec<String>,
    /// Origins of web pages whose requests are taken, besides the server's own loopback address; `*` for any.
    pub allowed_origins: Vec<String>,
    /// What becomes of a question that the client cannot answer, where its tool does not say.
    pub unanswerable: Unanswerable,
    /// Who decides on questions before they are shown to anybody.
    pub decider: Option<Arc<dyn Decide>>,
    /// How long a legacy session may be silent, without any stream open, before it ends.
    pub session_idle: Duration,
    /// How long a legacy client may have no stream open before its questions count as unanswerable.
    pub vanish_grace: Duration,
    /// How often clients are asked to poll, in milliseconds.
    pub poll_interval_ms: u64,
    /// The largest request body or line, in bytes.
    pub max_body_bytes: usize,
    /// Whether it offers the Events extension, whose words may still move.
    pub experimental_events: bool,
    /// How it serves every task wrongly, on purpose, for tests of clients.
    pub faults: Vec<Fault>,
    /// Pages for people, which are served beside the endpoint.
    pub pages: Option<Pages>,
    /// The server's name, as clients are told.
    pub name: String,
    /// The server's version, as clients are told.
    pub version: String,
}

impl Default for ServeConfig {
    fn default() -> Self {
        Self {
            tokens: Tokens::default(),
            identity: None,
            rate_limit: None,
            max_requests: 10_000,
            max_sessions: 10_000,
            read_time: Duration::from_secs(30),
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
            unanswerable: Unanswerable::default(),
            decider: None,
            session_idle: Duration::from_secs(12 * 60 * 60),
            vanish_grace: Duration::from_secs(30),
            poll_interval_ms: 500,
            max_body_bytes: 4 * 1024 * 1024,
            experimental_events: false,
            faults: Vec::new(),
            pages: None,
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

impl fmt::Debug for ServeConfig {
    /// Shows whose tokens there are, never the tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServeConfig")
            .field("tokens", &self.tokens)
            .field("unanswerable", &self.unanswerable)
            .field("poll_interval_ms", &self.poll_interval_ms)
            .finish_non_exhaustive()
    }
}

/// Why a server could not go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The engine could not be used.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The client on stdio did not speak the protocol.
    #[error("the client on stdin did not begin as MCP clients do: {problem}")]
    Handshake {
        /// What went wrong.
        problem: String,
    },
}
