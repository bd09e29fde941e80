//! Pages for people in browsers. `/q/TOKEN` is one question with one form, for whoever has its link.
//!
//! Pages are made of templates that are compiled in and escape whatever they are given; they need no script, and their
//! one style sheet is served beside them. Every response has the headers of `frame`. A page decides nothing: forms are
//! read by [`form`](crate::form), answers go through the engine's verb like everybody's, and what is told of a question
//! is what `desk` tells.

mod closed;
mod facts;
mod fields;
mod filled;
mod frame;
mod posted;
mod public_url;
mod question;
mod same_site;
mod sheet;

use axum::Router;
use axum::middleware::map_response;
use axum::routing::get;

use crate::engine::Engine;

pub use public_url::PublicUrl;

/// What the pages stand on.
#[derive(Debug, Clone)]
struct Web {
    engine: Engine,
    public: PublicUrl,
}

/// The pages of a server. They are there at the root, and under the path of the public URL: a proxy may take that off, or
/// leave it.
pub fn pages(engine: Engine, public: PublicUrl) -> Router {
    let path = public.path().to_owned();
    let pages = Router::new()
        .route("/q/{token}", get(question::show).post(question::answer))
        .route(frame::STYLE_PATH, get(async || frame::style()))
        .layer(map_response(frame::guarded))
        .with_state(Web { engine, public });
    if path.is_empty() { pages } else { Router::new().nest(&path, pages.clone()).merge(pages) }
}
