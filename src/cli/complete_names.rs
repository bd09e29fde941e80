//! Names that stand on a line after others: the arguments of the tool that is submitted, and the fields and the
//! questions of the task that is answered. Whatever goes wrong completes nothing.

use std::ffi::OsStr;

use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use serde_json::Value;

use super::complete::{typed_words, with_store};
use super::ui::{page, text};
use crate::form::Shape;
use crate::store::{Store, TaskFilter};
use crate::task::{AskKind, Question, Task, TaskStatus};

/// The most waiting tasks among which the one on the line is looked for.
const MOST: usize = 500;

/// Arguments of the tool on the line.
pub(crate) fn arguments() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let words = typed_words();
        let schema = with_store(async |store| {
            let tools = store.tools().await.ok()?.rows;
            tools.into_iter().find(|tool| words.contains(&tool.name)).map(|tool| tool.input_schema)
        });
        schema.map(|schema| pairs(&schema, current)).unwrap_or_default()
    })
}

/// Fields of the question of the task on the line.
pub(crate) fn fields() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let words = typed_words();
        let questions = open_questions(&words);
        let is_named = |question: &&Question| words.iter().any(|word| *word == question.id.as_str());
        let question = questions.iter().find(is_named).or(questions.first());
        match question.map(|question| &question.ask.kind) {
            Some(AskKind::Form { schema }) => pairs(schema, current),
            _ => Vec::new(),
        }
    })
}

/// Open questions of the task on the line.
pub(crate) fn questions() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let fits = |question: &Question| {
            current.to_str().is_some_and(|current| question.id.as_str().starts_with(current))
        };
        let candidate = |question: Question| {
            CompletionCandidate::new(question.id.as_str()).help(Some(page::message(&question.ask, 70).into()))
        };
        open_questions(&typed_words()).into_iter().filter(fits).map(candidate).collect()
    })
}

fn open_questions(words: &[String]) -> Vec<Question> {
    let is_meant = |task: &Task| {
        words.iter().any(|word| word.len() >= 4 && task.id().as_str().starts_with(word.as_str()))
    };
    let task = with_store(async |store: &dyn Store| {
        let filter = TaskFilter { status: Some(TaskStatus::InputRequired), ..TaskFilter::default() };
        store.list(&filter, None, MOST).await.ok()?.tasks.into_iter().find(is_meant)
    });
    task.map(|task| task.open_questions().cloned().collect()).unwrap_or_default()
}

/// `name=` of each property, and with its choices once the name is typed.
fn pairs(schema: &Value, current: &OsStr) -> Vec<CompletionCandidate> {
    let Some(current) = current.to_str() else { return Vec::new() };
    let properties = schema.get("properties").and_then(Value::as_object);
    let named = properties.into_iter().flatten();
    let all = named.flat_map(|(name, property)| match current.strip_prefix(&format!("{name}=")) {
        Some(_) => choices(schema, property).map(|value| format!("{name}={value}")).collect::<Vec<_>>(),
        None => vec![format!("{name}=")],
    });
    all.filter(|pair| pair.starts_with(current))
        .map(|pair| CompletionCandidate::new(text::line(&pair)))
        .collect()
}

/// The values that a property takes, where they can be counted: its own or its items'.
fn choices<'a>(schema: &'a Value, property: &'a Value) -> impl Iterator<Item = String> + 'a {
    let shape = Shape::of(schema, Some(property));
    let items = shape.items.map(|items| Shape::of(schema, Some(items)));
    let chosen = if shape.choices.is_empty() { items.unwrap_or_default() } else { shape };
    chosen.choices.into_iter().map(|choice| match choice.value {
        Value::String(value) => value.clone(),
        other => other.to_string(),
    })
}
