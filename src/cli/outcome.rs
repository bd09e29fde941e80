//! How a task ended: its result on stdout, and the exit code.

use serde_json::{Value, json};

use super::context::Context;
use super::failure::{Failure, Kind};
use super::ui::text;
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

/// Prints a result; a result that its tool calls an error, and a JSON-RPC error, are failures as well.
pub(crate) fn of_outcome(context: &Context, id: &str, outcome: &Outcome) -> Result<(), Failure> {
    if context.ui.is_json() {
        let mut object = json!({ "task": id, "status": outcome.status() });
        match outcome {
            Outcome::Result(result) => object["result"] = result.clone(),
            Outcome::Error(error) => object["error"] = json!(error),
        }
        context.ui.object(&object)?;
    }
    match outcome {
        Outcome::Error(error) => {
            let message = format!("task {id} failed: {} (code {})", error.message, error.code);
            Err(Failure::new(Kind::TaskFailed, message))
        }
        Outcome::Result(result) => {
            if !context.ui.is_json() {
                print(context, result)?;
            }
            if outcome.is_tool_error() {
                return Err(Failure::new(
                    Kind::TaskFailed,
                    format!("task {id}: the tool calls its result an error"),
                ));
            }
            Ok(())
        }
    }
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
