//! Running a script's steps.

use std::slice;
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
    let mut scope = unpack(task, "{}");
    // Most scripts are no deeper than one loop.
    let mut blocks = Vec::with_capacity(2);
    blocks.push(Block { left: steps.iter(), repeats: None });
    while let Some(block) = blocks.last_mut() {
        let Some(step) = block.left.next() else {
            if block.again(&scope)? {
                // A loop that never waits must not keep other tasks from running.
                tokio::task::yield_now().await;
            } else {
                blocks.pop();
            }
            continue;
        };
        match run_step(task, step, &mut scope).await? {
            Next::Step => {}
            Next::Into(block) => blocks.push(block),
            Next::End(outcome) => return Ok(outcome),
        }
    }
    Ok(Outcome::Result(json!({ "content": [], "isError": false })))
}

/// Steps that a script is in the middle of. It keeps them in a list, from the outermost to the innermost, and does
/// not recurse: there may be very many scripts that wait, and each keeps all of its stack.
struct Block<'a> {
    left: slice::Iter<'a, Step>,
    /// The loop whose body they are, and its rounds so far.
    repeats: Option<(&'a Step, u32)>,
}

impl Block<'_> {
    /// Begins the next round of a loop; false where there is none.
    fn again(&mut self, scope: &Scope) -> Result<bool, Interrupted> {
        let Some((step, rounds)) = &mut self.repeats else { return Ok(false) };
        let StepKind::Loop { condition, at_most, body } = &step.kind else { return Ok(false) };
        if !condition.holds(scope).map_err(|error| broken(step, &error.to_string()))? {
            return Ok(false);
        }
        if rounds == at_most {
            return Err(broken(step, &format!("the loop exceeds its bound of {at_most} rounds")));
        }
        *rounds += 1;
        self.left = body.iter();
        Ok(true)
    }
}

/// What comes after a step.
enum Next<'a> {
    /// The one that is written after it.
    Step,
    /// These first.
    Into(Block<'a>),
    /// Nothing: the task ends.
    End(Outcome),
}

async fn run_step<'a>(
    task: &TaskContext,
    step: &'a Step,
    scope: &mut Scope,
) -> Result<Next<'a>, Interrupted> {
    let failed = |error: TemplateError| broken(step, &error.to_string());
    match &step.kind {
        StepKind::Ask { questions, timeout } => ask(task, step, (questions, *timeout), scope).await?,
        StepKind::Sleep(seconds) => {
            let value = seconds.value(scope).map_err(failed)?;
            let seconds = number(&value).filter(|seconds| (0.0..=LONGEST_SLEEP).contains(seconds));
            let problem = || broken(step, &format!("cannot sleep {value} seconds: give 0 to 604800"));
            let time = Duration::from_secs_f64(seconds.ok_or_else(problem)?);
            // Boxed, so that no other step has to keep room for it.
            Box::pin(tokio::time::sleep(time)).await;
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
            return Ok(Next::Into(Block { left: steps.iter(), repeats: None }));
        }
        // It begins where it would after a round.
        StepKind::Loop { .. } => {
            return Ok(Next::Into(Block { left: [].iter(), repeats: Some((step, 0)) }));
        }
        StepKind::Return(reply) => return result(reply, scope, false).map(Next::End).map_err(failed),
        StepKind::ToolError(reply) => return result(reply, scope, true).map(Next::End).map_err(failed),
        StepKind::ProtocolError { code, message, data } => {
            let message = message.render(scope).map_err(failed)?;
            let data = data.as_ref().map(|data| data.value(scope)).transpose().map_err(failed)?;
            return Err(Interrupted::Failed(RpcError { code: *code, message, data }));
        }
        StepKind::Fault(fault) => task.misbehave(*fault).await?,
    }
    Ok(Next::Step)
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
    *scope = unpack(task, &packed);
    for (question, answer) in questions.iter().zip(&answers) {
        if let Some(name) = &question.name {
            scope.insert(name.clone(), shown(answer));
        }
    }
    Ok(())
}

/// The names that every script has, and cannot give to anything else.
const GIVEN: [&str; 2] = ["args", "task"];

/// What a script knows, while it waits for people: there may be very many that do, and values take several times
/// the room of their JSON. What every script has is left out.
fn pack(mut scope: Scope) -> Box<str> {
    scope.retain(|name, _| !GIVEN.contains(&name.as_str()));
    // Its keys are text, so this cannot fail.
    serde_json::to_string(&scope).unwrap_or_default().into()
}

fn unpack(task: &TaskContext, packed: &str) -> Scope {
    // Written by `pack`, so it can be read.
    let mut scope: Scope = serde_json::from_str(packed).unwrap_or_default();
    let given = [Value::Object(task.arguments()), json!({ "id": task.task(), "attempt": task.attempt() })];
    scope.extend(GIVEN.map(str::to_owned).into_iter().zip(given));
    scope
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
