//! `/inbox`: all that waits in a scope, for whoever showed a token of it.

mod changes;
mod events;
mod list;
mod question;
mod recent;
mod sign_in;

use axum::Router;
use axum::routing::{get, post};

use super::Web;

pub(super) use changes::Changes;

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
}
