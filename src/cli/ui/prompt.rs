//! Prompts: they run on a thread of their own, and can be taken off the screen from outside.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use dialoguer::console::Term;
use nix::sys::pthread::{Pthread, pthread_kill, pthread_self};
use nix::sys::signal::Signal;
use tokio::signal::unix::{SignalKind, signal};

use super::Ui;
use super::keyboard::Keyboard;
use crate::cli::failure::{Failure, Kind};
use crate::tui::mode::Taken;

/// Why a prompt ended without a value.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// Esc.
    Escape,
    /// Ctrl-C, or taken off the screen.
    Interrupted,
    /// The terminal is gone or broken.
    Terminal(io::Error),
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::Interrupted { Self::Interrupted } else { Self::Terminal(error) }
    }
}

/// A signal that comes between two keys is not seen, so it is sent again after this.
const SIGNAL_AGAIN: Duration = Duration::from_millis(5);

/// How long a prompt has to leave the screen; it takes microseconds.
const LEAVE: Duration = Duration::from_secs(2);

/// Runs `prompts` at the terminal. Dropping the future takes them off the screen: the thread wakes from its
/// wait for a key, and the terminal is as it was. SIGINT must be listened to meanwhile, since the terminal
/// library turns Ctrl-C into one.
///
/// The outer result is a failure of the machinery; the inner one is the prompts' own.
pub(crate) async fn run<T: Send + 'static>(
    ui: &Ui,
    prompts: impl FnOnce(&mut Keyboard) -> Result<T, Stopped> + Send + 'static,
) -> Result<Result<T, Stopped>, Failure> {
    // Registered for its handler alone: without one the signal that wakes the thread would end the process.
    let _wakes = signal(SignalKind::user_defined1())
        .map_err(|error| Failure::caused(Kind::Unexpected, "cannot prepare the terminal", error))?;
    let screen = Screen::take(ui);
    let reader = screen.reader.clone();
    let mut keyboard = Keyboard::new(screen.taken.0.clone(), ui.is_plain());
    let thread = tokio::task::spawn_blocking(move || reader.read(|| prompts(&mut keyboard)));
    thread.await.map_err(|error| Failure::caused(Kind::Unexpected, "a prompt broke", error))
}

/// The terminal while a prompt has it.
struct Screen {
    ui: Ui,
    reader: Arc<Reader>,
    /// It goes back once no prompt reads any more.
    taken: Taken,
    /// Declared last: what was said meanwhile follows when the terminal is as it was.
    _turn: Turn,
}

/// The right to the screen: nothing else is drawn while it lasts.
pub(crate) struct Turn {
    ui: Ui,
    /// A prompt within another screen gives the right back to that.
    had_it: bool,
}

impl Turn {
    pub(crate) fn take(ui: &Ui) -> Self {
        let had_it = ui.is_prompting();
        ui.set_prompting(true);
        Self { ui: ui.clone(), had_it }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.ui.set_prompting(self.had_it);
    }
}

/// The thread that waits for keys: none before and after.
#[derive(Default)]
struct Reader {
    thread: Mutex<State>,
}

#[derive(Default)]
struct State {
    at: Option<Pthread>,
    ended: bool,
    cancelled: bool,
    interrupted: bool,
}

impl Reader {
    fn state(&self) -> MutexGuard<'_, State> {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T>(&self, prompts: impl FnOnce() -> Result<T, Stopped>) -> Result<T, Stopped> {
        {
            let mut state = self.state();
            if state.cancelled {
                state.ended = true;
                return Err(Stopped::Interrupted);
            }
            state.at = Some(pthread_self());
        }
        let done = prompts();
        let mut state = self.state();
        state.at = None;
        state.ended = true;
        state.interrupted = matches!(done, Err(Stopped::Interrupted));
        done
    }
}

impl Screen {
    fn take(ui: &Ui) -> Self {
        // First the screen: what moves on it has to be gone before a key is waited for.
        let turn = Turn::take(ui);
        Self { ui: ui.clone(), reader: Arc::default(), taken: Taken::for_prompts(), _turn: turn }
    }

    /// Wakes the thread until it is gone. Whether it ended because it was interrupted.
    fn clear(&self) -> bool {
        let begun = Instant::now();
        self.reader.state().cancelled = true;
        while begun.elapsed() < LEAVE {
            {
                let state = self.reader.state();
                match state.at {
                    _ if state.ended => return state.interrupted,
                    // The lock is held, so the thread is alive.
                    Some(thread) => drop(pthread_kill(thread, Signal::SIGUSR1)),
                    // It has not begun, and will not.
                    None => return false,
                }
            }
            std::thread::sleep(SIGNAL_AGAIN);
        }
        false
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let was_open = !self.reader.state().ended;
        let interrupted = self.clear();
        // The cursor is hidden while a list is on the screen.
        let _ = Term::stderr().show_cursor();
        // The terminal library raises SIGINT whenever its wait is interrupted; that one is not the user's.
        self.ui.set_own_interrupt(interrupted && was_open);
    }
}
