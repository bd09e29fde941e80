//! SIGINT and SIGTERM: the first asks to stop, the second insists.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::failure::{Failure, Kind};
use crate::worker::command::orphans;

/// Which signal came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    Interrupt,
    Terminate,
}

impl Stop {
    /// The failure of a command that ended by it.
    pub(crate) fn failure(self) -> Failure {
        match self {
            Self::Interrupt => Failure::new(Kind::Interrupted, "interrupted"),
            Self::Terminate => Failure::new(Kind::Terminated, "terminated"),
        }
    }
}

/// The process's stop signals, as they come.
pub(crate) struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    /// From now on the signals come here and do not end the process by themselves.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let listen = |kind| {
            signal(kind)
                .map_err(|error| Failure::caused(Kind::Unexpected, "cannot listen for signals", error))
        };
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) -> Stop {
        tokio::select! {
            _ = self.interrupt.recv() => Stop::Interrupt,
            _ = self.terminate.recv() => Stop::Terminate,
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
