//! From a target to a connection.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use rmcp::model::ProtocolVersion;
use rmcp::service::{
    ClientInitializeError, ClientLifecycleMode, RoleClient, RunningService,
    serve_client_with_lifecycle_and_ct,
};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::common::client_side_sse::ExponentialBackoff;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use tokio::sync::{Notify, OnceCell, broadcast, watch};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::asking::{Answering, Desk, GaveUp};
use super::discovery::{http_status, was_silent};
use super::failure::{answers_http, answers_oddly, closed, timeout, transport_failure};
use super::flood::Flood;
use super::headers::{bearer, header};
use super::http::Endpoint;
use super::last_words::LastWords;
use super::oddity;
use super::quiet::{self, Quiet};
use super::session::Session;
use super::stdio::{ChildServer, Start};
use super::tasks::beginning;
use super::telling::Telling;
use super::told::Refusal;
use super::traffic::Traffic;
use super::wire::{Wire, unwrapped};
use super::{Client, ClientError, ClientResult, Era, Target};
use crate::certificate::{inner, trusted_file_fault};

/// What a server is asked first, in words.
pub(crate) const HANDSHAKE: &str = "the handshake";
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
/// How long an answer, or another message without a reply, may take with the pauses that the server asks for; each try has
/// a bound of its own.
const CONTROL_TIMEOUT: Duration = quiet::LONGEST.saturating_mul(2);
/// How rmcp names the request of the modern era's handshake in what went wrong.
const DISCOVER: &str = "discover";
/// Hints that may wait to be read; they are only hints.
const HINTS: usize = 64;

impl Client {
    /// Connects and agrees on an era. Without `answering` the server is told that nobody can be asked.
    pub async fn connect(
        target: &Target,
        era: Era,
        answering: Option<Arc<dyn Answering>>,
    ) -> ClientResult<Self> {
        let words = LastWords::default();
        let opening = async {
            match Box::pin(open(target, era, &words, answering.clone())).await {
                Err(Failure { again: Some(other), .. }) if era == Era::Auto => {
                    Box::pin(open(target, other, &words, answering)).await
                }
                done => done,
            }
        };
        let after = HANDSHAKE_TIMEOUT;
        match tokio::time::timeout(after, opening).await {
            Ok(opened) => opened.map_err(|failure| failure.error),
            Err(_) => Err(words.explain(timeout(&target.to_string(), HANDSHAKE, after)).await),
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

async fn open(
    target: &Target,
    era: Era,
    words: &LastWords,
    answering: Option<Arc<dyn Answering>>,
) -> Result<Client, Failure> {
    let (wire, words) = (Arc::new(Wire::default()), words.clone());
    let desk = answering.map(|answering| Arc::new(Desk::new(answering)));
    let (changed, promised) = (broadcast::Sender::new(HINTS), broadcast::Sender::new(HINTS));
    let (place, telling) = (target.to_string(), Telling::default());
    let (lost, broken) = (CancellationToken::new(), Arc::new(Notify::new()));
    let (stays, gave_up) = (CancellationToken::new(), Arc::<GaveUp>::default());
    let quiet = Quiet::default();
    let session = Session {
        desk: desk.clone(),
        gave_up: gave_up.clone(),
        wire: wire.clone(),
        place: place.clone(),
        changed: changed.clone(),
        promised: promised.clone(),
        lost: lost.clone(),
        broken: broken.clone(),
        stays: stays.clone(),
        telling: telling.clone(),
        flood: Flood::new(words.clone()),
        quiet: quiet.clone(),
    };
    let running = match target {
        Target::Http { url, headers, token } => {
            if let Some(fault) = (url.scheme() == "https").then(trusted_file_fault).flatten() {
                let (given, problem) = (place, format!("cannot be used: {fault}"));
                return Err(ClientError::Target { given, problem }.into());
            }
            let endpoint =
                Endpoint::new(url, &session, era == Era::Auto).map_err(|error| unbuilt(&place, error))?;
            let config = config(url, headers, token.as_deref())?;
            over_http(session, endpoint, config, era).await?
        }
        Target::Stdio { command, environment, directory } => {
            let start = Start { command, environment, directory: directory.as_deref() };
            over_stdio(session, start, &words, era).await?
        }
    };
    let over = running.service().flood.over();
    let modern = agreed_era(&place, &running, &wire)? == Era::Modern;
    let (patience, tools) = (None, OnceCell::new());
    Ok(Client {
        running,
        wire,
        desk,
        gave_up,
        place,
        words,
        changed,
        promised,
        telling,
        lost,
        broken,
        stays,
        over,
        patience,
        quiet,
        modern,
        tools,
    })
}

/// The era in which the handshake was; a version that was not offered is refused. A server that echoes a version of the
/// other era in its `initialize` does not speak that era, which has no `initialize`.
fn agreed_era(place: &str, running: &Running, wire: &Wire) -> ClientResult<Era> {
    let version = running.peer().peer_info().map(|info| info.protocol_version.clone()).unwrap_or_default();
    let is_discovered = wire.handshake().get("supportedVersions").is_some();
    let legacy = ProtocolVersion::known_up_to(&ProtocolVersion::V_2025_11_25);
    if is_discovered && version == ProtocolVersion::V_2026_07_28 {
        Ok(Era::Modern)
    } else if !is_discovered && legacy.contains(&version) {
        Ok(Era::Legacy)
    } else {
        Err(no_shared_version(place, [version.as_str()]))
    }
}

fn no_shared_version<'a>(place: &str, versions: impl IntoIterator<Item = &'a str>) -> ClientError {
    let versions: Vec<_> = versions.into_iter().collect();
    let problem = format!("no shared version, it has {}", versions.join(", "));
    ClientError::Protocol { server: place.to_owned(), problem }
}

fn unbuilt(place: &str, error: reqwest::Error) -> ClientError {
    let (server, error) = (place.to_owned(), error.without_url());
    let causes = std::iter::successors(Some(&error as &(dyn Error + 'static)), |error| inner(*error));
    let reason = causes.last().map(ToString::to_string).unwrap_or_default();
    if place.starts_with("https:") {
        // Nothing was tried on the network, and nothing will be otherwise a moment later.
        let reason = format!(
            "this machine has no CA certificates to check its certificate with, or they cannot be read: install them, or \
             name their file in SSL_CERT_FILE ({reason})"
        );
        return ClientError::Insecure { server, reason };
    }
    ClientError::Unreachable { server, reason, is_sent: false }
}

/// How an HTTP endpoint is talked to.
fn config(
    url: &Url,
    headers: &[(String, String)],
    token: Option<&str>,
) -> ClientResult<StreamableHttpClientTransportConfig> {
    let mut config = StreamableHttpClientTransportConfig::with_uri(url.as_str());
    config.auth_header = token.map(bearer).transpose()?;
    // Each task that is waited for holds a request, and none of them may keep an answer from being sent.
    config.max_concurrent_requests = MOST_REQUESTS;
    config.control_request_timeout = CONTROL_TIMEOUT;
    // A session that is over is told to whoever waits: only they know what of it has to be begun anew.
    config.reinit_on_expired_session = false;
    config.retry_config = Arc::new(streams_again());
    config.custom_headers = headers.iter().map(header).collect::<ClientResult<_>>()?;
    Ok(config)
}

async fn over_http(
    session: Session,
    endpoint: Endpoint,
    config: StreamableHttpClientTransportConfig,
    era: Era,
) -> Result<Running, Failure> {
    let (place, wire, listening) = (session.place.clone(), session.wire.clone(), endpoint.listening());
    let transport = StreamableHttpClientTransport::with_client(endpoint, config);
    let transport = Traffic::new(transport, &session.flood, &session.telling);
    let over = session.flood.over().child_token();
    let serving = serve_client_with_lifecycle_and_ct(session, transport, lifecycle(era), over);
    let running = serving.await.map_err(|error| {
        let again = other_era(&error, &wire);
        Failure { error: initialize_failure(&place, error), again }
    })?;
    if running.peer().peer_info().is_some_and(|info| info.protocol_version.has_initialize()) {
        await_stream(listening).await;
    }
    Ok(running)
}

async fn over_stdio(
    session: Session,
    start: Start<'_>,
    words: &LastWords,
    era: Era,
) -> Result<Running, Failure> {
    let (place, wire) = (session.place.clone(), session.wire.clone());
    let child = ChildServer::start(start, wire.clone(), words.clone()).map_err(|error| {
        let reason = match start.directory.filter(|directory| !directory.is_dir()) {
            Some(missing) => format!("it does not start: there is no folder {} to run in", missing.display()),
            None => format!("it does not start: {error}"),
        };
        ClientError::Unreachable { server: place.clone(), reason, is_sent: false }
    })?;
    let gone = child.gone();
    let over = session.flood.over().child_token();
    let transport = Traffic::new(child, &session.flood, &session.telling);
    match serve_client_with_lifecycle_and_ct(session, transport, lifecycle(era), over).await {
        Ok(running) => Ok(running),
        Err(error) => {
            // A program that does not speak MCP does not speak another era of it.
            let again = other_era(&error, &wire).filter(|_| !words.has_hung_up());
            // Two of them at the same time may stand in each other's way.
            gone.cancelled().await;
            Err(Failure { error: words.explain(initialize_failure(&place, error)).await, again })
        }
    }
}

/// The era in which another try may get a connection, where the search for it has failed.
fn other_era(error: &ClientInitializeError, wire: &Wire) -> Option<Era> {
    let is_discovered = wire.handshake().get("supportedVersions").is_some();
    match error {
        // A server that starts slowly answers `server/discover` when rmcp has gone on to `initialize`, and rmcp then
        // gives up. The late answer tells the era.
        ClientInitializeError::ConflictInitResponseId(..) if is_discovered => Some(Era::Modern),
        ClientInitializeError::ConflictInitResponseId(..)
        | ClientInitializeError::UncorrelatedErrorResponse { .. }
        // A server of the older era that answers anything at all, such as `{}`.
        | ClientInitializeError::ExpectedInitResult(_) => Some(Era::Legacy),
        // One that ends, or hangs up, at a request that it does not know.
        ClientInitializeError::ConnectionClosed(context) if context.contains(DISCOVER) => Some(Era::Legacy),
        ClientInitializeError::TransportError { error, context } if context.contains(DISCOVER) => {
            matches!(transport_failure("", error.error.as_ref()), ClientError::Unreachable { is_sent: true, .. })
                .then_some(Era::Legacy)
        }
        // One that was silent at first may only have started slowly.
        ClientInitializeError::LegacyFallbackFailed { discover, fallback } => {
            match (discover.as_ref(), fallback.as_ref()) {
                (ClientInitializeError::JsonRpcError(first), ClientInitializeError::JsonRpcError(_)) => {
                    was_silent(first).then_some(Era::Modern)
                }
                _ => None,
            }
        }
        // One that knows the request, and the older versions only.
        ClientInitializeError::NoCompatibleProtocolVersion { server_supported, .. } => {
            server_supported.iter().any(ProtocolVersion::has_initialize).then_some(Era::Legacy)
        }
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
        // The session itself names the version that `initialize` offers.
        Era::Auto => ClientLifecycleMode::Auto { preferred_versions, legacy_version: None },
        Era::Legacy => ClientLifecycleMode::Initialize,
        Era::Modern => ClientLifecycleMode::Discover { preferred_versions },
    }
}

/// The failure of `initialize`, with what went wrong with the request before it, where HTTP says so and it is another
/// thing: either may be the one to look at.
fn with_first(fallback: ClientError, discover: &ClientError) -> ClientError {
    let ClientError::Answers { problem: first, .. } = discover else { return fallback };
    let with = |problem: String| {
        if problem == *first { problem } else { format!("{problem}; and to server/discover it {first}") }
    };
    match fallback {
        ClientError::Answers { server, problem, status, wait, is_passing, is_refusal } => {
            ClientError::Answers { server, problem: with(problem), status, wait, is_passing, is_refusal }
        }
        ClientError::Protocol { server, problem } => ClientError::Protocol { server, problem: with(problem) },
        ClientError::Unreachable { server, reason, is_sent } => {
            ClientError::Unreachable { server, reason: with(reason), is_sent }
        }
        other => other,
    }
}

fn initialize_failure(place: &str, error: ClientInitializeError) -> ClientError {
    let protocol = |problem: String| ClientError::Protocol { server: place.to_owned(), problem };
    match error {
        ClientInitializeError::TransportError { error, .. } => transport_failure(place, error.error.as_ref()),
        ClientInitializeError::LegacyFallbackFailed { discover, fallback } => {
            match (initialize_failure(place, *discover), initialize_failure(place, *fallback)) {
                // A modern server behind a gateway that did not reach it at first.
                (discover, ClientError::Protocol { .. }) if discover.is_passing() => discover,
                (discover, fallback) => with_first(fallback, &discover),
            }
        }
        ClientInitializeError::ConnectionClosed(_) | ClientInitializeError::Cancelled => closed(place),
        ClientInitializeError::JsonRpcError(error) => {
            if let Some(problem) = oddity::told(&error) {
                return answers_oddly(place, problem);
            }
            if let Some(status) = http_status(&error) {
                return answers_http(place, &Refusal::bare(status));
            }
            protocol(format!("the handshake was refused: {} (code {})", error.message, error.code.0))
        }
        ClientInitializeError::NoCompatibleProtocolVersion { server_supported, .. } => {
            no_shared_version(place, server_supported.iter().map(ProtocolVersion::as_str))
        }
        ClientInitializeError::ExpectedInitResult(Some(result)) => {
            let result = serde_json::to_value(result).map(unwrapped).unwrap_or_default();
            protocol(match result.get("protocolVersion") {
                Some(version) if !version.is_string() => {
                    format!(
                        "its reply to the handshake has the protocolVersion {version}, which is no version"
                    )
                }
                _ => format!("its reply to the handshake is none: {}", beginning(&result)),
            })
        }
        ClientInitializeError::ExpectedInitResponse(_) | ClientInitializeError::ExpectedInitResult(None) => {
            protocol("it replies to the handshake with something else".to_owned())
        }
        other => protocol(other.to_string()),
    }
}
