//! The HTTP endpoint.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{any, get};
use http::StatusCode;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::allowance::Allowances;
use super::connections::Connections;
use super::guard::{Endpoint, guarded};
use super::health::Health;
use super::hosts::Hosts;
use super::origins::Origins;
use super::pages::{self, PageGuard};
use super::sessions::Sessions;
use crate::engine::Engine;
use crate::server::config::{LAST_WORDS, ServeConfig, ServeError};
use crate::server::handler::Handler;
use crate::server::request::Serving;
use crate::server::sign_ins::SignIns;

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
    let health = Arc::new(Health::new(engine.clone()));
    let serving = Serving::start(engine, config.clone(), stop.clone()).await?;
    let handler = Handler { serving: serving.clone() };
    let sessions = Arc::new(Sessions::new(config.session_idle, serving.calls.clone()));
    let closing = CancellationToken::new();
    let transport = transport(&config, closing.clone());
    let service = StreamableHttpService::new(move || Ok(handler.clone()), sessions.clone(), transport);
    let allowances = Allowances::new(config.rate_limit, config.max_requests);
    let hosts = Hosts::new(&config.allowed_hosts, config.identity.is_some());
    let origins = Origins::new(&config.allowed_origins, &own_origins(&config, &listener));
    let sessions_of = sessions.clone();
    let endpoint =
        Endpoint { hosts, origins, service, sessions: sessions_of, allowances, serving: serving.clone() };
    let router = Router::new()
        .route("/mcp", any(guarded))
        .route("/mcp/", any(guarded))
        .route("/health", get(async move || health.told().await))
        .fallback(async || (StatusCode::NOT_FOUND, "nothing is here: MCP is at /mcp\n"))
        .with_state(Arc::new(endpoint));
    let router = match config.pages.clone() {
        Some(found) => router.merge(pages::guarded(found.router, guard(&config, found.sign_ins))),
        None => router,
    };
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

/// What the requests for pages are held to.
fn guard(config: &ServeConfig, sign_ins: SignIns) -> PageGuard {
    PageGuard {
        sign_ins,
        hosts: Hosts::new(&config.allowed_hosts, config.identity.is_some()),
        allowances: Allowances::new(config.rate_limit, config.max_requests),
    }
}

/// Ends a server that was told to stop. Calls under way have their time; then every stream ends, with what waited in
/// it; then what a client holds open all the same is cut off.
async fn end(serving: &Serving, sessions: &Sessions, closing: &CancellationToken) {
    serving.drain().await;
    sessions.end_streams();
    tokio::time::sleep(LAST_WORDS).await;
    closing.cancel();
    tokio::time::sleep(LAST_WORDS).await;
}

fn transport(config: &ServeConfig, closing: CancellationToken) -> StreamableHttpServerConfig {
    StreamableHttpServerConfig::default()
        .with_cancellation_token(closing)
        .with_sse_keep_alive(Some(KEEP_ALIVE))
        // Sessions send their own first events, with ids of their own.
        .with_sse_retry(None)
        .with_json_response(true)
        .with_max_request_body_bytes(config.max_body_bytes)
        // Both were looked at before a request comes so far (`hosts`, `origins`).
        .disable_allowed_hosts()
        .disable_allowed_origins()
}

/// The origins of pages that the server's own address would show.
fn own_origins(config: &ServeConfig, listener: &TcpListener) -> Vec<String> {
    let Ok(address) = listener.local_addr() else { return Vec::new() };
    let scheme = if config.identity.is_some() { "https" } else { "http" };
    let own = |host| format!("{scheme}://{host}:{}", address.port());
    ["localhost", "127.0.0.1", "[::1]"].map(own).to_vec()
}
