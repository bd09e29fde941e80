//! The server on stdin and stdout: one client, one session.

use std::sync::Arc;

use rmcp::service::{ServerInitializeError, serve_server_with_ct};
use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, BufReader};
use tokio_util::sync::CancellationToken;

use super::config::{ServeConfig, ServeError};
use super::handler::Handler;
use super::lines::Lines;
use super::request::{Client, Serving};
use crate::engine::Engine;
use crate::relay::Streams;
use crate::task::{Scope, SessionId};

/// Serves one client until it closes its end, or until `stop`: then calls under way are waited for, as over HTTP.
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
    let serving = Serving::start(engine, config, stop.clone()).await?;
    let handler = Handler { serving: serving.clone() };
    let client = Arc::new(Client::new(SessionId::generate(), Streams::line()));
    client.bind(Scope::anonymous());
    let lines = Lines::new(client, BufReader::new(stdin), stdout, most_bytes);
    let closing = CancellationToken::new();
    let stopping = async {
        stop.cancelled().await;
        serving.drain().await;
        closing.cancel();
        std::future::pending().await
    };
    tokio::select! {
        biased;
        served = Box::pin(serve(handler, lines, closing.clone())) => served,
        never = stopping => never,
    }
}

/// Serves a connection to its end, or until `closing`.
async fn serve<R>(handler: Handler, lines: Lines<R>, closing: CancellationToken) -> Result<(), ServeError>
where
    R: AsyncBufRead + Unpin + Send + 'static,
{
    match serve_server_with_ct(handler, lines, closing).await {
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
