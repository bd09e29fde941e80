//! `/q/TOKEN`: GET shows a question and changes nothing, POST answers it.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::header::LOCATION;
use http::{HeaderMap, StatusCode};

use super::filled::Filled;
use super::posted::Posted;
use super::sheet::Sheet;
use super::{Web, closed, frame, same_site};
use crate::engine::{EngineError, LinkToken, Viewer};
use crate::form::Form;
use crate::store::StoreError;
use crate::store::links::Link;
use crate::task::{Action, Answer, Answerer, AskKind, Question, Task, Who};

/// What is behind a link.
struct Found {
    token: LinkToken,
    link: Link,
    task: Task,
    question: Question,
}

impl Found {
    fn is_open(&self) -> bool {
        self.question.answer.is_none() && !self.task.status.is_final()
    }

    fn form(&self) -> Option<Form> {
        match &self.question.ask.kind {
            AskKind::Form { schema } => Form::parse(schema).ok(),
            AskKind::Url { .. } => None,
        }
    }
}

/// Shows the question, or what became of it.
pub(super) async fn show(State(web): State<Web>, Path(token): Path<String>) -> Response {
    let path = web.public.path();
    match look(&web, &token).await {
        Ok(Some(found)) if found.is_open() => {
            let form = found.form();
            sheet(path, &found, form.as_ref()).page(StatusCode::OK, &Filled::default())
        }
        Ok(Some(found)) => closed::page(StatusCode::GONE, path, &found.task, &found.question),
        Ok(None) => closed::unknown(path),
        Err(error) => unavailable(path, &error, false),
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
    let posted = match Posted::read(&headers, body).await {
        Ok(posted) => posted,
        Err(status) => return unread(status, path),
    };
    let is_own = same_site::is_own(&headers, &web.public)
        && LinkToken::read(&token)
            .is_none_or(|token| same_site::is_form_token(&token, posted.text("form").unwrap_or_default()));
    if !is_own {
        let said = "The form did not come from this page. Open the link itself, and answer there.";
        return frame::said(StatusCode::FORBIDDEN, path, "Nothing was sent", &[said.to_owned()]);
    }
    let found = match look(&web, &token).await {
        Ok(Some(found)) => found,
        Ok(None) => return closed::unknown(path),
        Err(error) => return unavailable(path, &error, false),
    };
    if !found.is_open() {
        return closed::page(StatusCode::CONFLICT, path, &found.task, &found.question);
    }
    let form = found.form();
    match read(form.as_ref(), posted) {
        Ok((answer, posted)) => give(&web, &found, form.as_ref(), (answer, posted)).await,
        Err(filled) => sheet(path, &found, form.as_ref()).page(StatusCode::UNPROCESSABLE_ENTITY, &filled),
    }
}

/// The answer that was sent, or the form with what is wrong.
fn read(form: Option<&Form>, posted: Posted) -> Result<(Answer, Posted), Box<Filled>> {
    let answer = match (posted.text("action"), form) {
        (Some("accept"), Some(form)) => match Filled::read(form, &posted) {
            Ok(content) => Answer::accept(content, Answerer::Operator),
            Err(problems) => return Err(Box::new(Filled::wrong(posted, problems))),
        },
        (Some("accept"), None) => Answer::new(Action::Accept, Answerer::Operator),
        (Some("decline"), _) => Answer::new(Action::Decline, Answerer::Operator),
        (Some("cancel"), _) => Answer::new(Action::Cancel, Answerer::Operator),
        _ => {
            let problem = "it does not say which button was pressed: press one of them".to_owned();
            return Err(Box::new(Filled::refused(posted, problem)));
        }
    };
    Ok((answer, posted))
}

/// Gives the answer, by the same verb as everybody.
async fn give(web: &Web, found: &Found, form: Option<&Form>, (answer, posted): (Answer, Posted)) -> Response {
    let path = web.public.path();
    let answer = answer.given_by(Who::by_link(found.link.holder.as_deref()));
    let (task, question) = (found.task.id(), &found.question.id);
    match web.engine.answer(&Viewer::Operator, task, question, answer).await {
        // By GET, so that a reload sends nothing again.
        Ok(_) => (StatusCode::SEE_OTHER, [(LOCATION, format!("{path}/q/{}", found.token.reveal()))])
            .into_response(),
        Err(EngineError::Answer { violations, .. }) => {
            let filled = match form {
                Some(form) => Filled::violating(form, posted, &violations),
                None => Filled::refused(posted, crate::task::joined(&violations)),
            };
            sheet(path, found, form).page(StatusCode::UNPROCESSABLE_ENTITY, &filled)
        }
        Err(EngineError::Store(StoreError::AlreadyAnswered { answer, .. })) => {
            let question = Question { answer: Some(*answer), ..found.question.clone() };
            closed::page(StatusCode::CONFLICT, path, &found.task, &question)
        }
        Err(EngineError::Store(StoreError::Ended { status, .. })) => {
            let task = Task { status, ..found.task.clone() };
            closed::page(StatusCode::CONFLICT, path, &task, &found.question)
        }
        Err(EngineError::Store(StoreError::NoTask(_) | StoreError::NoQuestion { .. })) => {
            closed::unknown(path)
        }
        Err(error) => unavailable(path, &error, true),
    }
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
    Ok(Some(Found { token, link, task, question }))
}

fn sheet<'a>(path: &'a str, found: &'a Found, form: Option<&'a Form>) -> Sheet<'a> {
    Sheet { path, token: &found.token, link: &found.link, task: &found.task, question: &found.question, form }
}

/// The page of a request whose body could not be read.
fn unread(status: StatusCode, path: &str) -> Response {
    let said = match status {
        StatusCode::PAYLOAD_TOO_LARGE => "It is larger than an answer can be: 1 MiB as it is sent.",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "It is no form of this page.",
        StatusCode::REQUEST_TIMEOUT => "It did not come in time. Try again.",
        _ => "It did not come whole. Try again.",
    };
    frame::said(status, path, "Nothing was sent", &[said.to_owned()])
}

fn unavailable(path: &str, error: &EngineError, is_answering: bool) -> Response {
    tracing::warn!(%error, "a page cannot tell how its question stands");
    closed::away(path, is_answering)
}
