//! `/inbox/TASK/QUESTION`: one question, for whoever is signed in to its scope.

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use url::form_urlencoded::byte_serialize;

use super::super::answering::{Answering, back_to, form_of, is_open};
use super::super::filled::Filled;
use super::super::frame::Frame;
use super::super::posted::Posted;
use super::super::sheet::{CANCEL_TASK, Sheet};
use super::super::{Web, closed, same_site};
use super::sign_in;
use crate::engine::{EngineError, EngineResult, Viewer};
use crate::server::SignedIn;
use crate::store::StoreError;
use crate::task::{Question, QuestionId, Task, TaskId, Who};

/// What answers are given with, as they are told of.
const CLIENT: &str = "inbox page";

/// Where a question has its page, below the public URL.
pub(super) fn address(task: &TaskId, question: &QuestionId) -> String {
    let part = |id: &str| byte_serialize(id.as_bytes()).collect::<String>();
    format!("/inbox/{}/{}", part(task.as_str()), part(question.as_str()))
}

/// Somebody who looks at one question.
struct Visit<'a> {
    web: &'a Web,
    signed_in: &'a SignedIn,
    viewer: Viewer,
}

impl<'a> Visit<'a> {
    fn new(web: &'a Web, signed_in: &'a SignedIn) -> Self {
        Self { web, signed_in, viewer: Viewer::Person(signed_in.scope().clone()) }
    }

    fn frame(&self) -> Frame<'a> {
        Frame { path: self.web.public.path(), inbox: Some(self.signed_in) }
    }

    /// The question of that address; `None` where that is nothing, or another scope's.
    async fn find(&self, (task, question): (&str, &str)) -> EngineResult<Option<(Task, Question)>> {
        let (Ok(task), Ok(question)) = (task.parse::<TaskId>(), question.parse::<QuestionId>()) else {
            return Ok(None);
        };
        let task = match self.web.engine.get(&self.viewer, &task).await {
            Err(EngineError::Store(StoreError::NoTask(_))) => return Ok(None),
            task => task?,
        };
        let question = task.question(&question).cloned();
        Ok(question.map(|question| (task, question)))
    }

    /// Who it is, as far as is known: the token proves its name.
    fn who(&self) -> Who {
        match self.signed_in.name() {
            Some(name) => Who::of_client(Some(name), Some(CLIENT.to_owned()), Who::default()),
            None => Who { client: Some(CLIENT.to_owned()), ..Who::default() },
        }
    }

    fn here(&self, task: &Task, question: &Question) -> String {
        format!("{}{}", self.web.public.path(), address(task.id(), &question.id))
    }

    /// Answers with what was sent, or ends the task.
    async fn take(&self, (task, question): (&Task, &Question), posted: Posted) -> Response {
        let here = self.here(task, question);
        if posted.text("action") == Some(CANCEL_TASK) {
            return self.cancel(task, question, &here).await;
        }
        let (form, form_token) = (form_of(question), self.signed_in.form_token());
        let sheet =
            Sheet { frame: self.frame(), form_token, holder: None, task, question, form: form.as_ref() };
        let answering = Answering { engine: &self.web.engine, viewer: &self.viewer, who: self.who(), here };
        answering.answer(&sheet, posted).await
    }

    async fn cancel(&self, task: &Task, question: &Question, here: &str) -> Response {
        let by = self.signed_in.name().map(|name| format!(" by {name}")).unwrap_or_default();
        let reason = format!("cancelled{by} in the inbox");
        match self.web.engine.cancel(&self.viewer, task.id(), &reason).await {
            Ok(()) => back_to(here),
            Err(EngineError::Store(StoreError::Ended { status, .. })) => {
                let task = Task { status, ..task.clone() };
                closed::page(StatusCode::CONFLICT, self.frame(), &task, question)
            }
            Err(EngineError::Store(StoreError::NoTask(_))) => closed::unknown(self.frame()),
            Err(error) => closed::away(self.frame(), &error, true),
        }
    }
}

/// Shows the question, or what became of it.
pub(super) async fn show(
    State(web): State<Web>,
    Extension(signed_in): Extension<Option<SignedIn>>,
    Path((task, question)): Path<(String, String)>,
) -> Response {
    let Some(signed_in) = signed_in else { return sign_in::page(&web, &wanted(&web, &task, &question)) };
    let visit = Visit::new(&web, &signed_in);
    match visit.find((&task, &question)).await {
        Ok(Some((task, question))) if is_open(&task, &question) => {
            let (frame, form) = (visit.frame(), form_of(&question));
            let form_token = signed_in.form_token();
            let sheet = Sheet {
                frame,
                form_token,
                holder: None,
                task: &task,
                question: &question,
                form: form.as_ref(),
            };
            sheet.page(StatusCode::OK, &Filled::default())
        }
        Ok(Some((task, question))) => closed::page(StatusCode::GONE, visit.frame(), &task, &question),
        Ok(None) => closed::unknown(visit.frame()),
        Err(error) => closed::away(visit.frame(), &error, false),
    }
}

/// Takes what was sent.
pub(super) async fn answer(
    State(web): State<Web>,
    Extension(signed_in): Extension<Option<SignedIn>>,
    Path((task, question)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let Some(signed_in) = signed_in else { return sign_in::page(&web, &wanted(&web, &task, &question)) };
    let visit = Visit::new(&web, &signed_in);
    let posted = match Posted::read(&headers, body).await {
        Ok(posted) => posted,
        Err(status) => return closed::unread(status, visit.frame()),
    };
    let is_own = same_site::is_own(&headers, &web.public)
        && signed_in.is_form_token(posted.text("form").unwrap_or_default());
    if !is_own {
        return closed::foreign(visit.frame());
    }
    match visit.find((&task, &question)).await {
        Ok(Some((task, question))) if is_open(&task, &question) => {
            visit.take((&task, &question), posted).await
        }
        Ok(Some((task, question))) => closed::page(StatusCode::CONFLICT, visit.frame(), &task, &question),
        Ok(None) => closed::unknown(visit.frame()),
        Err(error) => closed::away(visit.frame(), &error, false),
    }
}

/// The page to come back to.
fn wanted(web: &Web, task: &str, question: &str) -> String {
    match (task.parse(), question.parse()) {
        (Ok(task), Ok(question)) => format!("{}{}", web.public.path(), address(&task, &question)),
        _ => String::new(),
    }
}
