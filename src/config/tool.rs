//! What all tools have, whatever kind they are.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::mistake::{Source, allowed};
use super::table::{Node, Table};
use super::{command, schema, script};
use crate::task::{TaskSupport, ToolSpec, Unanswerable};
use crate::worker::command::CommandTool;
use crate::worker::script::ScriptTool;
use crate::worker::{Backoff, Configured, RunSettings, Tool};

/// MCP's tool annotations, with whether each is text.
const ANNOTATIONS: [(&str, bool); 5] = [
    ("title", true),
    ("readOnlyHint", false),
    ("destructiveHint", false),
    ("idempotentHint", false),
    ("openWorldHint", false),
];

/// The longest that servers keep a task, unless `--max-ttl` says otherwise.
const LONGEST_TTL: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The longest name of a tool (MCP 2025-11-25, server/tools, "Tool Names").
const MAX_NAME: usize = 128;

/// Reads one `[tools.NAME]`; notes its mistakes.
pub(super) fn read<'t>(
    source: &'t Source<'t>,
    (name, span): (&str, Range<usize>),
    node: Node<'t>,
) -> Option<Arc<dyn Tool>> {
    check_name(source, name, &span);
    let mut table = Table::of(source, format!("tool {name:?}"), node)?;
    table.span = span;
    let mut spec = spec(&mut table, name);
    let timeout = table.positive("timeout");
    let mut settings = settings(&mut table, &mut spec);
    let tool: Option<Arc<dyn Tool>> = match (table.has("command"), table.has("steps")) {
        (true, false) => {
            let command = command::read(&mut table, timeout);
            command.map(|command| Arc::new(CommandTool::new(spec, command)) as Arc<dyn Tool>)
        }
        (false, true) => {
            settings.timeout = timeout;
            let steps = script::read(&mut table, &mut spec);
            check_asks_first(&mut table, &spec, script::most_questions(&steps));
            Some(Arc::new(ScriptTool::new(spec, steps)))
        }
        (both, _) => {
            table.get("command");
            table.get("steps");
            let problem = if both { "has both \"command\" and \"steps\"" } else { "does nothing" };
            let hint = "give it either a \"command\" or \"steps\"".to_owned();
            source.mistake(&table.span, format!("tool {name:?} {problem}"), Some(hint));
            None
        }
    };
    table.done();
    tool.map(|tool| Arc::new(Configured::new(tool, settings)) as Arc<dyn Tool>)
}

/// A call that waits for more answers than there are questions never becomes a task.
fn check_asks_first(table: &mut Table<'_>, spec: &ToolSpec, questions: u64) {
    let Some(found) = table.get("asks_first").filter(|_| u64::from(spec.asks_first) > questions) else {
        return;
    };
    let asks = match questions {
        0 => "ask nothing".to_owned(),
        1 => "ask one question at most".to_owned(),
        more => format!("ask {more} questions at most"),
    };
    let problem = format!("\"asks_first\" in {} is {}, and its steps {asks}", table.what(), spec.asks_first);
    table.mistake(&found.node.span(), problem);
}

/// A file does not say how long its servers keep tasks, so a long ttl is no mistake.
fn warn_of_ttl(table: &mut Table<'_>, ttl: Option<Duration>) {
    let Some(found) = table.get("ttl").filter(|_| ttl.is_some_and(|ttl| ttl > LONGEST_TTL)) else { return };
    let problem = format!("\"ttl\" in {} is longer than servers keep a task: 7 days", table.what());
    let hint = "give at most \"7d\", or start the servers with a longer --max-ttl";
    table.source.warning(&found.node.span(), problem, hint.to_owned());
}

fn check_name(source: &Source<'_>, name: &str, span: &Range<usize>) {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.');
    if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(fits) {
        let hint = format!("use 1 to {MAX_NAME} letters, digits, '_', '-' and '.'");
        source.mistake(span, format!("a tool cannot be named {name:?}"), Some(hint));
    }
}

fn spec(table: &mut Table<'_>, name: &str) -> ToolSpec {
    let millis = |time: Duration| time.as_millis() as u64;
    let description = table.words("description");
    if !table.has("description") {
        table.missing("description", "say what the tool does: a model chooses by it");
    }
    let support = [
        ("optional", TaskSupport::Optional),
        ("required", TaskSupport::Required),
        ("forbidden", TaskSupport::Forbidden),
    ];
    let input = schema_of(table, "input", "input_schema");
    let ttl = table.positive("ttl");
    warn_of_ttl(table, ttl);
    ToolSpec {
        title: table.words("title"),
        output_schema: schema_of(table, "output", "output_schema"),
        task_support: table.choice("task_support", &support).unwrap_or_default(),
        ttl_ms: ttl.map(millis),
        question_timeout_ms: table.positive("question_timeout").map(millis),
        remind_after_ms: table.positive("remind_after").map(millis),
        unanswerable: table.choice("unanswerable", &Unanswerable::ALL),
        asks_first: table.count("asks_first", 0).unwrap_or_default(),
        annotations: annotations(table),
        ..ToolSpec::new(
            name,
            &description.unwrap_or_default(),
            input.unwrap_or_else(
                || json!({ "type": "object", "properties": {}, "additionalProperties": false }),
            ),
        )
    }
}

/// A schema in short or in full; both is a mistake.
fn schema_of(table: &mut Table<'_>, short: &'static str, full: &'static str) -> Option<Value> {
    let in_short = table.table(short).map(|fields| (schema::short(&fields, false), fields.span));
    let in_full = table.get(full).map(|found| found.node);
    if let Some((schema, span)) = in_short {
        if in_full.is_some() {
            table.mistake(&span, format!("{} has both {short:?} and {full:?}", table.what()));
        }
        if let Some(violation) = crate::form::schema_fault(&schema) {
            table.mistake(&span, format!("{short:?} in {}: {violation}", table.what()));
        }
        return Some(schema);
    }
    schema::whole(table.source, &format!("{full:?} in {}", table.what()), in_full?)
}

fn annotations(table: &mut Table<'_>) -> Option<Value> {
    let found = table.table("annotations")?;
    let known = ANNOTATIONS.map(|(name, _)| name);
    for (key, span, node) in found.entries() {
        let value = super::table::json(node.get_ref());
        match ANNOTATIONS.iter().find(|(name, _)| *name == key) {
            None => {
                let problem = format!("unknown annotation {key:?} in {}", table.what());
                table.source.mistake(&span, problem, Some(allowed(key, &known)));
            }
            Some((_, true)) if !value.is_string() => {
                table.mistake(&node.span(), format!("the annotation {key:?} is not text"));
            }
            Some((_, false)) if !value.is_boolean() => {
                table.mistake(&node.span(), format!("the annotation {key:?} is not true or false"));
            }
            Some(_) => {}
        }
    }
    table.json("annotations").map(|(value, _)| value)
}

/// Concurrency, and retries: a number of them, or a table with their pauses.
fn settings(table: &mut Table<'_>, spec: &mut ToolSpec) -> RunSettings {
    let concurrency = table.count("concurrency", 1).map(|count| count as usize);
    let is_table = table.get("retries").is_some_and(|found| found.node.get_ref().as_table().is_some());
    let (most, retry) = if is_table {
        table.table("retries").map(retries).unwrap_or_default()
    } else {
        let most = table.count("retries", 0);
        (most, most.map(|_| Backoff::default()))
    };
    if let Some(most) = most {
        spec.max_attempts = most.saturating_add(1);
    }
    RunSettings { timeout: None, retry, concurrency }
}

fn retries(mut table: Table<'_>) -> (Option<u32>, Option<Backoff>) {
    let most = table.count("most", 0);
    if !table.has("most") {
        table.missing("most", "say how often a failed run is tried again");
    }
    let usual = Backoff::default();
    let (first, longest) = (table.duration("pause"), table.duration("longest"));
    let factor = table.number("factor", 1.0).unwrap_or(usual.factor);
    let backoff = Backoff {
        first: first.unwrap_or(usual.first),
        factor,
        longest: longest.unwrap_or(usual.longest.max(first.unwrap_or_default())),
    };
    if backoff.first > backoff.longest {
        table
            .mistake(&table.span, format!("\"longest\" in {} is shorter than the first pause", table.what()));
    }
    table.done();
    (most, Some(backoff))
}
