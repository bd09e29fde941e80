//! The body of a request: read within its limits, and put through the dialect layer.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::response::{IntoResponse as _, Response};
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, Request, StatusCode};
use rmcp::ErrorData;
use serde_json::Value;

use super::allowance::{Allowance, Exceeded};
use super::headers;
use super::refusals::{as_json_rpc, refusal};
use super::sessions::{Counted, Sessions};
use crate::events_extension::STREAM;
use crate::server::dialect::{Era, Translation, check_exact, check_id, id, translate};
use crate::server::errors::{no_method, no_session};
use crate::server::handshake::{check_initialize, drop_unknown_elicitation};
use crate::server::misbehaviour::{self, Cut};
use crate::server::request::Serving;
use crate::store::gate;
use crate::task::Scope;

/// Bodies up to this size are read whoever else sends some, in bytes.
const SMALL: usize = 64 * 1024;

/// What a body is read with.
pub(super) struct Admission<'a> {
    pub(super) serving: &'a Serving,
    pub(super) sessions: &'a Sessions,
    pub(super) allowance: &'a Allowance,
    pub(super) scope: &'a Scope,
}

/// What was read of a message before rmcp reads it.
#[derive(Debug, Clone)]
pub(super) struct Message {
    id: Value,
    /// It asks for what is known: its response is one message, which needs no stream.
    pub(super) is_answered_at_once: bool,
    /// The method whose response is a stream, whatever it has to tell.
    pub(super) streams: Option<&'static str>,
    /// It asks what the server can.
    pub(super) discovers: bool,
}

impl Message {
    fn read(message: &Value, offers_events: bool) -> Self {
        let method = message.get("method").and_then(Value::as_str);
        // The id of a response is that of a request of ours.
        let is_response = method.is_none() && (message.get("result").or(message.get("error"))).is_some();
        let id = if is_response { Value::Null } else { id(message) };
        let is_answered_at_once = matches!(method, Some("tasks/get" | "tasks/list" | "tasks/cancel"));
        let streams = match method {
            Some("subscriptions/listen") => Some("subscriptions/listen"),
            Some(STREAM) if offers_events => Some(STREAM),
            _ => None,
        };
        let discovers = method == Some("server/discover");
        Self { id, is_answered_at_once, streams, discovers }
    }

    /// The refusal of what needs a stream, to a client that takes none.
    pub(super) fn needs_stream(&self) -> Response {
        let why = match self.streams {
            Some(method) => format!("the response to {method} is a stream"),
            None => "the server asks something before it responds, on a stream".to_owned(),
        };
        let problem = format!(
            "{why}, and the Accept header does not take text/event-stream: send Accept: application/json, \
             text/event-stream"
        );
        let mut refused = refusal(&self.id, &ErrorData::invalid_request(problem, None));
        *refused.status_mut() = StatusCode::NOT_ACCEPTABLE;
        refused
    }

    /// The refusal of what is JSON and no JSON-RPC.
    pub(super) fn no_request(&self) -> Response {
        let problem =
            "the body is JSON, but neither a JSON-RPC 2.0 request nor a notification nor a response";
        refusal(&self.id, &ErrorData::invalid_request(problem, None))
    }

    /// A refusal as a JSON-RPC error to this message.
    pub(super) async fn as_json_rpc(&self, response: Response) -> Response {
        as_json_rpc(response, &self.id).await
    }
}

/// The request with its method renamed, where it has to be.
pub(super) async fn translated(
    admission: &Admission<'_>,
    request: Request<Body>,
) -> Result<Request<Body>, Box<Response>> {
    let (mut parts, body) = request.into_parts();
    let body = read(admission, &parts.headers, body).await?;
    let values = gate::shape(&body).values;
    if values > gate::MAX_VALUES {
        let problem = format!("the body has {values} JSON values, more than {}", gate::MAX_VALUES);
        return Err(Box::new(refusal(&Value::Null, &ErrorData::invalid_request(problem, None))));
    }
    let mut message: Value = serde_json::from_slice(&body).map_err(|error| {
        let error = ErrorData::parse_error(format!("the body is not JSON: {error}"), None);
        Box::new(refusal(&Value::Null, &error))
    })?;
    let known = Message::read(&message, admission.serving.config.experimental_events);
    let id = known.id.clone();
    parts.extensions.insert(known);
    if !message.is_object() {
        let problem = "the body is not one JSON-RPC message; batches are not part of the protocol";
        return Err(Box::new(refusal(&id, &ErrorData::invalid_request(problem, None))));
    }
    headers::check_version(&parts.headers).map_err(|error| Box::new(refusal(&id, &error)))?;
    check_id(&message).map_err(|error| Box::new(refusal(&id, &error)))?;
    check_exact(&message, &body).map_err(|error| Box::new(refusal(&id, &error)))?;
    check_initialize(&message).map_err(|error| Box::new(refusal(&id, &error)))?;
    let is_changed = drop_unknown_elicitation(&mut message);
    let begins = message.get("method").is_some_and(|method| method == "initialize");
    if begins && !parts.headers.contains_key("mcp-session-id") {
        parts.extensions.insert(begin(admission)?);
    }
    let body = match translate(&mut message) {
        Translation::Same if is_changed => Bytes::from(message.to_string()),
        Translation::Same => body,
        Translation::Forged => {
            return Err(Box::new(refusal(&id, &no_method("the method's name is reserved"))));
        }
        Translation::Renamed { method, private, era } => {
            let checked =
                check(admission.serving, &mut parts.headers, (&method, &private, era), &message).await;
            checked.map_err(|error| Box::new(refusal(&id, &error)))?;
            if misbehaviour::cuts(admission.serving, &method, &message) {
                parts.extensions.insert(Cut);
            }
            Bytes::from(message.to_string())
        }
    };
    parts.headers.remove(CONTENT_LENGTH);
    Ok(Request::from_parts(parts, Body::from(body)))
}

/// The whole body. One that is large, or that does not say its size, waits for its turn.
async fn read(admission: &Admission<'_>, headers: &HeaderMap, body: Body) -> Result<Bytes, Box<Response>> {
    let limit = admission.serving.config.max_body_bytes;
    let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > limit) {
        return Err(Box::new(too_large(limit)));
    }
    let reading = async {
        let is_large = announced.is_none_or(|length| length > SMALL);
        let _turn = if is_large { Some(admission.allowance.large_bodies.acquire().await) } else { None };
        to_bytes(body, limit).await
    };
    let patience: Duration = admission.serving.config.read_time;
    match tokio::time::timeout(patience, reading).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => Err(Box::new(too_large(limit))),
        Err(_) => {
            let problem = format!("the request body did not come within {} s\n", patience.as_secs());
            Err(Box::new((StatusCode::REQUEST_TIMEOUT, problem).into_response()))
        }
    }
}

/// Counts a session that begins, before it does: several at once cannot pass the limit.
fn begin(admission: &Admission<'_>) -> Result<Counted, Box<Response>> {
    let most = admission.serving.config.max_sessions;
    let counted = admission.sessions.count(admission.scope, most);
    counted.ok_or_else(|| Box::new(Exceeded::Sessions { most }.into_response()))
}

/// Checks the headers that repeat parts of a renamed request.
async fn check(
    serving: &Serving,
    headers: &mut HeaderMap,
    (method, private, era): (&str, &str, Era),
    message: &Value,
) -> Result<(), ErrorData> {
    headers::follow_method(headers, method, private)?;
    if era == Era::Legacy {
        return if headers.contains_key("mcp-session-id") { Ok(()) } else { Err(no_session()) };
    }
    let params = message.get("params").unwrap_or(&Value::Null);
    headers::check_name(headers, method, params)?;
    if method == "tools/call"
        && let Some(name) = params.get("name").and_then(Value::as_str)
        && let Ok(tool) = serving.engine.tool(name).await
    {
        headers::check_params(headers, &tool.input_schema, params)?;
    }
    Ok(())
}

fn too_large(limit: usize) -> Response {
    let problem = format!("the request body is larger than {limit} bytes\n");
    (StatusCode::PAYLOAD_TOO_LARGE, problem).into_response()
}
