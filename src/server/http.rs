//! The HTTP endpoint.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{any, get};
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::allowance::Allowances;
use super::connections::Connections;
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
    let handler = serving(engine, config.clone(), stop.clone()).await?;
    let serving = handler.serving.clone();
    let sessions = Arc::new(Sessions::new(config.session_idle, serving.calls.clone()));
    let closing = CancellationToken::new();
    let port = listener.local_addr().map_or(config.listen.port(), |address| address.port());
    let transport = transport(&config, port, closing.clone());
    let service = StreamableHttpService::new(move || Ok(handler.clone()), sessions.clone(), transport);
    let allowances = Allowances::new(config.rate_limit, config.max_requests);
    let endpoint = Endpoint { service, sessions, allowances, serving: serving.clone() };
    let router = Router::new()
        .route("/mcp", any(guarded))
        .route("/health", get(async || "ok\n"))
        .with_state(Arc::new(endpoint));
    let draining = tokio::spawn(drain(serving, stop.clone(), closing.clone()));
    let connections = Connections::new(router, config.identity.clone(), config.read_time);
    tokio::select! {
        () = connections.serve(listener, stop) => {}
        // Streams have ended; a connection that a client holds open is not waited for.
        () = async { closing.cancelled().await; tokio::time::sleep(DRAIN).await } => {}
    }
    draining.abort();
    closing.cancel();
    Ok(())
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
        let scheme = if config.identity.is_some() { "https" } else { "http" };
        origins.extend(["localhost", "127.0.0.1", "[::1]"].map(|host| format!("{scheme}://{host}:{port}")));
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
