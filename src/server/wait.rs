//! A request that waits for one task: it hears of that task only, and reads it when there is something to see.

use std::time::Duration;

use rmcp::ErrorData;
use rmcp::model::{ProgressNotification, ProgressNotificationParam, ProgressToken, ServerNotification};

use tokio_util::sync::CancellationToken;

use super::errors::{cancelled, refused};
use super::request::{Request, Serving};
use crate::engine::{EngineError, Feed, Signal, Viewer};
use crate::relay::Waiting;
use crate::store::StoreError;
use crate::task::{Event, EventKind, Task, TaskId, TaskStatus};

/// What becomes of the task when the wait is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The task is the request: it is cancelled. A stopping server lets it finish, unless it waits for a person.
    Call,
    /// The task goes on by itself.
    Result,
}

/// See the module.
pub(super) struct Wait<'a> {
    serving: &'a Serving,
    request: &'a Request,
    task: TaskId,
    feed: Feed,
    purpose: Purpose,
    /// Where the client is asked on this request's stream what the task asks.
    asking: Option<Waiting>,
    /// Progress that the client asked to see.
    progress: Option<ProgressToken>,
    /// The server was told to stop, and this call may still finish.
    is_stopping: bool,
}

/// How long a call that ends with the server tries to cancel its task. The store may be away, and the client is to have
/// its error before the connection ends.
const LAST_CANCEL: Duration = Duration::from_millis(500);

/// What a wait hears.
enum Heard {
    /// The server ends, and this wait with it.
    Overdue,
    /// The server was told to stop.
    Stopping,
    /// Nobody waits any more.
    GivenUp,
    Task(Signal),
}

impl<'a> Wait<'a> {
    /// The feed has to have been there before the task was looked at, so that nothing is missed between the two.
    pub(super) fn new(
        serving: &'a Serving,
        request: &'a Request,
        task: &Task,
        feed: Feed,
        purpose: Purpose,
    ) -> Self {
        let asks = |client: &_| serving.relay.waiting(client, request.context.id.clone(), task);
        let asking = request.caller.client.as_ref().map(|client| asks(&client.connection));
        let progress = request.context.meta.get_progress_token();
        let progress = progress.filter(|_| purpose == Purpose::Call);
        let task = task.id().clone();
        Self { serving, request, task, feed, purpose, asking, progress, is_stopping: false }
    }

    /// Waits until the task has ended; the task then.
    pub(super) async fn end(&mut self) -> Result<Task, ErrorData> {
        self.until(EventKind::is_end, |task| task.status.is_final()).await
    }

    /// Waits until `reached` holds of the task, which is read after each event that `stirs`.
    pub(super) async fn until(
        &mut self,
        stirs: impl Fn(&EventKind) -> bool,
        reached: impl Fn(&Task) -> bool,
    ) -> Result<Task, ErrorData> {
        loop {
            let is_time_to_look = match self.hear().await {
                Heard::Overdue => return Err(self.stopped().await),
                Heard::GivenUp => return Err(self.give_up().await),
                Heard::Stopping | Heard::Task(Signal::Resync) => true,
                Heard::Task(Signal::Event(event)) => {
                    self.pass_on(&event).await;
                    self.is_stopping || stirs(&event.kind)
                }
            };
            if !is_time_to_look {
                continue;
            }
            let task = tokio::select! {
                biased;
                () = self.overdue().cancelled() => return Err(self.stopped().await),
                task = self.look() => task?,
            };
            if reached(&task) {
                return Ok(task);
            }
            // No answer can come back over a connection that ends.
            if self.is_stopping && task.status == TaskStatus::InputRequired {
                return Err(self.stopped().await);
            }
        }
    }

    async fn hear(&mut self) -> Heard {
        let gone = async {
            match self.purpose {
                Purpose::Call => std::future::pending().await,
                Purpose::Result => self.request.caller.gone().await,
            }
        };
        let overdue = self.overdue();
        let heard = tokio::select! {
            biased;
            () = overdue.cancelled() => Heard::Overdue,
            () = self.serving.stop.cancelled(), if !self.is_stopping => Heard::Stopping,
            () = gone => Heard::GivenUp,
            () = self.request.context.ct.cancelled() => Heard::GivenUp,
            signal = self.feed.next() => Heard::Task(signal),
        };
        self.is_stopping |= matches!(heard, Heard::Stopping);
        heard
    }

    /// Fires when this wait ends with the server: at once where the task goes on by itself.
    fn overdue(&self) -> &'a CancellationToken {
        match self.purpose {
            Purpose::Call => &self.serving.overdue,
            Purpose::Result => &self.serving.stop,
        }
    }

    /// Tells the client of a step, and puts to it what is asked.
    async fn pass_on(&self, event: &Event) {
        if let Some(asking) = &self.asking {
            asking.hear(event);
        }
        if let (Some(token), EventKind::Progress(step)) = (&self.progress, &event.kind) {
            let mut params = ProgressNotificationParam::new(token.clone(), step.current);
            params.total = step.total;
            params.message.clone_from(&step.message);
            let step = ServerNotification::ProgressNotification(ProgressNotification::new(params));
            if let Err(error) = self.request.context.peer.send_notification(step).await {
                tracing::debug!(%error, "could not tell a client of progress");
            }
        }
    }

    /// The task as it is now; what it asks is put to the client, what it asks no longer is withdrawn.
    pub(super) async fn look(&self) -> Result<Task, ErrorData> {
        let viewer = match self.purpose {
            Purpose::Call => Viewer::Operator,
            Purpose::Result => self.request.caller.viewer(),
        };
        let task = match self.serving.engine.get_patiently(&viewer, &self.task).await {
            Ok(task) => task,
            Err(EngineError::Store(error @ StoreError::Unreadable { .. }))
                if self.purpose == Purpose::Call =>
            {
                tracing::warn!(%error, "a call has lost its task");
                return Err(ErrorData::internal_error("what became of the call cannot be read", None));
            }
            Err(error) => return Err(refused(error)),
        };
        self.show(&task);
        Ok(task)
    }

    /// Puts to the client what the task asks, and withdraws what it asks no longer.
    pub(super) fn show(&self, task: &Task) {
        if let Some(asking) = &self.asking {
            asking.look(task);
        }
    }

    /// What the client is told where the server ends before the task does.
    async fn stopped(&self) -> ErrorData {
        if self.purpose == Purpose::Result {
            return ErrorData::internal_error("the server is stopping; the task goes on", None);
        }
        let reason = "the server is stopping";
        // A task that nobody cancelled ends by its own time.
        let _ = tokio::time::timeout(LAST_CANCEL, self.cancel(reason)).await;
        cancelled(Some(reason))
    }

    async fn give_up(&self) -> ErrorData {
        if self.purpose == Purpose::Result {
            let problem = "the wait for the task's result was ended; the task goes on";
            return ErrorData::internal_error(problem, None);
        }
        let reason = "the client gave the call up";
        self.cancel(reason).await;
        cancelled(Some(reason))
    }

    async fn cancel(&self, reason: &str) {
        if let Err(error) = self.serving.engine.store().cancel(&self.task, reason).await {
            tracing::debug!(%error, task = %self.task, "could not cancel a call that was given up");
        }
    }
}
