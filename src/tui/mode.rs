//! The mode that a terminal is in while somebody is asked, and how it is left.

use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use rustix::io::ioctl_fionread;
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, QueueSelector, SpecialCodeIndex, Termios, tcflush, tcgetattr,
    tcsetattr,
};

/// The terminal says where a paste begins and ends, and does so no more.
const BRACKETED: (&str, &str) = ("\x1b[?2004h", "\x1b[?2004l");

/// How often it is looked whether a key is there.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// The rest of a paste comes within this after the part before.
const REST: Duration = Duration::from_millis(30);

/// How long such rests are thrown away; who pastes for longer sees it in the shell.
const RESTS: Duration = Duration::from_millis(500);

/// Each key comes as it is, without echo, and pastes are marked.
#[derive(Clone)]
pub(crate) struct Mode {
    before: Termios,
    during: Termios,
}

impl Mode {
    /// For prompts that are read by the terminal library of dialoguer, line by line. It asks for plain keys only while it
    /// waits for one; in between, the terminal's own line editing would take Ctrl-U and Backspace for itself from
    /// somebody who types ahead, and Ctrl-Z would stop the program with the terminal as it is. `None` where the terminal
    /// cannot; then nothing can be typed ahead.
    fn of_prompts() -> Option<Self> {
        let before = tcgetattr(io::stdin()).ok()?;
        let mut during = before.clone();
        during.local_modes -= LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
        Some(Self { before, during })
    }

    /// For a form: every key is the form's, as it was pressed. What is written stays as it is written.
    fn of_forms() -> Option<Self> {
        let mut mode = Self::of_prompts()?;
        let translations = InputModes::ICRNL | InputModes::INLCR | InputModes::IGNCR | InputModes::IXON;
        mode.during.input_modes -= translations | InputModes::BRKINT | InputModes::ISTRIP;
        mode.during.local_modes -= LocalModes::IEXTEN | LocalModes::ECHONL;
        mode.during.special_codes[SpecialCodeIndex::VMIN] = 1;
        mode.during.special_codes[SpecialCodeIndex::VTIME] = 0;
        Some(mode)
    }

    /// Takes the terminal. One that is gone has no mode, here and below.
    pub(crate) fn enter(&self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Drain, &self.during);
        say(BRACKETED.0);
    }

    /// Gives the terminal back as it was.
    pub(crate) fn leave(&self) {
        say(BRACKETED.1);
        let _ = tcsetattr(io::stdin(), OptionalActions::Drain, &self.before);
    }
}

/// The terminal while somebody is asked; given back when dropped, whatever the reason.
pub(crate) struct Taken(pub(crate) Option<Mode>);

impl Taken {
    /// For prompts.
    pub(crate) fn for_prompts() -> Self {
        Self::take(Mode::of_prompts())
    }

    /// For a form. What was typed before it could be seen is thrown away.
    pub(super) fn for_form() -> Self {
        let taken = Self::take(Mode::of_forms());
        let _ = tcflush(io::stdin(), QueueSelector::IFlush);
        taken
    }

    fn take(mode: Option<Mode>) -> Self {
        if let Some(mode) = &mode {
            mode.enter();
        }
        Self(mode)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if let Some(mode) = &self.0 {
            discard();
            mode.leave();
        }
    }
}

/// Throws away what nobody read: the rest of a paste would be a command to the shell.
fn discard() {
    let begun = Instant::now();
    while begun.elapsed() < RESTS {
        if tcflush(io::stdin(), QueueSelector::IFlush).is_err() || !arrives_within(REST) {
            return;
        }
    }
}

/// Whether something is there to be read, or soon is.
pub(crate) fn arrives_within(bound: Duration) -> bool {
    let begun = Instant::now();
    loop {
        match ioctl_fionread(io::stdin()) {
            Ok(0) => {}
            Ok(_) => return true,
            // The terminal is gone.
            Err(_) => return false,
        }
        if begun.elapsed() >= bound {
            return false;
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

fn say(sequence: &str) {
    let mut stderr = io::stderr();
    // Nobody can be told that the terminal is gone.
    let _ = stderr.write_all(sequence.as_bytes()).and_then(|()| stderr.flush());
}
