//! How far a question has been read that is longer than there is room: what is not on the screen is scrolled to, and
//! nothing is sent before all of it was there.

use crossterm::event::KeyCode;
use ratatui::text::Line;

use super::look::Look;

/// What is said to whoever sends before all was there.
pub(super) const UNREAD: &str = "nothing was sent: the question goes on, PgDn shows the rest of it";

/// Which rows of the question are on the screen.
#[derive(Debug, Default)]
pub(super) struct Reading {
    top: usize,
    /// Rows of it that are shown at once.
    page: usize,
    count: usize,
    /// How many rows have been on the screen, from the first one on.
    seen: usize,
    columns: usize,
}

impl Reading {
    /// Whether its last row was on the screen, and all before it.
    pub(super) fn is_whole(&self) -> bool {
        self.seen >= self.count
    }

    /// Whether there is less room than it takes.
    pub(super) fn is_cut(&self) -> bool {
        self.page < self.count
    }

    /// Whether the key scrolls.
    pub(super) fn scroll(&mut self, key: KeyCode) -> bool {
        let step = self.page.max(1);
        self.top = match key {
            KeyCode::PageDown if self.is_cut() => self.top + step,
            KeyCode::PageUp if self.is_cut() => self.top.saturating_sub(step),
            _ => return false,
        };
        true
    }

    /// Leaves the rows that are shown, and one that says where they are where that is not all of them.
    pub(super) fn window(&mut self, rows: &mut Vec<Line<'static>>, room: usize, columns: usize, look: Look) {
        let count = rows.len();
        if (self.count, self.columns) != (count, columns) {
            // It is broken into other rows: who has read it all has read it all.
            let was_whole = self.count > 0 && self.is_whole();
            *self = Self { count, columns, seen: if was_whole { count } else { 0 }, ..Self::default() };
        }
        if count <= room {
            (self.top, self.page, self.seen) = (0, count, count);
            return;
        }
        let has_line = room > 1;
        self.page = room - usize::from(has_line);
        self.top = self.top.min(count - self.page);
        let last = self.top + self.page;
        if self.top <= self.seen {
            self.seen = self.seen.max(last);
        }
        rows.drain(..self.top);
        rows.truncate(self.page);
        if has_line {
            let first = self.top + 1;
            let more = if last < count { "PgDn goes on" } else { "PgUp goes back" };
            rows.push(Line::from(look.dim(format!("  … rows {first} to {last} of {count}: {more}"))));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(reading: &mut Reading, room: usize) -> Vec<String> {
        let mut rows: Vec<_> = (1..=10).map(|number| Line::from(number.to_string())).collect();
        reading.window(&mut rows, room, 80, Look { is_coloured: false });
        rows.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_question_is_read_once_all_of_it_was_shown() {
        let mut reading = Reading::default();
        assert_eq!(shown(&mut reading, 5), ["1", "2", "3", "4", "  … rows 1 to 4 of 10: PgDn goes on"]);
        assert!(!reading.is_whole() && reading.scroll(KeyCode::PageDown));
        // Two pages at once: what was between was not there.
        assert!(reading.scroll(KeyCode::PageDown));
        assert_eq!(shown(&mut reading, 5)[3..], ["10", "  … rows 7 to 10 of 10: PgUp goes back"]);
        assert!(!reading.is_whole(), "5 and 6 were not there");
        assert!(reading.scroll(KeyCode::PageUp));
        assert_eq!(shown(&mut reading, 5)[0], "3");
        assert!(reading.scroll(KeyCode::PageDown));
        shown(&mut reading, 5);
        assert!(reading.is_whole());
        shown(&mut reading, 0);
        assert!(reading.is_whole(), "what was read is read");
    }

    #[test]
    fn one_that_fits_is_read_and_one_without_any_room_is_not() {
        let mut reading = Reading::default();
        shown(&mut reading, 0);
        assert!(!reading.is_whole());
        shown(&mut reading, 10);
        assert!(reading.is_whole() && !reading.scroll(KeyCode::PageDown));
    }
}
