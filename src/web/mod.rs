//! Pages for people in browsers. `/q/TOKEN` is one question with one form, for whoever has its link; `/inbox` is all that
//! waits in the scope of whoever signed in.
//!
//! Pages are made of templates that are compiled in and escape whatever they are given; they need no script, and their
//! one style sheet is served beside them. The inbox has one script too, which keeps it up to date. Every response has the headers of `frame`. A page decides nothing: forms are
//! read by [`form`](crate::form), answers go through the engine's verb like everybody's, and what is told of a question
//! is what `desk` tells.

mod answering;
mod closed;
mod facts;
mod fields;
mod filled;
mod frame;
mod inbox;
mod posted;
mod public_url;
mod question;
mod same_site;
mod sheet;

use axum::Router;
use axum::middleware::map_response;
use axum::routing::get;
use tokio_util::sync::CancellationToken;

use crate::engine::Engine;
use crate::server::{Pages, SignIns, Tokens};
use inbox::Changes;

pub use public_url::PublicUrl;

/// What the pages stand on.
#[derive(Debug, Clone)]
struct Web {
    engine: Engine,
    public: PublicUrl,
    sign_ins: SignIns,
    changes: Changes,
}

/// The pages of a server. They are there at the root, and under the path of the public URL: a proxy may take that off, or
/// leave it. The inbox lets in by these tokens, and its streams end with `stop`.
pub fn pages(engine: Engine, public: PublicUrl, tokens: Tokens, stop: CancellationToken) -> Pages {
    let path = public.path().to_owned();
    let sign_ins = SignIns::new(tokens, format!("{path}/inbox"), public.is_over_tls());
    let changes = Changes::new(engine.clone(), stop);
    let web = Web { engine, public, sign_ins: sign_ins.clone(), changes };
    let links = Router::new()
        .route("/q/{token}", get(question::show).post(question::answer))
        .route(frame::STYLE_PATH, get(async || frame::style()))
        .route(frame::SCRIPT_PATH, get(async || frame::script()))
        .layer(map_response(frame::guarded));
    let inbox = inbox::pages().layer(map_response(frame::guarded_inbox));
    let pages = links.merge(inbox).with_state(web);
    let router = if path.is_empty() { pages } else { Router::new().nest(&path, pages.clone()).merge(pages) };
    Pages { router, sign_ins }
}
