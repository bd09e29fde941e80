//! How a task ended: its result on stdout, and the exit code.

use serde_json::{Value, json};

use super::context::Context;
use super::failure::{Failure, Kind};
use super::ui::text;
use crate::client::Ended;
use crate::task::{Outcome, Task, TaskStatus};

/// Prints how an ended task ended, and fails as it did.
pub(crate) fn of_task(context: &Context, task: &Task) -> Result<(), Failure> {
    match &task.outcome {
        Some(outcome) => of_outcome(context, task.id().as_str(), outcome),
        None => Err(cancelled(context, task.id().as_str(), task.status_message.as_deref())),
    }
}

/// The failure of a task that was cancelled.
pub(crate) fn cancelled(context: &Context, id: &str, message: Option<&str>) -> Failure {
    if context.ui.is_json() {
        let object = json!({ "task": id, "status": TaskStatus::Cancelled, "reason": message });
        if let Err(failure) = context.ui.object(&object) {
            return failure;
        }
    }
    let why = message.map(|message| format!(": {message}")).unwrap_or_default();
    Failure::new(Kind::Cancelled, format!("task {id} was cancelled{why}"))
}

/// Prints how a server's task ended, and fails as it did.
pub(crate) fn of_ended(context: &Context, id: &str, ended: &Ended) -> Result<(), Failure> {
    match ended {
        Ended::Finished(outcome) => of_outcome(context, id, outcome),
        Ended::Failed { message, outcome } => failed(context, id, message.as_deref(), outcome),
        Ended::Cancelled { message } => Err(cancelled(context, id, message.as_deref())),
    }
}

/// The failure of a task that its server calls failed: in the server's words where the outcome does not have them.
fn failed(context: &Context, id: &str, message: Option<&str>, outcome: &Outcome) -> Result<(), Failure> {
    if let Outcome::Error(error) = outcome {
        let words = message.filter(|words| !error.message.contains(words)).map(|words| format!("{words}: "));
        let message =
            format!("task {id} failed: {}{} (code {})", words.unwrap_or_default(), error.message, error.code);
        show(context, id, TaskStatus::Failed, outcome)?;
        return Err(Failure::new(Kind::TaskFailed, message));
    }
    show(context, id, TaskStatus::Failed, outcome)?;
    let words = message.map_or_else(|| "its server does not say why".to_owned(), str::to_owned);
    Err(Failure::new(Kind::TaskFailed, format!("task {id} failed: {words}")))
}

/// Prints a result; a result that its tool calls an error, and a JSON-RPC error, are failures as well.
pub(crate) fn of_outcome(context: &Context, id: &str, outcome: &Outcome) -> Result<(), Failure> {
    show(context, id, outcome.status(), outcome)?;
    match outcome {
        Outcome::Error(error) => {
            let message = format!("task {id} failed: {} (code {})", error.message, error.code);
            Err(Failure::new(Kind::TaskFailed, message))
        }
        Outcome::Result(_) if outcome.is_tool_error() => {
            Err(Failure::new(Kind::TaskFailed, format!("task {id}: the tool calls its result an error")))
        }
        Outcome::Result(_) => Ok(()),
    }
}

/// Puts what there is of an outcome on stdout: all of it as JSON, a result that says anything for people.
fn show(context: &Context, id: &str, status: TaskStatus, outcome: &Outcome) -> Result<(), Failure> {
    if context.ui.is_json() {
        let mut object = json!({ "task": id, "status": status });
        match outcome {
            Outcome::Result(result) => object["result"] = result.clone(),
            Outcome::Error(error) => object["error"] = json!(error),
        }
        return context.ui.object(&object);
    }
    match outcome {
        // Of a failed task nothing but the server's notes may be there.
        Outcome::Result(result) if status == TaskStatus::Failed && !has_content(result) => Ok(()),
        Outcome::Result(result) => print(context, result),
        Outcome::Error(_) => Ok(()),
    }
}

fn has_content(result: &Value) -> bool {
    ["content", "structuredContent"].iter().any(|key| result.get(key).is_some_and(|value| !value.is_null()))
}

/// The result as text: safe on a terminal, exact in a pipe.
fn print(context: &Context, result: &Value) -> Result<(), Failure> {
    let shown = in_words(result);
    if !context.ui.out_is_terminal() {
        return context.ui.line(&shown);
    }
    text::block(&shown).iter().try_for_each(|line| context.ui.line(line))
}

/// The text blocks of a `CallToolResult`; other blocks, and a result without blocks, as JSON.
pub(crate) fn in_words(result: &Value) -> String {
    let blocks = result.get("content").and_then(Value::as_array).filter(|blocks| !blocks.is_empty());
    let Some(blocks) = blocks else {
        let structured = result.get("structuredContent").unwrap_or(result);
        return format!("{structured:#}");
    };
    let shown = |block: &Value| match block.get("text").and_then(Value::as_str) {
        Some(text) => text.to_owned(),
        None => block.to_string(),
    };
    blocks.iter().map(shown).collect::<Vec<_>>().join("\n")
}
