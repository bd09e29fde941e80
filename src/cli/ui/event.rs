//! One event as one line, ids, times and statuses first.

use jiff::Timestamp;

use super::{Paint, Ui, status_column, text, time, width};
use crate::cli::failure::Failure;
use crate::desk::text::progress;
pub(crate) use crate::desk::text::short_id as short;
use crate::desk::watch::Seen;
use crate::task::{Event, EventKind};

/// The columns that a tool's name takes at least, and at most on a terminal.
const TOOL: (usize, usize) = (12, 30);

/// The event in one line, however long.
pub(crate) fn line(event: &Event, now: Timestamp, paint: Paint) -> String {
    format!("{}{}", before(event, now, paint), words(&event.kind))
}

/// Prints the event.
pub(crate) fn print(ui: &Ui, indent: &str, event: &Event, now: Timestamp) -> Result<(), Failure> {
    ui.line_words(&format!("{indent}{}", before(event, now, ui.paint())), &words(&event.kind))
}

/// Prints what was seen in another place than our own store.
pub(crate) fn print_seen(ui: &Ui, seen: &Seen, now: Timestamp) -> Result<(), Failure> {
    let (paint, tool) = (ui.paint(), seen.tool.as_deref().unwrap_or("-"));
    let software = seen.software.as_ref().map(|name| format!("  [{}]", text::line(name)));
    let lead = lead(&time::clock(seen.at, now), &seen.task, &status_column(seen.status, paint), tool, paint);
    ui.line_words(&lead, &format!("{}{}", seen.words, software.unwrap_or_default()))
}

/// What stands before what happened.
fn before(event: &Event, now: Timestamp, paint: Paint) -> String {
    let status = match &event.kind {
        EventKind::Completed { is_error: true } => paint.red(&format!("✗ {:<14}", "completed")),
        _ => status_column(event.status, paint),
    };
    lead(&time::clock(event.at, now), event.task.as_str(), &status, &event.tool, paint)
}

fn lead(clock: &str, task: &str, status: &str, tool: &str, paint: Paint) -> String {
    let (id, tool) = (text::line(short(task)), width::padded(&text::short(tool, TOOL.1), TOOL.0));
    format!("{}  {}  {status}  {tool}  ", paint.dim(clock), paint.bold(&id))
}

/// What happened, in words.
pub(crate) fn words(kind: &EventKind) -> String {
    match kind {
        EventKind::Submitted {} => "submitted".to_owned(),
        EventKind::Claimed { worker, attempt: 1 } => format!("claimed by {worker}"),
        EventKind::Claimed { worker, attempt } => format!("claimed by {worker}, attempt {attempt}"),
        EventKind::Progress(step) => format!("progress {}", progress(step)),
        EventKind::Asked { question } => {
            format!("asked {}: {}", question.id, text::line(&question.ask.message))
        }
        EventKind::Answered { question, action, by, reason } => {
            format!("answered {question}: {action} by {by}{}", because(reason.as_deref()))
        }
        EventKind::Completed { is_error: false } => "completed".to_owned(),
        EventKind::Completed { is_error: true } => "completed with an error result".to_owned(),
        EventKind::Failed { code, message } => format!("failed: {} ({code})", text::line(message)),
        EventKind::Cancelled { reason } => format!("cancelled: {}", text::line(reason)),
        EventKind::Requeued { reason } => format!("requeued: {}", text::line(reason)),
        EventKind::Expired {} => "expired".to_owned(),
        EventKind::Noted { note } => format!("noted: {}", text::line(note)),
    }
}

fn because(reason: Option<&str>) -> String {
    reason.map(|reason| format!(", {}", text::line(reason))).unwrap_or_default()
}
