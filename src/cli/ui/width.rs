//! Text as columns of a terminal: a letter is no column, since some take two and some take none.

use dialoguer::console::{Term, measure_text_width};

/// The narrowest that words are wrapped to, however narrow the terminal.
const NARROWEST: usize = 20;

/// How many columns there are on stderr. The last one stays free: some terminals go on below once it is filled.
pub(super) fn of_terminal() -> usize {
    usize::from(Term::stderr().size().1).saturating_sub(1).max(NARROWEST)
}

/// How many columns it takes.
pub(super) fn columns(text: &str) -> usize {
    measure_text_width(text)
}

/// As much of it as fits into so many columns, with a sign where something is left out.
pub(super) fn cut(text: &str, most: usize) -> String {
    if columns(text) <= most {
        return text.to_owned();
    }
    let mut shown = fitting(text, most.saturating_sub(1)).to_owned();
    shown.push('…');
    shown
}

/// Rows of at most so many columns, broken between words where that can be.
pub(super) fn wrap(text: &str, most: usize) -> Vec<String> {
    let mut rows = Vec::new();
    let mut rest = text;
    while columns(rest) > most {
        let (row, after) = rest.split_at(fitting(rest, most).len());
        let at_space = row.rfind(' ').filter(|at| *at > 0 && !after.starts_with(' '));
        let end = at_space.unwrap_or(row.len());
        rows.push(rest[..end].trim_end().to_owned());
        rest = rest[end..].trim_start();
    }
    if rows.is_empty() || !rest.is_empty() {
        rows.push(rest.to_owned());
    }
    rows
}

/// The beginning that fits; one character at least, so that whoever goes on with the rest comes to its end.
fn fitting(text: &str, most: usize) -> &str {
    let ends = text.char_indices().map(|(at, character)| at + character.len_utf8());
    let fits = ends.take_while(|end| columns(&text[..*end]) <= most).last();
    let first = text.chars().next().map_or(0, char::len_utf8);
    &text[..fits.unwrap_or(first)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_in_columns_and_break_between_words() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("本番環境", 5), ["本番", "環境"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("本", 1), ["本"], "what never fits is shown all the same");
        assert_eq!(wrap("", 5), [""]);
        // A letter and its accent are two characters and one column.
        assert_eq!(wrap("e\u{301}e\u{301}e\u{301}", 3), ["e\u{301}e\u{301}e\u{301}"]);
    }

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(cut("Where", 5), "Where");
        assert_eq!(cut("本番環境", 6), "本番…");
    }
}
