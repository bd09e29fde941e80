//! What stands before the pages for people: for which host a request is, whose it is, and how much at once.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use futures::future::FutureExt as _;
use http::header::{COOKIE, RETRY_AFTER};
use http::{Request, StatusCode};

use super::allowance::Allowances;
use super::connections::Newcomer;
use super::guard::held;
use super::hosts::Hosts;
use crate::server::sign_ins::SignIns;
use crate::task::Scope;

/// What the pages' requests are held to.
pub(super) struct PageGuard {
    pub(super) hosts: Hosts,
    /// Who is signed in has the allowance of that scope. All others together have that of one: whoever guesses links or
    /// tokens does so in its bounds.
    pub(super) allowances: Allowances,
    pub(super) sign_ins: SignIns,
}

/// The pages behind their guard.
pub(super) fn guarded(pages: Router, guard: PageGuard) -> Router {
    pages.layer(from_fn_with_state(Arc::new(guard), checked))
}

async fn checked(State(guard): State<Arc<PageGuard>>, mut request: Request<Body>, next: Next) -> Response {
    if let Err(refusal) = guard.hosts.check(request.uri(), request.headers()) {
        return *refusal;
    }
    let signed_in = guard.sign_ins.find(request.headers());
    let scope = signed_in.as_ref().map_or_else(Scope::anonymous, |one| one.scope().clone());
    let under_way = match guard.allowances.admit(&scope) {
        Ok((_, under_way)) => under_way,
        Err(exceeded) => {
            let seconds = exceeded.wait().as_secs().max(1).to_string();
            let said = "too many requests at once: try again in a moment\n";
            return (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, seconds)], said).into_response();
        }
    };
    let newcomer = request.extensions().get::<Arc<Newcomer>>().cloned();
    let is_asset = IS_FOR_ALL.iter().any(|end| request.uri().path().ends_with(end));
    // From here on the request may be logged.
    request.headers_mut().remove(COOKIE);
    request.extensions_mut().insert(signed_in.clone());
    let response = next.run(request).await;
    // Whoever only guesses stays a newcomer, and gives way.
    if let Some(newcomer) = newcomer.filter(|_| !is_asset && knows_a_secret(response.status())) {
        newcomer.let_in();
    }
    match signed_in {
        Some(signed_in) => held(response, under_way, guard.sign_ins.over(&signed_in).boxed().shared()),
        None => response,
    }
}

/// What is given to everybody.
const IS_FOR_ALL: [&str; 2] = [".css", ".js"];

/// Whether only somebody with a link, or who is signed in, can have got such an answer.
fn knows_a_secret(status: StatusCode) -> bool {
    let of_closed = [StatusCode::GONE, StatusCode::CONFLICT, StatusCode::UNPROCESSABLE_ENTITY];
    status.is_success() || status.is_redirection() || of_closed.contains(&status)
}
