//! Streamable HTTP under rmcp's transport: reqwest, with each message passed through [`Wire`].
//!
//! rmcp's own reqwest client parses JSON replies before anybody can see them, passes a missing
//! `WWW-Authenticate` for a protocol fault, and puts the URL, which may hold a secret, into its errors.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Response, StatusCode};
use rmcp::model::{ClientJsonRpcMessage, ClientRequest, ErrorData, ServerJsonRpcMessage};
use rmcp::transport::streamable_http_client::{
    AuthRequiredError, HttpStatusError, InsufficientScopeError, SseError, StreamableHttpClient,
    StreamableHttpError, StreamableHttpPostResponse,
};
use serde_json::json;
use sse_stream::{Sse, SseStream};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::wire::Wire;

type HttpError = StreamableHttpError<reqwest::Error>;
type Headers = HashMap<HeaderName, HeaderValue>;
type Events = BoxStream<'static, Result<Sse, SseError>>;

/// Under this key of an error's data the handshake finds that it was refused by HTTP, with which status.
pub(super) const HTTP_STATUS: &str = "mcptask/httpStatus";
const SESSION_ID: &str = "mcp-session-id";
/// The largest JSON reply that is read, in bytes; rmcp's own bound for its client.
const MAX_REPLY_BYTES: usize = 16 * 1024 * 1024;
/// The most characters of a refusal's words that are passed on.
const MOST_WORDS: usize = 300;
/// How long a TCP and TLS connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// One HTTP endpoint.
#[derive(Clone)]
pub(super) struct Endpoint {
    client: reqwest::Client,
    wire: Arc<Wire>,
    listening: Arc<watch::Sender<bool>>,
    /// Fires when the server says that it does not know the session any more.
    lost: CancellationToken,
    /// Tells of each stream that broke off and cannot be opened again, since nobody is there.
    broken: Arc<Notify>,
}

impl Endpoint {
    pub(super) fn new(
        wire: Arc<Wire>,
        lost: CancellationToken,
        broken: Arc<Notify>,
    ) -> Result<Self, reqwest::Error> {
        // A second installation fails, and the first one is then in place.
        rustls::crypto::ring::default_provider().install_default().ok();
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(same_origin_redirects())
            .build()?;
        Ok(Self { client, wire, listening: Arc::new(watch::Sender::new(false)), lost, broken })
    }

    /// Becomes true once the server took or refused the stream on which its own requests travel.
    pub(super) fn listening(&self) -> watch::Receiver<bool> {
        self.listening.subscribe()
    }

    fn events<S>(&self, bytes: S, limit: usize) -> Events
    where
        S: futures::Stream<Item = reqwest::Result<Bytes>> + Send + 'static,
    {
        let mut counter = EventBytes { limit, ..EventBytes::default() };
        let bounded = bytes
            .map_err(|error| std::io::Error::other(error.without_url()))
            .and_then(move |chunk| std::future::ready(counter.take(chunk)));
        self.rewritten(SseStream::from_bytes_stream(bounded.boxed()).boxed())
    }

    fn rewritten(&self, events: Events) -> Events {
        let wire = self.wire.clone();
        events
            .map_ok(move |mut event| {
                event.data = event.data.map(|data| wire.inbound(&data));
                event
            })
            .boxed()
    }

    fn message(&self, body: &[u8]) -> Result<ServerJsonRpcMessage, serde_json::Error> {
        serde_json::from_str(&self.wire.inbound(&String::from_utf8_lossy(body)))
    }

    /// What a reply other than success means.
    async fn refusal(
        &self,
        response: Response,
        message: &ClientJsonRpcMessage,
        in_session: bool,
    ) -> Result<StreamableHttpPostResponse, HttpError> {
        let status = response.status();
        match status {
            StatusCode::UNAUTHORIZED => {
                return Err(HttpError::AuthRequired(AuthRequiredError::new(String::new())));
            }
            StatusCode::FORBIDDEN => {
                let body = bounded_body(response).await.unwrap_or_default();
                let words = String::from_utf8_lossy(&body).chars().take(MOST_WORDS).collect();
                return Err(HttpError::InsufficientScope(InsufficientScopeError::new(words, None)));
            }
            StatusCode::NOT_FOUND if in_session => {
                self.lost.cancel();
                return Err(HttpError::SessionExpired);
            }
            _ => {}
        }
        let body = bounded_body(response).await?;
        let ClientJsonRpcMessage::Request(request) = message else {
            return Err(HttpError::HttpStatus(HttpStatusError::new(status.as_u16(), None)));
        };
        // A gateway or an older server cannot always name the request that it refuses.
        let refused = |error| {
            Ok(StreamableHttpPostResponse::Json(
                ServerJsonRpcMessage::error(error, Some(request.id.clone())),
                None,
            ))
        };
        if let Ok(ServerJsonRpcMessage::Error(error)) = self.message(&body) {
            return refused(error.error);
        }
        if status.is_client_error()
            && !in_session
            && matches!(request.request, ClientRequest::DiscoverRequest(_))
        {
            // Older servers know no request outside a session: rmcp then tries `initialize`.
            let data = json!({ HTTP_STATUS: status.as_u16() });
            return refused(ErrorData::invalid_request(format!("HTTP {status}"), Some(data)));
        }
        Err(HttpError::HttpStatus(HttpStatusError::new(status.as_u16(), None)))
    }

    /// What the failure to open a stream means: one of a session that is over never opens again.
    fn stream_failure(&self, error: HttpError) -> HttpError {
        match error {
            HttpError::Client(error) if error.status() == Some(StatusCode::NOT_FOUND) => {
                self.lost.cancel();
                HttpError::ServerDoesNotSupportSse
            }
            HttpError::Client(error) if error.is_connect() => {
                self.broken.notify_waiters();
                HttpError::Client(error)
            }
            other => other,
        }
    }

    async fn reply(
        &self,
        response: Response,
        is_request: bool,
        limit: usize,
    ) -> Result<StreamableHttpPostResponse, HttpError> {
        let header = |name: &str| {
            response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        let session = header(SESSION_ID);
        let kind = header(CONTENT_TYPE.as_str());
        if !is_request || matches!(response.status(), StatusCode::ACCEPTED | StatusCode::NO_CONTENT) {
            return Ok(StreamableHttpPostResponse::Accepted);
        }
        match kind.as_deref() {
            Some(kind) if kind.starts_with("text/event-stream") => {
                Ok(StreamableHttpPostResponse::Sse(self.events(response.bytes_stream(), limit), session))
            }
            Some(kind) if kind.starts_with("application/json") => {
                let message = self.message(&bounded_body(response).await?)?;
                Ok(StreamableHttpPostResponse::Json(message, session))
            }
            _ => Err(HttpError::UnexpectedContentType(kind)),
        }
    }
}

impl StreamableHttpClient for Endpoint {
    type Error = reqwest::Error;

    async fn post_message(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session_id: Option<Arc<str>>,
        auth_header: Option<String>,
        custom_headers: Headers,
    ) -> Result<StreamableHttpPostResponse, HttpError> {
        self.post_message_with_max_sse_event_size(
            uri,
            message,
            session_id,
            auth_header,
            custom_headers,
            MAX_REPLY_BYTES,
        )
        .await
    }

    async fn post_message_with_max_sse_event_size(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session_id: Option<Arc<str>>,
        auth_header: Option<String>,
        custom_headers: Headers,
        max_sse_event_size: usize,
    ) -> Result<StreamableHttpPostResponse, HttpError> {
        let mut request = self
            .client
            .post(uri.as_ref())
            .header(ACCEPT, "application/json, text/event-stream")
            .header(CONTENT_TYPE, "application/json")
            .body(serde_json::to_vec(&message)?);
        let in_session = session_id.is_some();
        if in_session && self.lost.is_cancelled() {
            return Err(HttpError::SessionExpired);
        }
        if let Some(session) = session_id {
            request = request.header(SESSION_ID, session.as_ref());
        }
        if let Some(token) = auth_header {
            request = request.bearer_auth(token);
        }
        request =
            custom_headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        let response = request.send().await.map_err(hidden)?;
        if response.status().is_success() {
            let is_request = matches!(message, ClientJsonRpcMessage::Request(_));
            self.reply(response, is_request, max_sse_event_size).await
        } else {
            self.refusal(response, &message, in_session).await
        }
    }

    async fn delete_session(
        &self,
        uri: Arc<str>,
        session_id: Arc<str>,
        auth_header: Option<String>,
        custom_headers: Headers,
    ) -> Result<(), HttpError> {
        if self.lost.is_cancelled() {
            return Ok(());
        }
        self.client.delete_session(uri, session_id, auth_header, custom_headers).await.map_err(hidden_in)
    }

    async fn get_stream(
        &self,
        uri: Arc<str>,
        session_id: Option<Arc<str>>,
        last_event_id: Option<String>,
        auth_header: Option<String>,
        custom_headers: Headers,
    ) -> Result<Events, HttpError> {
        let stream =
            self.client.get_stream(uri, session_id, last_event_id, auth_header, custom_headers).await;
        self.listening.send_replace(true);
        let stream = stream.map_err(|error| self.stream_failure(hidden_in(error)))?;
        Ok(self.rewritten(stream))
    }
}

/// Redirects that keep body and origin; others would lose the message or carry headers elsewhere.
fn same_origin_redirects() -> reqwest::redirect::Policy {
    reqwest::redirect::Policy::custom(|attempt| {
        let keeps_body =
            matches!(attempt.status(), StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
        let first = attempt.previous().first();
        let same_origin = first.is_some_and(|first| first.origin() == attempt.url().origin());
        if keeps_body && same_origin && attempt.previous().len() <= 10 {
            attempt.follow()
        } else {
            attempt.stop()
        }
    })
}

fn hidden(error: reqwest::Error) -> HttpError {
    HttpError::Client(error.without_url())
}

fn hidden_in(error: HttpError) -> HttpError {
    match error {
        HttpError::Client(error) => hidden(error),
        other => other,
    }
}

async fn bounded_body(response: Response) -> Result<Vec<u8>, HttpError> {
    let mut body = Vec::new();
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.try_next().await.map_err(hidden)? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_REPLY_BYTES {
            return Err(HttpError::ResponseBodyTooLarge { max_size: MAX_REPLY_BYTES });
        }
    }
    Ok(body)
}

/// Counts the bytes of the event that is being received; a blank line ends it.
#[derive(Default)]
struct EventBytes {
    limit: usize,
    event: usize,
    line: usize,
}

impl EventBytes {
    fn take(&mut self, chunk: Bytes) -> Result<Bytes, std::io::Error> {
        for byte in &chunk {
            match byte {
                b'\n' | b'\r' => {
                    self.event = if self.line == 0 { 0 } else { self.event };
                    self.line = 0;
                }
                _ => {
                    self.line += 1;
                    self.event += 1;
                }
            }
            if self.event > self.limit {
                let problem = format!("the server sent an event of more than {} bytes", self.limit);
                return Err(std::io::Error::other(problem));
            }
        }
        Ok(chunk)
    }
}
