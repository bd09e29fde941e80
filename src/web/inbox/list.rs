//! `/inbox`: what waits, the oldest first.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;
use maud::{Markup, html};

use super::super::frame::Frame;
use super::super::{Web, closed};
use super::{question, sign_in};
use crate::desk::question_end::QuestionEnd;
use crate::desk::{page, text, time};
use crate::engine::{Engine, EngineResult, Viewer};
use crate::server::SignedIn;
use crate::store::TaskFilter;
use crate::task::{Question, Scope, Task, TaskStatus};

/// Tasks that are looked through.
const MOST_TASKS: usize = 1000;

/// Tasks that are read at once.
const PAGE: usize = 200;

/// Questions that are shown. More come up as these are answered.
const MOST_SHOWN: usize = 100;

/// The most characters of a question.
const MESSAGE: usize = 400;

/// What the script asks with, which was told to look.
const LIVE: &str = "live";

/// Shows the list.
pub(super) async fn show(
    State(web): State<Web>,
    Extension(signed_in): Extension<Option<SignedIn>>,
    RawQuery(query): RawQuery,
) -> Response {
    let path = web.public.path();
    let Some(signed_in) = signed_in else { return sign_in::page(&web, "") };
    let frame = Frame { path, inbox: Some(&signed_in) };
    let scope = signed_in.scope();
    let waiting = match query.as_deref() {
        Some(LIVE) => web.changes.list(scope).await,
        _ => Waiting::read(&web.engine, scope).await.map(Arc::new),
    };
    let waiting = match waiting {
        Ok(waiting) => waiting,
        Err(error) => return closed::away(frame, &error, false),
    };
    let content = html! {
        h1 { "Inbox" }
        p #said role="status" aria-live="polite" {}
        (waiting.list(path))
        noscript { p.about { "Reload the page to see what is new." } }
    };
    frame.page(StatusCode::OK, &waiting.title(), &content)
}

/// What waits in a scope.
pub(super) struct Waiting {
    /// The oldest first.
    rows: Vec<Row>,
    /// How many there are, as far as was looked.
    count: usize,
    /// Whether there are more than that.
    has_more: bool,
}

/// A question in one row.
struct Row {
    address: String,
    id: String,
    message: String,
    about: Vec<String>,
    asked_at: Timestamp,
}

impl Waiting {
    pub(super) async fn read(engine: &Engine, scope: &Scope) -> EngineResult<Self> {
        let filter = TaskFilter {
            status: Some(TaskStatus::InputRequired),
            oldest_first: true,
            hidden: true,
            ..TaskFilter::default()
        };
        let (viewer, now) = (Viewer::Person(scope.clone()), Timestamp::now());
        let (mut rows, mut after, mut looked) = (Vec::new(), None, 0);
        loop {
            let page = engine.list(&viewer, filter.clone(), after.as_ref(), PAGE).await?;
            looked += page.tasks.len();
            for task in &page.tasks {
                rows.extend(task.open_questions().map(|question| Row::of(task, question, now)));
            }
            after = page.next;
            if after.is_none() || looked >= MOST_TASKS {
                break;
            }
        }
        rows.sort_by_key(|row: &Row| row.asked_at);
        let count = rows.len();
        rows.truncate(MOST_SHOWN);
        Ok(Self { rows, count, has_more: after.is_some() })
    }

    fn title(&self) -> String {
        match self.count {
            0 => "Inbox".to_owned(),
            count => format!("({count}{}) Inbox", if self.has_more { "+" } else { "" }),
        }
    }

    fn in_words(&self) -> String {
        let more = if self.has_more { "more than " } else { "" };
        match (self.count, self.rows.len()) {
            (0, _) => "Nothing waits for an answer.".to_owned(),
            (1, _) => "1 question waits.".to_owned(),
            (count, shown) if shown < count => {
                format!("{more}{count} questions wait; these are the {shown} that have waited longest.")
            }
            (count, _) => format!("{more}{count} questions wait, the oldest first."),
        }
    }

    fn list(&self, path: &str) -> Markup {
        html! {
            section #list aria-label="What waits" {
                p.about { (self.in_words()) }
                ol.rows {
                    @for row in &self.rows {
                        li id={ "row-" (row.id) } {
                            a id={ "to-" (row.id) } href={ (path) (row.address) } { (row.message) }
                            p.about { (row.about.join(" · ")) }
                        }
                    }
                }
            }
        }
    }
}

impl Row {
    fn of(task: &Task, question: &Question, now: Timestamp) -> Self {
        let short = text::short_id(task.id().as_str());
        let session =
            task.new.session.as_ref().map(|one| format!("session {}", text::short(one.as_str(), 40)));
        let asked = format!("asked {}", time::relative(question.asked_at, now));
        let until = QuestionEnd::of_store(task, question).map(|end| end.in_words(now));
        let about =
            [Some(text::line(&task.new.tool)), Some(format!("task {short}")), session, Some(asked), until];
        Self {
            address: question::address(task.id(), &question.id),
            id: format!("{}-{}", task.id(), question.id),
            message: page::message(&question.ask, MESSAGE),
            about: about.into_iter().flatten().collect(),
            asked_at: question.asked_at,
        }
    }
}
