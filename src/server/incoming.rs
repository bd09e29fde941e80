//! The body of a request: read within its limits, and put through the dialect layer.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::response::{IntoResponse as _, Response};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, Request, StatusCode};
use rmcp::ErrorData;
use serde_json::{Value, json};

use super::allowance::{Allowance, Exceeded};
use super::cut::Cut;
use super::dialect::{Era, Translation, translate};
use super::fault::no_method;
use super::guard::{Endpoint, later};
use super::headers;
use crate::task::Scope;

/// Bodies up to this size are read whoever else sends some, in bytes.
const SMALL: usize = 64 * 1024;

/// The request with its method renamed, where it has to be.
pub(super) async fn translated(
    endpoint: &Endpoint,
    allowance: &Allowance,
    scope: &Scope,
    request: Request<Body>,
) -> Result<Request<Body>, Box<Response>> {
    let (mut parts, body) = request.into_parts();
    let body = read(endpoint, allowance, &parts.headers, body).await?;
    let mut message: Value = serde_json::from_slice(&body).map_err(|error| {
        let error = ErrorData::parse_error(format!("the body is not JSON: {error}"), None);
        Box::new(refusal(&Value::Null, &error))
    })?;
    let id = message.get("id").cloned().unwrap_or_default();
    if !message.is_object() {
        let problem = "the body is not one JSON-RPC message; batches are not part of the protocol";
        return Err(Box::new(refusal(&id, &ErrorData::invalid_request(problem, None))));
    }
    let begins = message.get("method").is_some_and(|method| method == "initialize");
    if begins && !parts.headers.contains_key("mcp-session-id") {
        let most = endpoint.serving.config.max_sessions;
        if endpoint.sessions.count(scope) >= most {
            return Err(Box::new(later(&Exceeded::Sessions { most })));
        }
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

/// The whole body. One that is large, or that does not say its size, waits for its turn.
async fn read(
    endpoint: &Endpoint,
    allowance: &Allowance,
    headers: &HeaderMap,
    body: Body,
) -> Result<Bytes, Box<Response>> {
    let limit = endpoint.serving.config.max_body_bytes;
    let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > limit) {
        return Err(Box::new(too_large(limit)));
    }
    let reading = async {
        let is_large = announced.is_none_or(|length| length > SMALL);
        let _turn = if is_large { Some(allowance.large_bodies.acquire().await) } else { None };
        to_bytes(body, limit).await
    };
    let patience: Duration = endpoint.serving.config.read_time;
    match tokio::time::timeout(patience, reading).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => Err(Box::new(too_large(limit))),
        Err(_) => Err(Box::new(StatusCode::REQUEST_TIMEOUT.into_response())),
    }
}

/// Whether the response to a request about a task is to be cut off.
fn is_cut(endpoint: &Endpoint, method: &str, message: &Value) -> bool {
    let task = message.get("params").and_then(|params| params.get("taskId")).and_then(Value::as_str);
    let task = task.and_then(|task| task.parse().ok());
    matches!(method, "tasks/get" | "tasks/result")
        && task.is_some_and(|task| endpoint.serving.relay.cuts(&task))
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
