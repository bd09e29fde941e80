//! A form whose question was closed from elsewhere. Nothing that is typed for it goes anywhere any more; it stays until
//! somebody has read what became of the question.

use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Enter that comes so soon after the form was open, or after something was typed for it, was meant for the form.
const UNREAD: Duration = Duration::from_millis(700);

/// How long no key is pressed before a form goes by itself, where it may: nobody is there then. Whoever had filled
/// something in may be thinking about the rest of it.
const UNATTENDED: Duration = Duration::from_secs(5);
const UNATTENDED_DRAFT: Duration = Duration::from_secs(20);

/// What became of a question while its form was on the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Closing {
    /// That, in words.
    pub(crate) words: String,
    /// Whether the command goes on with other things: then the form goes by itself once nobody is at the keyboard, since what
    /// comes next would wait for nobody.
    pub(crate) goes_on: bool,
}

/// The form from then on.
#[derive(Debug)]
pub(in crate::tui) struct Closed {
    pub(in crate::tui) words: String,
    /// After how long without a key it goes, where it goes by itself.
    pub(in crate::tui) goes_after: Option<Duration>,
    /// Since when nobody has typed anything for it.
    untyped_since: Instant,
    /// Since when no key was pressed.
    quiet_since: Instant,
    /// Whether somebody has had the screen drawn anew, and so has looked at it.
    is_looked_at: bool,
}

impl Closed {
    /// Closed just now; whether something was filled in.
    pub(super) fn new(closing: Closing, is_changed: bool) -> Self {
        let now = Instant::now();
        let unattended = if is_changed { UNATTENDED_DRAFT } else { UNATTENDED };
        Self {
            words: closing.words,
            goes_after: closing.goes_on.then_some(unattended),
            untyped_since: now,
            quiet_since: now,
            is_looked_at: false,
        }
    }

    /// Whether Enter is meant for what is on the screen now, and leaves it.
    pub(in crate::tui) fn can_be_left(&self) -> bool {
        self.is_looked_at || self.untyped_since.elapsed() >= UNREAD
    }

    /// Whether the key leaves it.
    pub(super) fn is_left_by(&mut self, key: KeyEvent) -> bool {
        self.quiet_since = Instant::now();
        match key.code {
            KeyCode::Enter | KeyCode::Esc => self.can_be_left(),
            KeyCode::Char(_) if key.modifiers.contains(KeyModifiers::CONTROL) => false,
            _ => {
                self.typed();
                false
            }
        }
    }

    /// Something was typed for it.
    pub(super) fn typed(&mut self) {
        let now = Instant::now();
        (self.untyped_since, self.quiet_since, self.is_looked_at) = (now, now, false);
    }

    /// It is drawn anew, as somebody wished.
    pub(super) fn looked_at(&mut self) {
        (self.is_looked_at, self.quiet_since) = (true, Instant::now());
    }

    /// Whether it goes now.
    pub(super) fn goes(&self) -> bool {
        self.goes_after.is_some_and(|after| self.quiet_since.elapsed() >= after)
    }

    /// How soon it is another one although nothing comes.
    pub(super) fn changes_in(&self) -> Option<Duration> {
        if !self.can_be_left() {
            return Some(UNREAD.saturating_sub(self.untyped_since.elapsed()));
        }
        self.goes_after.map(|after| after.saturating_sub(self.quiet_since.elapsed()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closed(goes_on: bool, is_changed: bool) -> Closed {
        Closed::new(Closing { words: "closed".to_owned(), goes_on }, is_changed)
    }

    /// As it is so much later.
    fn later(mut closed: Closed, by: Duration) -> Closed {
        closed.untyped_since -= by;
        closed.quiet_since -= by;
        closed
    }

    fn press(closed: &mut Closed, code: KeyCode) -> bool {
        closed.is_left_by(KeyEvent::from(code))
    }

    #[test]
    fn enter_leaves_it_only_behind_a_moment_in_which_nothing_was_typed() {
        let mut new = closed(false, true);
        assert!(!press(&mut new, KeyCode::Enter) && new.changes_in().is_some());
        let mut read = later(new, UNREAD);
        assert!(!press(&mut read, KeyCode::Char('x')) && !press(&mut read, KeyCode::Enter));
        let mut read = later(read, UNREAD);
        assert!(press(&mut read, KeyCode::Enter) && press(&mut read, KeyCode::Esc));
        // Whoever has it drawn anew looks at it.
        read.typed();
        read.looked_at();
        assert!(press(&mut read, KeyCode::Enter) && read.changes_in().is_none());
    }

    #[test]
    fn it_goes_by_itself_only_where_the_command_goes_on_and_nobody_is_there() {
        assert!(!later(closed(false, false), UNATTENDED_DRAFT).goes());
        assert!(later(closed(true, false), UNATTENDED).goes());
        assert!(!later(closed(true, true), UNATTENDED).goes());
        let mut attended = later(closed(true, true), UNATTENDED_DRAFT);
        assert!(attended.goes());
        attended.typed();
        assert!(!attended.goes());
    }
}
