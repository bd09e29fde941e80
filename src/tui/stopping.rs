//! Being stopped, by Ctrl-Z or from outside (`kill -TSTP`), while a form or the inbox is on the screen: the terminal is given back before,
//! since not every shell sees to that.

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::{Signal as Kill, getpid, kill_current_process_group, kill_process};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

/// Whether a form has the terminal.
static HAS_TERMINAL: AtomicBool = AtomicBool::new(false);

/// Tells whoever has it that the program is to stop.
static ASKED: Notify = Notify::const_new();

/// A form or the inbox that has the terminal, until this is dropped. A form within the inbox gives it back to that.
pub(super) struct Drawn {
    had_it: bool,
}

impl Drawn {
    /// From now on a stop from outside is the form's to carry out ([`asked`]).
    pub(super) fn begin() -> io::Result<Self> {
        listen()?;
        Ok(Self { had_it: HAS_TERMINAL.swap(true, Ordering::AcqRel) })
    }

    /// Somebody else has the terminal meanwhile, an editor, say, who stops with the program as it comes.
    pub(super) async fn away<T>(&self, work: impl Future<Output = T>) -> T {
        HAS_TERMINAL.store(false, Ordering::Release);
        let done = work.await;
        HAS_TERMINAL.store(true, Ordering::Release);
        done
    }
}

impl Drop for Drawn {
    fn drop(&mut self) {
        HAS_TERMINAL.store(self.had_it, Ordering::Release);
    }
}

/// Returns when the program is to stop, and gives its terminal back before.
pub(super) async fn asked() {
    ASKED.notified().await;
}

/// Stops the program, as Ctrl-Z does, with all others of its job. A signal that nobody listens to stops it, so that the
/// system decides whether a shell is there that would wake it.
pub(super) fn stop_job() {
    if let Err(error) = kill_current_process_group(Kill::TTOU) {
        tracing::debug!(%error, "cannot stop");
    }
}

/// Stops the program alone.
pub(super) fn stop() {
    if let Err(error) = kill_process(getpid(), Kill::TTOU) {
        tracing::debug!(%error, "cannot stop");
    }
}

/// Listens once: a signal that was listened to does nothing by itself any more.
fn listen() -> io::Result<()> {
    static LISTENS: OnceLock<()> = OnceLock::new();
    if LISTENS.get().is_some() {
        return Ok(());
    }
    let mut stops = signal(SignalKind::from_raw(Kill::TSTP.as_raw()))?;
    LISTENS.get_or_init(|| ());
    tokio::spawn(async move {
        while stops.recv().await.is_some() {
            if HAS_TERMINAL.load(Ordering::Acquire) { ASKED.notify_one() } else { stop() }
        }
    });
    Ok(())
}
