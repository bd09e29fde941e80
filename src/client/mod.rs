//! The MCP client: one set of verbs for both protocol eras, over streamable HTTP and stdio.
//!
//! [`Client::connect`] finds out which era the server speaks. [`Client::submit`] starts a tool,
//! [`Client::follow`] stays with the task to its end; meanwhile each question of the server goes to the
//! [`Answering`] that the caller gave, one at a time. Elicitation is advertised only if one was given.
//!
//! This module knows the protocol and the domain's types, nothing of engines, stores or terminals.

mod asked;
mod asking;
mod circle;
mod connect;
mod discovery;
mod ending;
mod error;
mod events;
mod failure;
mod flood;
mod follow;
mod headers;
mod hearing;
mod http;
mod http_client;
mod junk;
mod last_words;
mod looks;
mod occurrences;
mod oddity;
mod patience;
mod program;
mod questions;
mod quiet;
mod reply;
mod request;
mod session;
mod stdio;
mod submit;
mod target;
mod tasks;
mod telling;
mod told;
mod tools;
mod traffic;
mod unread;
mod view;
mod wire;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use rmcp::service::{RoleClient, RunningService};
use serde_json::Value;
use tokio::sync::{Notify, OnceCell, broadcast};
use tokio_util::sync::CancellationToken;

pub(crate) use connect::HANDSHAKE;

pub use asked::AskedQuestion;
pub(crate) use asking::refused_page;
pub use asking::{Answering, ask_from};
pub use error::{ClientError, ClientResult, asks_as_in_sessions};
pub use follow::OnChange;
pub(crate) use hearing::{Heard, Hearing};
pub(crate) use occurrences::{Occurrence, Occurrences, Told};
pub use patience::Patience;
pub use program::programs_ended;
pub use submit::{Call, Submitted};
pub(crate) use target::shown;
pub use target::{Era, Target};
pub use tasks::{Acknowledged, INVALID_PARAMS};
pub use view::{Ended, TaskView};

use crate::task::ToolSpec;
use asking::{Desk, GaveUp};
use last_words::LastWords;
use quiet::Quiet;
use session::Session;
use telling::Telling;
use wire::Wire;

/// How long the end of a connection may take whose server floods it: the flood is read no more, and goes on.
const FLOODED: Duration = Duration::from_secs(3);

/// A connection to one server.
pub struct Client {
    running: RunningService<RoleClient, Session>,
    wire: Arc<Wire>,
    desk: Option<Arc<Desk>>,
    gave_up: Arc<GaveUp>,
    place: String,
    words: LastWords,
    changed: broadcast::Sender<Arc<TaskView>>,
    /// Of which tasks a modern server has said that it tells.
    promised: broadcast::Sender<Arc<BTreeSet<String>>>,
    /// Hands on what is told in streams of events.
    telling: Telling,
    /// Fires when the server says that it does not know the session any more.
    lost: CancellationToken,
    /// Tells of each stream that broke off and cannot be opened again, since nobody is there.
    broken: Arc<Notify>,
    /// Makes the session outlive this connection.
    stays: CancellationToken,
    /// Fires where the connection is given up, since its server floods it.
    over: CancellationToken,
    patience: Option<Arc<dyn Patience>>,
    /// For how long the server wants to be left alone.
    quiet: Quiet,
    modern: bool,
    tools: OnceCell<Vec<ToolSpec>>,
}

impl Client {
    /// The era that was agreed on; never [`Era::Auto`].
    pub fn era(&self) -> Era {
        if self.modern { Era::Modern } else { Era::Legacy }
    }

    /// The server's own name, where it gives one, and where it is. Safe to show but for control
    /// characters: the name is the server's word.
    pub fn server(&self) -> String {
        session::shown_name(&self.wire, &self.place)
    }

    /// With somebody who decides how long a server that is away is waited for; else a verb ends at once then.
    #[must_use]
    pub fn with_patience(self, patience: Arc<dyn Patience>) -> Self {
        Self { patience: Some(patience), ..self }
    }

    /// Ends the session and, on stdio, the server. A session in which a detached task goes on is left to the server.
    pub async fn close(self) {
        if self.stays.is_cancelled() && !target::is_program(&self.place) {
            // There is nothing to wait for: neither a last word nor the reply to a question that is left open.
            return;
        }
        let given_up = self.over.clone().cancelled_owned();
        let ended = self.running.cancel();
        let no_longer = async {
            given_up.await;
            tokio::time::sleep(FLOODED).await;
        };
        // The only error is a panic of rmcp's task, after which there is nothing left to close.
        tokio::select! {
            biased;
            _ = ended => {}
            () = no_longer => {}
        }
    }

    /// Ends the connection and leaves a session to the server, for what goes on in it: servers of the older era ask a
    /// task's questions in the session that submitted it. A program on stdio ends, and its session with it.
    pub async fn leave(self) {
        self.stays.cancel();
        self.close().await;
    }

    /// Whether the server runs tools as tasks at all.
    pub fn runs_tasks(&self) -> bool {
        let path = if self.modern {
            "/capabilities/extensions/io.modelcontextprotocol~1tasks"
        } else {
            "/capabilities/tasks/requests/tools/call"
        };
        self.wire.handshake().pointer(path).is_some_and(Value::is_object)
    }
}
