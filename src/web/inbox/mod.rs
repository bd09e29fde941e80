//! `/inbox`: all that waits in a scope, for whoever showed a token of it.

mod changes;
mod events;
mod list;
mod question;
mod recent;
mod sign_in;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{get, post};
use http::header::REFRESH;
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::Web;

pub(super) use changes::Changes;

/// Has a browser that was led here by another site ask once more by itself. Cookies of `SameSite=Strict` do not come along
/// with what another site begins, so somebody who is signed in would be asked to do so again.
async fn asked_again(request: Request, next: Next) -> Response {
    let is_led_here = says(request.headers(), "sec-fetch-site", "cross-site")
        && says(request.headers(), "sec-fetch-dest", "document");
    // The second time it has a query, so there is no third.
    let is_first = request.method() == Method::GET && request.uri().query().is_none();
    let mut response = next.run(request).await;
    if is_led_here && is_first && response.status() == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(REFRESH, HeaderValue::from_static("0; url=?again"));
    }
    response
}

fn says(headers: &HeaderMap, name: &str, wanted: &str) -> bool {
    headers.get(name).is_some_and(|value| value == wanted)
}

/// The pages, below what stands before them.
pub(super) fn pages() -> Router<Web> {
    Router::new()
        .route("/inbox", get(list::show))
        .route("/inbox/", get(list::show))
        .route("/inbox/answers", get(recent::show))
        .route("/inbox/events", get(events::open))
        .route("/inbox/sign-in", post(sign_in::begin))
        .route("/inbox/sign-out", post(sign_in::end))
        .route("/inbox/{task}/{question}", get(question::show).post(question::answer))
        .layer(from_fn(asked_again))
}
