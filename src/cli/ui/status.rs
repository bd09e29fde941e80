//! A status is a word and a sign, never only a colour.

use super::Paint;
use crate::desk::object::UNREADABLE;
use crate::desk::row::Row;
use crate::desk::text::sign;
use crate::task::TaskStatus;

/// Sign and word.
pub(crate) fn status(status: TaskStatus, paint: Paint) -> String {
    coloured(status, &format!("{} {}", sign(status), status), paint)
}

/// Sign and word of a task that cannot be read.
pub(crate) fn unreadable(paint: Paint) -> String {
    paint.red(&format!("! {UNREADABLE}"))
}

/// Sign and word of a task that waits for a worker.
pub(crate) fn queued(paint: Paint) -> String {
    paint.dim("· queued")
}

/// [`status`] in a column of its own.
pub(crate) fn status_column(status: TaskStatus, paint: Paint) -> String {
    coloured(status, &format!("{} {:<14}", sign(status), status.as_str()), paint)
}

/// The status of a task whose tool calls its result an error.
pub(crate) fn tool_error(paint: Paint) -> String {
    paint.red("✗ completed, with an error")
}

/// The status of a task that has ended, nobody knows how: neither a tick nor a cross is known to be right.
pub(crate) const ENDED: &str = "  ended";

/// The status in a row of a list.
pub(crate) fn row_status(row: &Row, paint: Paint) -> String {
    match row.status {
        None => unreadable(paint),
        Some(_) if row.is_tool_error => tool_error(paint),
        Some(_) if row.is_queued => queued(paint),
        Some(_) if row.is_success_unknown => ENDED.to_owned(),
        Some(one) => status(one, paint),
    }
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
