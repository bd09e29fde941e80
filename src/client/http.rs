//! Streamable HTTP under rmcp's transport: reqwest, with each message passed through [`Wire`].
//!
//! rmcp's own reqwest client parses JSON replies before anybody can see them, passes a missing
//! `WWW-Authenticate` for a protocol fault, and puts the URL, which may hold a secret, into its errors.

use std::collections::HashMap;
use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::{StreamExt as _, TryStreamExt as _};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{RequestBuilder, Response, StatusCode};
use rmcp::model::{ClientJsonRpcMessage, ClientRequest, ErrorCode, RequestId, ServerJsonRpcMessage};
use rmcp::transport::streamable_http_client::{
    AuthRequiredError, InsufficientScopeError, SseError, StreamableHttpClient, StreamableHttpError,
    StreamableHttpPostResponse,
};
use sse_stream::Sse;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::discovery::{DISCOVERED_WITHIN, is_discovery, not_discovered, silent, undiscoverable};
use super::events::{Events, events, is_too_large, messages};
use super::http_client;
use super::quiet::Quiet;
use super::reply::{no_reply, reply_to};
use super::session::Session;
use super::told::{self, HttpFailure, Refusal};
use super::wire::Wire;

type HttpError = StreamableHttpError<HttpFailure>;
type Headers = HashMap<HeaderName, HeaderValue>;

const SESSION_ID: &str = "mcp-session-id";
const LAST_EVENT_ID: &str = "last-event-id";
const EVENT_STREAM: &str = "text/event-stream";
const JSON: &str = "application/json";
/// The largest JSON reply that is read, in bytes; rmcp's own bound for its client.
const MAX_REPLY_BYTES: usize = 16 * 1024 * 1024;
/// The most characters of a refusal's words that are passed on.
const MOST_WORDS: usize = 300;

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
    /// Fires where the session is left to the server at the end, instead of ended.
    stays: CancellationToken,
    /// Whether a server that is silent to the modern era's first request may be of the older one.
    falls_back: bool,
    /// Whether the server has opened a stream of the session.
    opens: Arc<AtomicBool>,
    /// For how long the server wants to be left alone.
    quiet: Quiet,
}

impl Endpoint {
    /// The endpoint of a session; `falls_back` where another era may be tried than the one of its first request.
    pub(super) fn new(url: &Url, session: &Session, falls_back: bool) -> reqwest::Result<Self> {
        Ok(Self {
            client: http_client::build(url)?,
            wire: session.wire.clone(),
            listening: Arc::new(watch::Sender::new(false)),
            lost: session.lost.clone(),
            broken: session.broken.clone(),
            stays: session.stays.clone(),
            falls_back,
            opens: Arc::default(),
            quiet: session.quiet.clone(),
        })
    }

    /// Becomes true once the server took or refused the stream on which its own requests travel, or has no use for one.
    pub(super) fn listening(&self) -> watch::Receiver<bool> {
        self.listening.subscribe()
    }

    /// The events of a reply to `request`, or of the session's stream, each as rmcp shall read it.
    fn events(&self, response: Response, limit: usize, request: Option<RequestId>) -> Events {
        let wire = self.wire.clone();
        let rewritten = move |mut event: Sse| {
            event.data = event.data.map(|data| wire.inbound(&data));
            event
        };
        let refused = move |error: SseError| match (&error, &request) {
            (SseError::Body(cause), Some(request)) if is_too_large(cause.as_ref()) => {
                Ok(no_reply(request.clone(), "an event", limit))
            }
            _ => Err(error),
        };
        events(response.bytes_stream(), limit)
            .map_ok(rewritten)
            .or_else(move |error| ready(refused(error)))
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
                let words = told::error(&body).unwrap_or_else(|| String::from_utf8_lossy(&body).into_owned());
                let words = words.chars().take(MOST_WORDS).collect();
                return Err(HttpError::InsufficientScope(InsufficientScopeError::new(words, None)));
            }
            _ => {}
        }
        let refusal = Refusal::of(&response);
        self.quiet.note(&refusal);
        let body = bounded_body(response).await?;
        let error = match self.message(&body) {
            Ok(ServerJsonRpcMessage::Error(error)) => Some(error.error),
            _ => None,
        };
        let is_unknown_method = error.as_ref().is_some_and(|error| error.code == ErrorCode::METHOD_NOT_FOUND);
        if status == StatusCode::NOT_FOUND && in_session && !is_unknown_method {
            self.lost.cancel();
            return Err(HttpError::SessionExpired);
        }
        let refusal = refusal.with(&body);
        let ClientJsonRpcMessage::Request(request) = message else { return Err(refused_with(refusal)) };
        // A gateway or an older server cannot always name the request that it refuses.
        let refused = |error| {
            Ok(StreamableHttpPostResponse::Json(
                ServerJsonRpcMessage::error(error, Some(request.id.clone())),
                None,
            ))
        };
        if let Some(error) = error.filter(|_| !refusal.is_passing()) {
            return refused(error);
        }
        let tells_era = !status.is_redirection() && status != StatusCode::TOO_MANY_REQUESTS;
        if tells_era && is_discovery(message, in_session) {
            // Older servers know no request outside a session, and some fall over it: rmcp then tries `initialize`.
            return refused(not_discovered(status));
        }
        Err(refused_with(refusal))
    }

    /// A stream that was opened, or why not: one of a session that is over never opens again. A server without such streams
    /// may not know the method either (404), which says nothing of the session.
    fn stream(&self, opened: reqwest::Result<Response>) -> Result<Events, HttpError> {
        let response = opened.map_err(|error| {
            if error.is_connect() {
                self.broken.notify_waiters();
            }
            hidden(error)
        })?;
        match response.status() {
            StatusCode::METHOD_NOT_ALLOWED => Err(HttpError::ServerDoesNotSupportSse),
            StatusCode::NOT_FOUND => {
                if self.opens.load(Ordering::Acquire) {
                    self.lost.cancel();
                }
                Err(HttpError::ServerDoesNotSupportSse)
            }
            StatusCode::UNAUTHORIZED => Err(HttpError::AuthRequired(AuthRequiredError::new(String::new()))),
            status if !status.is_success() => Err(refused_with(Refusal::of(&response))),
            _ => match header(&response, CONTENT_TYPE.as_str()) {
                Some(kind) if is_media_type(&kind, EVENT_STREAM) => {
                    self.opens.store(true, Ordering::Release);
                    Ok(self.events(response, MAX_REPLY_BYTES, None))
                }
                kind => Err(HttpError::UnexpectedContentType(kind)),
            },
        }
    }

    async fn reply(
        &self,
        response: Response,
        message: &ClientJsonRpcMessage,
        in_session: bool,
        limit: usize,
    ) -> Result<StreamableHttpPostResponse, HttpError> {
        let ClientJsonRpcMessage::Request(request) = message else {
            return Ok(StreamableHttpPostResponse::Accepted);
        };
        let status = response.status();
        if matches!(status, StatusCode::ACCEPTED | StatusCode::NO_CONTENT) {
            if is_discovery(message, in_session) {
                let error = ServerJsonRpcMessage::error(not_discovered(status), Some(request.id.clone()));
                return Ok(StreamableHttpPostResponse::Json(error, None));
            }
            // Whoever waited for the reply would wait for ever.
            let problem = format!("HTTP {} to a request, and no reply to it", status.as_u16());
            return Err(HttpError::UnexpectedServerResponse(problem.into()));
        }
        let session = header(&response, SESSION_ID);
        if session.is_none() && matches!(request.request, ClientRequest::InitializeRequest(_)) {
            // Without a session there is no stream to wait for.
            self.listening.send_replace(true);
        }
        match header(&response, CONTENT_TYPE.as_str()) {
            Some(kind) if is_media_type(&kind, EVENT_STREAM) => {
                let events = self.events(response, limit, Some(request.id.clone()));
                let events = if begins(&request.request) { messages(events) } else { events };
                Ok(StreamableHttpPostResponse::Sse(events, session))
            }
            Some(kind) if is_media_type(&kind, JSON) => {
                let body = bounded_body(response).await?;
                let reply = self.message(&body).map_err(HttpError::from);
                match reply.and_then(|message| reply_to(&request.id, message)) {
                    Err(odd) if is_discovery(message, in_session) => Ok(undiscoverable(&request.id, &odd)),
                    reply => Ok(StreamableHttpPostResponse::Json(reply?, session)),
                }
            }
            kind if is_discovery(message, in_session) => {
                Ok(undiscoverable(&request.id, &HttpError::UnexpectedContentType(kind)))
            }
            kind => Err(HttpError::UnexpectedContentType(kind)),
        }
    }
}

impl StreamableHttpClient for Endpoint {
    type Error = HttpFailure;

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
        let request = with_access(request, auth_header, custom_headers);
        let sent = match &message {
            ClientJsonRpcMessage::Request(probe) if self.falls_back && is_discovery(&message, in_session) => {
                let sending = http_client::send(request, &message);
                match tokio::time::timeout(DISCOVERED_WITHIN, sending).await {
                    Ok(sent) => sent,
                    Err(_) => return Ok(silent(&probe.id)),
                }
            }
            ClientJsonRpcMessage::Request(_) => http_client::send(request, &message).await,
            _ => http_client::deliver(request, &self.quiet).await,
        };
        let response = sent.map_err(hidden)?;
        if response.status().is_success() {
            self.reply(response, &message, in_session, max_sse_event_size).await
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
        if self.lost.is_cancelled() || self.stays.is_cancelled() {
            return Ok(());
        }
        let request = self.client.delete(uri.as_ref()).header(SESSION_ID, session_id.as_ref());
        // What becomes of it is all the same: the connection is over.
        with_access(request, auth_header, custom_headers).send().await.map(drop).map_err(hidden)
    }

    async fn get_stream(
        &self,
        uri: Arc<str>,
        session_id: Option<Arc<str>>,
        last_event_id: Option<String>,
        auth_header: Option<String>,
        custom_headers: Headers,
    ) -> Result<Events, HttpError> {
        let mut request = self.client.get(uri.as_ref()).header(ACCEPT, EVENT_STREAM);
        if let Some(session) = session_id {
            request = request.header(SESSION_ID, session.as_ref());
        }
        if let Some(last) = last_event_id {
            request = request.header(LAST_EVENT_ID, last);
        }
        let request = with_access(request, auth_header, custom_headers);
        let opened = http_client::patiently(request, &self.quiet).await;
        self.listening.send_replace(true);
        self.stream(opened)
    }
}

/// Whether it is a request of the handshake.
fn begins(request: &ClientRequest) -> bool {
    matches!(request, ClientRequest::InitializeRequest(_) | ClientRequest::DiscoverRequest(_))
}

/// The request with what says who asks.
fn with_access(mut request: RequestBuilder, token: Option<String>, headers: Headers) -> RequestBuilder {
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    headers.into_iter().fold(request, |request, (name, value)| request.header(name, value))
}

fn header(response: &Response, name: &str) -> Option<String> {
    response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// Whether a content type, which may have parameters and capitals, is that one.
fn is_media_type(given: &str, expected: &str) -> bool {
    given.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(expected)
}

fn hidden(error: reqwest::Error) -> HttpError {
    HttpError::Client(HttpFailure::Broken(error.without_url()))
}

fn refused_with(refusal: Refusal) -> HttpError {
    HttpError::Client(HttpFailure::Refused(refusal))
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
