//! What stands before rmcp on HTTP: who asks, how much at once, and whose session it is.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use futures::StreamExt as _;
use futures::future::{BoxFuture, FutureExt as _, Shared};
use http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{Method, Request, StatusCode};
use rmcp::transport::streamable_http_server::StreamableHttpService;

use super::allowance::{Allowance, Allowances, UnderWay};
use super::body::{Admission, translated};
use super::connections::Newcomer;
use super::sessions::Sessions;
use crate::server::handler::Handler;
use crate::server::misbehaviour::{Cut, cut_off};
use crate::server::request::Serving;
use crate::task::Scope;

/// The endpoint's parts.
pub(super) struct Endpoint {
    pub(super) service: StreamableHttpService<Handler, Sessions>,
    pub(super) sessions: Arc<Sessions>,
    pub(super) allowances: Allowances,
    pub(super) serving: Arc<Serving>,
}

/// Ends when a client's token counts no more.
type Revoked = Shared<BoxFuture<'static, ()>>;

/// Answers one request to `/mcp`.
pub(super) async fn guarded(State(endpoint): State<Arc<Endpoint>>, mut request: Request<Body>) -> Response {
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
    if request.method() == Method::POST {
        let Endpoint { serving, sessions, .. } = endpoint;
        let admission = Admission { serving, sessions, allowance, scope };
        request = match translated(&admission, request).await {
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

/// A stream counts as long as it is open, and ends with its client's token.
fn held(response: Response, under_way: UnderWay, revoked: Revoked) -> Response {
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
