//! `result` of a FastMCP task: how it ended. What it returned is a Python pickle, which is never opened.

use serde_json::json;

use super::super::context::Context;
use super::super::failure::{Failure, Kind};
use super::super::outcome;
use super::super::ui::{event, text};
use crate::desk::suggest::{Advice, Suggested};
use crate::fastmcp::{DeployedTask, Deployment, Filter};
use crate::task::TaskStatus;

/// Why the result is not printed.
const CLOSED: &str =
    "its result is a Python pickle, which is never opened here; the client that launched the task gets it";

/// Tells how the task ended, and waits for that if it shall.
pub(crate) async fn result(
    context: &Context,
    deployment: &Deployment,
    mut task: DeployedTask,
    wait: bool,
) -> Result<(), Failure> {
    if wait && !task.status.is_final() {
        context.goes_on("the task goes on");
        task = ended(deployment, &task.id).await?;
    }
    let id = text::line(&task.id);
    let waiting = Suggested::new("result").about(event::short(&task.id)).flag("--wait");
    match task.status {
        TaskStatus::Completed => completed(context, &task),
        TaskStatus::Cancelled => Err(outcome::cancelled(context, &task.id, task.error.as_deref())),
        TaskStatus::Failed => Err(failed(context, &task)),
        status => Err(Failure::new(Kind::NothingChanged, format!("task {id} has not ended: it is {status}"))
            .hint(Advice::command(waiting, "waits for its end"))),
    }
}

fn completed(context: &Context, task: &DeployedTask) -> Result<(), Failure> {
    if context.ui.is_json() {
        let object = json!({ "source": "fastmcp", "task": task.id, "status": task.status, "note": CLOSED });
        return context.ui.object(&object);
    }
    context.ui.talk(&format!("task {} is completed; {CLOSED}", text::line(event::short(&task.id))));
    Ok(())
}

fn failed(context: &Context, task: &DeployedTask) -> Failure {
    let error = task.error.as_deref().unwrap_or("FastMCP keeps no reason");
    if context.ui.is_json() {
        let object = json!({ "source": "fastmcp", "task": task.id, "status": task.status, "error": { "message": error } });
        if let Err(failure) = context.ui.object(&object) {
            return failure;
        }
    }
    Failure::new(Kind::TaskFailed, format!("task {} failed: {error}", task.id))
}

/// The task when it has ended.
async fn ended(deployment: &Deployment, id: &str) -> Result<DeployedTask, Failure> {
    // Followed before it is looked at, so that an end in between is not missed.
    let mut watching = deployment.watch(Filter::Task(id.to_owned())).await?;
    loop {
        let task = deployment.find(id).await?;
        if task.status.is_final() {
            return Ok(task);
        }
        while !watching.next().await?.kind.is_end() {}
    }
}
