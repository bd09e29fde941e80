//! Text as columns of a terminal: a letter is no column, since some take two and some take none.

use dialoguer::console::{Term, measure_text_width};

use crate::cli::environment::Environment;

/// The narrowest that words are wrapped to, however narrow the terminal.
const NARROWEST: usize = 20;

/// How many columns there are on stderr. The last one stays free: some terminals go on below once it is filled.
pub(super) fn of_terminal() -> usize {
    usable(usize::from(Term::stderr().size().1))
}

/// How many columns a stream's terminal has: what `COLUMNS` says, else what the terminal does. `None` where neither
/// says anything: nothing is wrapped on a guess.
pub(super) fn of_stream(environment: &Environment, term: &Term) -> Option<usize> {
    let said = environment.given("COLUMNS").and_then(|columns| columns.parse().ok());
    let said = said.filter(|columns| *columns > 0);
    said.or_else(|| Some(usize::from(term.size_checked()?.1))).map(usable)
}

fn usable(columns: usize) -> usize {
    columns.saturating_sub(1).max(NARROWEST)
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

/// Text with spaces behind it, up to so many columns.
pub(crate) fn padded(text: &str, to: usize) -> String {
    format!("{text}{}", " ".repeat(to.saturating_sub(columns(text))))
}

/// The beginning that fits; one character at least, so that whoever goes on with the rest comes to its end.
pub(super) fn fitting(text: &str, most: usize) -> &str {
    let ends = text.char_indices().map(|(at, character)| at + character.len_utf8());
    let fits = ends.take_while(|end| columns(&text[..*end]) <= most).last();
    let first = text.chars().next().map_or(0, char::len_utf8);
    &text[..fits.unwrap_or(first)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(cut("Where", 5), "Where");
        assert_eq!(cut("本番環境", 6), "本番…");
        assert_eq!(padded("本", 4), "本  ");
    }

    #[test]
    fn columns_of_the_environment_win_where_they_are_some() {
        let of = |columns: &str| of_stream(&Environment::of(&[("COLUMNS", columns)]), &Term::stderr());
        assert_eq!((of("60"), of("3")), (Some(59), Some(NARROWEST)));
        assert_eq!((of("0"), of("wide")), (of(""), of("")));
    }
}
