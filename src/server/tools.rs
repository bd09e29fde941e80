//! `tools/list` and `tools/call` in both eras: a call runs as a task where it says so, else it is waited for.

use std::sync::Arc;

use rmcp::ErrorData;
use serde_json::{Value, json};

use super::errors::{invalid, needs_tasks_extension, no_method, refused};
use super::request::{Request, Serving};
use super::{foreground, wire};
use crate::engine::{Submission, bytes};
use crate::task::id::{InvalidId, SESSION_LABEL};
use crate::task::{SessionId, TaskSupport};

/// How long a modern client may keep the list, in milliseconds: workers come and go.
const FRESH_MS: u64 = 5000;

/// Under this `_meta` key our own clients say that others answer: who submits and leaves.
const ANSWERED_BY_OTHERS: &str = "mcptask/answeredByOthers";

/// The most bytes of JSON on one page of tools. Few servers have a second one.
const PAGE_BYTES: usize = 1024 * 1024;

pub(super) async fn list_legacy(serving: &Serving, request: &Request) -> Result<Value, ErrorData> {
    list(serving, request, true).await
}

pub(super) async fn list_modern(serving: &Serving, request: &Request) -> Result<Value, ErrorData> {
    let mut result = list(serving, request, false).await?;
    result["resultType"] = json!("complete");
    result["ttlMs"] = json!(FRESH_MS);
    result["cacheScope"] = json!("private");
    Ok(result)
}

/// A page of the tools, by name. The cursor is the name of the last one.
async fn list(serving: &Serving, request: &Request, with_task_support: bool) -> Result<Value, ErrorData> {
    let tools = serving.engine.tools().await.map_err(refused)?;
    let begin = match request.params.get("cursor") {
        None | Some(Value::Null) => 0,
        Some(cursor) => {
            let last = tools.iter().position(|spec| cursor == spec.name.as_str());
            1 + last
                .ok_or_else(|| invalid(format!("params.cursor {cursor} is not one that this server gave")))?
        }
    };
    let (mut page, mut size) = (Vec::new(), 0);
    for spec in &tools[begin..] {
        let tool = wire::tool(spec, with_task_support);
        size += bytes(&tool);
        if size > PAGE_BYTES && !page.is_empty() {
            break;
        }
        page.push(tool);
    }
    let end = begin + page.len();
    let mut result = json!({ "tools": page });
    if end < tools.len() {
        result["nextCursor"] = json!(tools[end - 1].name);
    }
    Ok(result)
}

pub(super) async fn call_legacy(serving: &Arc<Serving>, request: Request) -> Result<Value, ErrorData> {
    let name = request.text("name")?.to_owned();
    let arguments = request.object("arguments")?;
    let tool = serving.engine.tool(&name).await.map_err(refused)?;
    let as_task = request.params.get("task").is_some_and(|task| !task.is_null());
    match (as_task, tool.task_support) {
        (true, TaskSupport::Forbidden) => {
            return Err(no_method(format!(
                "the tool {name:?} does not run as a task: leave params.task out"
            )));
        }
        (false, TaskSupport::Required) => {
            return Err(no_method(format!("the tool {name:?} runs only as a task: give params.task")));
        }
        _ => {}
    }
    // What is asked goes to the session that a task has: one that others answer has none but the label it was given.
    let is_owned = !(as_task && is_answered_by_others(&request));
    let submission = Submission {
        tool: name,
        arguments,
        scope: request.caller.scope.clone(),
        session: if is_owned { request.caller.session() } else { label(&request)? },
        hidden: !as_task,
        ttl_ms: ttl(&request)?,
    };
    if !as_task {
        return foreground::legacy(serving, request, submission).await;
    }
    let task = match request.caller.client.as_ref().filter(|_| is_owned) {
        Some(client) => {
            let submitting = client.connection.submitting().await;
            let task = serving.engine.submit(submission).await.map_err(refused)?;
            client.connection.submitted(&task, request.context.meta.get_progress_token());
            drop(submitting);
            task
        }
        None => serving.engine.submit(submission).await.map_err(refused)?,
    };
    let wire = wire::legacy_task(&task, serving.config.poll_interval_ms);
    Ok(json!({ "task": wire, "_meta": wire::related(&task) }))
}

/// The ttl that the client wishes for.
fn ttl(request: &Request) -> Result<Option<u64>, ErrorData> {
    let task = request.object("task")?;
    match task.get("ttl") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(number)) if number.as_f64().is_some_and(|ttl| ttl >= 0.0) => {
            Ok(number.as_f64().map(|ttl| ttl as u64))
        }
        Some(other) => Err(invalid(format!("params.task.ttl must be a number of milliseconds, not {other}"))),
    }
}

pub(super) async fn call_modern(serving: &Arc<Serving>, request: Request) -> Result<Value, ErrorData> {
    let name = request.text("name")?.to_owned();
    let arguments = request.object("arguments")?;
    let tool = serving.engine.tool(&name).await.map_err(refused)?;
    let as_task = match (tool.task_support, request.declares_tasks()) {
        (TaskSupport::Forbidden, _) | (TaskSupport::Optional, false) => false,
        (TaskSupport::Optional | TaskSupport::Required, true) => true,
        (TaskSupport::Required, false) => return Err(needs_tasks_extension()),
    };
    let scope = request.caller.scope.clone();
    let session = label(&request)?;
    let submission = Submission { tool: name, arguments, scope, session, hidden: !as_task, ttl_ms: None };
    let modes = request.modes();
    if !as_task || (tool.asks_first > 0 && modes.any()) {
        return foreground::modern(serving, request, submission, tool.asks_first).await;
    }
    let task = serving.engine.submit(submission).await.map_err(refused)?;
    if !is_answered_by_others(&request) {
        serving.relay.launched(&task, modes);
    }
    Ok(wire::created_task(&task, serving.config.poll_interval_ms, modes))
}

/// Whether the client says that what the task asks is left to others, whatever it can be asked itself.
fn is_answered_by_others(request: &Request) -> bool {
    request.context.meta.get(ANSWERED_BY_OTHERS) == Some(&Value::Bool(true))
}

/// The label that the client wishes for in the log: modern clients have no session of their own.
fn label(request: &Request) -> Result<Option<SessionId>, ErrorData> {
    let Some(label) = request.context.meta.get(SESSION_LABEL) else { return Ok(None) };
    let problem =
        |problem: &str| ErrorData::invalid_params(format!("_meta[{SESSION_LABEL:?}] {problem}"), None);
    let text = label.as_str().ok_or_else(|| problem("is not a string"))?;
    text.parse().map(Some).map_err(|error: InvalidId| problem(&error.to_string()))
}
