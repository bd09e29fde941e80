//! The program in a pseudo-terminal.

use std::process::Command;

use rexpect::process::WaitStatus;
use rexpect::session::{Options, PtySession, spawn_with_options};

use crate::place::{BOUND, Place};

/// A command with a person at the terminal.
pub(crate) struct Terminal {
    session: PtySession,
}

pub(crate) const ENTER: &str = "\r";
pub(crate) const ESCAPE: &str = "\u{1b}";
pub(crate) const DOWN: &str = "\u{1b}[B";
pub(crate) const BACKSPACE: &str = "\u{7f}";
pub(crate) const CTRL_C: &str = "\u{3}";
pub(crate) const CTRL_U: &str = "\u{15}";
pub(crate) const CTRL_Z: &str = "\u{1a}";
/// The terminal marks pastes from now on, and no more.
pub(crate) const MARKS: (&str, &str) = ("\u{1b}[?2004h", "\u{1b}[?2004l");
/// Where a marked paste begins and ends.
pub(crate) const PASTE: (&str, &str) = ("\u{1b}[200~", "\u{1b}[201~");
/// Makes the cursor visible again.
pub(crate) const SHOW_CURSOR: &str = "\u{1b}[?25h";

impl Terminal {
    /// Starts it without colours.
    pub(crate) fn run(place: &Place, arguments: &[&str]) -> Self {
        Self::run_with(place, arguments, &[("NO_COLOR", "1")])
    }

    /// Starts it on a terminal that cannot move its cursor.
    pub(crate) fn dumb(place: &Place, arguments: &[&str]) -> Self {
        Self::run_with(place, arguments, &[("NO_COLOR", "1"), ("TERM", "dumb")])
    }

    /// Starts it with more environment variables.
    pub(crate) fn run_with(place: &Place, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = place.command(arguments);
        command.envs(variables.iter().copied());
        Self::spawn(command)
    }

    /// Starts a shell's script in which `$MCPTASK` is the program.
    pub(crate) fn shell(place: &Place, script: &str) -> Self {
        let program = place.command(&[]);
        let mut command = Command::new("sh");
        command.args(["-c", script]).env_clear().current_dir(place.path()).env("NO_COLOR", "1");
        command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.env("MCPTASK", program.get_program());
        Self::spawn(command)
    }

    fn spawn(command: Command) -> Self {
        let bound = u64::try_from(BOUND.as_millis()).expect("small");
        let options = Options::new().timeout_ms(Some(bound)).strip_ansi_escape_codes(false);
        Self { session: spawn_with_options(command, options).expect("a pseudo-terminal") }
    }

    /// Waits until it shows that; what came before.
    pub(crate) fn sees(&mut self, text: &str) -> String {
        self.session.exp_string(text).unwrap_or_else(|error| panic!("waiting for {text:?}: {error}"))
    }

    /// Presses keys, each once the program waits for one.
    pub(crate) fn press(&mut self, keys: &[&str]) {
        for key in keys {
            self.session.send(key).expect("the terminal takes keys");
            self.session.flush().expect("the terminal takes keys");
        }
    }

    /// Waits for something, then presses a key.
    pub(crate) fn at(&mut self, text: &str, keys: &[&str]) {
        self.sees(text);
        self.press(keys);
    }

    /// Waits for the end: everything that was still shown, and the exit code.
    pub(crate) fn ends(&mut self) -> (String, i32) {
        let rest = self.session.exp_eof().expect("it ends");
        match self.session.process().wait().expect("its state can be read") {
            WaitStatus::Exited(_, code) => (rest, code),
            other => panic!("it ended by {other:?}: {rest}"),
        }
    }
}
