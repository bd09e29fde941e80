//! The signals that end this program: the first asks to stop, the second insists.
//!
//! SIGHUP has two meanings for a process that serves: somebody wants its files read again, or its terminal is gone. What the
//! terminal was is known at the start, so the one is told from the other.

use std::fs::File;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::future::OptionFuture;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::failure::{Failure, Kind};
use super::ui::Ui;
use crate::worker::command::orphans;

/// Which signal came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    Interrupt,
    Terminate,
    /// The terminal, or the connection to it, was closed.
    HangUp,
    Quit,
}

/// Interrupts the command, as Ctrl-C does at a terminal that is as it was.
pub(crate) fn interrupt() {
    use rustix::process::{Signal as Kill, getpid, kill_process};
    if let Err(error) = kill_process(getpid(), Kill::INT) {
        tracing::debug!(%error, "cannot interrupt");
    }
}

impl Stop {
    /// The failure of a command that ended by it.
    pub(crate) fn failure(self) -> Failure {
        match self {
            Self::Interrupt => Failure::new(Kind::Interrupted, "interrupted"),
            Self::Terminate => Failure::new(Kind::Terminated, "terminated"),
            Self::HangUp => Failure::new(Kind::Terminated, "the terminal was closed (SIGHUP)"),
            Self::Quit => Failure::new(Kind::Terminated, "quit (SIGQUIT)"),
        }
    }
}

/// The process's stop signals, as they come.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// `None` where it is passed over; likewise the next.
    hang_up: Option<Signal>,
    quit: Option<Signal>,
    /// Where SIGHUP is the end only if that is gone.
    terminal: Option<Terminal>,
}

/// Whether something is read again at SIGHUP.
static RELOADS: AtomicBool = AtomicBool::new(false);

/// How soon a terminal that is being closed is gone for all of its processes.
const CLOSES: Duration = Duration::from_millis(200);

/// The terminal that this process was started in.
struct Terminal {
    was_there: bool,
}

impl Terminal {
    fn at_start() -> Self {
        Self { was_there: Self::is_there() }
    }

    /// Whether there is one now: the system takes a closed one away from all of its processes.
    fn is_there() -> bool {
        File::open("/dev/tty").is_ok()
    }

    fn is_gone(&self) -> bool {
        self.was_there && !Self::is_there()
    }

    /// Whether SIGHUP is the end of a process that serves.
    async fn has_ended(&self) -> bool {
        if !RELOADS.load(Ordering::Acquire) || self.is_gone() {
            return true;
        }
        tokio::time::sleep(CLOSES).await;
        self.is_gone()
    }
}

impl Signals {
    /// From now on SIGINT and SIGTERM come here and do not end the process by themselves.
    fn listen() -> Result<Self, Failure> {
        let (interrupt, terminate) = (come(SignalKind::interrupt())?, come(SignalKind::terminate())?);
        Ok(Self { interrupt, terminate, hang_up: None, quit: None, terminal: None })
    }

    /// Those of a process that serves: it ends with its terminal, unless it was started to outlive that (`nohup`).
    pub(crate) fn of_service() -> Result<Self, Failure> {
        let hang_up = heeded(SignalKind::hangup()).map(come).transpose()?;
        Ok(Self { hang_up, terminal: Some(Terminal::at_start()), ..Self::listen()? })
    }

    /// Those of a command, which has servers to end also where its terminal is closed. What this process was started to
    /// pass over, as `nohup` does it, it passes over.
    pub(crate) fn of_command() -> Result<Self, Failure> {
        let hang_up = heeded(SignalKind::hangup()).map(come).transpose()?;
        let quit = heeded(SignalKind::quit()).map(come).transpose()?;
        Ok(Self { hang_up, quit, ..Self::listen()? })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) -> Stop {
        loop {
            let came = tokio::select! {
                _ = self.interrupt.recv() => Stop::Interrupt,
                _ = self.terminate.recv() => Stop::Terminate,
                Some(_) = OptionFuture::from(self.hang_up.as_mut().map(Signal::recv)) => Stop::HangUp,
                Some(_) = OptionFuture::from(self.quit.as_mut().map(Signal::recv)) => Stop::Quit,
            };
            match &self.terminal {
                Some(terminal) if came == Stop::HangUp && !terminal.has_ended().await => {}
                _ => return came,
            }
        }
    }

    /// Waits for the first signal, then begins the stop; returns when a second one insists.
    pub(crate) async fn stop_then_abort(mut self, stop: &CancellationToken, on_first: impl Fn()) -> Stop {
        self.next().await;
        on_first();
        stop.cancel();
        self.next().await
    }
}

fn come(kind: SignalKind) -> Result<Signal, Failure> {
    signal(kind).map_err(|error| Failure::caused(Kind::Unexpected, "cannot listen for signals", error))
}

/// SIGHUP, for whoever reads something again then.
pub(super) fn hangups() -> Result<Signal, Failure> {
    come(SignalKind::hangup())
}

/// Whether the terminal that this process was started at is there still: one that was closed cannot be opened any more.
pub(super) fn has_terminal() -> bool {
    std::fs::File::open("/dev/tty").is_ok()
}

/// Does something whenever SIGHUP comes, until `stop`, which calls off what is under way: a file may be a pipe that nobody
/// writes to.
pub(super) fn on_hangup<W: Future<Output = ()> + Send>(
    parts: &TaskTracker,
    stop: &CancellationToken,
    mut work: impl FnMut() -> W + Send + 'static,
) -> Result<(), Failure> {
    let (mut hangups, stop) = (come(SignalKind::hangup())?, stop.clone());
    RELOADS.store(true, Ordering::Release);
    parts.spawn(async move {
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                _ = hangups.recv() => {}
            }
            if stop.run_until_cancelled(work()).await.is_none() {
                return;
            }
        }
    });
    Ok(())
}

/// Says that a file could not be taken up at SIGHUP, so that what it is about stays: "the rules are".
pub(super) fn tell_kept(ui: &Ui, failure: &Failure, what: &str) {
    ui.failure(failure);
    ui.warn(&format!("{what} the same as before"));
}

/// From now on a write beyond the largest file that this process may make (`ulimit -f`, systemd's `LimitFSIZE=`) fails
/// like any other, in place of ending the process without a word. Commands that are started get the default again, as
/// every signal that is listened to does.
pub(super) fn survive_large_files() -> Result<(), Failure> {
    // Being listened to is all that is needed, and outlives the listener.
    come(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw())).map(drop)
}

/// The signal, unless this process passes it over, or that cannot be told: only Linux shows it. Once it is listened to, it
/// is heeded.
fn heeded(kind: SignalKind) -> Option<SignalKind> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    let ignored = u64::from_str_radix(ignored.trim(), 16).ok()?;
    let place = kind.as_raw_value() - 1;
    (ignored >> place & 1 == 0).then_some(kind)
}

/// Where this process is the first of a container, waits for the orphans that fall to it, until `stop`.
pub(super) async fn bury_orphans(stop: CancellationToken) {
    if !orphans::fall_here() {
        return;
    }
    // Where that signal cannot be listened to, the dead stay until the container ends.
    let Ok(mut ended) = signal(SignalKind::child()) else { return };
    loop {
        orphans::bury();
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ended.recv() => {}
        }
    }
}
