//! One request and its reply, as plain JSON.

use std::error::Error;
use std::time::Duration;

use rmcp::model::{
    CancelledNotification, CancelledNotificationParam, ClientNotification, ClientRequest, CustomRequest,
    RequestId, RequestMetaObject,
};
use rmcp::service::{Peer, PeerRequestOptions, RoleClient, ServiceError};
use rmcp::transport::streamable_http_client::StreamableHttpError;
use serde_json::Value;

use super::connect::CLOSED;
use super::wire::unwrapped;
use super::{Client, ClientError, ClientResult};
use crate::task::RpcError;

/// How long a request may take that waits for nobody.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// How often a request is tried while the server is away, and the pause between: a restart of a few
/// seconds goes unnoticed, a dead server is reported soon.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_secs(1);

impl Client {
    /// Sends a request that the server answers at once.
    pub(super) async fn request(&self, method: &str, params: Value) -> ClientResult<Value> {
        tokio::time::timeout(REQUEST_TIMEOUT, self.long_request(method, params)).await.unwrap_or_else(|_| {
            Err(ClientError::Timeout {
                server: self.place.clone(),
                what: method.to_owned(),
                after: REQUEST_TIMEOUT,
            })
        })
    }

    /// Sends a request that may be repeated, and repeats it while the server is away.
    pub(super) async fn patient_request(&self, method: &str, params: &Value) -> ClientResult<Value> {
        for _ in 1..TRIES {
            match self.request(method, params.clone()).await {
                Err(error) if error.may_pass() && !self.running.is_closed() => {
                    tracing::debug!("{method}: {error}; trying again");
                    tokio::time::sleep(PAUSE).await;
                }
                done => return done,
            }
        }
        self.request(method, params.clone()).await
    }

    /// Sends a request that may take as long as a person takes. Dropping the future tells the server.
    pub(super) async fn long_request(&self, method: &str, mut params: Value) -> ClientResult<Value> {
        let mut options = PeerRequestOptions::no_options();
        // rmcp writes `_meta` itself, from the options and from what the era demands.
        if let Some(Value::Object(meta)) = params.as_object_mut().and_then(|params| params.remove("_meta")) {
            options = options.with_meta(RequestMetaObject::from(rmcp::model::MetaObject(meta)));
        }
        let request = ClientRequest::CustomRequest(CustomRequest::new(method, Some(params)));
        let peer = self.running.peer();
        let sent = peer.send_request_with_option(request, options).await;
        let reply = match sent {
            Ok(handle) => {
                let mut guard = InFlight(Some((peer.clone(), handle.id.clone())));
                let reply = handle.await_response().await;
                guard.0 = None;
                reply
            }
            Err(error) => Err(error),
        };
        match reply {
            Ok(result) => serde_json::to_value(result)
                .map(unwrapped)
                .map_err(|error| self.odd(method, &error.to_string())),
            Err(error) => Err(self.words.explain(self.failure(method, error)).await),
        }
    }

    /// A reply that is none of those that the protocol has.
    pub(super) fn odd(&self, method: &str, problem: &str) -> ClientError {
        ClientError::Protocol { server: self.place.clone(), problem: format!("{method}: {problem}") }
    }

    fn failure(&self, method: &str, error: ServiceError) -> ClientError {
        match error {
            ServiceError::McpError(error) => ClientError::Refused {
                method: method.to_owned(),
                error: Box::new(RpcError {
                    code: i64::from(error.code.0),
                    message: error.message.into_owned(),
                    data: error.data,
                }),
            },
            ServiceError::TransportSend(error) => transport_failure(&self.place, error.error.as_ref()),
            ServiceError::TransportClosed => {
                ClientError::Unreachable { server: self.place.clone(), reason: CLOSED.to_owned() }
            }
            other => self.odd(method, &other.to_string()),
        }
    }
}

/// What an error of the transport means to a person.
pub(super) fn transport_failure(place: &str, error: &(dyn Error + 'static)) -> ClientError {
    let mut next = Some(error);
    let mut reason = error.to_string();
    while let Some(error) = next {
        // The innermost words name the cause: "Connection refused (os error 111)".
        reason = error.to_string();
        if error.is::<rustls::Error>() {
            return ClientError::Insecure { server: place.to_owned(), reason };
        }
        if let Some(answered) = error.downcast_ref().and_then(|error| answered(place, error)) {
            return answered;
        }
        next = match error.downcast_ref::<StreamableHttpError<reqwest::Error>>() {
            Some(StreamableHttpError::Client(error)) => Some(error),
            _ => inner(error),
        };
    }
    ClientError::Unreachable { server: place.to_owned(), reason }
}

/// What is inside an error; of an error of input and output that is what it was made of.
fn inner<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

/// The failure where somebody has answered.
fn answered(place: &str, error: &StreamableHttpError<reqwest::Error>) -> Option<ClientError> {
    let server = place.to_owned();
    let (problem, is_passing) = match error {
        StreamableHttpError::AuthRequired(_) => return Some(ClientError::Unauthorised { server }),
        StreamableHttpError::InsufficientScope(error) => {
            let words = Some(error.www_authenticate_header.clone()).filter(|words| !words.is_empty());
            return Some(ClientError::Forbidden { server, words });
        }
        StreamableHttpError::HttpStatus(error) => in_words(error.status),
        StreamableHttpError::UnexpectedContentType(_)
        | StreamableHttpError::UnexpectedServerResponse(_)
        | StreamableHttpError::ResponseBodyTooLarge { .. }
        | StreamableHttpError::Deserialize(_) => {
            (format!("answers, and not as an MCP server does: {error}"), false)
        }
        _ => return None,
    };
    Some(ClientError::Answers { server, problem, is_passing })
}

/// What a status means here, and whether it may pass.
fn in_words(status: u16) -> (String, bool) {
    let meaning = match status {
        404 | 405 => "there is no MCP endpoint at this path",
        300..=399 => "it sends the request elsewhere, where it would not arrive whole",
        429 => "it is asked too often",
        502..=504 => "what stands before the server does not reach it",
        _ => "it does not say why",
    };
    (format!("answers HTTP {status}: {meaning}"), matches!(status, 429 | 502..=504))
}

/// A request without its reply; going away, it tells the server that nobody waits any more.
struct InFlight(Option<(Peer<RoleClient>, RequestId)>);

impl Drop for InFlight {
    fn drop(&mut self) {
        let Some((peer, id)) = self.0.take() else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let params = CancelledNotificationParam::new(Some(id), None);
        let notice = ClientNotification::CancelledNotification(CancelledNotification::new(params));
        runtime.spawn(async move { peer.send_notification(notice).await });
    }
}
