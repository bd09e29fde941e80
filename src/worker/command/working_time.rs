//! A command's own time: it stands still while the command waits for a person.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

#[derive(Debug)]
pub(super) struct WorkingTime {
    waiting: watch::Sender<bool>,
}

/// The time stands still until this is dropped.
pub(super) struct Pause<'a>(&'a WorkingTime);

impl Drop for Pause<'_> {
    fn drop(&mut self) {
        self.0.waiting.send_replace(false);
    }
}

impl WorkingTime {
    pub(super) fn new() -> Self {
        Self { waiting: watch::Sender::new(false) }
    }

    /// Stops the time. A command has one question, or set of questions, at a time.
    pub(super) fn pause(&self) -> Pause<'_> {
        self.waiting.send_replace(true);
        Pause(self)
    }

    /// Waits until `limit` of it has passed; for ever without one.
    pub(super) async fn over(&self, limit: Option<Duration>) {
        let Some(mut left) = limit else { return std::future::pending().await };
        let mut waiting = self.waiting.subscribe();
        loop {
            if *waiting.borrow_and_update() {
                // The sender lives as long as this future.
                let _ = waiting.changed().await;
                continue;
            }
            let since = Instant::now();
            tokio::select! {
                () = sleep(left) => return,
                _ = waiting.changed() => left = left.saturating_sub(since.elapsed()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn waiting_for_a_person_does_not_count() {
        let time = WorkingTime::new();
        let begun = Instant::now();
        let asking = async {
            let pause = time.pause();
            sleep(Duration::from_millis(300)).await;
            drop(pause);
        };
        tokio::join!(time.over(Some(Duration::from_millis(20))), asking);
        assert!(begun.elapsed() >= Duration::from_millis(300));
    }
}
