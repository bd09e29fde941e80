//! A task's sheet of facts, as text on the screen.

use jiff::Timestamp;

use super::sheet::{SheetLine, Tone};
use crate::desk::facts::Fact;
use crate::desk::suggest::Reach;
use crate::desk::watch::Seen;
use crate::desk::{text, time};
use crate::task::TaskStatus;
use crate::tui::glyphs;

/// The columns of a fact's name.
const NAME: usize = 15;

/// The sheet's lines; its commands reach the same tasks as `reach` does.
pub(crate) fn lines(facts: &[Fact], reach: &Reach) -> Vec<SheetLine> {
    let now = Timestamp::now();
    facts.iter().flat_map(|fact| one(fact, reach, now)).collect()
}

fn one(fact: &Fact, reach: &Reach, now: Timestamp) -> Vec<SheetLine> {
    let value = |name: &str, words: &str, tone| vec![SheetLine::new(named(name), words, tone)];
    match fact {
        Fact::Heading(words) => {
            vec![SheetLine::plain(""), SheetLine::new("", words.clone(), Tone::Strong)]
        }
        Fact::Value(name, shown) => value(name, shown, Tone::Plain),
        Fact::Status(Some(status)) => value("status", &status_in_words(*status), Tone::Plain),
        Fact::Status(None) => value("status", "! unreadable", Tone::Wrong),
        Fact::Ended => value("status", "  ended", Tone::Plain),
        Fact::Queued => value("status", "· queued", Tone::Plain),
        Fact::ToolError => value("status", "✗ completed, with an error", Tone::Wrong),
        Fact::Command(name, command) => {
            value(name, &text::line(&command.clone().at(reach).to_string()), Tone::Plain)
        }
        Fact::Text(line) => vec![SheetLine::new("  ", line.clone(), Tone::Plain)],
        Fact::Event(seen) => vec![event(seen, now)],
    }
}

fn named(name: &str) -> String {
    let padding = " ".repeat(NAME.saturating_sub(glyphs::columns(name)));
    format!("{name}{padding} ")
}

fn event(seen: &Seen, now: Timestamp) -> SheetLine {
    SheetLine::new(format!("  {}  ", time::clock(seen.at, now)), seen.words.clone(), Tone::Plain)
}

/// Sign and word.
pub(super) fn status_in_words(status: TaskStatus) -> String {
    format!("{} {status}", text::sign(status))
}
