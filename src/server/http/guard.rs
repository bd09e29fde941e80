//! What stands before rmcp on HTTP: who asks, how much at once, and whose session it is.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use futures::StreamExt as _;
use futures::future::{BoxFuture, FutureExt as _, Shared};
use http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, Request, StatusCode};
use rmcp::ErrorData;
use rmcp::transport::streamable_http_server::StreamableHttpService;
use serde_json::Value;

use super::allowance::{Allowance, Allowances, UnderWay};
use super::body::{Admission, Message, translated};
use super::connections::Newcomer;
use super::headers;
use super::hosts::Hosts;
use super::media;
use super::origins::{Origins, is_preflight, opened_to, preflight};
use super::refusals::{as_json_rpc, refusal};
use super::sessions::Sessions;
use crate::server::dialect::with_old_events_key;
use crate::server::handler::Handler;
use crate::server::misbehaviour::{Cut, cut_off};
use crate::server::request::Serving;
use crate::task::Scope;

const LAST_EVENT_ID: &str = "last-event-id";

/// The endpoint's parts.
pub(super) struct Endpoint {
    pub(super) hosts: Hosts,
    pub(super) origins: Origins,
    pub(super) service: StreamableHttpService<Handler, Sessions>,
    pub(super) sessions: Arc<Sessions>,
    pub(super) allowances: Allowances,
    pub(super) serving: Arc<Serving>,
}

/// Ends when a client's token, or a sign-in, counts no more.
pub(super) type Revoked = Shared<BoxFuture<'static, ()>>;

/// Answers one request to `/mcp`. What refuses a message before it is read does so in plain text, which no client of
/// JSON-RPC shows.
pub(super) async fn guarded(State(endpoint): State<Arc<Endpoint>>, request: Request<Body>) -> Response {
    let is_message = request.method() == Method::POST;
    let response = checked(endpoint, request).await;
    if is_message && !media::is_json(response.headers()) {
        as_json_rpc(response, &Value::Null).await
    } else {
        response
    }
}

/// Answers one request, if it is for this host and of no foreign web page.
async fn checked(endpoint: Arc<Endpoint>, request: Request<Body>) -> Response {
    let checked = endpoint.hosts.check(request.uri(), request.headers());
    let origin = match checked.and_then(|()| endpoint.origins.check(request.headers())) {
        Ok(origin) => origin,
        Err(refusal) => return *refusal,
    };
    let Some(origin) = origin else { return admitted(endpoint, request).await };
    let response = if is_preflight(request.method(), request.headers()) {
        preflight(request.headers())
    } else {
        admitted(endpoint, request).await
    };
    opened_to(response, origin)
}

/// Answers one request, if its token counts and its scope has not too many.
async fn admitted(endpoint: Arc<Endpoint>, mut request: Request<Body>) -> Response {
    let tokens = &endpoint.serving.config.tokens;
    let Some(admitted) = tokens.admit(request.headers()) else { return unauthorised() };
    if let Some(newcomer) = request.extensions().get::<Arc<Newcomer>>() {
        newcomer.let_in();
    }
    let (allowance, under_way) = match endpoint.allowances.admit(&admitted.scope) {
        Ok(place) => place,
        Err(exceeded) => return exceeded.into_response(),
    };
    let scope = admitted.scope.clone();
    request.extensions_mut().insert(scope.clone());
    // The handler holds the extensions as long as it runs, even when its client has left.
    request.extensions_mut().insert(under_way.clone());
    // From here on the request may be logged.
    request.headers_mut().remove(AUTHORIZATION);
    let revoked: Revoked = tokens.revoked(admitted).boxed().shared();
    let response = tokio::select! {
        biased;
        () = revoked.clone() => return unauthorised(),
        response = answered(&endpoint, &allowance, &scope, request) => response,
    };
    held(response, under_way, revoked)
}

/// The response to a request of that scope.
async fn answered(
    endpoint: &Endpoint,
    allowance: &Allowance,
    scope: &Scope,
    mut request: Request<Body>,
) -> Response {
    let session = request.headers().get("mcp-session-id").and_then(|id| id.to_str().ok());
    let owner = session.map(|id| endpoint.sessions.scope(id));
    let deletes = request.method() == Method::DELETE;
    // Somebody else's session is "not found", like one that never was.
    if owner.as_ref().is_some_and(|owner| owner.as_ref().map_or(deletes, |owner| owner != scope)) {
        return (StatusCode::NOT_FOUND, "there is no such session\n").into_response();
    }
    // An empty one is what some clients send that have seen no event.
    if request.headers().get(LAST_EVENT_ID).is_some_and(HeaderValue::is_empty) {
        request.headers_mut().remove(LAST_EVENT_ID);
    }
    if let Some(refusal) = endpoint.lost_place(&request) {
        return refusal;
    }
    let takes_streams = media::name_accepted(request.headers_mut());
    let is_posted = request.method() == Method::POST;
    if !is_posted && let Err(error) = headers::check_version(request.headers()) {
        return refusal(&Value::Null, &error);
    }
    if is_posted && media::is_json(request.headers()) {
        let Endpoint { serving, sessions, .. } = endpoint;
        let admission = Admission { serving, sessions, allowance, scope };
        request = match translated(&admission, request).await {
            Ok(request) => request,
            Err(refusal) => return *refusal,
        };
    }
    let cut = request.extensions().get::<Cut>().is_some();
    let message = request.extensions().get::<Message>().cloned();
    if let Some(message) = message.as_ref().filter(|message| message.streams.is_some() && !takes_streams) {
        return message.needs_stream();
    }
    let counted = endpoint.serving.calls.token();
    let mut response = endpoint.service.handle(request).await.map(Body::new);
    drop(counted);
    if let Some(message) = message {
        if response.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE {
            return message.no_request();
        }
        response = message.as_json_rpc(response).await;
        if message.discovers && endpoint.serving.config.experimental_events {
            response = media::with_result(response, with_old_events_key).await;
        }
        if !takes_streams {
            response = media::as_json_only(response).await.unwrap_or_else(|| message.needs_stream());
        } else if message.is_answered_at_once {
            response = media::as_json(response).await;
        }
    }
    if deletes && response.status() == StatusCode::ACCEPTED {
        // Python clients take 202 for an error.
        *response.status_mut() = StatusCode::NO_CONTENT;
    }
    response.map(|body| if cut { cut_off(body) } else { body })
}

impl Endpoint {
    /// The refusal of a stream that is to go on after an event that no stream of its session has. With an empty stream,
    /// as rmcp has it, clients come back with the same event at once and for ever.
    fn lost_place(&self, request: &Request<Body>) -> Option<Response> {
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        let (session, event) = (header("mcp-session-id")?, header(LAST_EVENT_ID)?);
        if request.method() != Method::GET || self.sessions.has_event(session, event)? {
            return None;
        }
        let problem = format!(
            "no stream of this session has the event {event:?} any more: open a stream without Last-Event-ID"
        );
        Some(refusal(&Value::Null, &ErrorData::invalid_request(problem, None)))
    }
}

/// A stream counts as long as it is open, and ends with its client's token.
pub(super) fn held(response: Response, under_way: UnderWay, revoked: Revoked) -> Response {
    let kind = response.headers().get(CONTENT_TYPE);
    if kind.is_none_or(|kind| kind != "text/event-stream") {
        return response;
    }
    response.map(|body| {
        let parts = body.into_data_stream().take_until(revoked);
        Body::from_stream(parts.inspect(move |_| {
            let _counts = &under_way;
        }))
    })
}

fn unauthorised() -> Response {
    let challenge = [(WWW_AUTHENTICATE, "Bearer")];
    (StatusCode::UNAUTHORIZED, challenge, "a valid bearer token is needed\n").into_response()
}
