//! What must be known before a question is answered: who asks, since when and until when, what was answered before, and the
//! question itself.

use jiff::Timestamp;
use ratatui::text::{Line, Span};

use super::glyphs;
use super::look::Look;
use crate::desk::asked::Asked;
use crate::desk::question_end::QuestionEnd;
use crate::desk::{page, text, time};

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

/// Who asks and what is around it. The first row is the most important one.
pub(super) fn head(asked: &Asked, rows: &mut Rows) {
    let (look, now) = (rows.look, Timestamp::now());
    let since = asked.asked_at.map(|at| format!(", {}", time::relative(at, now))).unwrap_or_default();
    let end = asked.end();
    let until = end.map(|end| format!("; {}", end.in_words(now))).unwrap_or_default();
    let who = format!("{} asks{since}{until}", text::line(&asked.who));
    rows.wrapped("", &who, |row| look.bold(row));
    let indent = " ".repeat(INDENT);
    let is_said = matches!(end, Some(QuestionEnd::WithItsTask(_)));
    let ends = asked.task_ends().filter(|_| !is_said);
    let ends = ends.map(|at| ("the task ends", time::relative(at, now)));
    let facts = asked.background.facts.iter().cloned().chain(ends);
    for (name, value) in facts {
        rows.wrapped(&format!("{indent}{name}: "), &value, |row| look.dim(row));
    }
    for (question, answer) in &asked.background.earlier {
        rows.wrapped(&format!("{indent}before: "), &format!("{question} {answer}"), |row| look.dim(row));
    }
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
