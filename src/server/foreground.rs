//! Calls that are waited for: hidden tasks on the same path as all others.
//!
//! A legacy call's questions go to its client on the call's own stream. A modern call that asks returns
//! what it asks, with a `requestState`; the same call with that state and the answers waits on.

use std::collections::HashSet;
use std::sync::Arc;

use rmcp::ErrorData;
use serde_json::{Value, json};

use super::errors::{cancelled, invalid, refused, task_error};
use super::request::{Request, Serving};
use super::wait::{Purpose, Wait};
use super::{misbehaviour, modern_tasks, wire};
use crate::engine::{EngineError, Feed, Submission, Viewer};
use crate::relay::Modes;
use crate::store::StoreError;
use crate::task::{EventKind, Outcome, Question, QuestionId, Task, TaskId, TaskStatus};

pub(super) async fn legacy(
    serving: &Arc<Serving>,
    request: Request,
    submission: Submission,
) -> Result<Value, ErrorData> {
    let _counted = serving.calls.token();
    let (task, feed) = serving.engine.submit_followed(submission).await.map_err(refused)?;
    let ended = Wait::new(serving, &request, &task, feed, Purpose::Call).end().await?;
    misbehaviour::stall(serving, &request, task.id(), outcome(&ended)).await
}

/// A call that is waited for, or that becomes a task once `asks_first` questions of it were answered.
pub(super) async fn modern(
    serving: &Arc<Serving>,
    request: Request,
    submission: Submission,
    asks_first: u32,
) -> Result<Value, ErrorData> {
    let _counted = serving.calls.token();
    let modes = request.modes();
    let is_task = |task: &Task| {
        let answered = task.questions.iter().filter(|question| !question.is_open()).count();
        let is_begun = task.status.is_final() || answered >= asks_first as usize;
        !task.new.hidden && (is_begun || unaskable(task, modes).next().is_some())
    };
    let reached = |task: &Task| task.status != TaskStatus::Working || is_task(task);
    let resumes = request.params.get("requestState").is_some_and(|state| !state.is_null());
    let (task, feed) = if resumes {
        resume(serving, &request, &submission).await?
    } else {
        serving.engine.submit_followed(submission).await.map_err(refused)?
    };
    let mut wait = Wait::new(serving, &request, &task, feed, Purpose::Call);
    // Where an earlier round began the task, it may be there already.
    let mut seen = if resumes { Some(wait.look().await?).filter(reached) } else { None };
    let mut settled = HashSet::new();
    let stopped = loop {
        let stopped = match seen.take() {
            Some(task) => task,
            None => wait.until(is_turn, reached).await?,
        };
        // What it asked may be decided by now: then the wait goes on.
        let stopped = serving.relay.ruled(stopped).await.map_err(refused)?;
        if !reached(&stopped) {
            continue;
        }
        if is_task(&stopped) || is_clients_turn(serving, &stopped, modes, &mut settled).await {
            break stopped;
        }
    };
    let response = if is_task(&stopped) {
        serving.relay.launched(&stopped, modes);
        Ok(wire::created_task(&stopped, serving.config.poll_interval_ms, modes))
    } else if stopped.status.is_final() {
        outcome(&stopped).map(wire::complete)
    } else {
        Ok(json!({
            "resultType": "input_required",
            "inputRequests": wire::input_requests(&stopped, askable(&stopped, modes)),
            "requestState": state(&stopped),
        }))
    };
    misbehaviour::stall(serving, &request, task.id(), response).await
}

/// Whether it may be the client's turn after such an event.
fn is_turn(kind: &EventKind) -> bool {
    kind.is_end() || matches!(kind, EventKind::Asked { .. } | EventKind::Answered { .. })
}

/// The open questions that a client with these modes cannot be asked, each with the reason.
fn unaskable(task: &Task, modes: Modes) -> impl Iterator<Item = (&Question, String)> {
    task.open_questions().filter_map(move |question| Some((question, modes.missing(&question.ask.kind)?)))
}

/// The open questions that it can be asked.
fn askable(task: &Task, modes: Modes) -> impl Iterator<Item = &Question> {
    task.open_questions().filter(move |question| modes.missing(&question.ask.kind).is_none())
}

/// Answers for the client of a hidden task what it cannot be asked, or leaves it to an operator, once each; whether there
/// is nothing to wait for but the client.
async fn is_clients_turn(
    serving: &Serving,
    task: &Task,
    modes: Modes,
    settled: &mut HashSet<QuestionId>,
) -> bool {
    let (mut is_answered, mut is_left) = (false, false);
    for (question, reason) in unaskable(task, modes) {
        is_left |= settled.contains(&question.id);
        if settled.insert(question.id.clone()) {
            let stays = serving.relay.answer_for(task.id(), question, &reason).await;
            (is_answered, is_left) = (is_answered || !stays, is_left || stays);
        }
    }
    !is_answered && (!is_left || askable(task, modes).next().is_some())
}

/// What a client brings back with its answers: the task and how much it had asked, so that each round's
/// differs.
fn state(task: &Task) -> String {
    format!("{}.{}", task.id(), task.questions.len())
}

/// The task of an earlier round, answered. Its id is as unguessable as any key, and the rest of the
/// state is in the store, where no client can change it: scope, tool and arguments have to be the same.
async fn resume(
    serving: &Serving,
    request: &Request,
    submission: &Submission,
) -> Result<(Task, Feed), ErrorData> {
    let unknown = || invalid("params.requestState is not one that this server gave for this call");
    let state = request.text("requestState")?;
    let (id, asked) = state.rsplit_once('.').ok_or_else(unknown)?;
    let id: TaskId = id.parse().map_err(|_| unknown())?;
    let asked: usize = asked.parse().map_err(|_| unknown())?;
    let feed = serving.engine.hub().await.map_err(refused)?.feed(&id);
    let task = match serving.engine.get(&Viewer::Operator, &id).await {
        Ok(task) => task,
        Err(EngineError::Store(StoreError::NoTask(_) | StoreError::Unreadable { .. })) => {
            return Err(unknown());
        }
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
    modern_tasks::answer_all(serving, &task, request).await?;
    Ok((task, feed))
}

fn outcome(task: &Task) -> Result<Value, ErrorData> {
    match &task.outcome {
        Some(Outcome::Result(result)) => Ok(result.clone()),
        Some(Outcome::Error(error)) => Err(task_error(error)),
        None => Err(cancelled(task.status_message.as_deref())),
    }
}
