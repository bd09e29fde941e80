//! One event as one line, ids, times and statuses first.

use jiff::Timestamp;

use super::{ENDED, Paint, Piece, Ui, status_column, text, time, width};
use crate::cli::failure::Failure;
pub(crate) use crate::desk::text::short_id as short;
use crate::desk::watch::Seen;
use crate::task::Event;

/// The columns that a tool's name takes at least, and at most on a terminal.
const TOOL: (usize, usize) = (12, 30);

/// An event of our own log in one line, however long.
pub(crate) fn line(event: &Event, now: Timestamp, paint: Paint) -> String {
    let seen = Seen::of_event(event);
    format!("{}{}", before(&seen, now, paint), seen.words)
}

/// Prints the event.
pub(crate) fn print(ui: &Ui, indent: &str, seen: &Seen, now: Timestamp) -> Result<(), Failure> {
    let software = seen.software.as_ref().map(|name| format!("  [{}]", text::line(name)));
    let words = format!("{}{}", seen.words, software.unwrap_or_default());
    ui.line_words(&format!("{indent}{}", before(seen, now, ui.paint())), &words)
}

/// Says it on stderr, in one row.
pub(crate) fn talk(ui: &Ui, seen: &Seen, now: Timestamp) {
    ui.talk_row(&before(seen, now, ui.talk_paint()), &seen.words);
}

/// Says it on stderr, whole, with its words below each other.
pub(crate) fn talk_below(ui: &Ui, indent: &str, seen: &Seen, now: Timestamp) {
    let lead = format!("{indent}{}", before(seen, now, ui.talk_paint()));
    ui.talk_after(&lead, &[Piece::Words(seen.words.clone())]);
}

/// What stands before what happened.
fn before(seen: &Seen, now: Timestamp, paint: Paint) -> String {
    let status = if seen.is_tool_error {
        paint.red(&format!("✗ {:<14}", seen.status.as_str()))
    } else if seen.is_success_unknown {
        format!("{ENDED:<16}")
    } else {
        status_column(seen.status, paint)
    };
    let tool = text::short(seen.tool.as_deref().unwrap_or("-"), TOOL.1);
    let (clock, id) = (time::clock(seen.at, now), text::line(short(&seen.task)));
    format!("{}  {}  {status}  {}  ", paint.dim(&clock), paint.bold(&id), width::padded(&tool, TOOL.0))
}
