//! The server on stdin and stdout: one client, one session.

use std::sync::Arc;

use rmcp::service::{ServerInitializeError, serve_server_with_ct};
use tokio::io::{AsyncRead, AsyncWrite, BufReader};
use tokio_util::sync::CancellationToken;

use super::caller::Client;
use super::lines::Lines;
use super::{ServeConfig, ServeError, serving};
use crate::engine::Engine;
use crate::task::{Scope, SessionId};

/// Serves one client until it closes its end, or until `stop`.
pub async fn stdio<R, W>(
    engine: Engine,
    config: ServeConfig,
    stdin: R,
    stdout: W,
    stop: CancellationToken,
) -> Result<(), ServeError>
where
    R: AsyncRead + Unpin + Send + 'static,
    W: AsyncWrite + Unpin + Send + 'static,
{
    let most_bytes = config.max_body_bytes;
    let handler = serving(engine, config, stop.clone()).await?;
    let client = Arc::new(Client::new(SessionId::generate()));
    client.bind(Scope::anonymous());
    client.connection.opened(false);
    let lines = Lines::new(client, BufReader::new(stdin), stdout, most_bytes);
    match serve_server_with_ct(handler, lines, stop.child_token()).await {
        Ok(running) => {
            if let Err(error) = running.waiting().await {
                tracing::error!(%error, "the connection on stdio failed");
            }
            Ok(())
        }
        Err(ServerInitializeError::ConnectionClosed(_) | ServerInitializeError::Cancelled) => Ok(()),
        Err(error) => Err(ServeError::Handshake { problem: error.to_string() }),
    }
}
