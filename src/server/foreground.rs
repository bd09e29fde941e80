//! Calls that are waited for: hidden tasks on the same path as all others.
//!
//! A legacy call's questions go to its client on the call's own stream. A modern call that asks returns
//! what it asks, with a `requestState`; the same call with that state and the answers waits on.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use rmcp::ErrorData;
use rmcp::model::{ProgressNotification, ProgressNotificationParam, ProgressToken, ServerNotification};
use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::fault::{cancelled, invalid, refused, task_error};
use super::handler::{Request, Serving};
use super::{modern, wire};
use crate::engine::{EngineError, Signal, Submission, Viewer};
use crate::relay::{Asked, Connection, Relay, undeclared};
use crate::store::StoreError;
use crate::task::{Event, EventKind, Fault, Outcome, QuestionId, Task, TaskId, TaskStatus};

/// How long a result waits for the log to catch up with progress that came before it.
const LAST_STEPS: Duration = Duration::from_secs(1);

/// The questions that are in front of a client that waits in a request.
#[derive(Default)]
pub(super) struct AskedHere {
    open: HashMap<QuestionId, Asked>,
}

impl AskedHere {
    /// Puts what is newly open, and withdraws what is open no longer.
    pub(super) fn keep_up(
        &mut self,
        relay: &Relay,
        connection: &Arc<Connection>,
        request: &Request,
        task: &Task,
    ) {
        self.open.retain(|id, _| task.open_questions().any(|question| &question.id == id));
        for question in task.open_questions() {
            let ask = || relay.ask_in(connection, request.context.id.clone(), task, question);
            self.open.entry(question.id.clone()).or_insert_with(ask);
        }
    }
}

/// A call that waits for its hidden task.
struct Call<'a> {
    serving: &'a Serving,
    request: &'a Request,
    task: TaskId,
    progress: Option<Progress>,
    /// Whether the log has more to tell of the task: not where an earlier round has been told all.
    news: bool,
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
                Ok(Signal::Event(event)) => {
                    if let Some(notification) = self.notification(&event, task) {
                        return notification;
                    }
                }
                Ok(Signal::Resync) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }

    fn notification(&self, event: &Event, task: &TaskId) -> Option<ServerNotification> {
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
    let mut call = Call { serving, request: &request, task: task.id().clone(), progress, news: true };
    let mut asked = AskedHere::default();
    let ended = call
        .wait(|task| {
            if let Some(client) = &request.caller.client {
                asked.keep_up(&serving.relay, &client.connection, &request, task);
            }
            task.status.is_final()
        })
        .await?;
    outcome(&ended)
}

/// A call that is waited for, or that becomes a task once `asks_first` questions of it were answered.
pub(super) async fn modern(
    serving: &Arc<Serving>,
    request: Request,
    submission: Submission,
    asks_first: u32,
) -> Result<Value, ErrorData> {
    let _counted = serving.calls.token();
    let progress = Progress::listen(serving, &request).await?;
    let resumes = request.params.get("requestState").is_some_and(|state| !state.is_null());
    let task = if resumes {
        resume(serving, &request, &submission).await?
    } else {
        serving.engine.submit(submission).await.map_err(refused)?
    };
    let task = task.id().clone();
    let mut call = Call { serving, request: &request, task, progress, news: !resumes };
    let is_task = |task: &Task| {
        let answered = task.questions.iter().filter(|question| !question.is_open()).count();
        !task.new.hidden && (task.status.is_final() || answered >= asks_first as usize)
    };
    let stopped = loop {
        let stopped = call.wait(|task| task.status != TaskStatus::Working || is_task(task)).await?;
        if !answer_unaskable(serving, &request, &stopped).await {
            break stopped;
        }
    };
    if is_task(&stopped) {
        return Ok(wire::created_task(&stopped, serving.config.poll_interval_ms));
    }
    if stopped.status.is_final() {
        return outcome(&stopped).map(wire::complete);
    }
    Ok(json!({
        "resultType": "input_required",
        "inputRequests": wire::input_requests(&stopped, stopped.open_questions()),
        "requestState": state(&stopped),
    }))
}

/// Answers for the client what it did not declare that it can be asked; true when there was such a question.
async fn answer_unaskable(serving: &Serving, request: &Request, task: &Task) -> bool {
    let capabilities = request.context.meta.client_capabilities();
    let mut any = false;
    for question in task.open_questions() {
        if let Some(reason) = undeclared(capabilities.as_ref(), &question.ask.kind) {
            serving.relay.answer_for(task.id(), question, &reason).await;
            any = true;
        }
    }
    any
}

/// What a client brings back with its answers: the task and how much it had asked, so that each round's
/// differs.
fn state(task: &Task) -> String {
    format!("{}.{}", task.id(), task.questions.len())
}

/// The task of an earlier round, answered. Its id is as unguessable as any key, and the rest of the
/// state is in the store, where no client can change it: scope, tool and arguments have to be the same.
async fn resume(serving: &Serving, request: &Request, submission: &Submission) -> Result<Task, ErrorData> {
    let unknown = || invalid("params.requestState is not one that this server gave for this call");
    let state = request.text("requestState")?;
    let (id, asked) = state.rsplit_once('.').ok_or_else(unknown)?;
    let id: TaskId = id.parse().map_err(|_| unknown())?;
    let asked: usize = asked.parse().map_err(|_| unknown())?;
    let task = match serving.engine.get(&Viewer::Operator, &id).await {
        Ok(task) => task,
        Err(EngineError::Store(StoreError::NoTask(_))) => return Err(unknown()),
        Err(error) => return Err(refused(error)),
    };
    let tool = serving.engine.tool(&submission.tool).await.map_err(refused)?;
    let same = asked <= task.questions.len()
        && task.new.hidden == submission.hidden
        && task.new.scope == submission.scope
        && task.new.tool == submission.tool
        && task.new.arguments == tool.filled_in(submission.arguments.clone());
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
            if !self.serving.relay.misbehaves(&self.task, Fault::StalledStream) && reached(&task) {
                self.last_steps().await;
                return Ok(task);
            }
            self.news = true;
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

    /// Steps that were reported before the state that was reached: the log may be a moment behind it.
    async fn last_steps(&mut self) {
        let Some(progress) = self.progress.as_mut().filter(|_| self.news) else { return };
        let mut steps = Vec::new();
        let rest = async {
            while let Ok(Signal::Event(event)) = progress.signals.recv().await {
                if event.task != self.task {
                    continue;
                }
                steps.extend(progress.notification(&event, &self.task));
                if event.kind.is_end() || matches!(event.kind, EventKind::Asked { .. }) {
                    return;
                }
            }
        };
        // Late steps are worth little; the result is not kept back for them.
        let _ = tokio::time::timeout(LAST_STEPS, rest).await;
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
