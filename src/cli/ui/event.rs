//! One event as one line, ids, times and statuses first.

use jiff::Timestamp;

use super::{Paint, status_column, text, time};
use crate::desk::text::progress;
pub(crate) use crate::desk::text::short_id as short;
use crate::desk::watch::Seen;
use crate::task::{Event, EventKind, TaskId};

/// The beginning of an id, enough to name the task by.
pub(crate) fn short_id(task: &TaskId) -> &str {
    short(task.as_str())
}

/// The event's line.
pub(crate) fn line(event: &Event, now: Timestamp, paint: Paint) -> String {
    let status = match &event.kind {
        EventKind::Completed { is_error: true } => paint.red(&format!("✗ {:<14}", "completed")),
        _ => status_column(event.status, paint),
    };
    format!(
        "{}  {}  {status}  {:<12}  {}",
        paint.dim(&time::clock(event.at, now)),
        paint.bold(short_id(&event.task)),
        text::short(&event.tool, 30),
        words(&event.kind)
    )
}

/// The line of what was seen in another place than our own store.
pub(crate) fn seen_line(seen: &Seen, now: Timestamp, paint: Paint) -> String {
    format!(
        "{}  {}  {}  {:<12}  {}",
        paint.dim(&time::clock(seen.at, now)),
        paint.bold(&text::line(short(&seen.task))),
        status_column(seen.status, paint),
        text::short(seen.tool.as_deref().unwrap_or("-"), 30),
        seen.words,
    )
}

/// What happened, in words.
pub(crate) fn words(kind: &EventKind) -> String {
    match kind {
        EventKind::Submitted {} => "submitted".to_owned(),
        EventKind::Claimed { worker, attempt: 1 } => format!("claimed by {worker}"),
        EventKind::Claimed { worker, attempt } => format!("claimed by {worker}, attempt {attempt}"),
        EventKind::Progress(step) => format!("progress {}", progress(step)),
        EventKind::Asked { question } => {
            format!("asked {}: {}", question.id, text::short(&question.ask.message, 200))
        }
        EventKind::Answered { question, action, by, reason } => {
            format!("answered {question}: {action} by {by}{}", because(reason.as_deref()))
        }
        EventKind::Completed { is_error: false } => "completed".to_owned(),
        EventKind::Completed { is_error: true } => "completed with an error result".to_owned(),
        EventKind::Failed { code, message } => format!("failed: {} ({code})", text::short(message, 200)),
        EventKind::Cancelled { reason } => format!("cancelled: {}", text::short(reason, 200)),
        EventKind::Requeued { reason } => format!("requeued: {}", text::short(reason, 200)),
        EventKind::Expired {} => "expired".to_owned(),
        EventKind::Noted { note } => format!("noted: {}", text::short(note, 200)),
    }
}

fn because(reason: Option<&str>) -> String {
    reason.map(|reason| format!(", {}", text::short(reason, 200))).unwrap_or_default()
}
