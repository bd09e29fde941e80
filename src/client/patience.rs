//! How long a server that is away is waited for.

use std::time::Duration;

use super::ClientError;

/// Whoever decides it. A server's session that is over is not waited for here: it needs a new connection.
pub trait Patience: Send + Sync {
    /// The pause before what failed is tried again; `None` ends the verb with this error.
    fn pause(&self, error: &ClientError) -> Option<Duration>;

    /// The server has answered.
    fn answered(&self);
}
