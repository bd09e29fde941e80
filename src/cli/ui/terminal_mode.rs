//! The mode that a terminal is in while a prompt has it, and how it is left.

use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use rustix::io::ioctl_fionread;
use rustix::termios::{LocalModes, OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcsetattr};

/// The terminal says where a paste begins and ends, and does so no more.
const BRACKETED: (&str, &str) = ("\x1b[?2004h", "\x1b[?2004l");

/// How often it is looked whether a key is there.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// The rest of a paste comes within this after the part before.
const REST: Duration = Duration::from_millis(10);

/// How often such a rest is thrown away; who pastes for longer sees it in the shell.
const RESTS: u32 = 50;

/// Each key comes as it is, without echo, and pastes are marked.
///
/// The terminal library asks for plain keys only while it waits for one; in between, the terminal's own line editing
/// would take Ctrl-U and Backspace for itself from somebody who types ahead, and Ctrl-Z would stop the program with
/// the terminal as it is.
#[derive(Clone)]
pub(super) struct Mode {
    before: Termios,
    plain: Termios,
}

impl Mode {
    /// `None` where the terminal cannot; then nothing can be typed ahead.
    fn find() -> Option<Self> {
        let before = tcgetattr(io::stdin()).ok()?;
        let mut plain = before.clone();
        plain.local_modes -= LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
        Some(Self { before, plain })
    }

    /// Takes the terminal. One that is gone has no mode, here and below.
    pub(super) fn enter(&self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Drain, &self.plain);
        say(BRACKETED.0);
    }

    /// Gives the terminal back as it was.
    pub(super) fn leave(&self) {
        say(BRACKETED.1);
        let _ = tcsetattr(io::stdin(), OptionalActions::Drain, &self.before);
    }
}

/// The terminal while a prompt has it; given back when dropped, whatever the reason.
pub(super) struct Taken(pub(super) Option<Mode>);

impl Taken {
    pub(super) fn take() -> Self {
        let mode = Mode::find();
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
    for _ in 0..RESTS {
        if tcflush(io::stdin(), QueueSelector::IFlush).is_err() || !arrives_within(REST) {
            return;
        }
    }
}

/// Whether something is there to be read, or soon is.
pub(super) fn arrives_within(bound: Duration) -> bool {
    let begun = Instant::now();
    loop {
        if ioctl_fionread(io::stdin()).is_ok_and(|bytes| bytes > 0) {
            return true;
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
