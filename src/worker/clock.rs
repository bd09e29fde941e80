//! The time that a run takes, without the time in which it waits for people.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// Stands still while at least one question of the run is open.
#[derive(Debug, Default)]
pub(super) struct RunClock {
    waiting: AtomicU32,
    changed: Notify,
}

/// Keeps the clock from going on.
pub(super) struct Stopped<'a>(&'a RunClock);

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Release);
        self.0.changed.notify_waiters();
    }
}

impl RunClock {
    /// Stops the clock until the guard is dropped.
    pub(super) fn stop(&self) -> Stopped<'_> {
        self.waiting.fetch_add(1, Ordering::Release);
        self.changed.notify_waiters();
        Stopped(self)
    }

    /// Returns when the run has taken `limit`.
    pub(super) async fn reaches(&self, limit: Duration) {
        let mut left = limit;
        loop {
            // Listening begins before the count is read, so nothing falls between the two.
            let changed = self.changed.notified();
            let stopped = self.waiting.load(Ordering::Acquire) > 0;
            let begun = Instant::now();
            tokio::select! {
                () = tokio::time::sleep(left), if !stopped => return,
                () = changed => {}
            }
            if !stopped {
                left = left.saturating_sub(begun.elapsed());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn waiting_does_not_count() {
        let clock = Arc::new(RunClock::default());
        let (one, other) = (clock.stop(), clock.stop());
        let watched = clock.clone();
        let over = tokio::spawn(async move { watched.reaches(Duration::from_millis(20)).await });
        tokio::time::sleep(Duration::from_millis(100)).await;
        drop(one);
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(!over.is_finished(), "one question is still open");
        drop(other);
        over.await.expect("no panic");
    }
}
