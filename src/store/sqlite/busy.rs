//! How long to wait for another process's write.

use std::cell::Cell;
use std::thread;
use std::time::{Duration, Instant};

use rand::RngExt as _;

/// After this long somebody hangs with the file locked, and waiting on would only hide it.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

thread_local! {
    static SINCE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// SQLite's busy handler: sleeps, and says whether to try again. A write takes well under a millisecond,
/// so the sleeps are short; they differ, so that processes that wait do not collide again.
pub(super) fn wait(tries: i32) -> bool {
    let since = SINCE.get().filter(|_| tries > 0).unwrap_or_else(Instant::now);
    SINCE.set(Some(since));
    pause();
    since.elapsed() < PATIENCE
}

/// One sleep of the busy handler.
pub(super) fn pause() {
    thread::sleep(Duration::from_micros(rand::rng().random_range(100..1500)));
}
