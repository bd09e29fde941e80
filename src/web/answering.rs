//! An answer that was sent from a page: read with the form, and given by the same verb as everybody's.

use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::LOCATION;

use super::closed;
use super::filled::{Filled, Problems};
use super::posted::Posted;
use super::sheet::Sheet;
use crate::engine::{Engine, EngineError, Viewer};
use crate::form::Form;
use crate::store::StoreError;
use crate::task::{Action, Answer, Answerer, AskKind, Question, Task, Who};

/// Who answers, and where that is.
pub(super) struct Answering<'a> {
    pub(super) engine: &'a Engine,
    pub(super) viewer: &'a Viewer,
    pub(super) who: Who,
    /// The address of the page.
    pub(super) here: String,
}

/// Whether the question waits for an answer.
pub(super) fn is_open(task: &Task, question: &Question) -> bool {
    question.answer.is_none() && !task.status.is_final()
}

/// Its form; `None` where it asks to visit a page.
pub(super) fn form_of(question: &Question) -> Option<Form> {
    match &question.ask.kind {
        AskKind::Form { schema } => Form::parse(schema).ok(),
        AskKind::Url { .. } => None,
    }
}

impl Answering<'_> {
    /// Gives the answer that was sent; the page says what became of it.
    pub(super) async fn answer(self, sheet: &Sheet<'_>, posted: Posted) -> Response {
        match read(sheet.form, &posted) {
            Ok(answer) => self.give(sheet, answer, posted).await,
            Err(Problem::Fields(problems)) => {
                let filled = Filled::wrong(posted, problems);
                sheet.page(StatusCode::UNPROCESSABLE_ENTITY, &filled)
            }
            Err(Problem::NoButton) => {
                let problem = "it does not say which button was pressed: press one of them".to_owned();
                sheet.page(StatusCode::UNPROCESSABLE_ENTITY, &Filled::refused(posted, problem))
            }
        }
    }

    async fn give(self, sheet: &Sheet<'_>, answer: Answer, posted: Posted) -> Response {
        let answer = answer.given_by(self.who);
        let (task, question) = (sheet.task.id(), &sheet.question.id);
        match self.engine.answer(self.viewer, task, question, answer).await {
            Ok(_) => back_to(&self.here),
            Err(EngineError::Answer { violations, .. }) => {
                let filled = match sheet.form {
                    Some(form) => Filled::violating(form, posted, &violations),
                    None => Filled::refused(posted, crate::task::joined(&violations)),
                };
                sheet.page(StatusCode::UNPROCESSABLE_ENTITY, &filled)
            }
            Err(EngineError::Store(StoreError::AlreadyAnswered { answer, .. })) => {
                let question = Question { answer: Some(*answer), ..sheet.question.clone() };
                closed::page(StatusCode::CONFLICT, sheet.frame, sheet.task, &question)
            }
            Err(EngineError::Store(StoreError::Ended { status, .. })) => {
                let task = Task { status, ..sheet.task.clone() };
                closed::page(StatusCode::CONFLICT, sheet.frame, &task, sheet.question)
            }
            Err(EngineError::Store(StoreError::NoTask(_) | StoreError::NoQuestion { .. })) => {
                closed::unknown(sheet.frame)
            }
            Err(error) => closed::away(sheet.frame, &error, true),
        }
    }
}

/// Leads to a page by GET, so that a reload sends nothing again.
pub(super) fn back_to(here: &str) -> Response {
    (StatusCode::SEE_OTHER, [(LOCATION, here)]).into_response()
}

enum Problem {
    Fields(Problems),
    NoButton,
}

/// The answer that was sent, or what is wrong with it.
fn read(form: Option<&Form>, posted: &Posted) -> Result<Answer, Problem> {
    match (posted.text("action"), form) {
        (Some("accept"), Some(form)) => {
            let content = Filled::read(form, posted).map_err(Problem::Fields)?;
            Ok(Answer::accept(content, Answerer::Operator))
        }
        (Some("accept"), None) => Ok(Answer::new(Action::Accept, Answerer::Operator)),
        (Some("decline"), _) => Ok(Answer::new(Action::Decline, Answerer::Operator)),
        (Some("cancel"), _) => Ok(Answer::new(Action::Cancel, Answerer::Operator)),
        _ => Err(Problem::NoButton),
    }
}
