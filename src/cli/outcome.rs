//! How a task ended: its result on stdout, and the exit code.

use serde_json::{Value, json};

use super::context::Context;
use super::failure::{Failure, Kind};
use super::ui::text;
use crate::desk::ending::Ending;
use crate::desk::values;
use crate::task::{Outcome, TaskStatus};

/// The place and the id of the task that ended.
pub(crate) type Of<'a> = (&'static str, &'a str);

/// Fails as the task did; says nothing of one that went well.
pub(crate) fn fails(of: Of<'_>, ending: &Ending) -> Result<(), Failure> {
    match ending {
        Ending::Finished(outcome) => outcome_fails(of, outcome),
        Ending::Failed { message, outcome: Some(outcome) } => {
            Err(failure_of(of, message.as_deref(), outcome))
        }
        Ending::Failed { message, outcome: None } => Err(unsaid(of, message.as_deref())),
        Ending::Cancelled { message } => Err(cancellation(of, message.as_deref())),
        Ending::Closed { .. } => Ok(()),
    }
}

/// Prints how a task ended, and fails as it did.
pub(crate) fn tell(context: &Context, of: Of<'_>, ending: &Ending) -> Result<(), Failure> {
    say(context, of, ending)?;
    fails(of, ending)
}

/// Prints how a task ended.
fn say(context: &Context, of: Of<'_>, ending: &Ending) -> Result<(), Failure> {
    match ending {
        Ending::Finished(outcome) => show(context, of, outcome.status(), outcome),
        Ending::Failed { message, outcome: Some(outcome) } => {
            show_failed(context, of, message.as_deref(), outcome)
        }
        Ending::Failed { message, outcome: None } => {
            let error = json!({ "message": message.as_deref().unwrap_or(UNSAID) });
            for_scripts(context, of, TaskStatus::Failed, ("error", error))
        }
        Ending::Cancelled { message } => {
            for_scripts(context, of, TaskStatus::Cancelled, ("reason", json!(message)))
        }
        Ending::Closed { why, .. } if context.ui.is_json() => {
            for_scripts(context, of, TaskStatus::Completed, ("note", json!(why)))
        }
        Ending::Closed { why, unknown } => {
            let ended = if unknown.is_some() { "has ended" } else { "is completed" };
            context.ui.talk(&format!("task {} {ended}; {why}", text::line(of.1)));
            if let Some(advice) = unknown {
                context.tell(advice.clone());
            }
            Ok(())
        }
    }
}

/// What only scripts are told of an end of which there is no outcome.
fn for_scripts(
    context: &Context,
    of: Of<'_>,
    status: TaskStatus,
    (name, value): (&str, Value),
) -> Result<(), Failure> {
    if !context.ui.is_json() {
        return Ok(());
    }
    let mut object = json!({ "source": of.0, "task": of.1, "status": status });
    object[name] = value;
    context.ui.object(&object)
}

/// The failure of a task that its place calls failed, and of which no outcome is shown.
fn unsaid(of: Of<'_>, message: Option<&str>) -> Failure {
    let words = message.unwrap_or(UNSAID);
    Failure::new(Kind::TaskFailed, format!("task {} failed: {words}", text::line(of.1)))
}

/// What is said where nobody says why a task failed.
const UNSAID: &str = "its server does not say why";

/// What is said of a result that its tool calls an error, and that stands on stdout.
const TOOL_ERROR: &str = "the tool calls its result an error";

/// The failure of a task that was cancelled.
fn cancellation(of: Of<'_>, message: Option<&str>) -> Failure {
    let message = message.filter(|message| !message.trim().is_empty());
    let why = message.map(|message| format!(": {message}")).unwrap_or_default();
    Failure::new(Kind::Cancelled, format!("task {} was cancelled{why}", of.1))
}

/// Prints what there is of a task that its server calls failed.
fn show_failed(
    context: &Context,
    of: Of<'_>,
    message: Option<&str>,
    outcome: &Outcome,
) -> Result<(), Failure> {
    match outcome {
        Outcome::Result(result) if context.ui.is_json() && !outcome.is_tool_error() => {
            context.ui.object(&disowned(of, message, result))
        }
        _ => show(context, of, TaskStatus::Failed, outcome),
    }
}

/// The failure of a task that its server calls failed: in the server's words where the outcome does not have them.
fn failure_of(of: Of<'_>, message: Option<&str>, outcome: &Outcome) -> Failure {
    let words = match outcome {
        Outcome::Error(error) => {
            let words = message.filter(|words| !error.message.contains(words));
            let words = words.map(|words| format!("{words}: ")).unwrap_or_default();
            format!("{words}{} (code {})", error.message, error.code)
        }
        Outcome::Result(result) if outcome.is_tool_error() => {
            let shown = values::of_result(result);
            let words = message.filter(|words| !shown.contains(words));
            TOOL_ERROR.to_owned() + &words.map(|words| format!(": {words}")).unwrap_or_default()
        }
        Outcome::Result(_) => message.unwrap_or(UNSAID).to_owned(),
    };
    Failure::new(Kind::TaskFailed, format!("task {} failed: {words}", of.1))
}

/// A failed task whose result does not say so: the status decides, and nothing beside it says that all went well.
fn disowned(of: Of<'_>, message: Option<&str>, result: &Value) -> Value {
    let mut result = result.clone();
    if let Some(members) = result.as_object_mut() {
        members.remove("isError");
    }
    let error = json!({ "message": message.unwrap_or(UNSAID) });
    json!({ "source": of.0, "task": of.1, "status": TaskStatus::Failed, "error": error, "result": result })
}

/// Prints a result; a result that its tool calls an error, and a JSON-RPC error, are failures as well.
pub(crate) fn of_outcome(context: &Context, of: Of<'_>, outcome: &Outcome) -> Result<(), Failure> {
    show(context, of, outcome.status(), outcome)?;
    outcome_fails(of, outcome)
}

fn outcome_fails(of: Of<'_>, outcome: &Outcome) -> Result<(), Failure> {
    match outcome {
        Outcome::Error(error) => {
            let message = format!("task {} failed: {} (code {})", of.1, error.message, error.code);
            Err(Failure::new(Kind::TaskFailed, message))
        }
        Outcome::Result(_) if outcome.is_tool_error() => {
            Err(Failure::new(Kind::TaskFailed, format!("task {}: {TOOL_ERROR}", of.1)))
        }
        Outcome::Result(_) => Ok(()),
    }
}

/// Puts what there is of an outcome on stdout: all of it as JSON, a result that says anything for people.
fn show(context: &Context, of: Of<'_>, status: TaskStatus, outcome: &Outcome) -> Result<(), Failure> {
    if context.ui.is_json() {
        let mut object = json!({ "source": of.0, "task": of.1, "status": status });
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
    let shown = values::of_result(result);
    if !context.ui.out_is_terminal() {
        return context.ui.line(&shown);
    }
    text::block(&shown).iter().try_for_each(|line| context.ui.line(line))
}
