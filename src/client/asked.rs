//! A question that a server asks of this client.

use crate::task::Ask;

/// A question of a server, with what a person must know before answering.
#[derive(Debug, Clone, PartialEq)]
pub struct AskedQuestion {
    /// Who asks: the server's own name, and where it is.
    pub server: String,
    /// The task that asks, where the server says so.
    pub task: Option<String>,
    /// The question's name at the server: the `inputRequests` key, or the request's id.
    pub key: String,
    /// Whether the key names the same question in every connection, as a request's id does not.
    pub outlives_session: bool,
    /// What is asked.
    pub ask: Ask,
    /// Why the last answer to this very question was refused, where it is asked again.
    pub refused: Option<String>,
}
