//! From a target to a connection.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderName, HeaderValue};
use rmcp::model::ProtocolVersion;
use rmcp::service::{ClientInitializeError, ClientLifecycleMode, serve_client_with_lifecycle};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use tokio::sync::{OnceCell, broadcast, watch};

use super::asking::{Answering, Desk};
use super::http::Endpoint;
use super::request::transport_failure;
use super::session::Session;
use super::stdio::{ChildServer, LastWords};
use super::wire::Wire;
use super::{Client, ClientError, ClientResult, Era, Target};

/// How long the whole handshake may take, the start of a child process included. Ten seconds of it go to
/// a server that ignores the modern era's first request.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long the server may take to open the stream on which its questions travel, once a session is
/// agreed on. Afterwards the client goes on: some servers keep that stream waiting for its first event.
const STREAM_TIMEOUT: Duration = Duration::from_secs(3);
/// All that is known when a connection just ends.
pub(super) const CLOSED: &str = "the connection closed";
/// Hints that may wait to be read; they are only hints.
const HINTS: usize = 64;

impl Client {
    /// Connects and agrees on an era. Without `answering` the server is told that nobody can be asked.
    pub async fn connect(
        target: &Target,
        era: Era,
        answering: Option<Arc<dyn Answering>>,
    ) -> ClientResult<Self> {
        let place = target.to_string();
        let opening = open(target, era, answering);
        tokio::time::timeout(HANDSHAKE_TIMEOUT, opening).await.unwrap_or_else(|_| {
            Err(ClientError::Timeout {
                server: place,
                what: "the handshake".into(),
                after: HANDSHAKE_TIMEOUT,
            })
        })
    }
}

async fn open(target: &Target, era: Era, answering: Option<Arc<dyn Answering>>) -> ClientResult<Client> {
    let (wire, words) = (Arc::new(Wire::default()), LastWords::default());
    let desk = answering.map(|answering| Arc::new(Desk::new(answering)));
    let (changed, place) = (broadcast::Sender::new(HINTS), target.to_string());
    let session =
        Session { desk: desk.clone(), wire: wire.clone(), place: place.clone(), changed: changed.clone() };
    let failed = |error| initialize_failure(&place, error);
    let (running, listening) = match target {
        Target::Http { url, headers, token } => {
            let unusable = |error: reqwest::Error| ClientError::Unreachable {
                server: place.clone(),
                reason: error.without_url().to_string(),
            };
            let endpoint = Endpoint::new(wire.clone()).map_err(unusable)?;
            let listening = endpoint.listening();
            let mut config = StreamableHttpClientTransportConfig::with_uri(url.as_str());
            config.auth_header.clone_from(token);
            config.custom_headers = headers.iter().map(header).collect::<ClientResult<_>>()?;
            let transport = StreamableHttpClientTransport::with_client(endpoint, config);
            let running = serve_client_with_lifecycle(session, transport, lifecycle(era)).await;
            (running.map_err(failed)?, Some(listening))
        }
        Target::Stdio { command } => {
            let child = ChildServer::start(command, wire.clone(), words.clone()).map_err(|error| {
                ClientError::Unreachable {
                    server: place.clone(),
                    reason: format!("it does not start: {error}"),
                }
            })?;
            match serve_client_with_lifecycle(session, child, lifecycle(era)).await {
                Ok(running) => (running, None),
                Err(error) => return Err(words.explain(failed(error)).await),
            }
        }
    };
    let modern = running.peer().peer_info().is_some_and(|info| !info.protocol_version.has_initialize());
    if let Some(listening) = listening.filter(|_| !modern) {
        await_stream(listening).await;
    }
    Ok(Client { running, wire, desk, place, words, changed, modern, tools: OnceCell::new() })
}

/// A question that is asked before the stream is open may be lost: `FastMCP` 3 sends it once.
async fn await_stream(mut listening: watch::Receiver<bool>) {
    let _ = tokio::time::timeout(STREAM_TIMEOUT, listening.wait_for(|open| *open)).await;
}

fn lifecycle(era: Era) -> ClientLifecycleMode {
    let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
    match era {
        Era::Auto => ClientLifecycleMode::Auto {
            preferred_versions,
            legacy_version: Some(ProtocolVersion::V_2025_11_25),
        },
        Era::Legacy => ClientLifecycleMode::Initialize,
        Era::Modern => ClientLifecycleMode::Discover { preferred_versions },
    }
}

fn header((name, value): &(String, String)) -> ClientResult<(HeaderName, HeaderValue)> {
    let refused = |problem: &str| ClientError::Target {
        given: format!("header {name}"),
        problem: format!("{problem}: give NAME: VALUE"),
    };
    let parsed = HeaderName::try_from(name).map_err(|_| refused("has a name that HTTP does not allow"))?;
    let mut value =
        HeaderValue::try_from(value).map_err(|_| refused("has a value that HTTP does not allow"))?;
    value.set_sensitive(true);
    Ok((parsed, value))
}

fn initialize_failure(place: &str, error: ClientInitializeError) -> ClientError {
    let protocol = |problem: String| ClientError::Protocol { server: place.to_owned(), problem };
    match error {
        ClientInitializeError::TransportError { error, .. } => transport_failure(place, error.error.as_ref()),
        ClientInitializeError::LegacyFallbackFailed { fallback, .. } => initialize_failure(place, *fallback),
        ClientInitializeError::ConnectionClosed(_) => {
            ClientError::Unreachable { server: place.to_owned(), reason: CLOSED.to_owned() }
        }
        ClientInitializeError::JsonRpcError(error) => {
            protocol(format!("the handshake was refused: {} (code {})", error.message, error.code.0))
        }
        ClientInitializeError::NoCompatibleProtocolVersion { server_supported, .. } => {
            let versions: Vec<_> = server_supported.iter().map(ProtocolVersion::as_str).collect();
            protocol(format!("no shared version, it has {}", versions.join(", ")))
        }
        other => protocol(other.to_string()),
    }
}
