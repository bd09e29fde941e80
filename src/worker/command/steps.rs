//! Steps that a command reports faster than they are written down: the newest stands for those before it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::task::Progress;

/// The step that waits to be written. However many are reported, one waits: who looks at a task wants to know how far it
/// is, not how often it said so.
#[derive(Debug, Default)]
pub(super) struct Steps {
    waiting: Mutex<Option<Progress>>,
    news: Notify,
}

impl Steps {
    fn waiting(&self) -> MutexGuard<'_, Option<Progress>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether one waits.
    pub(super) fn any(&self) -> bool {
        self.waiting().is_some()
    }

    /// Puts a step in the place of the one that waits. Without a message of its own it keeps that one's, which would have
    /// become the task's.
    pub(super) fn put(&self, mut step: Progress) {
        let mut waiting = self.waiting();
        step.message = step.message.or_else(|| waiting.take()?.message);
        *waiting = Some(step);
        self.news.notify_one();
    }

    /// Takes the one that waits.
    pub(super) fn take(&self) -> Option<Progress> {
        self.waiting().take()
    }

    /// Waits until one waits. Dropping the future loses nothing.
    pub(super) async fn news(&self) {
        while !self.any() {
            self.news.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(current: f64, message: Option<&str>) -> Progress {
        Progress { current, total: None, message: message.map(str::to_owned) }
    }

    #[tokio::test]
    async fn the_newest_step_waits_with_the_last_message() {
        let steps = Steps::default();
        steps.put(step(1.0, Some("copying")));
        steps.put(step(2.0, Some("moving")));
        steps.put(step(3.0, None));
        steps.news().await;
        assert_eq!(steps.take(), Some(step(3.0, Some("moving"))));
        assert!(!steps.any() && steps.take().is_none());
    }
}
