//! What is said of tasks and answers at a server.

use std::time::Duration;

use jiff::Timestamp;

use super::{Failure, Kind};
use crate::client::{ClientError, TaskView};
use crate::desk::suggest::{Advice, Suggested};
use crate::desk::text;

/// The failure of a task that goes on though its server took the request to cancel it.
pub(crate) fn goes_on(task: &TaskView, after: Duration) -> Failure {
    let id = text::line(&task.id);
    let message = format!(
        "the server took the request to cancel task {id}, which goes on: it is {} {} s later",
        task.status,
        after.as_secs()
    );
    let show = Suggested::new("show").about(task.id.as_str());
    Failure::new(Kind::NothingChanged, message)
        .hint(Advice::command(show, "tells whether it has ended since"))
}

/// The failure of a task that was waited for and is not there any more: where its ttl has ended it has expired. Its id
/// was known, so nothing is wrong with that.
pub(crate) fn gone_or(task: &TaskView, failure: Failure) -> Failure {
    let is_expired = task.expires().is_some_and(|at| at <= Timestamp::now());
    if failure.kind() != Kind::NotFound {
        return failure;
    }
    if !task.status.is_final() && is_expired {
        return super::store::expired(&task.id);
    }
    let id = text::line(&task.id);
    let message = format!(
        "the server knows task {id} no longer, though it was there: it ended and its ttl is over, or the server's store was \
         emptied"
    );
    Failure::new(Kind::NotFound, message)
}

/// "question q of task t cannot be answered here: …".
pub(crate) fn cannot_be_answered(task: &str, question: &str, problem: &str) -> String {
    let (task, question) = (text::line(text::short_id(task)), text::line(question));
    format!("question {question} of task {task} cannot be answered here: {}", text::sentence(problem))
}

/// What helps with a question that nobody here can answer.
pub(crate) fn without_answer(task: &str) -> Advice {
    let cancel = Suggested::new("cancel").about(task);
    Advice::from("the client that launched the task may answer it; ").and_command(cancel, "ends the task")
}

/// The failure of a question that nobody here can answer.
pub(crate) fn unanswerable(task: &str, question: &str, problem: &str) -> Failure {
    Failure::new(Kind::NeedsInput, cannot_be_answered(task, question, problem)).hint(without_answer(task))
}

/// The failure of a task that waits for an answer to nothing.
pub(crate) fn unasked(task: &str) -> Failure {
    let message = format!("task {} waits for an answer, and its server shows no question", text::line(task));
    Failure::new(Kind::NeedsInput, message).hint(without_answer(task))
}

/// The failure of an answer that was not the first.
pub(crate) fn too_late(task: &str, question: &str) -> Failure {
    ClientError::TooLate { task: text::line(task), question: text::line(question) }.into()
}

/// The failure of a task that has ended.
pub(crate) fn ended(task: &TaskView) -> Option<Failure> {
    let words = || format!("task {} has already ended: {}", text::line(&task.id), task.status);
    let result = || Advice::command(Suggested::new("result").about(task.id.as_str()), "shows how");
    task.status.is_final().then(|| Failure::new(Kind::NothingChanged, words()).hint(result()))
}
