//! Calls that are waited for: hidden tasks on the same path as all others.
//!
//! A legacy call's questions go to its client on the call's own stream. A modern call that asks returns
//! what it asks, with a `requestState`; the same call with that state and the answers waits on.

use std::collections::HashMap;
use std::sync::Arc;

use rmcp::ErrorData;
use rmcp::model::{ProgressNotification, ProgressNotificationParam, ProgressToken, ServerNotification};
use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;

use super::fault::{cancelled, invalid, refused, task_error};
use super::handler::{Request, Serving};
use super::{modern, wire};
use crate::engine::{Signal, Submission, Viewer};
use crate::relay::Asked;
use crate::task::{EventKind, Outcome, QuestionId, Task, TaskId, TaskStatus};

/// A call that waits for its hidden task.
struct Call<'a> {
    serving: &'a Serving,
    request: &'a Request,
    task: TaskId,
    progress: Option<Progress>,
}

/// Progress that the client asked to see.
struct Progress {
    token: ProgressToken,
    signals: Receiver<Signal>,
}

impl Progress {
    /// Listens before the task exists, so that no step is missed.
    async fn listen(serving: &Serving, request: &Request) -> Result<Option<Self>, ErrorData> {
        let Some(token) = request.context.meta.get_progress_token() else { return Ok(None) };
        let signals = serving.engine.hub().await.map_err(refused)?.subscribe();
        Ok(Some(Self { token, signals }))
    }

    /// The next step of `task`, as a notification.
    async fn next(&mut self, task: &TaskId) -> ServerNotification {
        loop {
            match self.signals.recv().await {
                Ok(signal) => {
                    if let Some(notification) = self.notification(&signal, task) {
                        return notification;
                    }
                }
                Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {}
                Err(tokio::sync::broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }

    fn notification(&self, signal: &Signal, task: &TaskId) -> Option<ServerNotification> {
        let Signal::Event(event) = signal else { return None };
        let EventKind::Progress(step) = &event.kind else { return None };
        if &event.task != task {
            return None;
        }
        let mut params = ProgressNotificationParam::new(self.token.clone(), step.current);
        params.total = step.total;
        params.message.clone_from(&step.message);
        Some(ServerNotification::ProgressNotification(ProgressNotification::new(params)))
    }
}

pub(super) async fn legacy(
    serving: &Arc<Serving>,
    request: Request,
    submission: Submission,
) -> Result<Value, ErrorData> {
    let _counted = serving.calls.token();
    let progress = Progress::listen(serving, &request).await?;
    let task = serving.engine.submit(submission).await.map_err(refused)?;
    let mut call = Call { serving, request: &request, task: task.id().clone(), progress };
    let mut asked: HashMap<QuestionId, Asked> = HashMap::new();
    let ended = call
        .wait(|task| {
            // Whatever is open no longer is withdrawn by leaving the map.
            asked.retain(|id, _| task.open_questions().any(|question| &question.id == id));
            for question in task.open_questions() {
                if let Some(client) = &request.caller.client
                    && !asked.contains_key(&question.id)
                {
                    let origin = request.context.id.clone();
                    let one = serving.relay.ask_in(&client.connection, origin, task.id(), question);
                    asked.insert(question.id.clone(), one);
                }
            }
            task.status.is_final()
        })
        .await?;
    outcome(&ended)
}

pub(super) async fn modern(
    serving: &Arc<Serving>,
    request: Request,
    submission: Submission,
) -> Result<Value, ErrorData> {
    let _counted = serving.calls.token();
    let progress = Progress::listen(serving, &request).await?;
    let task = match request.params.get("requestState") {
        None | Some(Value::Null) => serving.engine.submit(submission).await.map_err(refused)?,
        Some(_) => resume(serving, &request, &submission).await?,
    };
    let mut call = Call { serving, request: &request, task: task.id().clone(), progress };
    let stopped = call.wait(|task| task.status != TaskStatus::Working).await?;
    if stopped.status.is_final() {
        return outcome(&stopped).map(wire::complete);
    }
    Ok(json!({
        "resultType": "input_required",
        "inputRequests": wire::input_requests(stopped.open_questions()),
        "requestState": stopped.id(),
    }))
}

/// The hidden task of an earlier round, answered. Its id is as unguessable as any key, and the rest of the
/// state is in the store, where no client can change it: scope, tool and arguments have to be the same.
async fn resume(serving: &Serving, request: &Request, submission: &Submission) -> Result<Task, ErrorData> {
    let unknown = || invalid("params.requestState is not one that this server gave for this call");
    let id: TaskId = request.text("requestState")?.parse().map_err(|_| unknown())?;
    let task = match serving.engine.get(&Viewer::Operator, &id).await {
        Ok(task) => task,
        Err(crate::engine::EngineError::Store(crate::store::StoreError::NoTask(_))) => return Err(unknown()),
        Err(error) => return Err(refused(error)),
    };
    let same = task.new.hidden
        && task.new.scope == submission.scope
        && task.new.tool == submission.tool
        && task.new.arguments == submission.arguments;
    if !same {
        return Err(unknown());
    }
    modern::answer_all(serving, &task, &request.object("inputResponses")?).await?;
    Ok(task)
}

impl Call<'_> {
    /// Waits until `reached`, telling of progress meanwhile. A call that is given up cancels its task.
    async fn wait(&mut self, mut reached: impl FnMut(&Task) -> bool + Send) -> Result<Task, ErrorData> {
        let engine = &self.serving.engine;
        let mut follow = engine.hub().await.map_err(refused)?.follow(&self.task);
        loop {
            let task = engine.get(&Viewer::Operator, &self.task).await.map_err(refused)?;
            if reached(&task) {
                self.last_steps().await;
                return Ok(task);
            }
            let step = tokio::select! {
                () = follow.changed() => None,
                step = next_step(self.progress.as_mut(), &self.task) => Some(step),
                () = self.request.context.ct.cancelled() => return Err(self.give_up().await),
            };
            if let Some(step) = step {
                self.notify(step).await;
            }
        }
    }

    /// Steps that were reported before the end and not told yet.
    async fn last_steps(&mut self) {
        let mut steps = Vec::new();
        if let Some(progress) = &mut self.progress {
            while let Ok(signal) = progress.signals.try_recv() {
                steps.extend(progress.notification(&signal, &self.task));
            }
        }
        for step in steps {
            self.notify(step).await;
        }
    }

    async fn notify(&self, notification: ServerNotification) {
        if let Err(error) = self.request.context.peer.send_notification(notification).await {
            tracing::debug!(%error, "could not tell a client of progress");
        }
    }

    async fn give_up(&self) -> ErrorData {
        let reason = "the client gave the call up";
        if let Err(error) = self.serving.engine.store().cancel(&self.task, reason).await {
            tracing::debug!(%error, task = %self.task, "could not cancel a call that was given up");
        }
        cancelled(Some(reason))
    }
}

async fn next_step(progress: Option<&mut Progress>, task: &TaskId) -> ServerNotification {
    match progress {
        Some(progress) => progress.next(task).await,
        None => std::future::pending().await,
    }
}

fn outcome(task: &Task) -> Result<Value, ErrorData> {
    match &task.outcome {
        Some(Outcome::Result(result)) => Ok(result.clone()),
        Some(Outcome::Error(error)) => Err(task_error(error)),
        None => Err(cancelled(task.status_message.as_deref())),
    }
}
