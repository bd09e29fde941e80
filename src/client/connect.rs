//! From a target to a connection.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderName, HeaderValue};
use rmcp::model::{ErrorData, ProtocolVersion};
use rmcp::service::{
    ClientInitializeError, ClientLifecycleMode, RoleClient, RunningService, serve_client_with_lifecycle,
};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::common::client_side_sse::ExponentialBackoff;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use tokio::sync::{Notify, OnceCell, broadcast, watch};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::asking::{Answering, Desk};
use super::failure::{answers_http, closed, transport_failure};
use super::http::{Endpoint, HTTP_STATUS};
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
/// The pauses before a stream that broke off is opened again, doubled from the first to the longest.
const FIRST_STREAM_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_STREAM_PAUSE: Duration = Duration::from_secs(2);
/// Requests at once. The server has a limit of its own; this one is above what one client follows.
const MOST_REQUESTS: usize = 1024;
/// Hints that may wait to be read; they are only hints.
const HINTS: usize = 64;

impl Client {
    /// Connects and agrees on an era. Without `answering` the server is told that nobody can be asked.
    pub async fn connect(
        target: &Target,
        era: Era,
        answering: Option<Arc<dyn Answering>>,
    ) -> ClientResult<Self> {
        let opening = async {
            match Box::pin(open(target, era, answering.clone())).await {
                Err(Failure { again: Some(era), .. }) => Box::pin(open(target, era, answering)).await,
                done => done,
            }
        };
        let after = HANDSHAKE_TIMEOUT;
        match tokio::time::timeout(after, opening).await {
            Ok(opened) => opened.map_err(|failure| failure.error),
            Err(_) => {
                Err(ClientError::Timeout { server: target.to_string(), what: "the handshake".into(), after })
            }
        }
    }
}

type Running = RunningService<RoleClient, Session>;

/// Why there is no connection, and the era in which another try would get one.
struct Failure {
    error: ClientError,
    again: Option<Era>,
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        Self { error, again: None }
    }
}

async fn open(target: &Target, era: Era, answering: Option<Arc<dyn Answering>>) -> Result<Client, Failure> {
    let (wire, words) = (Arc::new(Wire::default()), LastWords::default());
    let desk = answering.map(|answering| Arc::new(Desk::new(answering)));
    let (changed, place) = (broadcast::Sender::new(HINTS), target.to_string());
    let (lost, broken) = (CancellationToken::new(), Arc::new(Notify::new()));
    let session = Session {
        desk: desk.clone(),
        wire: wire.clone(),
        place: place.clone(),
        changed: changed.clone(),
        lost: lost.clone(),
        broken: broken.clone(),
    };
    let running = match target {
        Target::Http { url, headers, token } => {
            over_http(session, url, headers, token.as_deref(), era).await?
        }
        Target::Stdio { command } => over_stdio(session, command, &words, era).await?,
    };
    let modern = is_modern(&running);
    let (patience, tools) = (None, OnceCell::new());
    Ok(Client { running, wire, desk, place, words, changed, lost, broken, patience, modern, tools })
}

fn is_modern(running: &Running) -> bool {
    running.peer().peer_info().is_some_and(|info| !info.protocol_version.has_initialize())
}

async fn over_http(
    session: Session,
    url: &Url,
    headers: &[(String, String)],
    token: Option<&str>,
    era: Era,
) -> ClientResult<Running> {
    let place = session.place.clone();
    let endpoint = Endpoint::new(session.wire.clone(), session.lost.clone(), session.broken.clone());
    let endpoint = endpoint.map_err(|error| ClientError::Unreachable {
        server: place.clone(),
        reason: error.without_url().to_string(),
        is_sent: false,
    })?;
    let listening = endpoint.listening();
    let mut config = StreamableHttpClientTransportConfig::with_uri(url.as_str());
    config.auth_header = token.map(str::to_owned);
    // Each task that is waited for holds a request, and none of them may keep an answer from being sent.
    config.max_concurrent_requests = MOST_REQUESTS;
    // A session that is over is told to whoever waits: only they know what of it has to be begun anew.
    config.reinit_on_expired_session = false;
    config.retry_config = Arc::new(streams_again());
    config.custom_headers = headers.iter().map(header).collect::<ClientResult<_>>()?;
    let transport = StreamableHttpClientTransport::with_client(endpoint, config);
    let running = serve_client_with_lifecycle(session, transport, lifecycle(era))
        .await
        .map_err(|error| initialize_failure(&place, error))?;
    if !is_modern(&running) {
        await_stream(listening).await;
    }
    Ok(running)
}

async fn over_stdio(
    session: Session,
    command: &[String],
    words: &LastWords,
    era: Era,
) -> Result<Running, Failure> {
    let (place, wire) = (session.place.clone(), session.wire.clone());
    let child = ChildServer::start(command, wire.clone(), words.clone()).map_err(|error| {
        let reason = format!("it does not start: {error}");
        ClientError::Unreachable { server: place.clone(), reason, is_sent: false }
    })?;
    match serve_client_with_lifecycle(session, child, lifecycle(era)).await {
        Ok(running) => Ok(running),
        Err(error) => {
            let again = era_of_late_answer(&error, &wire).filter(|_| era == Era::Auto);
            Err(Failure { error: words.explain(initialize_failure(&place, error)).await, again })
        }
    }
}

/// A server that starts slowly answers `server/discover` when rmcp has gone on to `initialize`, and rmcp
/// then gives up. The late answer tells the era, so the server is started once more in that one.
fn era_of_late_answer(error: &ClientInitializeError, wire: &Wire) -> Option<Era> {
    let discovered = wire.handshake().get("supportedVersions").is_some();
    match error {
        ClientInitializeError::ConflictInitResponseId(..) if discovered => Some(Era::Modern),
        ClientInitializeError::ConflictInitResponseId(..)
        | ClientInitializeError::UncorrelatedErrorResponse { .. } => Some(Era::Legacy),
        _ => None,
    }
}

/// How the streams of a session are opened again: for as long as the session lives, and soon enough for the server
/// not to take the client for gone.
fn streams_again() -> ExponentialBackoff {
    let mut again = ExponentialBackoff::default();
    (again.base_duration, again.max_delay) = (FIRST_STREAM_PAUSE, Some(LONGEST_STREAM_PAUSE));
    again
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

/// The status with which HTTP refused the handshake, where it did.
fn http_status(error: &ErrorData) -> Option<u16> {
    let status = error.data.as_ref()?.get(HTTP_STATUS)?.as_u64()?;
    u16::try_from(status).ok()
}

fn initialize_failure(place: &str, error: ClientInitializeError) -> ClientError {
    let protocol = |problem: String| ClientError::Protocol { server: place.to_owned(), problem };
    match error {
        ClientInitializeError::TransportError { error, .. } => transport_failure(place, error.error.as_ref()),
        ClientInitializeError::LegacyFallbackFailed { fallback, .. } => initialize_failure(place, *fallback),
        ClientInitializeError::ConnectionClosed(_) => closed(place),
        ClientInitializeError::JsonRpcError(error) => {
            if let Some(status) = http_status(&error) {
                return answers_http(place, status);
            }
            protocol(format!("the handshake was refused: {} (code {})", error.message, error.code.0))
        }
        ClientInitializeError::NoCompatibleProtocolVersion { server_supported, .. } => {
            let versions: Vec<_> = server_supported.iter().map(ProtocolVersion::as_str).collect();
            protocol(format!("no shared version, it has {}", versions.join(", ")))
        }
        other => protocol(other.to_string()),
    }
}
