//! The HTTP endpoint.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{any, get};
use axum::serve::ListenerExt as _;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::auth::Tokens;
use super::guard::{Endpoint, guarded};
use super::handler::Serving;
use super::sessions::Sessions;
use super::{DRAIN, ServeConfig, ServeError, serving};
use crate::engine::Engine;

/// How often an open stream shows that it is alive.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Serves `/mcp` and `/health` on a bound listener until `stop`; then no new connection is taken, calls
/// under way are waited for, and streams end. Open questions stay open.
pub async fn http(
    engine: Engine,
    config: ServeConfig,
    listener: TcpListener,
    stop: CancellationToken,
) -> Result<(), ServeError> {
    let listen = config.listen;
    let handler = serving(engine, config.clone(), stop.clone()).await?;
    let serving = handler.serving.clone();
    let sessions = Arc::new(Sessions::new(config.session_idle, serving.calls.clone()));
    let closing = CancellationToken::new();
    let port = listener.local_addr().map_or(listen.port(), |address| address.port());
    let transport = transport(&config, port, closing.clone());
    let service = StreamableHttpService::new(move || Ok(handler.clone()), sessions.clone(), transport);
    let tokens = Tokens::new(&config.tokens);
    let endpoint = Arc::new(Endpoint { service, sessions, tokens, serving: serving.clone() });
    let router =
        Router::new().route("/mcp", any(guarded)).route("/health", get(async || "ok\n")).with_state(endpoint);
    // A question is a small packet that a person waits for.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    let draining = tokio::spawn(drain(serving, stop.clone(), closing.clone()));
    let server = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
    let ended = tokio::select! {
        ended = server.into_future() => ended,
        // Streams have ended; a connection that a client holds open is not waited for.
        () = async { closing.cancelled().await; tokio::time::sleep(DRAIN).await } => Ok(()),
    };
    draining.abort();
    closing.cancel();
    ended.map_err(|problem| ServeError::Http { listen, problem })
}

/// Ends all streams once the calls under way are done, or have had their time.
async fn drain(serving: Arc<Serving>, stop: CancellationToken, closing: CancellationToken) {
    stop.cancelled().await;
    serving.calls.close();
    if tokio::time::timeout(DRAIN, serving.calls.wait()).await.is_err() {
        tracing::info!(calls = serving.calls.len(), "calls under way are given up");
    }
    closing.cancel();
}

fn transport(config: &ServeConfig, port: u16, closing: CancellationToken) -> StreamableHttpServerConfig {
    let mut origins = config.allowed_origins.clone();
    if origins.is_empty() {
        origins.extend(["localhost", "127.0.0.1", "[::1]"].map(|host| format!("http://{host}:{port}")));
    }
    let transport = StreamableHttpServerConfig::default()
        .with_cancellation_token(closing)
        .with_sse_keep_alive(Some(KEEP_ALIVE))
        // Sessions send their own first events, with ids of their own.
        .with_sse_retry(None)
        .with_json_response(true)
        .with_max_request_body_bytes(config.max_body_bytes)
        .with_allowed_origins(origins)
        .enforce_origin_validation();
    if config.allowed_hosts.iter().any(|host| host == "*") {
        transport.disable_allowed_hosts()
    } else if config.allowed_hosts.is_empty() {
        transport
    } else {
        transport.with_allowed_hosts(config.allowed_hosts.clone())
    }
}
