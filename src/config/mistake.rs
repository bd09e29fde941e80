//! A mistake in a configuration file, with its place and what would be right.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Mistake {
    /// The file, as it was named.
    pub file: PathBuf,
    /// The line, from 1; 0 where the whole file is meant.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong, with the offending value.
    pub problem: String,
    /// What is allowed there, or what to do.
    pub hint: Option<String>,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        write!(f, ": {}", self.problem)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, "; {hint}"))
    }
}

impl Mistake {
    /// One of the whole file.
    pub(super) fn of_file(file: &Path, problem: String, hint: &str) -> Self {
        Self { file: file.to_owned(), line: 0, column: 0, problem, hint: Some(hint.to_owned()) }
    }
}

/// The most mistakes of one file that are said, and the most warnings: nobody corrects more at once.
pub(super) const MOST_MISTAKES: usize = 100;

/// How many mistakes there are, in words.
pub fn counted(mistakes: &[Mistake]) -> String {
    match mistakes.len() {
        1 => "a mistake".to_owned(),
        several if several > MOST_MISTAKES => format!("more than {MOST_MISTAKES} mistakes"),
        several => format!("{several} mistakes"),
    }
}

/// The longest problem and the longest hint, in characters: both quote what the file says.
const LONGEST: usize = 500;

/// A file's text, with the mistakes found in it so far.
#[derive(Debug)]
pub(super) struct Source<'a> {
    file: &'a Path,
    text: &'a str,
    /// Where each line begins.
    lines: Vec<usize>,
    mistakes: RefCell<Vec<Mistake>>,
    warnings: RefCell<Vec<Mistake>>,
    /// Whether there were more than are said.
    more: Cell<bool>,
}

impl<'a> Source<'a> {
    pub(super) fn new(file: &'a Path, text: &'a str) -> Self {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let (mistakes, warnings) = (RefCell::default(), RefCell::default());
        Self { file, text, lines, mistakes, warnings, more: Cell::new(false) }
    }

    /// Whether there are so many mistakes that no more is worth finding.
    pub(super) fn is_full(&self) -> bool {
        self.more.get()
    }

    /// The folder that relative paths in the file count from.
    pub(super) fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new(""))
    }

    /// The line of a byte, from 1.
    fn line(&self, at: usize) -> usize {
        self.lines.partition_point(|start| *start <= at)
    }

    /// Line and column of a byte, from 1.
    fn place(&self, at: usize) -> (usize, usize) {
        let line = self.line(at);
        let start = self.lines.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let column = self.text.get(start..at).map_or(0, |before| before.chars().count()) + 1;
        (line, column)
    }

    /// File and line, for errors of a later run.
    pub(super) fn named_place(&self, span: &Range<usize>) -> String {
        format!("{}:{}", self.file.display(), self.line(span.start))
    }

    /// Notes a mistake.
    pub(super) fn mistake(&self, span: &Range<usize>, problem: impl Into<String>, hint: Option<String>) {
        let mut mistakes = self.mistakes.borrow_mut();
        if mistakes.len() >= MOST_MISTAKES {
            return self.more.set(true);
        }
        mistakes.push(self.at(span, &problem.into(), hint));
    }

    /// Notes what is allowed and hardly meant.
    pub(super) fn warning(&self, span: &Range<usize>, problem: impl Into<String>, hint: String) {
        let mut warnings = self.warnings.borrow_mut();
        if warnings.len() < MOST_MISTAKES {
            warnings.push(self.at(span, &problem.into(), Some(hint)));
        }
    }

    fn at(&self, span: &Range<usize>, problem: &str, hint: Option<String>) -> Mistake {
        let (line, column) = self.place(span.start);
        let hint = hint.map(|hint| shortened(&hint));
        Mistake { file: self.file.to_owned(), line, column, problem: shortened(problem), hint }
    }

    /// The warnings so far.
    pub(super) fn warnings(&self) -> Vec<Mistake> {
        self.warnings.borrow().clone()
    }

    /// All of them, in the order of the file, and whether there are more.
    pub(super) fn into_mistakes(self) -> Vec<Mistake> {
        let (file, more) = (self.file, self.more.get());
        let mut mistakes = self.mistakes.into_inner();
        mistakes.sort_by_key(|mistake| (mistake.line, mistake.column));
        mistakes.dedup();
        if more {
            let problem = "has more mistakes, which are not said".to_owned();
            mistakes.push(Mistake::of_file(file, problem, "correct these, and look again"));
        }
        mistakes
    }
}

/// Text that is not longer than anybody reads.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text.to_owned(),
    }
}

/// The longest word that is compared with others.
const LONGEST_WORD: usize = 40;

/// The most words that are listed as allowed.
const MOST_LISTED: usize = 40;

/// Which of `known` somebody meant who wrote `word`: what begins with it, else the nearest by edits if it is near at all.
pub(super) fn meant<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    if let Some(longer) = known.iter().find(|one| word.len() > 2 && one.starts_with(word)) {
        return Some(longer);
    }
    if word.len() > LONGEST_WORD {
        return None;
    }
    let alike = known.iter().filter(|one| one.len().abs_diff(word.len()) <= LONGEST_WORD / 2);
    let nearest = alike.map(|one| (edits(word, one), *one)).min()?;
    (nearest.0 <= 1 + word.chars().count() / 4).then_some(nearest.1)
}

/// What is allowed, with a guess at what was meant.
pub(super) fn allowed(word: &str, known: &[&str]) -> String {
    let mut list = known[..known.len().min(MOST_LISTED)].join(", ");
    if known.len() > MOST_LISTED {
        list.push_str(", …");
    }
    match meant(word, known) {
        Some(meant) => format!("did you mean {meant:?}? Allowed here: {list}"),
        None => format!("allowed here: {list}"),
    }
}

/// Letters to insert, delete or replace to come from one word to the other.
fn edits(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (column, other) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_keyboard_is_guessed() {
        let known = ["description", "title", "timeout", "ttl"];
        assert_eq!(meant("descripton", &known), Some("description"));
        assert_eq!(meant("timout", &known), Some("timeout"));
        assert_eq!(meant("colour", &known), None);
    }

    #[test]
    fn a_hundred_mistakes_are_enough() {
        let source = Source::new(Path::new("f"), "a\nb");
        (0..200).for_each(|at| source.mistake(&(2..3), format!("{at:3} {}", "x".repeat(10_000)), None));
        assert!(source.is_full());
        let mistakes = source.into_mistakes();
        assert_eq!(mistakes.len(), MOST_MISTAKES + 1);
        assert!(mistakes.iter().all(|one| one.to_string().len() < 600));
        assert!(mistakes[MOST_MISTAKES].problem.contains("more mistakes"), "{:?}", mistakes[MOST_MISTAKES]);
    }

    #[test]
    fn places_count_characters() {
        let source = Source::new(Path::new("f"), "a\né=1\n");
        source.mistake(&(4..5), "odd", None);
        let mistakes = source.into_mistakes();
        assert_eq!(mistakes[0].to_string(), "f:2:2: odd");
    }
}
