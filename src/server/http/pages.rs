//! What stands before the pages for people: for which host a request is, and how much at once.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use http::header::RETRY_AFTER;
use http::{Request, StatusCode};

use super::allowance::Allowances;
use super::connections::Newcomer;
use super::hosts::Hosts;
use crate::task::Scope;

/// What the pages' requests are held to.
pub(super) struct PageGuard {
    pub(super) hosts: Hosts,
    /// All of them together have the allowance of one scope: whoever guesses links does so in its bounds.
    pub(super) allowances: Allowances,
}

/// The pages behind their guard.
pub(super) fn guarded(pages: Router, guard: PageGuard) -> Router {
    pages.layer(from_fn_with_state(Arc::new(guard), checked))
}

async fn checked(State(guard): State<Arc<PageGuard>>, request: Request<Body>, next: Next) -> Response {
    if let Err(refusal) = guard.hosts.check(request.uri(), request.headers()) {
        return *refusal;
    }
    let _under_way = match guard.allowances.admit(&Scope::anonymous()) {
        Ok((_, under_way)) => under_way,
        Err(exceeded) => {
            let seconds = exceeded.wait().as_secs().max(1).to_string();
            let said = "too many requests at once: try again in a moment\n";
            return (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, seconds)], said).into_response();
        }
    };
    let newcomer = request.extensions().get::<Arc<Newcomer>>().cloned();
    let is_style = request.uri().path().ends_with("/q.css");
    let response = next.run(request).await;
    // Whoever only guesses stays a newcomer, and gives way.
    if let Some(newcomer) = newcomer.filter(|_| !is_style && knows_a_link(response.status())) {
        newcomer.let_in();
    }
    response
}

/// Whether only somebody with a link can have got such an answer.
fn knows_a_link(status: StatusCode) -> bool {
    let of_closed = [StatusCode::GONE, StatusCode::CONFLICT, StatusCode::UNPROCESSABLE_ENTITY];
    status.is_success() || status.is_redirection() || of_closed.contains(&status)
}
