//! Text that is typed: edited by clusters, as people see letters, with the keys of readline.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use unicode_segmentation::UnicodeSegmentation as _;

use super::glyphs;

/// The most bytes of one field; no question takes more than that as an answer.
const MOST: usize = 256 * 1024;

/// A text with a cursor.
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    text: String,
    /// A place between two clusters, in bytes.
    cursor: usize,
    /// What was cut last.
    killed: String,
}

impl Line {
    /// Begins with that text, the cursor behind it.
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), cursor: text.len(), killed: String::new() }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Whether the cursor is behind everything.
    pub(super) fn is_at_end(&self) -> bool {
        self.cursor == self.text.len()
    }

    /// The same with a star for each letter.
    pub(super) fn hidden(&self) -> Self {
        let stars = |text: &str| "*".repeat(text.graphemes(true).count());
        let cursor = stars(&self.text[..self.cursor]).len();
        Self { text: stars(&self.text), cursor, killed: String::new() }
    }

    /// Another text in place of this one.
    pub(super) fn set(&mut self, text: &str) {
        text.clone_into(&mut self.text);
        self.cursor = text.len();
    }

    /// Types text at the cursor. Line ends stay line ends; what a terminal would obey is left out.
    pub(super) fn insert(&mut self, text: &str) {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let is_text = |one: &char| matches!(one, '\n' | '\t') || !crate::desk::text::is_harmful(*one);
        let mut text: String = text.chars().filter(is_text).collect();
        let room = MOST.saturating_sub(self.text.len());
        let ends = text.char_indices().map(|(at, one)| at + one.len_utf8());
        text.truncate(ends.take_while(|end| *end <= room).last().unwrap_or(0));
        self.text.insert_str(self.cursor, &text);
        self.cursor += text.len();
        // A combining mark joins what stands before it: the cursor stays between clusters.
        let ends = self.text.grapheme_indices(true).map(|(at, _)| at).chain([self.text.len()]);
        self.cursor = ends.into_iter().find(|end| *end >= self.cursor).unwrap_or(self.text.len());
    }

    /// Does what a key says. Whether it was one for text.
    pub(super) fn press(&mut self, key: KeyEvent) -> bool {
        let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
        let is_alt = key.modifiers.contains(KeyModifiers::ALT);
        match key.code {
            KeyCode::Char(letter) if is_control => return self.control(letter),
            KeyCode::Char('b') if is_alt => self.cursor = self.word_before(),
            KeyCode::Char('f') if is_alt => self.cursor = self.word_after(),
            KeyCode::Char('d') if is_alt => self.kill(self.cursor, self.word_after()),
            KeyCode::Char(letter) if !is_alt => self.insert(letter.encode_utf8(&mut [0; 4])),
            KeyCode::Backspace if is_alt => self.kill(self.word_before(), self.cursor),
            KeyCode::Backspace => self.remove(self.before(), self.cursor),
            KeyCode::Delete => self.remove(self.cursor, self.after()),
            KeyCode::Left if is_control || is_alt => self.cursor = self.word_before(),
            KeyCode::Right if is_control || is_alt => self.cursor = self.word_after(),
            KeyCode::Left => self.cursor = self.before(),
            KeyCode::Right => self.cursor = self.after(),
            KeyCode::Home => self.cursor = 0,
            KeyCode::End => self.cursor = self.text.len(),
            _ => return false,
        }
        true
    }

    fn control(&mut self, letter: char) -> bool {
        match letter {
            'a' => self.cursor = 0,
            'e' => self.cursor = self.text.len(),
            'b' => self.cursor = self.before(),
            'f' => self.cursor = self.after(),
            'h' => self.remove(self.before(), self.cursor),
            'd' => self.remove(self.cursor, self.after()),
            'u' => self.kill(0, self.cursor),
            'k' => self.kill(self.cursor, self.text.len()),
            'w' => self.kill(self.blank_before(), self.cursor),
            'y' => self.insert(&self.killed.clone()),
            _ => return false,
        }
        true
    }

    fn before(&self) -> usize {
        self.text[..self.cursor].grapheme_indices(true).next_back().map_or(0, |(at, _)| at)
    }

    fn after(&self) -> usize {
        self.cursor + self.text[self.cursor..].graphemes(true).next().map_or(0, str::len)
    }

    fn word_before(&self) -> usize {
        self.text[..self.cursor].unicode_word_indices().next_back().map_or(0, |(at, _)| at)
    }

    fn word_after(&self) -> usize {
        let next = self.text[self.cursor..].unicode_word_indices().next();
        next.map_or(self.text.len(), |(at, word)| self.cursor + at + word.len())
    }

    /// Where the word before the cursor begins that blanks end.
    fn blank_before(&self) -> usize {
        let before = self.text[..self.cursor].trim_end();
        let blank = before.char_indices().rfind(|(_, one)| one.is_whitespace());
        blank.map_or(0, |(at, one)| at + one.len_utf8())
    }

    fn kill(&mut self, from: usize, to: usize) {
        self.text[from..to].clone_into(&mut self.killed);
        self.remove(from, to);
    }

    fn remove(&mut self, from: usize, to: usize) {
        self.text.replace_range(from..to, "");
        self.cursor = from;
    }

    /// The rows that it takes in so many columns, and the cursor's row and column in them.
    pub(super) fn rows(&self, most: usize) -> (Vec<String>, (usize, usize)) {
        let most = most.max(2);
        let (mut rows, mut row, mut used, mut cursor) = (Vec::new(), String::new(), 0, (0, 0));
        for (at, cluster) in self.text.grapheme_indices(true) {
            let shown = glyphs::shown(cluster);
            let wide = glyphs::columns(&shown);
            if used + wide > most && !row.is_empty() {
                rows.push(std::mem::take(&mut row));
                used = 0;
            }
            if at == self.cursor {
                cursor = (rows.len(), used);
            }
            row.push_str(&shown);
            used += wide;
            if cluster == "\n" {
                rows.push(std::mem::take(&mut row));
                used = 0;
            }
        }
        // The cursor behind the last column stands in a row of its own.
        if used >= most {
            rows.push(std::mem::take(&mut row));
            used = 0;
        }
        if self.is_at_end() {
            cursor = (rows.len(), used);
        }
        rows.push(row);
        (rows, cursor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(line: &mut Line, keys: &str) {
        for key in keys.chars() {
            let (code, modifiers) = match key {
                '<' => (KeyCode::Left, KeyModifiers::NONE),
                '#' => (KeyCode::Backspace, KeyModifiers::NONE),
                control @ '\u{1}'..='\u{1a}' => {
                    let letter = char::from(u8::try_from(u32::from(control)).expect("small") + b'a' - 1);
                    (KeyCode::Char(letter), KeyModifiers::CONTROL)
                }
                letter => (KeyCode::Char(letter), KeyModifiers::NONE),
            };
            line.press(KeyEvent::new(code, modifiers));
        }
    }

    fn after(keys: &str) -> String {
        let mut line = Line::default();
        typed(&mut line, keys);
        line.text
    }

    #[test]
    fn keys_are_those_of_readline() {
        assert_eq!(after("one two\u{17}x"), "one x");
        assert_eq!(after("one\u{15}two"), "two");
        assert_eq!(after("one<<\u{b}x"), "ox");
        assert_eq!(after("one\u{1}x\u{5}y"), "xoney");
        assert_eq!(after("one two\u{17}\u{1}\u{19}"), "twoone ");
    }

    #[test]
    fn letters_are_what_people_see() {
        assert_eq!(after("e\u{301}x##"), "");
        assert_eq!(after("日本<#"), "本");
        let mut line = Line::new("👨‍👩‍👧");
        typed(&mut line, "#");
        assert_eq!(line.text(), "");
    }

    #[test]
    fn line_ends_stay_and_what_a_terminal_would_obey_goes() {
        let mut line = Line::default();
        line.insert("a\r\nb\rc\u{1b}[2J\u{202e}");
        assert_eq!(line.text(), "a\nb\nc[2J");
        assert_eq!(line.rows(10), (vec!["a⏎".into(), "b⏎".into(), "c[2J".into()], (2, 4)));
    }

    #[test]
    fn rows_are_as_wide_as_they_may_be() {
        let line = Line::new("本番環境a");
        assert_eq!(line.rows(5), (vec!["本番".into(), "環境a".into(), String::new()], (2, 0)));
        assert_eq!(line.rows(20), (vec!["本番環境a".into()], (0, 9)));
    }
}
