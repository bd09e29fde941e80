//! Text that is read on the whole screen, and scrolled: help, a task with its timeline, what a change would do.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::text::Line;

use crate::tui::header::Rows;

/// How a line is shown; the words say the same without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Strong,
    Dim,
    Wrong,
}

/// Words that are wrapped behind what they begin with. Safe on a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SheetLine {
    pub(crate) lead: String,
    pub(crate) words: String,
    pub(crate) tone: Tone,
}

impl SheetLine {
    pub(crate) fn new(lead: impl Into<String>, words: impl Into<String>, tone: Tone) -> Self {
        Self { lead: lead.into(), words: words.into(), tone }
    }

    pub(crate) fn plain(words: impl Into<String>) -> Self {
        Self::new("", words, Tone::Plain)
    }

    /// Adds its rows.
    pub(super) fn drawn(&self, rows: &mut Rows) {
        let look = rows.look;
        rows.wrapped(&self.lead, &self.words, |row| match self.tone {
            Tone::Plain => look.plain(row),
            Tone::Strong => look.bold(row),
            Tone::Dim => look.dim(row),
            Tone::Wrong => look.wrong(row),
        });
    }
}

/// The text, and how far it is scrolled.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sheet {
    pub(crate) title: String,
    pub(crate) lines: Vec<SheetLine>,
    /// Whether `y` says yes to it, and every other key that does not scroll says no.
    pub(crate) is_question: bool,
    pub(super) top: usize,
    page: usize,
}

impl Sheet {
    /// To be read.
    pub(crate) fn new(title: impl Into<String>, lines: Vec<SheetLine>) -> Self {
        Self { title: title.into(), lines, ..Self::default() }
    }

    /// To be said yes or no to.
    pub(crate) fn question(title: impl Into<String>, lines: Vec<SheetLine>) -> Self {
        Self { is_question: true, ..Self::new(title, lines) }
    }

    /// Whether the key scrolls.
    pub(super) fn scroll(&mut self, key: KeyEvent) -> bool {
        if !(key.modifiers - KeyModifiers::SHIFT).is_empty() {
            return false;
        }
        self.top = match key.code {
            KeyCode::Down | KeyCode::Char('j') => self.top + 1,
            KeyCode::Up | KeyCode::Char('k') => self.top.saturating_sub(1),
            KeyCode::PageDown | KeyCode::Char(' ') => self.top + self.page.max(1),
            KeyCode::PageUp => self.top.saturating_sub(self.page.max(1)),
            KeyCode::Home | KeyCode::Char('g') => 0,
            KeyCode::End | KeyCode::Char('G') => usize::MAX / 2,
            _ => return false,
        };
        true
    }

    /// The rows that fit, and how many there are above and below them.
    pub(super) fn window(&mut self, mut rows: Rows, room: usize) -> (Vec<Line<'static>>, usize, usize) {
        for line in &self.lines {
            line.drawn(&mut rows);
        }
        let count = rows.lines.len();
        (self.page, self.top) = (room.saturating_sub(1), self.top.min(count.saturating_sub(room)));
        let shown: Vec<_> = rows.lines.into_iter().skip(self.top).take(room).collect();
        let below = count - self.top - shown.len();
        (shown, self.top, below)
    }
}
