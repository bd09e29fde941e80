//! Words as rows below each other. A command stays what a shell takes: in one piece where that fits, else broken
//! between its words with the backslash that a shell continues after.

use super::width::{columns, fitting};
pub(crate) use crate::desk::suggest::Piece;

/// Where what is wrapped goes on when what stands before it leaves too little room; less on a narrow terminal.
const INDENT: usize = 10;

/// The same where what must stay whole leaves no room for more.
const LEAST: usize = 2;

/// The sign of a shell's line that goes on, with the space before it.
const CONTINUED: &str = " \\";

/// What stands before the words that go on.
const GOES_ON: &str = "  ";

/// What is never broken where it fits into a row.
struct Unit {
    text: String,
    is_command: bool,
}

impl Unit {
    /// How much room it needs at least.
    fn least(&self) -> usize {
        let word = |word: &str| columns(word) + CONTINUED.len() + GOES_ON.len();
        match self.is_command {
            true => shell_words(&self.text).into_iter().map(word).max().unwrap_or_default(),
            false if self.is_address() => columns(&self.text),
            false => 0,
        }
    }

    /// Whether somebody may want to copy it.
    fn is_address(&self) -> bool {
        !self.is_command && self.text.contains("://")
    }
}

/// Rows of at most so many columns, the first one after `lead`, the others below its end where that leaves room. One
/// row, however long, where there is no terminal.
pub(super) fn hanging(lead: &str, pieces: &[Piece], most: Option<usize>) -> Vec<String> {
    let Some(most) = most else { return vec![format!("{lead}{}", joined(pieces)).trim_end().to_owned()] };
    let (before, units) = (columns(lead), units(pieces));
    let whole = units.iter().map(Unit::least).max();
    let indents = [before, INDENT.min(most / 4), LEAST];
    let fits = |indent: &usize| *indent * 2 <= most && indent + whole.unwrap_or_default() <= most;
    let indent = indents.into_iter().find(fits).unwrap_or(LEAST);
    let mut rows = rows(&units, most.saturating_sub(before), most.saturating_sub(indent)).into_iter();
    let first = format!("{lead}{}", rows.next().unwrap_or_default());
    let others = rows.map(|row| format!("{}{row}", " ".repeat(indent)));
    std::iter::once(first.trim_end().to_owned()).chain(others).collect()
}

pub(super) fn joined(pieces: &[Piece]) -> String {
    pieces.iter().map(Piece::as_str).collect()
}

/// Rows of at most so many columns, broken between words where that can be.
pub(super) fn wrap(text: &str, most: usize) -> Vec<String> {
    rows(&units(&[Piece::Words(text.to_owned())]), most, most)
}

/// The pieces of a remark: a command of ours between backticks is one.
pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((before, (command, after))) =
        rest.split_once("`mcptask ").and_then(|(before, after)| Some((before, after.split_once('`')?)))
    {
        found.extend([Piece::Words(before.to_owned()), Piece::Command(format!("`mcptask {command}`"))]);
        rest = after;
    }
    found.push(Piece::Words(rest.to_owned()));
    found
}

/// The first row may have less room than the others.
fn rows(units: &[Unit], first: usize, others: usize) -> Vec<String> {
    let (mut rows, mut row, mut room) = (Vec::new(), None::<String>, first);
    for unit in units {
        let longer = row.as_ref().map_or_else(|| unit.text.clone(), |row| format!("{row} {}", unit.text));
        if columns(&longer) <= room {
            row = Some(longer);
            continue;
        }
        if row.is_some() || room < others {
            rows.push(row.take().unwrap_or_default().trim_end().to_owned());
            room = others;
        }
        let mut parts = broken(unit, room);
        row = parts.pop();
        rows.append(&mut parts);
    }
    rows.push(row.unwrap_or_default());
    rows
}

/// The words, and each command as one; what follows a piece without a space belongs to its last unit.
fn units(pieces: &[Piece]) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    let mut is_apart = true;
    for piece in pieces {
        let (text, is_command) = (piece.as_str(), matches!(piece, Piece::Command(_)));
        let parts: Vec<&str> = if is_command { vec![text] } else { text.split(' ').collect() };
        for (at, part) in parts.into_iter().enumerate() {
            match units.last_mut().filter(|_| at == 0 && !is_apart) {
                Some(before) => {
                    before.text.push_str(part);
                    before.is_command |= is_command;
                }
                None => units.push(Unit { text: part.to_owned(), is_command }),
            }
            is_apart = false;
        }
    }
    units
}

/// A unit as rows. An address stays whole, so that it can be copied.
fn broken(unit: &Unit, most: usize) -> Vec<String> {
    if columns(&unit.text) <= most || unit.is_address() {
        return vec![unit.text.clone()];
    }
    if unit.is_command { continued(&unit.text, most) } else { chopped(&unit.text, most) }
}

fn chopped(text: &str, most: usize) -> Vec<String> {
    let (mut rows, mut rest) = (Vec::new(), text);
    while columns(rest) > most {
        let (row, after) = rest.split_at(fitting(rest, most).len());
        rows.push(row.to_owned());
        rest = after;
    }
    if !rest.is_empty() {
        rows.push(rest.to_owned());
    }
    rows
}

/// A command as lines that a shell takes as one. A word that is wider than a row stays whole.
fn continued(command: &str, most: usize) -> Vec<String> {
    let most = most.saturating_sub(CONTINUED.len());
    let mut rows: Vec<String> = Vec::new();
    for part in parts(command, most) {
        match rows.last_mut() {
            Some(row) if columns(row) + 1 + columns(&part) <= most => {
                row.push(' ');
                row.push_str(&part);
            }
            Some(row) => {
                row.push_str(CONTINUED);
                rows.push(format!("{GOES_ON}{part}"));
            }
            None => rows.push(part),
        }
    }
    rows
}

/// The words of a command, each option together with its value where a row has room for both.
fn parts(command: &str, most: usize) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut is_option = false;
    for word in shell_words(command) {
        let fits = |option: &String| GOES_ON.len() + columns(option) + 1 + columns(word) <= most;
        let value_of = |option: &&mut String| is_option && !word.starts_with("--") && fits(option);
        if let Some(option) = parts.last_mut().filter(value_of) {
            option.push(' ');
            option.push_str(word);
            is_option = false;
        } else {
            parts.push(word.to_owned());
            is_option = word.starts_with("--") && !word.contains('=') && word != "--";
        }
    }
    parts
}

/// The words of a command whose strange ones stand between single quotes.
fn shell_words(command: &str) -> Vec<&str> {
    let mut is_quoted = false;
    let is_between = move |one: char| {
        is_quoted ^= one == '\'';
        one == ' ' && !is_quoted
    };
    command.split(is_between).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(text: &str) -> Piece {
        Piece::Command(text.to_owned())
    }

    #[test]
    fn rows_are_counted_in_columns_and_break_between_words() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("本番環境", 5), ["本番", "環境"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("本", 1), ["本"], "what never fits is shown all the same");
        assert_eq!(wrap("", 5), [""]);
        assert_eq!(wrap("  two  spaces", 20), ["  two  spaces"]);
        // A letter and its accent are two characters and one column.
        assert_eq!(wrap("e\u{301}e\u{301}e\u{301}", 3), ["e\u{301}e\u{301}e\u{301}"]);
    }

    #[test]
    fn rows_hang_below_what_stands_before_them() {
        let words = [Piece::Words("one two three".to_owned())];
        assert_eq!(hanging("a: ", &words, Some(11)), ["a: one two", "   three"]);
        assert_eq!(hanging("a long lead ", &words, Some(16)), ["a long lead one", "    two three"]);
        assert_eq!(
            hanging("a very long lead ", &words, Some(16)),
            ["a very long lead", "    one two", "    three"]
        );
    }

    #[test]
    fn a_command_stays_one_that_a_shell_takes() {
        let said =
            [Piece::Words("try ".to_owned()), command("`mcptask list`"), Piece::Words("; or not".to_owned())];
        assert_eq!(hanging("", &said, Some(80)), ["try `mcptask list`; or not"]);
        assert_eq!(hanging("", &said, Some(16)), ["try", "`mcptask list`;", "or not"]);
        let long = [command("mcptask respond abc --set 'dish=a b  c' --set x=1")];
        let rows = hanging("hint: ", &long, Some(32));
        assert_eq!(
            rows,
            ["hint: mcptask respond abc \\", "        --set 'dish=a b  c' \\", "        --set x=1"]
        );
        let pasted = rows.join("\n").replacen("hint: ", "", 1);
        assert_eq!(
            shell_words::split(&pasted.replace("\\\n", "")).expect("a command"),
            ["mcptask", "respond", "abc", "--set", "dish=a b  c", "--set", "x=1"]
        );
    }

    #[test]
    fn commands_within_a_remark_are_found() {
        let found = pieces("no tasks; `mcptask serve` makes some of `these`");
        let words = |text: &str| Piece::Words(text.to_owned());
        assert_eq!(found, [words("no tasks; "), command("`mcptask serve`"), words(" makes some of `these`")]);
        assert_eq!(pieces("an open `mcptask end"), [words("an open `mcptask end")]);
    }
}
