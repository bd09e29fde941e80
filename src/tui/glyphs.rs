//! Text as columns of a terminal. Terminals disagree on the width of joined emoji, flags and skin tones, so such clusters
//! are shown in parts that all of them agree on; what a terminal would obey is shown as an escape.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::desk::text::is_harmful;

/// Joins emoji into one.
const JOINER: char = '\u{200d}';

/// The letters that flags are written with; two of them are a flag.
const FLAG_LETTERS: std::ops::RangeInclusive<char> = '\u{1f1e6}'..='\u{1f1ff}';

/// What a line end within text looks like.
pub(super) const LINE_END: &str = "⏎";

/// A cluster as it is shown.
pub(super) fn shown(cluster: &str) -> Cow<'_, str> {
    match cluster {
        "\n" => return Cow::Borrowed(LINE_END),
        "\t" => return Cow::Borrowed("⇥"),
        _ => {}
    }
    if cluster.chars().any(is_harmful) {
        return Cow::Owned(crate::desk::text::line(cluster));
    }
    let parts: usize = cluster.chars().map(|one| one.width().unwrap_or(0)).sum();
    let is_joined = |one: char| one == JOINER || FLAG_LETTERS.contains(&one);
    if parts == cluster.width() && !cluster.chars().any(is_joined) {
        return Cow::Borrowed(cluster);
    }
    Cow::Owned(cluster.chars().filter_map(apart).collect())
}

/// A part of a cluster that stands by itself: flags as letters, nothing for what only changes its neighbours.
fn apart(one: char) -> Option<char> {
    match one {
        JOINER | '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}' => None,
        flag if FLAG_LETTERS.contains(&flag) => {
            char::from_u32(u32::from(flag) - u32::from('\u{1f1e6}') + u32::from('A'))
        }
        other => Some(other),
    }
}

/// The whole text as it is shown.
pub(super) fn line(text: &str) -> String {
    text.graphemes(true).map(shown).collect()
}

/// How many columns that takes which is shown already.
pub(super) fn columns(text: &str) -> usize {
    text.width()
}

/// As much of it as fits, with a sign where something is left out.
pub(super) fn cut(text: &str, most: usize) -> String {
    let text = line(text);
    if columns(&text) <= most {
        return text;
    }
    let mut fits = rows(&text, most.saturating_sub(1)).swap_remove(0);
    fits.push('…');
    fits
}

/// Rows of at most so many columns, broken between words where that can be.
pub(super) fn wrap(text: &str, most: usize) -> Vec<String> {
    let most = most.max(1);
    let (mut all, mut row) = (Vec::new(), String::new());
    for (at, word) in words(&line(text), most).into_iter().enumerate() {
        let space = usize::from(at > 0 && !row.is_empty());
        if columns(&row) + space + columns(word) <= most {
            row.push_str(if space == 1 { " " } else { "" });
            row.push_str(word);
            continue;
        }
        if !row.is_empty() {
            all.push(std::mem::take(&mut row));
        }
        let mut parts = rows(word, most);
        row = parts.pop().unwrap_or_default();
        all.append(&mut parts);
    }
    all.push(row);
    all
}

/// What a command of ours begins with.
const COMMAND: &str = "`mcptask ";

/// The words of a text. A command of ours is one of them where a row has room for it: nobody can paste one that is broken.
fn words(text: &str, most: usize) -> Vec<&str> {
    let (mut words, mut rest) = (Vec::new(), text);
    while let Some(at) = rest.find(COMMAND) {
        let begin = rest[..at].rfind(' ').map_or(0, |space| space + 1);
        let Some(length) = rest[at + 1..].find('`') else { break };
        let after = at + 1 + length;
        let end = rest[after..].find(' ').map_or(rest.len(), |space| after + space);
        let (before, command) = (&rest[..begin], &rest[begin..end]);
        words.extend(before.strip_suffix(' ').into_iter().flat_map(|before| before.split(' ')));
        if columns(command) <= most {
            words.push(command);
        } else {
            words.extend(command.split(' '));
        }
        match rest[end..].strip_prefix(' ') {
            Some(others) => rest = others,
            None => return words,
        }
    }
    words.extend(rest.split(' '));
    words
}

/// What stands between short parts in a row.
pub(super) const BETWEEN: &str = " · ";

/// Rows of at most so many columns, with short parts side by side: one that has no room goes to the next row as a whole.
pub(super) fn side_by_side(parts: &str, most: usize) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for part in parts.split(BETWEEN) {
        match all.last_mut() {
            Some(row) if columns(row) + columns(BETWEEN) + columns(&line(part)) <= most => {
                row.push_str(BETWEEN);
                row.push_str(&line(part));
            }
            _ => all.extend(wrap(part, most)),
        }
    }
    all
}

/// Rows of at most so many columns, broken anywhere between clusters.
fn rows(text: &str, most: usize) -> Vec<String> {
    let (mut all, mut row, mut used) = (Vec::new(), String::new(), 0);
    for cluster in text.graphemes(true) {
        let wide = columns(cluster);
        if used + wide > most && !row.is_empty() {
            all.push(std::mem::take(&mut row));
            used = 0;
        }
        row.push_str(cluster);
        used += wide;
    }
    all.push(row);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_emoji_and_flags_are_shown_apart() {
        assert_eq!(line("👨‍👩‍👧"), "👨👩👧");
        assert_eq!(line("🇯🇵 👍🏽"), "JP 👍");
        assert_eq!(line("e\u{301}本"), "e\u{301}本");
        assert_eq!(line("a\nb\u{1b}[2J"), "a⏎b\\u{1b}[2J");
    }

    #[test]
    fn words_are_wrapped_by_columns() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("本番環境", 5), ["本番", "環境"]);
        assert_eq!(wrap("", 5), [""]);
        let told = "no: `mcptask list --all`, or (`mcptask show x`) here";
        assert_eq!(wrap(told, 24), ["no:", "`mcptask list --all`, or", "(`mcptask show x`) here"]);
        assert_eq!(wrap("as `mcptask list`", 40), ["as `mcptask list`"]);
        assert_eq!(wrap("`mcptask list --all` lists", 12), ["`mcptask", "list --all`", "lists"]);
        assert_eq!(wrap("本", 1), ["本"]);
        assert_eq!(side_by_side("a bc · d ef · g", 11), ["a bc · d ef", "g"]);
        assert_eq!(side_by_side("a · bcdef gh · i", 6), ["a", "bcdef", "gh · i"]);
        assert_eq!(cut("本番環境", 6), "本番…");
        assert_eq!(cut("e\u{301}e\u{301}", 2), "e\u{301}e\u{301}");
    }
}
