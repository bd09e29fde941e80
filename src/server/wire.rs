//! The JSON shapes of tasks in both eras.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use crate::relay::{Modes, RELATED_TASK, failure, legacy_status, shown};
use crate::task::{Outcome, Question, RpcError, Task, TaskStatus, ToolSpec};

/// A JSON object.
pub(super) type Object = Map<String, Value>;

/// What a client that was asked nothing is told of a task that waits for an answer.
const WAITS_FOR_OTHERS: &str = "waits for an answer that this client did not declare that it can give";

/// Why a task stands where it does: what it asks, while it asks this client.
fn status_message(task: &Task, modes: Modes) -> Option<Cow<'_, str>> {
    if task.status == TaskStatus::InputRequired && task.open_questions().next().is_some() {
        let asked = askable(task, modes).next();
        return Some(asked.map_or(WAITS_FOR_OTHERS, |question| &question.ask.message).into());
    }
    let failure = task.outcome.as_ref().and_then(failure);
    failure.map(Cow::Owned).or(task.status_message.as_deref().map(Cow::Borrowed))
}

/// The open questions of the task that a client with these modes may be shown (2026-07-28, basic/patterns/mrtr).
fn askable(task: &Task, modes: Modes) -> impl Iterator<Item = &Question> {
    task.open_questions().filter(move |question| modes.missing(&question.ask.kind).is_none())
}

/// The status of the task for a client with these modes: one that waits for others is working.
fn modern_status(task: &Task, modes: Modes) -> TaskStatus {
    match task.status {
        TaskStatus::InputRequired if askable(task, modes).next().is_none() => TaskStatus::Working,
        status => status,
    }
}

/// A task in the legacy era (2025-11-25, basic/utilities/tasks).
pub(super) fn legacy_task(task: &Task, poll_interval_ms: u64) -> Value {
    let tool_error = task.outcome.as_ref().is_some_and(Outcome::is_tool_error);
    let mut wire = json!({
        "taskId": task.id(),
        "status": legacy_status(task.status, tool_error),
        "createdAt": shown(task.created_at),
        "lastUpdatedAt": shown(task.updated_at),
        "ttl": task.new.ttl_ms,
        "pollInterval": poll_interval_ms,
    });
    if let Some(message) = status_message(task, Modes::ALL) {
        wire["statusMessage"] = json!(message);
    }
    wire
}

/// The `_meta` that says which task a legacy message is about.
pub(super) fn related(task: &Task) -> Value {
    json!({ RELATED_TASK: { "taskId": task.id() } })
}

/// A task in the modern era, without what its status adds (SEP-2663, `Task`).
fn modern_task(task: &Task, poll_interval_ms: u64, modes: Modes) -> Object {
    let mut wire = Object::new();
    wire.insert("taskId".into(), json!(task.id()));
    wire.insert("status".into(), json!(modern_status(task, modes)));
    if let Some(message) = status_message(task, modes) {
        wire.insert("statusMessage".into(), json!(message));
    }
    wire.insert("createdAt".into(), json!(shown(task.created_at)));
    wire.insert("lastUpdatedAt".into(), json!(shown(task.updated_at)));
    wire.insert("ttlMs".into(), json!(task.new.ttl_ms));
    wire.insert("pollIntervalMs".into(), json!(poll_interval_ms));
    wire
}

/// What a call that became a task returns in the modern era: flat, `resultType` "task".
pub(super) fn created_task(task: &Task, poll_interval_ms: u64, modes: Modes) -> Value {
    let mut wire = modern_task(task, poll_interval_ms, modes);
    wire.insert("resultType".into(), json!("task"));
    Value::Object(wire)
}

/// A task with its open questions, its result or its error (SEP-2663, `DetailedTask`), for a client with these modes.
pub(super) fn detailed_task(task: &Task, poll_interval_ms: u64, modes: Modes) -> Object {
    let mut wire = modern_task(task, poll_interval_ms, modes);
    match modern_status(task, modes) {
        TaskStatus::InputRequired => {
            wire.insert("inputRequests".into(), input_requests(task, askable(task, modes)));
        }
        TaskStatus::Completed | TaskStatus::Failed => match &task.outcome {
            Some(Outcome::Result(result)) => {
                wire.insert("result".into(), complete(result.clone()));
            }
            Some(Outcome::Error(error)) => {
                wire.insert("error".into(), rpc_error(error));
            }
            None => {}
        },
        TaskStatus::Working | TaskStatus::Cancelled => {}
    }
    wire
}

/// Questions of the task as `inputRequests`: each under a key that is never used again in the task's life.
pub(super) fn input_requests<'a>(task: &Task, questions: impl Iterator<Item = &'a Question>) -> Value {
    let entry = |question: &Question| (task.question_key(question).to_owned(), input_request(question));
    Value::Object(questions.map(entry).collect())
}

/// A question as an entry of `inputRequests`.
pub(super) fn input_request(question: &Question) -> Value {
    json!({ "method": "elicitation/create", "params": question.ask.to_params() })
}

/// A result that says that it is one: modern results carry `resultType`.
pub(super) fn complete(mut result: Value) -> Value {
    if let Value::Object(object) = &mut result {
        object.entry("resultType").or_insert_with(|| json!("complete"));
    }
    result
}

/// The `_meta` key under which a modern result says which server it is of (2026-07-28, basic).
const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

/// A modern result that says which server it is of.
pub(super) fn signed(mut result: Value, name: &str, version: &str) -> Value {
    if let Value::Object(object) = &mut result {
        let meta = object.entry("_meta").or_insert_with(|| json!({}));
        if let Value::Object(meta) = meta {
            meta.insert(SERVER_INFO.to_owned(), json!({ "name": name, "version": version }));
        }
    }
    result
}

/// Under this key of an acknowledgement's `_meta` stand the keys of the answers that are their questions' own, since an
/// answer that came too late is acknowledged as well.
const COUNTED: &str = "mcptask/counted";

/// The acknowledgement of answers.
pub(super) fn acknowledged_answers(counted: &[String]) -> Value {
    let mut acknowledged = acknowledged();
    acknowledged["_meta"] = json!({ COUNTED: counted });
    acknowledged
}

/// An empty acknowledgement of the modern era.
pub(super) fn acknowledged() -> Value {
    json!({ "resultType": "complete" })
}

fn rpc_error(error: &RpcError) -> Value {
    let mut wire = json!({ "code": error.code, "message": error.message });
    if let Some(data) = &error.data {
        wire["data"] = data.clone();
    }
    wire
}

/// A tool as `tools/list` shows it.
pub(super) fn tool(spec: &ToolSpec, with_task_support: bool) -> Value {
    let mut wire = json!({
        "name": spec.name, "description": spec.description, "inputSchema": spec.input_schema,
    });
    if let Some(title) = &spec.title {
        wire["title"] = json!(title);
    }
    if let Some(schema) = &spec.output_schema {
        wire["outputSchema"] = schema.clone();
    }
    if let Some(annotations) = &spec.annotations {
        wire["annotations"] = annotations.clone();
    }
    if with_task_support {
        wire["execution"] = json!({ "taskSupport": spec.task_support });
    }
    wire
}
