//! `/q/TOKEN`: GET shows a question and changes nothing, POST answers it.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};

use super::answering::{Answering, form_of, is_open};
use super::filled::Filled;
use super::frame::Frame;
use super::posted::Posted;
use super::sheet::Sheet;
use super::{Web, closed, same_site};
use crate::engine::{EngineError, LinkToken, Viewer};
use crate::form::Form;
use crate::store::StoreError;
use crate::store::links::Link;
use crate::task::{Question, Task, Who};

/// What is behind a link.
struct Found {
    token: LinkToken,
    form_token: String,
    link: Link,
    task: Task,
    question: Question,
}

impl Found {
    fn is_open(&self) -> bool {
        is_open(&self.task, &self.question)
    }

    fn sheet<'a>(&'a self, frame: Frame<'a>, form: Option<&'a Form>) -> Sheet<'a> {
        let (form_token, holder) = (self.form_token.as_str(), self.link.holder.as_deref());
        Sheet { frame, form_token, holder, task: &self.task, question: &self.question, form }
    }
}

/// Shows the question, or what became of it.
pub(super) async fn show(State(web): State<Web>, Path(token): Path<String>) -> Response {
    let frame = Frame::alone(web.public.path());
    match look(&web, &token).await {
        Ok(Some(found)) if found.is_open() => {
            let form = form_of(&found.question);
            found.sheet(frame, form.as_ref()).page(StatusCode::OK, &Filled::default())
        }
        Ok(Some(found)) => closed::page(StatusCode::GONE, frame, &found.task, &found.question),
        Ok(None) => closed::unknown(frame),
        Err(error) => closed::away(frame, &error, false),
    }
}

/// Answers the question with what was sent.
pub(super) async fn answer(
    State(web): State<Web>,
    Path(token): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let path = web.public.path();
    let frame = Frame::alone(path);
    let posted = match Posted::read(&headers, body).await {
        Ok(posted) => posted,
        Err(status) => return closed::unread(status, frame),
    };
    let is_own = same_site::is_own(&headers, &web.public)
        && LinkToken::read(&token)
            .is_none_or(|token| same_site::is_form_token(&token, posted.text("form").unwrap_or_default()));
    if !is_own {
        return closed::foreign(frame);
    }
    let found = match look(&web, &token).await {
        Ok(Some(found)) => found,
        Ok(None) => return closed::unknown(frame),
        Err(error) => return closed::away(frame, &error, false),
    };
    if !found.is_open() {
        return closed::page(StatusCode::CONFLICT, frame, &found.task, &found.question);
    }
    let form = form_of(&found.question);
    let answering = Answering {
        engine: &web.engine,
        viewer: &Viewer::Operator,
        who: Who::by_link(found.link.holder.as_deref()),
        here: format!("{path}/q/{}", found.token.reveal()),
    };
    answering.answer(&found.sheet(frame, form.as_ref()), posted).await
}

/// What is behind the link of that token; `None` where that is nothing.
async fn look(web: &Web, token: &str) -> Result<Option<Found>, EngineError> {
    let Some(token) = LinkToken::read(token) else { return Ok(None) };
    let Some(link) = web.engine.find_link(&token).await? else { return Ok(None) };
    let task = match web.engine.get(&Viewer::Operator, &link.task).await {
        Err(EngineError::Store(StoreError::NoTask(_))) => return Ok(None),
        task => task?,
    };
    let Some(question) = task.question(&link.question).cloned() else { return Ok(None) };
    let form_token = same_site::form_token(&token);
    Ok(Some(Found { token, form_token, link, task, question }))
}
