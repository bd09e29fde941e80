//! When a task is looked at again.

use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt as _, OptionFuture};
use jiff::Timestamp;
use tokio::sync::broadcast;
use tokio::time::Instant;

use super::{Client, TaskView};

/// When to look at the task: at the server's pace, or at once when it says that something changed.
pub(super) struct Looks<'a> {
    id: &'a str,
    client: &'a Client,
    /// The request in which a modern server tells of changes. It is made anew when it has ended, once for each look.
    listening: Option<BoxFuture<'a, bool>>,
    /// Whether the server may be asked to tell.
    tells: bool,
    news: News<'a>,
    next: Instant,
}

impl<'a> Looks<'a> {
    pub(super) fn new(client: &'a Client, id: &'a str) -> Self {
        let (listening, tells) = (None, client.modern);
        let news = News { id, told: client.changed.subscribe(), seen: None };
        Self { id, client, listening, tells, news, next: Instant::now() }
    }

    /// Looks again after so long.
    pub(super) fn after(&mut self, interval: Duration) {
        self.next = Instant::now() + interval;
    }

    /// Looks at once.
    pub(super) fn now(&mut self) {
        self.next = Instant::now();
    }

    /// Waits for the next look; returns what the server told, where it told anything.
    pub(super) async fn due(&mut self) -> Option<TaskView> {
        if self.tells && self.listening.is_none() {
            let (client, ids) = (self.client, [self.id.to_owned()]);
            self.listening = Some(async move { client.listen(&ids).await }.boxed());
        }
        loop {
            tokio::select! {
                Some(again) = OptionFuture::from(self.listening.as_mut()) => {
                    (self.listening, self.tells) = (None, again);
                }
                () = tokio::time::sleep_until(self.next) => return None,
                told = self.news.next() => return told,
            }
        }
    }
}

/// What the server tells of one task without being asked.
struct News<'a> {
    id: &'a str,
    told: broadcast::Receiver<Arc<TaskView>>,
    /// The server's time of the last change that it told of.
    seen: Option<Timestamp>,
}

impl News<'_> {
    /// Waits for news; `None` where some were missed, which may have been about this task.
    async fn next(&mut self) -> Option<TaskView> {
        loop {
            match self.told.recv().await {
                Ok(view) if view.id != self.id => {}
                Ok(view) if self.is_old(&view) => {}
                Ok(view) => return Some(Arc::unwrap_or_clone(view)),
                Err(_) => return None,
            }
        }
    }

    /// Whether something newer was told before. Compared as times: their texts differ in length.
    fn is_old(&mut self, view: &TaskView) -> bool {
        let updated = view.updated();
        let old = updated.is_some() && updated < self.seen;
        if !old {
            self.seen = updated;
        }
        old
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_told_later_is_newer_however_its_time_is_written() {
        let mut news = News { id: "t", told: broadcast::Sender::new(1).subscribe(), seen: None };
        let told = |at: &str| {
            let view = json!({ "taskId": "t", "status": "working", "lastUpdatedAt": at });
            TaskView::read(&view).expect("a task")
        };
        for newer in ["2026-11-24T02:08:59Z", "2026-11-24T02:08:59.1Z", "2026-11-24T02:08:59.123Z"] {
            assert!(!news.is_old(&told(newer)), "{newer}");
        }
        assert!(news.is_old(&told("2026-11-24T02:08:59.1Z")));
    }
}
