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
use super::sessions::Sessions;
use crate::engine::Engine;
use crate::server::config::{DRAIN, ServeConfig, ServeError};
use crate::server::handler::Handler;
use crate::server::request::Serving;

/// How often an open stream shows that it is alive.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How long clients have to read what waits in streams that ended, and then to let go of their connections.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Serves `/mcp` and `/health` on a bound listener until `stop`; then no new connection is taken, calls
/// under way are waited for, and streams end. Open questions stay open.
pub async fn http(
    engine: Engine,
    config: ServeConfig,
    listener: TcpListener,
    stop: CancellationToken,
) -> Result<(), ServeError> {
    let serving = Serving::start(engine, config.clone(), stop.clone()).await?;
    let handler = Handler { serving: serving.clone() };
    let sessions = Arc::new(Sessions::new(config.session_idle, serving.calls.clone()));
    let closing = CancellationToken::new();
    let transport = transport(&config, &listener, closing.clone());
    let service = StreamableHttpService::new(move || Ok(handler.clone()), sessions.clone(), transport);
    let allowances = Allowances::new(config.rate_limit, config.max_requests);
    let endpoint = Endpoint { service, sessions: sessions.clone(), allowances, serving: serving.clone() };
    let router = Router::new()
        .route("/mcp", any(guarded))
        .route("/health", get(async || "ok\n"))
        .with_state(Arc::new(endpoint));
    let connections = Connections::new(router, config.identity.clone(), config.read_time);
    let ended = async {
        stop.cancelled().await;
        end(&serving, &sessions, &closing).await;
    };
    tokio::select! {
        () = connections.serve(listener, stop.clone()) => {}
        () = ended => {}
    }
    closing.cancel();
    Ok(())
}

/// Ends a server that was told to stop. Calls under way have their time; then every stream ends, with what waited in
/// it; then what a client holds open all the same is cut off.
async fn end(serving: &Serving, sessions: &Sessions, closing: &CancellationToken) {
    serving.calls.close();
    if tokio::time::timeout(DRAIN, serving.calls.wait()).await.is_err() {
        tracing::info!(calls = serving.calls.len(), "calls under way are given up");
    }
    sessions.end_streams();
    tokio::time::sleep(LAST_WORDS).await;
    closing.cancel();
    tokio::time::sleep(LAST_WORDS).await;
}

fn transport(
    config: &ServeConfig,
    listener: &TcpListener,
    closing: CancellationToken,
) -> StreamableHttpServerConfig {
    let mut origins = config.allowed_origins.clone();
    if origins.is_empty()
        && let Ok(address) = listener.local_addr()
    {
        let port = address.port();
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
