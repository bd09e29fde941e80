//! Letters where no text is typed: one alone is a key, several within a moment are a word, and a word presses nothing. Whoever
//! types on behind the last field, without looking, has sent and declined nothing.

use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{Focus, Sheet, Step};
use crate::tui::entry::Input;

/// How soon behind a letter the next one belongs to the same word, and Enter, for which a hand goes a longer way.
const WORD: Duration = Duration::from_millis(400);
const ENTER: Duration = Duration::from_millis(700);

/// How long the key that declines waits for a letter behind it, which would make it the first of a word.
const ALONE: Duration = Duration::from_millis(300);

/// What is said of a word, and of Enter behind it.
const PRESSES_NOTHING: &str = "a word presses nothing here: Tab goes to the next field";
const ANSWERS_NOTHING: &str = "a word answers nothing here: y or n alone does";
const BEHIND_A_WORD: &str = "nothing was pressed: Enter came right behind letters; press it again";

/// What was typed where it is no text.
#[derive(Debug, Default)]
pub(super) struct Letters {
    /// The last letter that was no key.
    typed: Option<Instant>,
    /// When the key that declines was pressed, until it is known whether it stands alone.
    declines: Option<Instant>,
}

impl Letters {
    /// Whether a key that comes now, so soon behind a letter, belongs to the same word.
    fn is_word(&self, soon: Duration) -> bool {
        self.declines.is_some() || self.typed.is_some_and(|at| at.elapsed() < soon)
    }

    fn stray(&mut self) {
        *self = Self { typed: Some(Instant::now()), declines: None };
    }

    /// How soon it is known that the key that declines stands alone.
    pub(super) fn declines_in(&self) -> Option<Duration> {
        self.declines.map(|at| ALONE.saturating_sub(at.elapsed()))
    }

    /// Whether the key that declines has stood alone for long enough, or is told to stand so.
    fn takes_decline(&mut self, now: bool) -> bool {
        self.declines.take_if(|at| now || at.elapsed() >= ALONE).is_some()
    }
}

impl Sheet {
    /// What a key does as a letter where no text is typed; `None` where it is none, or a key there.
    pub(super) fn letter(&mut self, key: KeyEvent, is_meant: bool) -> Option<Step> {
        let is_yes_or_no = match self.focus {
            Focus::Entry(at) => matches!(self.entries[at].input, Input::YesOrNo(_)).then_some(true),
            Focus::Button(_) => Some(false),
        };
        let Some(is_yes_or_no) = is_yes_or_no else {
            self.letters = Letters::default();
            return None;
        };
        match key.code {
            KeyCode::Char(letter) if (key.modifiers - KeyModifiers::SHIFT).is_empty() => {
                self.at_letter((letter, key.modifiers), is_yes_or_no, is_meant)
            }
            KeyCode::Enter if self.letters.takes_decline(true) => Some(self.decline()),
            KeyCode::Enter if self.letters.is_word(ENTER) => {
                self.letters = Letters::default();
                self.notice = Some(BEHIND_A_WORD.to_owned());
                Some(Step::Stay)
            }
            _ => {
                self.letters = Letters::default();
                None
            }
        }
    }

    fn at_letter(
        &mut self,
        (letter, modifiers): (char, KeyModifiers),
        is_yes_or_no: bool,
        is_meant: bool,
    ) -> Option<Step> {
        // What was pressed before it was on the screen is no word, and no key for it.
        let is_ahead = !is_meant && !self.is_seen;
        let is_word = self.letters.is_word(WORD) || !is_meant;
        match letter {
            _ if is_ahead => {}
            'y' | 'Y' | 'n' | 'N' if is_yes_or_no && !is_word => return None,
            // It sends nothing, so it may come together with the key behind it.
            ' ' if !self.letters.is_word(WORD) => return None,
            'd' if modifiers.is_empty() && !is_word => self.letters.declines = Some(Instant::now()),
            _ => {
                self.letters.stray();
                self.notice = Some(if is_yes_or_no { ANSWERS_NOTHING } else { PRESSES_NOTHING }.to_owned());
            }
        }
        Some(Step::Stay)
    }

    /// What follows from the key that declines, once nothing has come behind it.
    pub(super) fn declines_by_now(&mut self) -> Option<Step> {
        self.letters.takes_decline(false).then(|| self.decline())
    }
}
