//! What a page tells where its question waits for no answer any more.

use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;

use super::frame;
use crate::desk::{text, time};
use crate::task::{Answer, Question, Task};

/// The page of a question that was answered, or whose task has ended.
pub(super) fn page(status: StatusCode, path: &str, task: &Task, question: &Question) -> Response {
    if let Some(answer) = &question.answer {
        let of = format!(
            "Question {} of {}, task {}.",
            question.id,
            text::line(&task.new.tool),
            text::short_id(task.id().as_str())
        );
        let said: Vec<String> = answered(answer).into_iter().chain([of]).collect();
        return frame::said(status, path, "This question is answered", &said);
    }
    let said = format!("Its task has ended: {}. It waits for no answer any more.", task.status.as_str());
    frame::said(status, path, "This question is closed", &[said])
}

/// Who was first, and when. What was answered is for those who may see the task.
fn answered(answer: &Answer) -> Vec<String> {
    let when = time::relative(answer.at, Timestamp::now());
    let why = answer.reason.as_deref().map(|why| format!(" ({})", text::sentence(why))).unwrap_or_default();
    let by = text::line(&answer.answerer());
    let first =
        format!("{} by {by}{why}, {when} ({}).", answer.action, answer.at.strftime("%Y-%m-%d %H:%M:%S UTC"));
    vec![first, "The first answer counts; there is nothing more to do here.".to_owned()]
}

/// The page of a link that is none: it does not tell one that was withdrawn from one that never was.
pub(super) fn unknown(path: &str) -> Response {
    let said = "It was withdrawn, its task is gone, or it never was one. Ask for another link, if you still need it.";
    frame::said(StatusCode::NOT_FOUND, path, "This link leads nowhere", &[said.to_owned()])
}

/// The page where nobody can tell now how it stands.
pub(super) fn away(path: &str, is_answering: bool) -> Response {
    let said = if is_answering {
        "It is not known whether your answer was taken. Go back, reload the page, and it tells."
    } else {
        "Try again in a moment."
    };
    let heading = "The server cannot reach its tasks now";
    frame::said(StatusCode::SERVICE_UNAVAILABLE, path, heading, &[said.to_owned()])
}
