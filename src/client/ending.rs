//! How a task ended that has ended.

use std::time::Duration;

use serde_json::json;

use super::{Client, ClientError, ClientResult, Ended, TaskView};
use crate::task::{Outcome, TaskStatus};

/// How often the status of a task that has given its result is asked for, or the result of one that is completed, and
/// the pause before the next try: what is passing has passed by then, and a server that is gone is not waited for.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(200);

/// How long a server may take to say more of a task that failed. What became of it is known without.
const MORE_WITHIN: Duration = Duration::from_secs(10);

impl Client {
    /// How a legacy task ended whose status is final: the status decides, and `tasks/result` only says more.
    pub(super) async fn legacy_end(&self, id: &str, view: TaskView) -> ClientResult<Ended> {
        match view.status {
            TaskStatus::Cancelled => Ok(Ended::Cancelled { message: view.status_message }),
            TaskStatus::Failed => Ok(self.failed(id, view).await),
            _ => Ok(Ended::of(view, self.completed(id).await?)),
        }
    }

    /// The failure, with whatever else the server says of it in time.
    async fn failed(&self, id: &str, view: TaskView) -> Ended {
        let (mut message, mut outcome) = (view.status_message, None);
        let more = async {
            // Why it failed may have been left out where the server told of the change by itself.
            if message.is_none() {
                message = self.get(id).await.ok().and_then(|view| view.status_message);
            }
            outcome = self.completed(id).await.ok();
        };
        let _ = tokio::time::timeout(MORE_WITHIN, more).await;
        Ended::Failed { message, outcome }
    }

    /// The outcome of a task that has one. A server that shows the task, and does not give its result, is there: only one
    /// that is away is waited for.
    async fn completed(&self, id: &str) -> ClientResult<Outcome> {
        let mut reason = String::new();
        for _ in 0..TRIES {
            match self.request("tasks/result", json!({ "taskId": id })).await {
                Ok(value) => return Ok(Outcome::Result(value)),
                Err(error) if error.is_passing() && self.is_over() => return Err(error),
                Err(error) if error.is_passing() => {
                    reason = error.to_string();
                    self.get(id).await?;
                    // It has had its time.
                    if matches!(error, ClientError::Timeout { .. }) {
                        break;
                    }
                }
                Err(ClientError::Refused { error, .. }) => return Ok(Outcome::Error(*error)),
                Err(other) => return Err(other),
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(ClientError::NoResult { task: id.to_owned(), reason })
    }

    /// What `tasks/result` gave does not say whether the task failed: its status does. A server that has
    /// forgotten the task with its result, or is gone by now, has said all that there is.
    pub(super) async fn with_status(&self, id: &str, outcome: Outcome) -> Ended {
        for _ in 0..TRIES {
            match self.request("tasks/get", json!({ "taskId": id })).await {
                Ok(reply) => match TaskView::read(&reply) {
                    Some(view) if view.id == id && view.status.is_final() => return Ended::of(view, outcome),
                    // A server that shows the end a moment later than it gives the result.
                    _ => {}
                },
                Err(error) if error.is_passing() && !self.is_over() => {}
                Err(_) => break,
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ended::Finished(outcome)
    }

    /// How a modern task ended, which shows its outcome along.
    pub(super) fn modern_end(&self, view: TaskView) -> ClientResult<Ended> {
        match (view.status, view.outcome.clone()) {
            (TaskStatus::Cancelled, _) => Ok(Ended::Cancelled { message: view.status_message }),
            (_, Some(outcome)) => Ok(Ended::of(view, outcome)),
            // Its status says all that matters; why it failed stands in the message, if anywhere.
            (TaskStatus::Failed, None) => Ok(Ended::Failed { message: view.status_message, outcome: None }),
            (status, None) => Err(self.odd("tasks/get", &format!("a {status} task without its outcome"))),
        }
    }
}
