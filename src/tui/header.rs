//! What must be known before a question is answered: who asks, since when and until when, what was answered before, and the
//! question itself.

use jiff::Timestamp;
use ratatui::text::{Line, Span};

use super::glyphs;
use super::look::Look;
use crate::desk::asked::Asked;
use crate::desk::background::PLACE;
use crate::desk::{page, text};

/// Columns before what belongs to the row above.
const INDENT: usize = 2;

/// Rows of the screen: words, wrapped, each row after the same indent.
pub(super) struct Rows {
    pub(super) lines: Vec<Line<'static>>,
    pub(super) look: Look,
    pub(super) columns: usize,
}

impl Rows {
    pub(super) fn new(look: Look, columns: usize) -> Self {
        Self { lines: Vec::new(), look, columns }
    }

    /// Wrapped words behind a sign, which stands in the first row only.
    pub(super) fn wrapped(&mut self, sign: &str, words: &str, style: impl Fn(&str) -> Span<'static>) {
        let before = glyphs::columns(sign);
        for (at, row) in glyphs::wrap(words, self.columns.saturating_sub(before)).iter().enumerate() {
            let lead = if at == 0 { sign.to_owned() } else { " ".repeat(before) };
            self.lines.push(Line::from(vec![Span::raw(lead), style(row)]));
        }
    }

    /// Short parts side by side, each of which stays whole, all after the same indent.
    pub(super) fn side_by_side(&mut self, indent: &str, parts: &str, style: impl Fn(&str) -> Span<'static>) {
        for row in glyphs::side_by_side(parts, self.columns.saturating_sub(glyphs::columns(indent))) {
            self.lines.push(Line::from(vec![Span::raw(indent.to_owned()), style(&row)]));
        }
    }

    pub(super) fn empty(&mut self) {
        self.lines.push(Line::default());
    }
}

/// Who asks and what is around it.
pub(super) struct Head {
    all: Vec<Line<'static>>,
    /// The same for where there is no room for all of it: who asks, until when and where comes first.
    urgent: Vec<Line<'static>>,
    /// How many rows of it those are.
    least: usize,
    look: Look,
}

impl Head {
    pub(super) fn of(asked: &Asked, look: Look, columns: usize) -> Self {
        let (mut all, mut urgent) = (Rows::new(look, columns), Rows::new(look, columns));
        let now = Timestamp::now();
        who(asked, now, &mut all);
        who(asked, now, &mut urgent);
        let (place, others): (Vec<_>, Vec<_>) =
            asked.facts(now).into_iter().partition(|(name, _)| *name == PLACE);
        let indent = " ".repeat(INDENT);
        for (name, value) in place {
            let row = glyphs::cut(&format!("{indent}{name}: {value}"), columns);
            urgent.lines.push(Line::from(look.dim(row)));
        }
        let least = urgent.lines.len();
        let tell = |facts: Vec<(&str, String)>, rows: &mut Rows| {
            for (name, value) in facts {
                rows.wrapped(&format!("{indent}{name}: "), &value, |row| look.dim(row));
            }
        };
        tell(asked.facts(now), &mut all);
        tell(others, &mut urgent);
        Self { all: all.lines, urgent: urgent.lines, least, look }
    }

    /// How many rows it has.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// How many rows it takes to say who asks, until when and where.
    pub(super) fn least(&self) -> usize {
        self.least
    }

    /// At most so many rows; it is said where some are left out, unless there is room for the first ones only.
    pub(super) fn within(self, most: usize) -> Vec<Line<'static>> {
        let Self { all, mut urgent, least, look } = self;
        if all.len() <= most {
            return all;
        }
        let shown = if most > least { most - 1 } else { most };
        let left_out = urgent.len().saturating_sub(shown);
        urgent.truncate(shown);
        if most > least && left_out > 0 {
            urgent.push(Line::from(look.dim(format!("  … {left_out} more rows do not fit here"))));
        }
        urgent
    }
}

/// What somebody has to know who answers anything there, who asks, since when and until when.
fn who(asked: &Asked, now: Timestamp, rows: &mut Rows) {
    let look = rows.look;
    if let Some(guard) = &asked.guard {
        rows.wrapped("", guard, |row| look.wrong(row));
    }
    let since = asked.since(now).map(|since| format!(", {since}")).unwrap_or_default();
    let until = asked.end().map(|end| format!("; {}", end.in_words(now))).unwrap_or_default();
    let who = format!("{} asks{since}{until}", text::line(&asked.who));
    rows.wrapped("", &who, |row| look.bold(row));
}

/// The question, and the page that it asks to visit.
pub(super) fn question(asked: &Asked, rows: &mut Rows) {
    let (look, indent) = (rows.look, " ".repeat(INDENT));
    for line in text::block(&asked.ask.message) {
        rows.wrapped(&indent, &line, |row| look.bold(row));
    }
    if let Some(url) = page::of(&asked.ask) {
        rows.empty();
        rows.wrapped(&indent, "It wants you to visit a page. Nothing opens it for you.", |row| {
            look.plain(row)
        });
        rows.wrapped(&format!("{indent}URL:  "), &text::line(url), |row| look.plain(row));
        for (at, line) in page::host(url).iter().enumerate() {
            match at {
                0 => rows.wrapped(&format!("{indent}Host: "), line, |row| look.bold(row)),
                _ => rows.wrapped(&format!("{indent}      ! "), line, |row| look.warning(row)),
            }
        }
    }
    if let Some(problem) = &asked.refused {
        let said = format!("the last answer was refused: {}", text::line(problem));
        rows.wrapped(&format!("{indent}! "), &said, |row| look.wrong(row));
    }
}
