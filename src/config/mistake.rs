//! A mistake in a configuration file, with its place and what would be right.

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

/// A file's text, with all mistakes found in it so far.
#[derive(Debug)]
pub(super) struct Source<'a> {
    file: &'a Path,
    text: &'a str,
    mistakes: std::cell::RefCell<Vec<Mistake>>,
    warnings: std::cell::RefCell<Vec<Mistake>>,
}

impl<'a> Source<'a> {
    pub(super) fn new(file: &'a Path, text: &'a str) -> Self {
        Self { file, text, mistakes: std::cell::RefCell::default(), warnings: std::cell::RefCell::default() }
    }

    /// The folder that relative paths in the file count from.
    pub(super) fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new(""))
    }

    /// Line and column of a byte, from 1.
    fn place(&self, at: usize) -> (usize, usize) {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (line, column)
    }

    /// File and line, for errors of a later run.
    pub(super) fn named_place(&self, span: &Range<usize>) -> String {
        format!("{}:{}", self.file.display(), self.place(span.start).0)
    }

    /// Notes a mistake.
    pub(super) fn mistake(&self, span: &Range<usize>, problem: impl Into<String>, hint: Option<String>) {
        self.mistakes.borrow_mut().push(self.at(span, problem.into(), hint));
    }

    /// Notes what is allowed and hardly meant.
    pub(super) fn warning(&self, span: &Range<usize>, problem: impl Into<String>, hint: String) {
        self.warnings.borrow_mut().push(self.at(span, problem.into(), Some(hint)));
    }

    fn at(&self, span: &Range<usize>, problem: String, hint: Option<String>) -> Mistake {
        let (line, column) = self.place(span.start);
        Mistake { file: self.file.to_owned(), line, column, problem, hint }
    }

    /// The warnings so far.
    pub(super) fn warnings(&self) -> Vec<Mistake> {
        self.warnings.borrow().clone()
    }

    /// All of them, in the order of the file.
    pub(super) fn into_mistakes(self) -> Vec<Mistake> {
        let mut mistakes = self.mistakes.into_inner();
        mistakes.sort_by_key(|mistake| (mistake.line, mistake.column));
        mistakes.dedup();
        mistakes
    }
}

/// Which of `known` somebody meant who wrote `word`: what begins with it, else the nearest by edits if it is near at all.
pub(super) fn meant<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    if let Some(longer) = known.iter().find(|one| word.len() > 2 && one.starts_with(word)) {
        return Some(longer);
    }
    let nearest = known.iter().map(|one| (edits(word, one), *one)).min()?;
    (nearest.0 <= 1 + word.chars().count() / 4).then_some(nearest.1)
}

/// What is allowed, with a guess at what was meant.
pub(super) fn allowed(word: &str, known: &[&str]) -> String {
    let list = known.join(", ");
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
    fn places_count_characters() {
        let source = Source::new(Path::new("f"), "a\né=1\n");
        source.mistake(&(4..5), "odd", None);
        let mistakes = source.into_mistakes();
        assert_eq!(mistakes[0].to_string(), "f:2:2: odd");
    }
}
