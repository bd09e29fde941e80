//! A status is a word and a sign, never only a colour.

use super::Paint;
use crate::task::{Outcome, Task, TaskStatus};

fn sign(status: TaskStatus) -> &'static str {
    match status {
        TaskStatus::Working => "…",
        TaskStatus::InputRequired => "?",
        TaskStatus::Completed => "✓",
        TaskStatus::Failed => "✗",
        TaskStatus::Cancelled => "-",
    }
}

/// Sign and word.
pub(crate) fn status(status: TaskStatus, paint: Paint) -> String {
    coloured(status, &format!("{} {}", sign(status), status), paint)
}

/// The word of a task that cannot be read.
pub(crate) const UNREADABLE: &str = "unreadable";

/// Sign and word of a task that cannot be read.
pub(crate) fn unreadable(paint: Paint) -> String {
    paint.red(&format!("! {UNREADABLE}"))
}

/// [`status`] in a column of its own.
pub(crate) fn status_column(status: TaskStatus, paint: Paint) -> String {
    coloured(status, &format!("{} {:<14}", sign(status), status.as_str()), paint)
}

/// The status of a task; a result that its tool calls an error says so.
pub(crate) fn task_status(task: &Task, paint: Paint) -> String {
    if task.outcome.as_ref().is_some_and(Outcome::is_tool_error) {
        return paint.red("✗ completed, with an error");
    }
    status(task.status, paint)
}

fn coloured(status: TaskStatus, text: &str, paint: Paint) -> String {
    match status {
        TaskStatus::Working => paint.cyan(text),
        TaskStatus::InputRequired => paint.yellow(text),
        TaskStatus::Completed => paint.green(text),
        TaskStatus::Failed => paint.red(text),
        TaskStatus::Cancelled => paint.dim(text),
    }
}
