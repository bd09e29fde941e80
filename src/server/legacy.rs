//! `tools/call` of the legacy era: as a task where the call says so, else waited for.

use std::sync::Arc;

use rmcp::ErrorData;
use serde_json::{Value, json};

use super::fault::{invalid, no_method, refused};
use super::handler::{Request, Serving};
use super::{foreground, wire};
use crate::engine::Submission;
use crate::task::TaskSupport;

pub(super) async fn call(serving: &Arc<Serving>, request: Request) -> Result<Value, ErrorData> {
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
    let submission = Submission {
        tool: name,
        arguments,
        scope: request.caller.scope.clone(),
        session: request.caller.session(),
        hidden: !as_task,
        ttl_ms: ttl(&request)?,
    };
    if !as_task {
        return foreground::legacy(serving, request, submission).await;
    }
    let task = match &request.caller.client {
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
