//! What a page tells where its question waits for no answer any more.

use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;

use super::frame::Frame;
use crate::desk::{page, text, time, values};
use crate::engine::EngineError;
use crate::task::{Answer, Question, Task};

/// The most characters of a question.
const MOST: usize = 400;

/// The page of a question that was answered, or whose task has ended.
pub(super) fn page(status: StatusCode, frame: Frame<'_>, task: &Task, question: &Question) -> Response {
    if let Some(answer) = &question.answer {
        let of = format!(
            "Question {} of {}, task {}.",
            question.id,
            text::line(&task.new.tool),
            text::short_id(task.id().as_str())
        );
        let what = frame.inbox.map(|_| what(question, answer)).unwrap_or_default();
        let said: Vec<String> = answered(answer).into_iter().chain(what).chain([of]).collect();
        return frame.said(status, "This question is answered", &said);
    }
    let said = format!("Its task has ended: {}. It waits for no answer any more.", task.status.as_str());
    frame.said(status, "This question is closed", &[said])
}

/// What was asked and answered, without secrets: for those who may see the task.
fn what(question: &Question, answer: &Answer) -> Vec<String> {
    let asked = format!("Asked: {}", page::message(&question.ask, MOST));
    let answered = answer.content.as_ref().map(|_| values::in_words(&question.ask, answer));
    [Some(asked), answered.map(|words| format!("Answered: {words}"))].into_iter().flatten().collect()
}

/// Who was first, and when.
fn answered(answer: &Answer) -> Vec<String> {
    let when = time::relative(answer.at, Timestamp::now());
    let why = answer.reason.as_deref().map(|why| format!(" ({})", text::sentence(why))).unwrap_or_default();
    let by = text::line(&answer.answerer());
    let first =
        format!("{} by {by}{why}, {when} ({}).", answer.action, answer.at.strftime("%Y-%m-%d %H:%M:%S UTC"));
    vec![first, "The first answer counts; there is nothing more to do here.".to_owned()]
}

/// The page of a link that is none, or of a question of nobody or of somebody else: it does not tell one that was withdrawn
/// from one that never was.
pub(super) fn unknown(frame: Frame<'_>) -> Response {
    let (heading, said) = match frame.inbox {
        None => (
            "This link leads nowhere",
            "It was withdrawn, its task is gone, or it never was one. Ask for another link, if you still need it.",
        ),
        Some(_) => ("There is no such question here", "Its task is gone, or it never was one of yours."),
    };
    frame.said(StatusCode::NOT_FOUND, heading, &[said.to_owned()])
}

/// The page of a form that did not come from its own page.
pub(super) fn foreign(frame: Frame<'_>) -> Response {
    let said = match frame.inbox {
        None => "The form did not come from this page. Open the link itself, and answer there.",
        Some(_) => {
            "The form did not come from this page, or from before you signed in. Go back, reload the page, and send it again."
        }
    };
    frame.said(StatusCode::FORBIDDEN, "Nothing was sent", &[said.to_owned()])
}

/// The page of a request whose body could not be read.
pub(super) fn unread(status: StatusCode, frame: Frame<'_>) -> Response {
    let said = match status {
        StatusCode::PAYLOAD_TOO_LARGE => "It is larger than an answer can be: 1 MiB as it is sent.",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "It is no form of this page.",
        StatusCode::REQUEST_TIMEOUT => "It did not come in time. Try again.",
        _ => "It did not come whole. Try again.",
    };
    frame.said(status, "Nothing was sent", &[said.to_owned()])
}

/// The page where nobody can tell now how it stands.
pub(super) fn away(frame: Frame<'_>, error: &EngineError, is_sending: bool) -> Response {
    tracing::warn!(%error, "a page cannot tell how its question stands");
    let said = if is_sending {
        "It is not known whether your answer was taken. Go back, reload the page, and it tells."
    } else {
        "Try again in a moment."
    };
    let heading = "The server cannot reach its tasks now";
    frame.said(StatusCode::SERVICE_UNAVAILABLE, heading, &[said.to_owned()])
}
