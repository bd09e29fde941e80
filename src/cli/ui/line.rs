//! A line of text, edited in place. dialoguer's own `Input` does not know Esc, so it is read here with
//! dialoguer's keys and theme.

use std::borrow::Cow;

use dialoguer::console::{Key, Term};
use dialoguer::theme::Theme;

use super::keyboard::{Input, Keyboard, Purpose};
use super::prompt::Stopped;
use super::{text, width};

/// The least room for what is typed, however narrow the terminal.
const ROOM: usize = 8;

/// The widest that a label may be; it shares the line with what is typed.
pub(super) fn widest_label() -> usize {
    usize::from(Term::stderr().size().1) / 2
}

/// Reads a line that `check` takes; what it refuses is shown, and the text can be edited again.
pub(super) fn read<T>(
    keyboard: &mut Keyboard,
    theme: &dyn Theme,
    (label, initial, is_secret): (&str, &str, bool),
    check: impl Fn(&str) -> Result<T, String>,
) -> Result<T, Stopped> {
    let term = Term::stderr();
    let mut line = Line { is_secret, ..Line::new(initial) };
    let label = width::cut(&text::line(label), widest_label());
    loop {
        line.draw(&term, &prompt(theme, &label))?;
        let input = keyboard.next(Purpose::Text);
        if matches!(input, Err(_) | Ok(Input::Key(Key::Escape) | Input::Resumed)) {
            // What is said next begins on a line of its own.
            term.write_line("")?;
        }
        match input? {
            Input::Key(Key::Enter) => {
                term.clear_line()?;
                let typed: String = line.typed.iter().collect();
                match check(&typed) {
                    Ok(value) => {
                        let shown: String = line.shown().iter().collect();
                        term.write_line(&rendered(|f| {
                            theme.format_input_prompt_selection(f, &label, &shown)
                        }))?;
                        return Ok(value);
                    }
                    Err(problem) => {
                        term.write_line(&rendered(|f| theme.format_error(f, &text::line(&problem))))?;
                    }
                }
            }
            Input::Key(Key::Escape) => return Err(Stopped::Escape),
            Input::Key(key) => line.edit(&key),
            Input::Pasted(pasted) => line.insert(&pasted),
            Input::Resumed => {}
        }
    }
}

fn prompt(theme: &dyn Theme, label: &str) -> String {
    rendered(|f| theme.format_input_prompt(f, label, None))
}

/// What a theme writes.
pub(super) fn rendered(format: impl FnOnce(&mut dyn std::fmt::Write) -> std::fmt::Result) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = format(&mut text);
    text
}

/// What was typed, and where the cursor is in it.
struct Line {
    typed: Vec<char>,
    cursor: usize,
    /// Nobody may read over the shoulder of who types it.
    is_secret: bool,
}

impl Line {
    /// Begins with `initial`, unless it has what must not be put on a terminal.
    fn new(initial: &str) -> Self {
        let typed: Vec<char> =
            if initial.chars().any(text::is_harmful) { Vec::new() } else { initial.chars().collect() };
        Self { cursor: typed.len(), typed, is_secret: false }
    }

    /// What is on the screen of it.
    fn shown(&self) -> Cow<'_, [char]> {
        if self.is_secret { vec!['*'; self.typed.len()].into() } else { self.typed.as_slice().into() }
    }

    /// Inserts pasted text as one line: its line ends and tabs become single spaces, but for those around it.
    fn insert(&mut self, pasted: &str) {
        let parts = pasted.split(['\r', '\n', '\t']).filter(|part| !part.is_empty());
        let one_line = parts.collect::<Vec<_>>().join(" ");
        for character in one_line.chars().filter(|character| !text::is_harmful(*character)) {
            self.typed.insert(self.cursor, character);
            self.cursor += 1;
        }
    }

    fn edit(&mut self, key: &Key) {
        match key {
            Key::Char('\u{15}') => {
                self.typed.drain(..self.cursor);
                self.cursor = 0;
            }
            Key::Char(typed) if !text::is_harmful(*typed) => {
                self.typed.insert(self.cursor, *typed);
                self.cursor += 1;
            }
            Key::Backspace if self.cursor > 0 => {
                self.cursor -= 1;
                self.typed.remove(self.cursor);
            }
            Key::Del if self.cursor < self.typed.len() => drop(self.typed.remove(self.cursor)),
            Key::ArrowLeft => self.cursor = self.cursor.saturating_sub(1),
            Key::ArrowRight => self.cursor = (self.cursor + 1).min(self.typed.len()),
            Key::Home => self.cursor = 0,
            Key::End => self.cursor = self.typed.len(),
            _ => {}
        }
    }

    /// Draws the part around the cursor that fits on one line.
    fn draw(&self, term: &Term, prompt: &str) -> std::io::Result<()> {
        let columns = usize::from(term.size().1);
        let room = columns.saturating_sub(width::columns(prompt) + 1).max(ROOM);
        let typed = self.shown();
        let mut start = self.cursor;
        while start > 0 && wide(&typed[start - 1..self.cursor]) < room {
            start -= 1;
        }
        let mut end = self.cursor;
        while end < typed.len() && wide(&typed[start..=end]) < room {
            end += 1;
        }
        let shown: String = typed[start..end].iter().collect();
        term.clear_line()?;
        term.write_str(&format!("{prompt}{shown}"))?;
        term.move_cursor_left(wide(&typed[self.cursor..end]))?;
        term.flush()
    }
}

fn wide(characters: &[char]) -> usize {
    width::columns(&characters.iter().collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(line: &Line) -> String {
        line.typed.iter().collect()
    }

    #[test]
    fn keys_edit_where_the_cursor_is() {
        let mut line = Line::new("Thai");
        for key in
            [Key::Home, Key::Del, Key::Char('t'), Key::End, Key::Backspace, Key::Char('!'), Key::ArrowLeft]
        {
            line.edit(&key);
        }
        assert_eq!((typed(&line).as_str(), line.cursor), ("tha!", 3));
        line.edit(&Key::Char('\u{15}'));
        assert_eq!(typed(&line), "!");
    }

    #[test]
    fn a_paste_becomes_one_line_where_the_cursor_is() {
        let mut line = Line::new("<>");
        line.edit(&Key::ArrowLeft);
        line.insert("first\r\nsecond\tthird\u{1b}[31m\n\n");
        assert_eq!(typed(&line), "<first second third[31m>");
    }

    #[test]
    fn what_a_terminal_would_obey_is_neither_typed_nor_filled_in() {
        let mut line = Line::new("red\u{1b}[31m");
        line.edit(&Key::Char('\u{1b}'));
        line.edit(&Key::Char('\u{202e}'));
        assert_eq!(typed(&line), "");
    }
}
