//! The task requests of the modern era (2026-07-28, SEP-2663).

use rmcp::ErrorData;
use serde_json::Value;

use super::errors::{invalid, needs_tasks_extension, refused, violated};
use super::request::{Request, Serving};
use super::{misbehaviour, wire};
use crate::engine::EngineError;
use crate::store::StoreError;
use crate::task::{Action, Answer, Answerer, Question, Task, TaskId, Violation, joined};

pub(super) async fn get(serving: &Serving, request: &Request) -> Result<Value, ErrorData> {
    let id = declared_task(request)?;
    let task = serving.engine.get(&request.caller.viewer(), &id).await.map_err(refused)?;
    let task = serving.relay.ruled(task).await.map_err(refused)?;
    let mut shown = wire::detailed_task(&task, serving.config.poll_interval_ms, request.modes());
    misbehaviour::distort(serving, &task, &mut shown);
    Ok(wire::complete(Value::Object(shown)))
}

/// The task that the params name, from a client that declared that it knows tasks.
fn declared_task(request: &Request) -> Result<TaskId, ErrorData> {
    if !request.declares_tasks() {
        return Err(needs_tasks_extension());
    }
    request.task_id()
}

pub(super) async fn update(serving: &Serving, request: &Request) -> Result<Value, ErrorData> {
    let id = declared_task(request)?;
    if !request.params.contains_key("inputResponses") {
        return Err(invalid("params.inputResponses is missing"));
    }
    let viewer = request.caller.viewer();
    let task = serving.engine.get(&viewer, &id).await.map_err(refused)?;
    let counted = answer_all(serving, &task, request).await?;
    Ok(wire::acknowledged_answers(&counted))
}

/// Answers the open questions that the request's `inputResponses` name; whatever else they name is ignored. Each valid answer
/// counts, and the error names every violation of the others. Returns the keys of those that count.
pub(super) async fn answer_all(
    serving: &Serving,
    task: &Task,
    request: &Request,
) -> Result<Vec<String>, ErrorData> {
    let (mut counted, mut violations) = (Vec::new(), Vec::new());
    for (key, response) in &request.object("inputResponses")? {
        let known = |question: &&Question| task.question_key(question) == key || question.id.as_str() == key;
        let Some(question) = task.open_questions().find(known) else { continue };
        let answer = match read_answer(response) {
            Ok(answer) => answer,
            Err(violation) => {
                violations.push(violation.under(&format!("/inputResponses/{key}")));
                continue;
            }
        };
        let answer = answer.given_by(request.answerer(response));
        match serving.engine.answer_known(task.id(), question, answer).await {
            Ok(_) => counted.push(key.clone()),
            // Where somebody else was first, or the task has ended, it is as if it had been answered before.
            Err(EngineError::Store(
                StoreError::AlreadyAnswered { .. } | StoreError::Ended { .. } | StoreError::NoTask(_),
            )) => {}
            Err(EngineError::Answer { violations: found, .. }) => {
                let prefix = format!("/inputResponses/{key}/content");
                violations.extend(found.into_iter().map(|violation| violation.under(&prefix)));
            }
            Err(error) => return Err(refused(error)),
        }
    }
    if violations.is_empty() {
        return Ok(counted);
    }
    Err(violated(format!("the answer is not valid: {}", joined(&violations)), &violations))
}

fn read_answer(response: &Value) -> Result<Answer, Violation> {
    let action = response.get("action").cloned().unwrap_or_default();
    let action: Action = serde_json::from_value(action)
        .map_err(|_| Violation::new("/action", "is not accept, decline or cancel"))?;
    let mut answer = Answer::new(action, Answerer::Client);
    answer.content = match response.get("content") {
        None | Some(Value::Null) => None,
        Some(Value::Object(content)) => Some(content.clone()),
        Some(_) => return Err(Violation::new("/content", "is not an object")),
    };
    Ok(answer)
}

pub(super) async fn cancel(serving: &Serving, request: &Request) -> Result<Value, ErrorData> {
    let id = declared_task(request)?;
    match serving.engine.cancel(&request.caller.viewer(), &id, "cancelled by the client").await {
        // Ending what has ended changes nothing.
        Ok(()) | Err(EngineError::Store(StoreError::Ended { .. })) => Ok(wire::acknowledged()),
        Err(error) => Err(refused(error)),
    }
}
