//! The form's part of the screen: drawn, taken off and given back.

use std::io::{self, BufWriter, Stderr, Write as _};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, Once, PoisonError};

use crossterm::cursor;
use crossterm::queue;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen};
use ratatui::backend::Backend as _;
use ratatui::layout::{Position, Rect, Size};
use ratatui::text::{Line, Text};
use ratatui::widgets::Paragraph;
use ratatui::{Terminal, TerminalOptions, Viewport};
use rustix::termios::tcgetwinsize;

use super::backend::Below;
use super::mode::{Mode, Taken};

/// What a terminal has that does not say it.
const USUAL: Size = Size::new(80, 24);

/// One more than the rows of a form below the cursor; 0 where there is none on the screen.
static BELOW: AtomicU32 = AtomicU32::new(0);

/// How the terminal is given back by a panic.
static MODE: Mutex<Option<Mode>> = Mutex::new(None);

/// Whether the whole screen is taken, in place of what the terminal showed before.
static IS_WHOLE: AtomicBool = AtomicBool::new(false);

/// The whole screen, for as long as it is wanted: what is drawn meanwhile begins in its first row, and what the terminal
/// showed before comes back when this is dropped.
pub(super) struct WholeScreen(());

impl WholeScreen {
    pub(super) fn take() -> Self {
        IS_WHOLE.store(true, Ordering::Release);
        say(EnterAlternateScreen);
        Self(())
    }
}

impl Drop for WholeScreen {
    fn drop(&mut self) {
        if IS_WHOLE.swap(false, Ordering::AcqRel) {
            say(LeaveAlternateScreen);
        }
    }
}

/// Nobody can be told that the terminal is gone.
fn say(command: impl crossterm::Command) {
    let mut stderr = io::stderr();
    let _ = queue!(stderr, command).and_then(|()| stderr.flush());
}

/// Rows that fit on the screen, and where the cursor is in them.
pub(super) struct Picture {
    pub(super) rows: Vec<Line<'static>>,
    pub(super) cursor: Option<Position>,
}

/// The screen while a form has it; given back when dropped, whatever the reason.
pub(super) struct Screen {
    terminal: Terminal<Below<BufWriter<Stderr>>>,
    taken: Taken,
}

impl Screen {
    /// Takes it. `rewraps` says whether the terminal breaks long rows anew when it becomes narrower.
    pub(super) fn take(rewraps: bool) -> io::Result<Self> {
        let taken = Taken::for_form();
        let is_whole = IS_WHOLE.load(Ordering::Acquire);
        let backend = Below::new(BufWriter::new(io::stderr()), rewraps).with_own_screen(is_whole);
        let nothing = Viewport::Fixed(Rect::default());
        let terminal = Terminal::with_options(backend, TerminalOptions { viewport: nothing })?;
        give_back_on_panic(taken.0.clone());
        Ok(Self { terminal, taken })
    }

    /// Draws what there is for the terminal's size.
    pub(super) fn draw(&mut self, picture: impl FnOnce(Size) -> Picture) -> io::Result<()> {
        let size = size();
        let Picture { rows, cursor } = picture(size);
        let height = u16::try_from(rows.len()).unwrap_or(u16::MAX).clamp(1, size.height.max(2) - 1);
        let (wanted, now) = (Rect::new(0, 0, size.width, height), self.terminal.get_frame().area());
        let backend = self.terminal.backend_mut();
        backend.resized(size);
        if wanted != now {
            let is_whole = IS_WHOLE.load(Ordering::Acquire);
            if is_whole || wanted.width != now.width || now.height >= size.height {
                backend.erase(size.width)?;
            }
            backend.reserve(height)?;
            self.terminal.resize(wanted)?;
        }
        self.terminal.draw(|frame| {
            frame.render_widget(Paragraph::new(Text::from(rows)), frame.area());
            if let Some(cursor) = cursor {
                frame.set_cursor_position(cursor);
            }
        })?;
        let (row, height) = self.terminal.backend().place();
        BELOW.store(u32::from(height - row), Ordering::Release);
        Ok(())
    }

    /// Takes the form off and gives the terminal to somebody else, until [`Screen::resume`].
    pub(super) fn suspend(&mut self) -> io::Result<()> {
        self.erase()?;
        if IS_WHOLE.load(Ordering::Acquire) {
            say(LeaveAlternateScreen);
        }
        if let Some(mode) = &self.taken.0 {
            mode.leave();
        }
        Ok(())
    }

    /// Takes the terminal again; all is drawn anew below what others wrote.
    pub(super) fn resume(&mut self) -> io::Result<()> {
        if let Some(mode) = &self.taken.0 {
            mode.enter();
        }
        if IS_WHOLE.load(Ordering::Acquire) {
            say(EnterAlternateScreen);
        }
        self.terminal.backend_mut().forget()?;
        self.terminal.resize(Rect::default())
    }

    /// Takes the form off, until it is drawn again.
    pub(super) fn erase(&mut self) -> io::Result<()> {
        BELOW.store(0, Ordering::Release);
        let backend = self.terminal.backend_mut();
        backend.show_cursor()?;
        backend.erase(size().width)?;
        self.terminal.resize(Rect::default())?;
        self.terminal.backend_mut().flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        *MODE.lock().unwrap_or_else(PoisonError::into_inner) = None;
        if !std::thread::panicking() {
            // Nobody can be told that the terminal is gone.
            let _ = self.erase();
        }
    }
}

/// The terminal's size now.
fn size() -> Size {
    match tcgetwinsize(io::stderr()) {
        Ok(said) if said.ws_col > 0 && said.ws_row > 0 => Size::new(said.ws_col, said.ws_row),
        _ => USUAL,
    }
}

/// Has a panic's message written below the form, on a terminal as it was before.
fn give_back_on_panic(mode: Option<Mode>) {
    static ONCE: Once = Once::new();
    *MODE.lock().unwrap_or_else(PoisonError::into_inner) = mode;
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |what| {
            let (below, is_whole) = (BELOW.swap(0, Ordering::AcqRel), IS_WHOLE.swap(false, Ordering::AcqRel));
            if below > 0 || is_whole {
                let mut stderr = io::stderr();
                let down = u16::try_from(below.saturating_sub(1)).unwrap_or(0);
                let _ = match down {
                    _ if is_whole => queue!(stderr, LeaveAlternateScreen, cursor::Show),
                    0 => queue!(stderr, cursor::Show),
                    down => queue!(stderr, cursor::MoveDown(down), cursor::Show),
                };
                let _ = stderr.write_all(b"\r\n").and_then(|()| stderr.flush());
                if let Ok(Some(mode)) = MODE.try_lock().map(|mut mode| mode.take()) {
                    mode.leave();
                }
            }
            usual(what);
        }));
    });
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// What the test below runs in a terminal of its own.
    #[test]
    #[ignore = "is run by the test below, in a terminal of its own"]
    fn a_form_that_panics() {
        let mut screen = Screen::take(false).expect("a terminal");
        let rows = ["first", "second"].map(Line::from).to_vec();
        screen.draw(|_| Picture { rows, cursor: Some(Position::new(2, 0)) }).expect("is drawn");
        panic!("something broke");
    }

    #[test]
    fn a_panic_gives_the_terminal_back_and_is_told_below_the_form() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut shell = Command::new("sh");
        let script = "stty cols 80 rows 24; stty -a > before; \"$TEST\" --ignored --exact --nocapture \
            tui::screen::tests::a_form_that_panics; stty -a > after; cmp before after && echo as it was; echo over";
        shell.args(["-c", script]).current_dir(folder.path());
        shell.env("TEST", std::env::current_exe().expect("this program")).env("RUST_BACKTRACE", "0");
        let mut terminal = rexpect::session::spawn_command(shell, Some(60_000)).expect("a terminal");
        let written = terminal.exp_string("over").expect("it ends");
        let (form, after) =
            written.split_once("second").unwrap_or_else(|| panic!("no form is drawn: {written:?}"));
        assert!(form.contains("first") && form.contains("\u{1b}[?2004h"), "{written:?}");
        let (given, told) = after.split_once("something broke").expect("the panic is told");
        for sequence in ["\u{1b}[?25h", "\u{1b}[?2004l", "\r\n"] {
            assert!(given.contains(sequence), "{sequence:?} is not before the panic's words: {written:?}");
        }
        assert!(told.contains("as it was"), "{written:?}");
    }
}
