//! The time that a run takes, without the time in which it waits for people.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// Stands still while at least one question of the run is open.
#[derive(Debug)]
pub(super) struct RunClock {
    waiting: watch::Sender<u32>,
}

/// Keeps the clock from going on.
pub(super) struct Stopped<'a>(&'a RunClock);

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        self.0.waiting.send_modify(|waiting| *waiting = waiting.saturating_sub(1));
    }
}

impl RunClock {
    pub(super) fn new() -> Self {
        Self { waiting: watch::Sender::new(0) }
    }

    /// Stops the clock until the guard is dropped.
    pub(super) fn stop(&self) -> Stopped<'_> {
        self.waiting.send_modify(|waiting| *waiting += 1);
        Stopped(self)
    }

    /// Returns when the run has taken `limit`.
    pub(super) async fn reaches(&self, limit: Duration) {
        let mut changes = self.waiting.subscribe();
        let mut left = limit;
        loop {
            let stopped = *changes.borrow_and_update() > 0;
            let begun = Instant::now();
            tokio::select! {
                () = tokio::time::sleep(left), if !stopped => return,
                _ = changes.changed() => {}
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
        let clock = Arc::new(RunClock::new());
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
