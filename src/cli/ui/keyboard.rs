//! What a person does at the keyboard: keys, one at a time, and text that is pasted. A line end in a paste is text: it
//! is no press of Enter, so it ends no field and presses no button.
//!
//! Terminals that know bracketed paste say where one begins and ends. From others a paste comes as keys that are there
//! all at once, with Enter among them, which no hand can do.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use dialoguer::console::{Key, Term};

use crate::tui::mode::{Mode, arrives_within};

/// How soon after Enter the next key of a paste is there; hands are slower.
const AFTER_ENTER: Duration = Duration::from_millis(20);

/// The most keys that are taken together, and the most characters of one paste; what is beyond is no answer.
const MOST: usize = 64 * 1024;

/// The longest escape sequence that is read to its end.
const SEQUENCE: usize = 32;

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Input {
    /// One key.
    Key(Key),
    /// Text, with its line ends.
    Pasted(String),
    /// The program was stopped and goes on: the screen is not what it was.
    Resumed,
}

/// What keys are for, where they are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Text is typed.
    Text,
    /// A key is a command: several letters at once are a paste that went to the wrong place.
    Choice,
}

/// The keyboard of one prompt, or of several after each other.
pub(crate) struct Keyboard {
    term: Term,
    mode: Option<Mode>,
    ahead: VecDeque<Input>,
    is_plain: bool,
}

impl Keyboard {
    /// With the mode that the terminal is in, which Ctrl-Z leaves for a while; `is_plain` says that it cannot move its
    /// cursor.
    pub(super) fn new(mode: Option<Mode>, is_plain: bool) -> Self {
        Self { term: Term::stderr(), mode, ahead: VecDeque::new(), is_plain }
    }

    /// Whether its terminal cannot move its cursor.
    pub(super) fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// Whether something was done already that nobody has taken yet.
    pub(super) fn has_more(&self) -> bool {
        !self.ahead.is_empty()
    }

    /// Waits for the next thing that is done.
    pub(super) fn next(&mut self, purpose: Purpose) -> io::Result<Input> {
        loop {
            if let Some(input) = self.ahead.pop_front() {
                return Ok(input);
            }
            let burst = self.burst()?;
            self.ahead = sorted(burst, purpose);
        }
    }

    /// The next key, and all that are there at once with it.
    fn burst(&mut self) -> io::Result<Vec<Input>> {
        let mut burst = vec![self.one()?];
        while burst.len() < MOST {
            let ended = matches!(burst.last(), Some(Input::Key(Key::Enter)));
            if !arrives_within(if ended { AFTER_ENTER } else { Duration::ZERO }) {
                break;
            }
            burst.push(self.one()?);
        }
        Ok(burst)
    }

    fn one(&mut self) -> io::Result<Input> {
        match self.term.read_key()? {
            Key::UnknownEscSeq(begun) => match self.sequence(begun)?.as_str() {
                "[200~" => self.pasted().map(Input::Pasted),
                _ => Ok(Input::Key(Key::Unknown)),
            },
            Key::Char('\u{1a}') => {
                self.stop();
                Ok(Input::Resumed)
            }
            key => Ok(Input::Key(key)),
        }
    }

    /// An escape sequence to its end: the terminal library leaves the rest of a long one to be read as text.
    fn sequence(&mut self, begun: Vec<char>) -> io::Result<String> {
        let mut sequence: String = begun.into_iter().collect();
        while is_unfinished(&sequence) && arrives_within(Duration::ZERO) {
            match self.term.read_key()? {
                Key::Char(next) => sequence.push(next),
                _ => break,
            }
        }
        Ok(sequence)
    }

    /// The text of a paste, up to the sign that ends it.
    fn pasted(&mut self) -> io::Result<String> {
        let mut text = String::new();
        loop {
            let character = match self.term.read_key()? {
                Key::UnknownEscSeq(begun) if self.sequence(begun.clone())? == "[201~" => return Ok(text),
                Key::Enter => '\n',
                Key::Tab => '\t',
                Key::Char(character) => character,
                _ => continue,
            };
            if text.len() < MOST {
                text.push(character);
            }
        }
    }

    /// Ctrl-Z: the shell gets the terminal as it was, and it is taken again when the program goes on.
    fn stop(&self) {
        // A terminal that cannot show the cursor has not hidden it.
        let _ = self.term.show_cursor();
        if let Some(mode) = &self.mode {
            mode.leave();
        }
        // SIGTSTP may be listened to, by a form that was there before; this stops the program all the same.
        if let Err(error) = nix::sys::signal::raise(nix::sys::signal::Signal::SIGTTOU) {
            tracing::debug!(%error, "cannot stop");
        }
        if let Some(mode) = &self.mode {
            mode.enter();
        }
    }
}

/// Whether more belongs to an escape sequence: `[` up to a letter or `~`, `O` and one character.
fn is_unfinished(sequence: &str) -> bool {
    let last = sequence.chars().last().unwrap_or_default();
    match sequence.chars().next() {
        Some('[') if sequence.len() == 1 => true,
        Some('[') => !matches!(last, '@'..='~') && sequence.len() < SEQUENCE,
        Some('O') => sequence.len() == 1,
        _ => false,
    }
}

/// Tells a paste from keys in what came at once.
fn sorted(burst: Vec<Input>, purpose: Purpose) -> VecDeque<Input> {
    let known = burst.iter().any(|input| matches!(input, Input::Pasted(_) | Input::Resumed));
    if known || !is_paste(&burst, purpose) {
        return burst.into();
    }
    let text = burst.iter().filter_map(|input| match input {
        Input::Key(Key::Enter) => Some('\n'),
        Input::Key(Key::Tab) => Some('\t'),
        Input::Key(Key::Char(character)) => Some(*character),
        _ => None,
    });
    VecDeque::from([Input::Pasted(text.collect())])
}

/// A line that is typed ends with Enter; behind it comes nothing at the same moment.
fn is_paste(burst: &[Input], purpose: Purpose) -> bool {
    let is_letter = |input: &Input| matches!(input, Input::Key(Key::Char(letter)) if !letter.is_control());
    let is_enter = |input: &Input| *input == Input::Key(Key::Enter);
    let mut after = burst.iter().skip_while(|input| !is_enter(input)).skip(1);
    let goes_on = after.any(|input| is_letter(input) || is_enter(input));
    goes_on || purpose == Purpose::Choice && burst.iter().filter(|input| is_letter(input)).count() > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<Input> {
        let key = |character| if character == '\n' { Key::Enter } else { Key::Char(character) };
        text.chars().map(|character| Input::Key(key(character))).collect()
    }

    #[test]
    fn lines_that_come_at_once_are_a_paste_and_one_line_is_typed() {
        for text in ["one\ntwo", "one\ntwo\n", "\n\n", "one\n\n"] {
            for purpose in [Purpose::Text, Purpose::Choice] {
                assert_eq!(sorted(keys(text), purpose), [Input::Pasted(text.to_owned())], "{text:?}");
            }
        }
        for text in ["one\n", "\n", "one"] {
            assert_eq!(sorted(keys(text), Purpose::Text), keys(text), "{text:?}");
        }
    }

    #[test]
    fn words_are_no_choice_and_a_letter_is() {
        assert_eq!(sorted(keys("quit\n"), Purpose::Choice), [Input::Pasted("quit\n".to_owned())]);
        assert_eq!(sorted(keys("j\n"), Purpose::Choice), keys("j\n"));
        let steps = [Key::ArrowDown, Key::ArrowDown, Key::Enter].map(Input::Key).to_vec();
        assert_eq!(sorted(steps.clone(), Purpose::Choice), steps);
    }

    #[test]
    fn a_sequence_goes_on_to_its_last_character() {
        for begun in ["[", "[2", "[20", "[200", "[1;5", "O"] {
            assert!(is_unfinished(begun), "{begun}");
        }
        for whole in ["[200~", "[1;5D", "[E", "OP", "x"] {
            assert!(!is_unfinished(whole), "{whole}");
        }
    }
}
