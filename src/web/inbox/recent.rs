//! `/inbox/answers`: what was answered of late in the scope, the newest first.

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;
use maud::html;

use super::super::frame::Frame;
use super::super::{Web, closed};
use super::{question, sign_in};
use crate::desk::{text, time};
use crate::engine::{Engine, EngineResult};
use crate::server::SignedIn;
use crate::store::EventFilter;
use crate::task::answer::named;
use crate::task::{Event, EventKind, Scope};

/// Answers that are shown.
const MOST: usize = 50;

/// Events that are read at once.
const PAGE: usize = 500;

/// Stretches of the log that are looked through.
const MOST_PAGES: usize = 8;

/// Shows them.
pub(super) async fn show(
    State(web): State<Web>,
    Extension(signed_in): Extension<Option<SignedIn>>,
) -> Response {
    let path = web.public.path();
    let Some(signed_in) = signed_in else { return sign_in::page(&web, &format!("{path}/inbox/answers")) };
    let frame = Frame { path, inbox: Some(&signed_in) };
    let (rows, is_all) = match read(&web.engine, signed_in.scope()).await {
        Ok(found) => found,
        Err(error) => return closed::away(frame, &error, false),
    };
    let none = rows.is_empty().then_some("Nothing was answered here of late.");
    let rest = (!is_all).then_some("What is older is not shown here.");
    let content = html! {
        h1 { "Recent answers" }
        @if let Some(words) = none { p { (words) } }
        ol.rows {
            @for row in &rows {
                li {
                    a href={ (path) (row.address) } { (row.words) }
                    p.about { (row.about) }
                }
            }
        }
        @if let Some(words) = rest { p.about { (words) } }
    };
    frame.page(StatusCode::OK, "Recent answers", &content)
}

/// An answer in one row.
struct Row {
    address: String,
    words: String,
    about: String,
}

impl Row {
    fn of(event: &Event, now: Timestamp) -> Option<Self> {
        let EventKind::Answered { question, action, by, who, reason } = &event.kind else { return None };
        let why = reason.as_deref().map(|why| format!(" ({})", text::sentence(why))).unwrap_or_default();
        let (tool, short) = (text::line(&event.tool), text::short_id(event.task.as_str()));
        Some(Self {
            address: question::address(&event.task, question),
            words: format!("{action} by {}{why}", text::line(&named(*by, who.as_deref()))),
            about: format!("{tool} · task {short}, question {question} · {}", time::relative(event.at, now)),
        })
    }
}

/// The newest answers of the scope, and whether there are no older ones.
async fn read(engine: &Engine, scope: &Scope) -> EngineResult<(Vec<Row>, bool)> {
    let (now, mut rows, mut before) = (Timestamp::now(), Vec::new(), None);
    for _ in 0..MOST_PAGES {
        let page = engine.store().history_before(&EventFilter::All, before, PAGE).await?;
        let of_scope = page.events.iter().filter(|event| event.scope == *scope);
        rows.extend(of_scope.filter_map(|event| Row::of(event, now)).take(MOST + 1 - rows.len()));
        before = page.next;
        if rows.len() > MOST {
            rows.truncate(MOST);
            return Ok((rows, false));
        }
        if before.is_none() {
            return Ok((rows, true));
        }
    }
    Ok((rows, false))
}
