//! Running a script's steps.

use std::pin::Pin;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::step::{QuestionKind, QuestionTemplate, Reply, Step, StepKind};
use super::template::{Scope, TemplateError, ValueTemplate};
use crate::task::{Action, Answer, Ask, Outcome, Progress, RpcError};
use crate::worker::{Interrupted, TaskContext, ToolOutcome};

/// The longest sleep of one step.
const LONGEST_SLEEP: f64 = 7.0 * 24.0 * 60.0 * 60.0;

/// Runs the steps from the first on. A script that comes to its end without a result returns no content.
pub(super) async fn run(task: &TaskContext, steps: &[Step]) -> ToolOutcome {
    let mut scope = Scope::new();
    scope.insert("args".into(), Value::Object(task.arguments()));
    scope.insert("task".into(), json!({ "id": task.task(), "attempt": task.attempt() }));
    let end = run_steps(task, steps, &mut scope).await?;
    Ok(end.unwrap_or_else(|| Outcome::Result(json!({ "content": [], "isError": false }))))
}

type Running<'a> = Pin<Box<dyn Future<Output = Result<Option<Outcome>, Interrupted>> + Send + 'a>>;

/// Runs steps until one of them ends the task.
fn run_steps<'a>(task: &'a TaskContext, steps: &'a [Step], scope: &'a mut Scope) -> Running<'a> {
    Box::pin(async move {
        for step in steps {
            if let Some(end) = run_step(task, step, scope).await? {
                return Ok(Some(end));
            }
        }
        Ok(None)
    })
}

async fn run_step(
    task: &TaskContext,
    step: &Step,
    scope: &mut Scope,
) -> Result<Option<Outcome>, Interrupted> {
    let failed = |error: TemplateError| broken(step, &error.to_string());
    match &step.kind {
        StepKind::Ask { questions, timeout } => ask(task, step, (questions, *timeout), scope).await?,
        StepKind::Sleep(seconds) => {
            let value = seconds.value(scope).map_err(failed)?;
            let seconds = number(&value).filter(|seconds| (0.0..=LONGEST_SLEEP).contains(seconds));
            let problem = || broken(step, &format!("cannot sleep {value} seconds: give 0 to 604800"));
            tokio::time::sleep(Duration::from_secs_f64(seconds.ok_or_else(problem)?)).await;
        }
        StepKind::Report { message, current, total } => {
            let message = message.as_ref().map(|message| message.render(scope)).transpose();
            let count = |value: &ValueTemplate| {
                let value = value.value(scope).map_err(failed)?;
                number(&value).ok_or_else(|| broken(step, &format!("progress {value} is not a number")))
            };
            let total = total.as_ref().map(count).transpose()?;
            let progress = Progress { current: count(current)?, total, message: message.map_err(failed)? };
            task.report(progress).await?;
        }
        StepKind::Set(values) => {
            for (name, value) in values {
                let value = value.value(scope).map_err(failed)?;
                scope.insert(name.clone(), value);
            }
        }
        StepKind::Branch { condition, then, otherwise } => {
            let steps = if condition.holds(scope).map_err(failed)? { then } else { otherwise };
            return run_steps(task, steps, scope).await;
        }
        StepKind::Loop { condition, at_most, body } => {
            let mut rounds = 0;
            while condition.holds(scope).map_err(failed)? {
                if rounds == *at_most {
                    return Err(broken(step, &format!("the loop exceeds its bound of {at_most} rounds")));
                }
                rounds += 1;
                // A loop that never waits must not keep other tasks from running.
                tokio::task::yield_now().await;
                if let Some(end) = run_steps(task, body, scope).await? {
                    return Ok(Some(end));
                }
            }
        }
        StepKind::Return(reply) => return result(reply, scope, false).map(Some).map_err(failed),
        StepKind::ToolError(reply) => return result(reply, scope, true).map(Some).map_err(failed),
        StepKind::ProtocolError { code, message, data } => {
            let message = message.render(scope).map_err(failed)?;
            let data = data.as_ref().map(|data| data.value(scope)).transpose().map_err(failed)?;
            return Err(Interrupted::Failed(RpcError { code: *code, message, data }));
        }
        StepKind::Fault(fault) => task.misbehave(*fault).await?,
    }
    Ok(None)
}

/// A script's own mistake: the task ends in an error that names the step.
fn broken(step: &Step, problem: &str) -> Interrupted {
    Interrupted::Failed(RpcError::internal(format!("{}: {problem}", step.place)))
}

/// A number, or text that is one.
fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()).filter(|number| number.is_finite())
}

async fn ask(
    task: &TaskContext,
    step: &Step,
    (questions, timeout): (&[QuestionTemplate], Option<Duration>),
    scope: &mut Scope,
) -> Result<(), Interrupted> {
    let asks = questions.iter().map(|question| filled_in(question, scope)).collect::<Result<_, _>>();
    let asks = asks.map_err(|error| broken(step, &error.to_string()))?;
    let packed = pack(std::mem::take(scope));
    let answers = task.ask_within(asks, timeout).await?;
    *scope = unpack(&packed);
    for (question, answer) in questions.iter().zip(&answers) {
        if let Some(name) = &question.name {
            scope.insert(name.clone(), shown(answer));
        }
    }
    Ok(())
}

/// What a script knows, while it waits for people: there may be very many that do, and values take several times
/// the room of their JSON.
fn pack(scope: Scope) -> Box<str> {
    // Its keys are text, so this cannot fail.
    serde_json::to_string(&scope).unwrap_or_default().into()
}

fn unpack(packed: &str) -> Scope {
    // Written by `pack`, so it can be read.
    serde_json::from_str(packed).unwrap_or_default()
}

fn filled_in(question: &QuestionTemplate, scope: &Scope) -> Result<Ask, TemplateError> {
    let message = question.message.render(scope)?;
    let ask = match &question.kind {
        QuestionKind::Form(schema) => Ask::form(message, schema.value(scope)?),
        QuestionKind::Url(url) => Ask::url(message, url.render(scope)?),
    };
    Ok(ask.named(question.name.clone()))
}

/// An answer as templates see it.
fn shown(answer: &Answer) -> Value {
    json!({
        "action": answer.action,
        "accepted": answer.action == Action::Accept,
        "content": answer.content.clone().unwrap_or_default(),
        "by": answer.by,
        "reason": answer.reason,
    })
}

fn result(reply: &Reply, scope: &Scope, is_error: bool) -> Result<Outcome, TemplateError> {
    let mut content = Vec::new();
    if let Some(text) = &reply.text {
        content.push(json!({ "type": "text", "text": text.render(scope)? }));
    }
    for block in &reply.content {
        content.push(block.value(scope)?);
    }
    let structured = reply.structured.as_ref().map(|value| value.value(scope)).transpose()?;
    if content.is_empty()
        && let Some(structured) = &structured
    {
        content.push(json!({ "type": "text", "text": structured.to_string() }));
    }
    let mut result = Map::new();
    result.insert("content".into(), Value::Array(content));
    if let Some(structured) = structured {
        result.insert("structuredContent".into(), structured);
    }
    result.insert("isError".into(), Value::Bool(is_error));
    Ok(Outcome::Result(Value::Object(result)))
}
