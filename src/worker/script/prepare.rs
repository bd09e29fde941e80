//! What a step comes to, once its templates are filled in. Nothing here waits.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::ValueTemplate;
use super::step::{QuestionKind, QuestionTemplate, Reply, Step, StepKind};
use super::template::{Context, Template, TemplateError};
use super::variables::Variables;
use crate::store::gate::{self, Kind};
use crate::task::{Ask, Fault, Outcome, Progress, RpcError, aside};
use crate::worker::Interrupted;

/// The longest sleep of one step.
const LONGEST_SLEEP: f64 = 7.0 * 24.0 * 60.0 * 60.0;

/// With more than this to see, every template takes its time.
const LIGHT_SCOPE_BYTES: usize = 64 * 1024;

/// What a step does.
pub(super) enum Ready<'a> {
    /// Asks these at once.
    Ask(Vec<Ask>),
    /// Waits.
    Sleep(Duration),
    /// Reports.
    Report(Progress),
    /// Gives names to values.
    Set(Vec<(&'a str, Value)>),
    /// Goes on with these steps.
    Into(&'a [Step]),
    /// Begins a loop.
    Loop,
    /// Ends the task.
    End(Outcome),
    /// Ends the task in an error.
    Fail(RpcError),
    /// Misbehaves from here on.
    Misbehave(Fault),
}

/// Fills in a step's templates, away from the runtime's threads where that may take a while.
pub(super) fn prepare<'a>(
    tool: &str,
    step: &'a Step,
    variables: &Variables,
) -> Result<Ready<'a>, Interrupted> {
    let work = || filled_in(tool, step, &Context::new(variables.scope()));
    if is_heavy(&step.kind) || variables.bytes_in_sight() > LIGHT_SCOPE_BYTES { aside(work) } else { work() }
}

/// Whether a loop goes round again.
pub(super) fn holds(step: &Step, variables: &Variables) -> Result<bool, Interrupted> {
    let StepKind::Loop { condition, .. } = &step.kind else { return Ok(false) };
    let work = || condition.holds(&Context::new(variables.scope()));
    let heavy = condition.is_heavy() || variables.bytes_in_sight() > LIGHT_SCOPE_BYTES;
    let holds = if heavy { aside(work) } else { work() };
    holds.map_err(|error| broken(step, &error.to_string()))
}

/// A script's own mistake: the task ends in an error that names the step.
pub(super) fn broken(step: &Step, problem: &str) -> Interrupted {
    Interrupted::Failed(RpcError::internal(format!("{}: {problem}", step.place)))
}

fn is_heavy(kind: &StepKind) -> bool {
    let template = |one: &Option<Template>| one.as_ref().is_some_and(Template::is_heavy);
    let value = |one: &Option<ValueTemplate>| one.as_ref().is_some_and(ValueTemplate::is_heavy);
    match kind {
        StepKind::Ask { questions, .. } => {
            questions.len() > 8 || questions.iter().any(QuestionTemplate::is_heavy)
        }
        StepKind::Sleep(time) => time.is_heavy(),
        StepKind::Report { message, current, total } => {
            template(message) || current.is_heavy() || value(total)
        }
        StepKind::Set(values) => values.len() > 8 || values.iter().any(|(_, value)| value.is_heavy()),
        StepKind::Branch { condition, .. } => condition.is_heavy(),
        StepKind::Loop { .. } | StepKind::Fault(_) => false,
        StepKind::Return(reply) | StepKind::ToolError(reply) => {
            reply.content.len() > 8
                || template(&reply.text)
                || value(&reply.structured)
                || reply.content.iter().any(ValueTemplate::is_heavy)
        }
        StepKind::ProtocolError { message, data, .. } => message.is_heavy() || value(data),
    }
}

fn filled_in<'a>(tool: &str, step: &'a Step, context: &Context) -> Result<Ready<'a>, Interrupted> {
    let failed = |error: TemplateError| broken(step, &error.to_string());
    Ok(match &step.kind {
        StepKind::Ask { questions, .. } => {
            let asks = questions.iter().map(|question| asked(question, context));
            Ready::Ask(asks.collect::<Result<_, _>>().map_err(failed)?)
        }
        StepKind::Sleep(seconds) => {
            let value = seconds.value(context).map_err(failed)?;
            let seconds = number(&value).filter(|seconds| (0.0..=LONGEST_SLEEP).contains(seconds));
            let problem = || broken(step, &format!("cannot sleep {value} seconds: give 0 to 604800"));
            Ready::Sleep(Duration::from_secs_f64(seconds.ok_or_else(problem)?))
        }
        StepKind::Report { message, current, total } => {
            let message = message.as_ref().map(|message| message.render(context)).transpose();
            let count = |value: &ValueTemplate| {
                let value = value.value(context).map_err(failed)?;
                number(&value).ok_or_else(|| broken(step, &format!("progress {value} is not a number")))
            };
            let total = total.as_ref().map(count).transpose()?;
            Ready::Report(Progress { current: count(current)?, total, message: message.map_err(failed)? })
        }
        StepKind::Set(values) => {
            let set = values.iter().map(|(name, value)| Ok((name.as_str(), value.value(context)?)));
            Ready::Set(set.collect::<Result<_, _>>().map_err(failed)?)
        }
        StepKind::Branch { condition, then, otherwise } => {
            Ready::Into(if condition.holds(context).map_err(failed)? { then } else { otherwise })
        }
        StepKind::Loop { .. } => Ready::Loop,
        StepKind::Return(reply) => ended(tool, step, result(reply, context, false).map_err(failed)?),
        StepKind::ToolError(reply) => ended(tool, step, result(reply, context, true).map_err(failed)?),
        StepKind::ProtocolError { code, message, data } => {
            let message = message.render(context).map_err(failed)?;
            let data = data.as_ref().map(|data| data.value(context)).transpose().map_err(failed)?;
            let error = Outcome::Error(RpcError { code: *code, message, data });
            match ended(tool, step, error) {
                Ready::End(Outcome::Error(error)) => Ready::Fail(error),
                refused => refused,
            }
        }
        StepKind::Fault(fault) => Ready::Misbehave(*fault),
    })
}

/// The outcome, or one that says why a store would not take it.
fn ended<'a>(tool: &str, step: &Step, outcome: Outcome) -> Ready<'a> {
    Ready::End(match gate::json(Kind::Outcome, &outcome) {
        Ok(_) => outcome,
        Err(error) => Outcome::tool_error(format!("tool {tool:?}, {}: {error}", step.place)),
    })
}

/// A number, or text that is one.
fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()).filter(|number| number.is_finite())
}

fn asked(question: &QuestionTemplate, context: &Context) -> Result<Ask, TemplateError> {
    let message = question.message.render(context)?;
    let ask = match &question.kind {
        QuestionKind::Form(schema) => Ask::form(message, schema.value(context)?),
        QuestionKind::Url(url) => Ask::url(message, url.render(context)?),
    };
    Ok(ask.named(question.name.clone()).on_timeout(question.on_timeout).remind_after(question.remind_after))
}

fn result(reply: &Reply, names: &Context, is_error: bool) -> Result<Outcome, TemplateError> {
    let mut content = Vec::new();
    if let Some(text) = &reply.text {
        content.push(json!({ "type": "text", "text": text.render(names)? }));
    }
    for block in &reply.content {
        content.push(block.value(names)?);
    }
    let structured = reply.structured.as_ref().map(|value| value.value(names)).transpose()?;
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
