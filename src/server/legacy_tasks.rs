//! The task requests of the legacy era (2025-11-25, basic/utilities/tasks).

use rmcp::ErrorData;
use serde_json::{Value, json};

use super::errors::{cancelled, invalid, refused, task_error};
use super::request::{Request, Serving};
use super::wait::{Purpose, Wait};
use super::wire;
use crate::store::{PageCursor, TaskFilter};
use crate::task::{Outcome, Task};

/// Tasks on one page of `tasks/list`.
const PAGE: usize = 50;

pub(super) async fn get(serving: &Serving, request: &Request) -> Result<Value, ErrorData> {
    let id = request.task_id()?;
    let task = serving.engine.get(&request.caller.viewer(), &id).await.map_err(refused)?;
    let task = serving.relay.ruled(task).await.map_err(refused)?;
    Ok(wire::legacy_task(&task, serving.config.poll_interval_ms))
}

/// Waits for the end, then returns exactly what the call itself would have returned. Meanwhile the waiting client is
/// asked what the task asks, where the session that launched it is not here: it may have ended with an earlier process.
pub(super) async fn result(serving: &Serving, request: Request) -> Result<Value, ErrorData> {
    let id = request.task_id()?;
    let feed = serving.engine.hub().await.map_err(refused)?.feed(&id);
    let mut task = serving.engine.get(&request.caller.viewer(), &id).await.map_err(refused)?;
    if !task.status.is_final() {
        let mut wait = Wait::new(serving, &request, &task, feed, Purpose::Result);
        wait.show(&task);
        task = wait.end().await?;
    }
    match &task.outcome {
        Some(Outcome::Result(result)) => Ok(with_related(result.clone(), &task)),
        Some(Outcome::Error(error)) => Err(task_error(error)),
        None => Err(cancelled(task.status_message.as_deref())),
    }
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
    let mut tasks = Vec::with_capacity(page.tasks.len());
    for task in page.tasks {
        let task = serving.relay.ruled(task).await.map_err(refused)?;
        tasks.push(wire::legacy_task(&task, poll_interval_ms));
    }
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
