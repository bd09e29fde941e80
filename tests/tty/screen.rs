//! The program on a screen, as a person sees it: a terminal emulator reads what it draws.

use std::io::{Read as _, Write as _};
use std::num::NonZeroU16;
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use rexpect::process::{PtyProcess, Signal, WaitStatus};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::place::{BOUND, Place};
use crate::svg;

/// What is on the screen, told to whoever waits for something there.
type Seen = Arc<(Mutex<Emulator>, Condvar)>;

struct Emulator {
    parser: vt100::Parser,
    bytes: Vec<u8>,
    ended: bool,
}

/// A command with a person who looks at its screen.
pub(crate) struct Screen {
    seen: Seen,
    process: PtyProcess,
    keys: std::fs::File,
}

/// The focus on the button that sends.
pub(crate) const SEND: &str = "> [ Send ]";
pub(crate) const TAB: &str = "\t";
pub(crate) const BACK_TAB: &str = "\u{1b}[Z";

fn size(of: u16) -> NonZeroU16 {
    NonZeroU16::new(of).expect("some")
}

/// The rows of the screen, without the blanks behind them.
fn shown(emulator: &Emulator) -> String {
    let contents = emulator.parser.screen().contents();
    contents.lines().map(|row| row.trim_end().to_owned() + "\n").collect()
}

/// What stands there, whatever rows it was broken into.
pub(crate) fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Screen {
    /// On a terminal of 80 columns and 24 rows.
    pub(crate) fn run(place: &Place, arguments: &[&str]) -> Self {
        Self::sized(place, arguments, (80, 24))
    }

    /// On one of so many columns and rows.
    pub(crate) fn sized(place: &Place, arguments: &[&str], size: (u16, u16)) -> Self {
        Self::sized_with(place, arguments, size, &[])
    }

    /// The same with more environment variables.
    pub(crate) fn sized_with(
        place: &Place,
        arguments: &[&str],
        (columns, rows): (u16, u16),
        variables: &[(&str, &str)],
    ) -> Self {
        let mut script = Command::new("sh");
        script.args(["-c", "stty cols $0 rows $1; shift; exec \"$MCPTASK\" \"$@\""]);
        script.args([columns.to_string(), rows.to_string()]).args(arguments);
        Self::spawn(place, script, (columns, rows), variables)
    }

    /// With more environment variables.
    pub(crate) fn run_with(place: &Place, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut script = Command::new("sh");
        script.args(["-c", "stty cols 80 rows 24; exec \"$MCPTASK\" \"$@\"", "sh"]).args(arguments);
        Self::spawn(place, script, (80, 24), variables)
    }

    /// A shell's script in which `$MCPTASK` is the program.
    pub(crate) fn shell(place: &Place, script: &str) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("stty cols 80 rows 24; {script}")]);
        Self::spawn(place, shell, (80, 24), &[])
    }

    fn spawn(
        place: &Place,
        mut command: Command,
        (columns, rows): (u16, u16),
        variables: &[(&str, &str)],
    ) -> Self {
        let program = place.command(&[]);
        command.env_clear().current_dir(place.path());
        command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.env("MCPTASK", program.get_program()).envs(variables.iter().copied());
        let process = PtyProcess::new(command).expect("a pseudo-terminal");
        let keys = process.get_file_handle().expect("a handle");
        let mut from = process.get_file_handle().expect("a handle");
        let parser = vt100::Parser::new(size(rows), size(columns), 0);
        let seen: Seen =
            Arc::new((Mutex::new(Emulator { parser, bytes: Vec::new(), ended: false }), Condvar::new()));
        let shown = seen.clone();
        std::thread::spawn(move || {
            let mut part = [0; 4096];
            loop {
                // The end is an error where the terminal has no other side any more.
                let count = from.read(&mut part).unwrap_or(0);
                let mut emulator = shown.0.lock().expect("not poisoned");
                emulator.parser.process(&part[..count]);
                emulator.bytes.extend_from_slice(&part[..count]);
                emulator.ended = count == 0;
                shown.1.notify_all();
                if count == 0 {
                    return;
                }
            }
        });
        Self { seen, process, keys }
    }

    fn wait(&self, what: &str, holds: impl Fn(&Emulator) -> bool) -> String {
        let begun = Instant::now();
        let mut emulator = self.seen.0.lock().expect("not poisoned");
        while !holds(&emulator) {
            let left = BOUND.checked_sub(begun.elapsed()).filter(|_| !emulator.ended);
            let left = left.unwrap_or_else(|| panic!("{what}:\n{}", shown(&emulator)));
            emulator = self.seen.1.wait_timeout(emulator, left).expect("not poisoned").0;
        }
        shown(&emulator)
    }

    /// Waits until that is on the screen, in one row or wrapped; the whole screen.
    pub(crate) fn sees(&self, text: &str) -> String {
        let is_there = |now: &Emulator| {
            let shown = shown(now);
            shown.contains(text) || words(&shown).contains(text)
        };
        self.wait(&format!("never saw {text:?}"), is_there)
    }

    /// Waits until that is on the screen no more.
    pub(crate) fn gone(&self, text: &str) -> String {
        self.wait(&format!("still there: {text:?}"), |now| !shown(now).contains(text))
    }

    /// Waits until the program has written that, and goes on with what follows it.
    pub(crate) fn writes(&self, bytes: &str) {
        let has = |now: &Emulator| now.bytes.windows(bytes.len()).any(|part| part == bytes.as_bytes());
        self.wait(&format!("never wrote {bytes:?}"), has);
        self.seen.0.lock().expect("not poisoned").bytes.clear();
    }

    /// What was written before is of no interest.
    pub(crate) fn forget_written(&self) {
        self.seen.0.lock().expect("not poisoned").bytes.clear();
    }

    /// Everything that was written.
    pub(crate) fn written(&self) -> String {
        String::from_utf8_lossy(&self.seen.0.lock().expect("not poisoned").bytes).into_owned()
    }

    /// What is on the screen now.
    pub(crate) fn text(&self) -> String {
        shown(&self.seen.0.lock().expect("not poisoned"))
    }

    /// What is on the screen now as a picture; `told` makes texts what they are in every picture.
    pub(crate) fn picture(&self, told: impl Fn(&str) -> String) -> String {
        svg::picture(self.seen.0.lock().expect("not poisoned").parser.screen(), told)
    }

    /// The cursor's row and column, and whether it is shown.
    pub(crate) fn cursor(&self) -> ((u16, u16), bool) {
        let emulator = self.seen.0.lock().expect("not poisoned");
        let screen = emulator.parser.screen();
        (screen.cursor_position(), !screen.hide_cursor())
    }

    /// Sends keys, all at once.
    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("the terminal takes keys");
    }

    /// Waits for something on the screen, then sends keys.
    pub(crate) fn at(&mut self, text: &str, keys: &str) {
        self.sees(text);
        self.press(keys);
    }

    /// Waits until a form is on the screen with the focus there; the whole screen.
    pub(crate) fn at_form(&self, focus: &str) -> String {
        self.wait(&format!("no form at {focus:?}"), |now| {
            let shown = shown(now);
            shown.contains(focus) && shown.contains("[ Send ]")
        })
    }

    /// Waits until the row of the inbox that the cursor is at says that.
    pub(crate) fn at_row(&self, text: &str) -> String {
        let is_there =
            |now: &Emulator| shown(now).lines().any(|row| row.starts_with("> ") && row.contains(text));
        self.wait(&format!("the cursor is not at {text:?}"), is_there)
    }

    /// Its process id.
    pub(crate) fn id(&self) -> i32 {
        let tree = rustix::termios::tcgetsid(&self.keys).expect("a session");
        tree.as_raw_nonzero().get()
    }

    /// Fills in what was typed once the field has the focus, and goes on.
    pub(crate) fn fill(&mut self, label: &str, typed: &str) {
        self.at(&format!("> {label}"), typed);
        self.sees(typed);
        // Only then it is no part of a paste.
        self.press("\r");
    }

    /// Makes the terminal another size.
    pub(crate) fn resize(&mut self, columns: u16, rows: u16) {
        let mut emulator = self.seen.0.lock().expect("not poisoned");
        emulator.parser.screen_mut().set_size(size(rows), size(columns));
        let wanted = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&self.keys, wanted).expect("a terminal");
    }

    /// Sends a signal from elsewhere.
    pub(crate) fn signal(&mut self, signal: Signal) {
        self.process.signal(signal).expect("it runs");
    }

    /// Waits for the end: what is on the screen, and the exit code.
    pub(crate) fn ends(&mut self) -> (String, i32) {
        let begun = Instant::now();
        let mut emulator = self.seen.0.lock().expect("not poisoned");
        while !emulator.ended {
            let left = BOUND.checked_sub(begun.elapsed());
            let left = left.unwrap_or_else(|| panic!("runs on:\n{}", shown(&emulator)));
            emulator =
                self.seen.1.wait_timeout(emulator, left.min(Duration::from_secs(1))).expect("not poisoned").0;
        }
        let shown = shown(&emulator);
        match self.process.wait().expect("its state can be read") {
            WaitStatus::Exited(_, code) => (shown, code),
            other => panic!("it ended by {other:?}:\n{shown}"),
        }
    }
}
