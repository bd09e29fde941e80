//! What stands before rmcp on HTTP: who asks, whose session it is, how large the body may be, and the
//! dialect layer.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use futures::StreamExt as _;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderMap, Method, Request, StatusCode};
use rmcp::ErrorData;
use rmcp::transport::streamable_http_server::StreamableHttpService;
use serde_json::{Value, json};

use super::auth::Tokens;
use super::dialect::{Era, Translation, translate};
use super::fault::no_method;
use super::handler::{Handler, Serving};
use super::headers;
use super::sessions::Sessions;

/// How long a client may take to send a body.
const BODY_TIME: Duration = Duration::from_secs(30);

/// The endpoint's parts.
pub(super) struct Endpoint {
    pub(super) service: StreamableHttpService<Handler, Sessions>,
    pub(super) sessions: Arc<Sessions>,
    pub(super) tokens: Tokens,
    pub(super) serving: Arc<Serving>,
}

/// Answers one request to `/mcp`.
pub(super) async fn guarded(State(endpoint): State<Arc<Endpoint>>, mut request: Request<Body>) -> Response {
    let Some(scope) = endpoint.tokens.scope(request.headers()) else {
        let challenge = [(WWW_AUTHENTICATE, "Bearer")];
        return (StatusCode::UNAUTHORIZED, challenge, "a valid bearer token is needed\n").into_response();
    };
    let session = request.headers().get("mcp-session-id").and_then(|id| id.to_str().ok());
    let owner = session.map(|id| endpoint.sessions.scope(id));
    let deletes = request.method() == Method::DELETE;
    // Somebody else's session is "not found", like one that never was.
    if owner.as_ref().is_some_and(|owner| owner.as_ref().map_or(deletes, |owner| *owner != scope)) {
        return (StatusCode::NOT_FOUND, "there is no such session\n").into_response();
    }
    request.extensions_mut().insert(scope);
    // From here on the request may be logged.
    request.headers_mut().remove(AUTHORIZATION);
    if request.method() == Method::POST {
        request = match translated(&endpoint, request).await {
            Ok(request) => request,
            Err(refusal) => return *refusal,
        };
    }
    let cut = request.extensions().get::<Cut>().is_some();
    let counted = endpoint.serving.calls.token();
    let mut response = endpoint.service.handle(request).await;
    drop(counted);
    if deletes && response.status() == StatusCode::ACCEPTED {
        // Python clients take 202 for an error.
        *response.status_mut() = StatusCode::NO_CONTENT;
    }
    response.map(|body| if cut { cut_off(Body::new(body)) } else { Body::new(body) })
}

/// Marks a request whose response is cut off: [`Fault::DroppedConnection`].
///
/// [`Fault::DroppedConnection`]: crate::task::Fault::DroppedConnection
#[derive(Debug, Clone)]
struct Cut;

/// Whether the response to a request about a task is to be cut off.
fn is_cut(endpoint: &Endpoint, method: &str, message: &Value) -> bool {
    let task = message.get("params").and_then(|params| params.get("taskId")).and_then(Value::as_str);
    let task = task.and_then(|task| task.parse().ok());
    matches!(method, "tasks/get" | "tasks/result")
        && task.is_some_and(|task| endpoint.serving.relay.cuts(&task))
}

/// The body up to the middle of its first message. The error behind it drops the connection.
fn cut_off(body: Body) -> Body {
    let parts = body.into_data_stream().scan(false, |over, part| {
        if *over {
            return std::future::ready(Some(Err(axum::Error::new("fault: the connection is dropped"))));
        }
        let message = |part: &Bytes| String::from_utf8_lossy(part).contains("jsonrpc");
        *over = part.as_ref().is_ok_and(message);
        let kept = |part: Bytes| if *over { part.slice(..part.len() / 2) } else { part };
        std::future::ready(Some(part.map(kept)))
    });
    // A message is one part, and something has to come behind it: later, so that the first half goes out.
    let end = futures::stream::once(async {
        tokio::task::yield_now().await;
        Err(axum::Error::new("fault: the connection is dropped"))
    });
    Body::from_stream(parts.chain(end))
}

/// Reads the body within its limit and puts it through the dialect layer.
async fn translated(endpoint: &Endpoint, request: Request<Body>) -> Result<Request<Body>, Box<Response>> {
    let limit = endpoint.serving.config.max_body_bytes;
    let (mut parts, body) = request.into_parts();
    let announced = parts.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > limit) {
        return Err(Box::new(too_large(limit)));
    }
    let body = match tokio::time::timeout(BODY_TIME, to_bytes(body, limit)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return Err(Box::new(too_large(limit))),
        Err(_) => return Err(Box::new(StatusCode::REQUEST_TIMEOUT.into_response())),
    };
    let mut message: Value = serde_json::from_slice(&body).map_err(|error| {
        let error = ErrorData::parse_error(format!("the body is not JSON: {error}"), None);
        Box::new(refusal(&Value::Null, &error))
    })?;
    let id = message.get("id").cloned().unwrap_or_default();
    if !message.is_object() {
        let problem = "the body is not one JSON-RPC message; batches are not part of the protocol";
        return Err(Box::new(refusal(&id, &ErrorData::invalid_request(problem, None))));
    }
    let body = match translate(&mut message) {
        Translation::Same => body,
        Translation::Forged => {
            return Err(Box::new(refusal(&id, &no_method("the method's name is reserved"))));
        }
        Translation::Renamed { method, private, era } => {
            let checked = check(endpoint, &mut parts.headers, (&method, &private, era), &message).await;
            checked.map_err(|error| Box::new(refusal(&id, &error)))?;
            if is_cut(endpoint, &method, &message) {
                parts.extensions.insert(Cut);
            }
            Bytes::from(message.to_string())
        }
    };
    parts.headers.remove(CONTENT_LENGTH);
    Ok(Request::from_parts(parts, Body::from(body)))
}

/// Checks the headers that repeat parts of a renamed request.
async fn check(
    endpoint: &Endpoint,
    headers: &mut HeaderMap,
    (method, private, era): (&str, &str, Era),
    message: &Value,
) -> Result<(), ErrorData> {
    headers::follow_method(headers, method, private)?;
    if era == Era::Legacy {
        return Ok(());
    }
    let params = message.get("params").unwrap_or(&Value::Null);
    headers::check_name(headers, method, params)?;
    if method == "tools/call"
        && let Some(name) = params.get("name").and_then(Value::as_str)
        && let Ok(tool) = endpoint.serving.engine.tool(name).await
    {
        headers::check_params(headers, &tool.input_schema, params)?;
    }
    Ok(())
}

fn too_large(limit: usize) -> Response {
    let problem = format!("the request body is larger than {limit} bytes\n");
    (StatusCode::PAYLOAD_TOO_LARGE, problem).into_response()
}

/// A JSON-RPC error as the whole response.
fn refusal(id: &Value, error: &ErrorData) -> Response {
    let body = json!({ "jsonrpc": "2.0", "id": id, "error": error }).to_string();
    let status = if error.code == rmcp::model::ErrorCode::METHOD_NOT_FOUND {
        StatusCode::NOT_FOUND
    } else {
        StatusCode::BAD_REQUEST
    };
    (status, [(CONTENT_TYPE, "application/json")], body).into_response()
}
