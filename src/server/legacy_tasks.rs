//! The task requests of the legacy era (2025-11-25, basic/utilities/tasks).

use rmcp::ErrorData;
use serde_json::{Value, json};

use super::fault::{cancelled, invalid, refused, task_error};
use super::foreground::AskedHere;
use super::handler::{Request, Serving};
use super::wire;
use crate::store::{PageCursor, TaskFilter};
use crate::task::{Outcome, Task, TaskId};

/// Tasks on one page of `tasks/list`.
const PAGE: usize = 50;

pub(super) async fn get(serving: &Serving, request: &Request) -> Result<Value, ErrorData> {
    let id = request.task_id()?;
    let task = serving.engine.get(&request.caller.viewer(), &id).await.map_err(refused)?;
    Ok(wire::legacy_task(&task, serving.config.poll_interval_ms))
}

/// Waits for the end, then returns exactly what the call itself would have returned.
pub(super) async fn result(serving: &Serving, request: Request) -> Result<Value, ErrorData> {
    let id = request.task_id()?;
    let client = request.caller.client.as_ref();
    let _awaits =
        client.map(|client| client.connection.awaits_result(id.clone(), request.context.id.clone()));
    let gone = async {
        match client {
            Some(client) => drop(client.connection.gone().await),
            None => std::future::pending().await,
        }
    };
    let task = tokio::select! {
        task = ended(serving, &request, &id) => task?,
        () = request.context.ct.cancelled() => return Err(stopped_waiting()),
        () = serving.stop.cancelled() => return Err(stopped_waiting()),
        () = gone => return Err(stopped_waiting()),
    };
    match &task.outcome {
        Some(Outcome::Result(result)) => Ok(with_related(result.clone(), &task)),
        Some(Outcome::Error(error)) => Err(task_error(error)),
        None => Err(cancelled(task.status_message.as_deref())),
    }
}

/// The task once it has ended. Meanwhile the waiting client is asked what the task asks, where the session
/// that launched it is not here: it may have ended with an earlier process.
async fn ended(serving: &Serving, request: &Request, id: &TaskId) -> Result<Task, ErrorData> {
    let viewer = request.caller.viewer();
    let mut follow = serving.engine.hub().await.map_err(refused)?.follow(id);
    let mut asked = AskedHere::default();
    loop {
        let task = serving.engine.get(&viewer, id).await.map_err(refused)?;
        if task.status.is_final() {
            return Ok(task);
        }
        let client = request.caller.client.as_ref().filter(|_| !serving.relay.serves_owner(&task));
        if let Some(client) = client {
            asked.keep_up(&serving.relay, &client.connection, request, &task);
        }
        follow.changed().await;
        // What the task asks its owner is the relay's, so only the end is worth a look.
        while serving.relay.serves_owner(&task) && !follow.may_have_ended() {
            follow.changed().await;
        }
    }
}

fn stopped_waiting() -> ErrorData {
    ErrorData::internal_error("the wait for the task's result was ended; the task goes on", None)
}

fn with_related(mut result: Value, task: &Task) -> Value {
    if let Value::Object(result) = &mut result {
        let meta = result.entry("_meta").or_insert_with(|| json!({}));
        if let (Value::Object(meta), Value::Object(related)) = (meta, wire::related(task)) {
            meta.extend(related);
        }
    }
    result
}

pub(super) async fn list(serving: &Serving, request: &Request) -> Result<Value, ErrorData> {
    let after = match request.params.get("cursor") {
        None | Some(Value::Null) => None,
        Some(cursor) => Some(read_cursor(cursor)?),
    };
    let filter = TaskFilter::default();
    let page = serving.engine.list(&request.caller.viewer(), filter, after.as_ref(), PAGE).await;
    let page = page.map_err(refused)?;
    let poll_interval_ms = serving.config.poll_interval_ms;
    let tasks: Vec<_> = page.tasks.iter().map(|task| wire::legacy_task(task, poll_interval_ms)).collect();
    let mut result = json!({ "tasks": tasks });
    if let Some(next) = &page.next {
        result["nextCursor"] = json!(format!("{}.{}", next.created_ms, next.task));
    }
    Ok(result)
}

fn read_cursor(cursor: &Value) -> Result<PageCursor, ErrorData> {
    let parsed = cursor.as_str().and_then(|text| {
        let (created, task) = text.split_once('.')?;
        Some(PageCursor { created_ms: created.parse().ok()?, task: task.parse().ok()? })
    });
    parsed.ok_or_else(|| invalid(format!("params.cursor {cursor} is not one that this server gave")))
}

pub(super) async fn cancel(serving: &Serving, request: &Request) -> Result<Value, ErrorData> {
    let id = request.task_id()?;
    let viewer = request.caller.viewer();
    serving.engine.cancel(&viewer, &id, "cancelled by the client").await.map_err(refused)?;
    let task = serving.engine.get(&viewer, &id).await.map_err(refused)?;
    Ok(wire::legacy_task(&task, serving.config.poll_interval_ms))
}
