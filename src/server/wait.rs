//! A request that waits for one task: it hears of that task only, and reads it when there is something to see.

use rmcp::ErrorData;
use rmcp::model::{ProgressNotification, ProgressNotificationParam, ProgressToken, ServerNotification};

use super::errors::{cancelled, refused};
use super::request::{Request, Serving};
use crate::engine::{EngineError, Feed, Signal, Viewer};
use crate::relay::Waiting;
use crate::store::StoreError;
use crate::task::{Event, EventKind, Task, TaskId};

/// What becomes of the task when the wait is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The task is the request: it is cancelled. A stopping server lets it finish.
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
}

/// What a wait hears.
enum Heard {
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
        Self { serving, request, task: task.id().clone(), feed, purpose, asking, progress }
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
                Heard::GivenUp => return Err(self.give_up().await),
                Heard::Task(Signal::Resync) => true,
                Heard::Task(Signal::Event(event)) => {
                    self.pass_on(&event).await;
                    stirs(&event.kind)
                }
            };
            if is_time_to_look {
                let task = self.look().await?;
                if reached(&task) {
                    return Ok(task);
                }
            }
        }
    }

    async fn hear(&mut self) -> Heard {
        let over = async {
            if self.purpose == Purpose::Call {
                std::future::pending::<()>().await;
            }
            tokio::select! {
                () = self.serving.stop.cancelled() => {}
                () = self.request.caller.gone() => {}
            }
        };
        tokio::select! {
            biased;
            () = over => Heard::GivenUp,
            () = self.request.context.ct.cancelled() => Heard::GivenUp,
            signal = self.feed.next() => Heard::Task(signal),
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

    async fn give_up(&self) -> ErrorData {
        if self.purpose == Purpose::Result {
            let problem = "the wait for the task's result was ended; the task goes on";
            return ErrorData::internal_error(problem, None);
        }
        let reason = "the client gave the call up";
        if let Err(error) = self.serving.engine.store().cancel(&self.task, reason).await {
            tracing::debug!(%error, task = %self.task, "could not cancel a call that was given up");
        }
        cancelled(Some(reason))
    }
}
