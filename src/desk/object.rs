//! Tasks and events as JSON: docs/JSON.md describes them. What one place has beside the names of all stays as its own
//! software calls it.

use serde_json::{Value, json};

use super::asked::OpenQuestion;
use super::place::{FASTMCP, SERVER, STORE};
use super::server::BadTask;
use crate::client::TaskView;
use crate::fastmcp::DeployedTask;
use crate::store::Unreadable;
use crate::task::{Event, Task};

/// The word of a task that cannot be read, where a status stands.
pub(crate) const UNREADABLE: &str = "unreadable";

/// Gives a task's object the names that it lacks of those that tasks have in every place.
pub(super) fn complete(object: &mut Value, common: Value) {
    let (Value::Object(object), Value::Object(common)) = (object, common) else { return };
    for (name, value) in common.into_iter().filter(|(_, value)| !value.is_null()) {
        object.entry(name).or_insert(value);
    }
}

/// A task of our own store. Attempts are those that count; how often it was claimed is the store's own.
pub(super) fn own_object(task: &Task) -> Value {
    let mut object = sourced(json!(task), STORE);
    object["attempt"] = json!(task.counted_attempt());
    if let Value::Object(object) = &mut object {
        object.remove("failures");
    }
    object
}

/// An event of our own log.
pub(crate) fn of_event(event: &Event) -> Value {
    sourced(json!(event), STORE)
}

/// With the place that it is from.
pub(super) fn sourced(mut object: Value, source: &str) -> Value {
    object["source"] = json!(source);
    object
}

/// What is known of a task that cannot be read.
pub(super) fn unreadable_object(one: &Unreadable) -> Value {
    json!({ "task": one.name, "id": one.name, "status": UNREADABLE, "problem": one.problem, "source": STORE })
}

/// What is known of a server's task that cannot be looked at.
pub(super) fn bad_object(one: &BadTask) -> Value {
    json!({ "task": one.id, "id": one.id, "status": UNREADABLE, "problem": one.problem, "source": SERVER })
}

/// A FastMCP task as an object.
pub(super) fn deployed_object(task: &DeployedTask) -> Value {
    let mut object = sourced(json!(task), FASTMCP);
    object["tool"] = json!(task.component.name);
    object
}

/// A server's task as an object.
pub(super) fn server_object(server: &str, view: &TaskView, tool: Option<&str>) -> Value {
    let questions = OpenQuestion::all_of_server(server, view).map(|question| question.object());
    let questions: Vec<Value> = questions.collect();
    json!({
        "id": view.id, "tool": tool, "status": view.status, "status_message": view.status_message,
        "created_at": view.created_at, "updated_at": view.updated_at, "ttl_ms": view.ttl_ms,
        "questions": questions, "input_requests": view.input_requests, "outcome": view.outcome, "source": SERVER,
    })
}
