//! The steps of a script as they are written. Each is a table whose first word says what it does:
//! `ask`, `ask_all`, `sleep`, `report`, `set`, `if`, `while`, `return`, `error`, `protocol_error`, `fault`.

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

use serde_json::Value;

use super::duration;
use super::mistake::{Source, allowed};
use super::table::{Table, json};
use crate::task::Fault;
use crate::worker::script::template::FUNCTIONS;
use crate::worker::script::{Expression, Step, StepKind, Template, TemplateError, ValueTemplate};

/// The words that begin a step.
const WORDS: [&str; 11] =
    ["ask", "ask_all", "sleep", "report", "set", "if", "while", "return", "error", "protocol_error", "fault"];

/// The most rounds that a loop may be allowed.
const MOST_ROUNDS: u32 = 100_000;

/// The longest sleep of one step.
const LONGEST_SLEEP: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Reads steps, and remembers which names they give and use.
#[derive(Default)]
pub(super) struct Reader {
    given: BTreeSet<String>,
    used: Vec<(String, Range<usize>)>,
}

impl Reader {
    pub(super) fn steps(&mut self, tables: Vec<Table<'_>>) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        for table in tables {
            if table.source.is_full() {
                break;
            }
            if steps.last().is_some_and(is_end) {
                let hint = "leave it out, or put the step before it under an \"if\"".to_owned();
                table.source.warning(
                    &table.span,
                    "nothing comes to this step: the one before it ends the task",
                    hint,
                );
            }
            steps.extend(self.step(table));
        }
        steps
    }

    /// Names that a template uses and no step gives.
    pub(super) fn check_names(&self, source: &Source<'_>) {
        let mut known = given();
        known.extend(self.given.iter().cloned());
        let list: Vec<&str> = known.iter().map(String::as_str).collect();
        for (name, span) in self.used.iter().filter(|(name, _)| !known.contains(name)) {
            let problem = format!("a template uses {name:?}, which no step gives a value");
            source.mistake(span, problem, Some(allowed(name, &list)));
        }
    }

    fn step(&mut self, mut table: Table<'_>) -> Option<Step> {
        let words: Vec<&str> = WORDS.into_iter().filter(|word| table.has(word)).collect();
        let [word] = words[..] else {
            let problem = match words.len() {
                0 => "a step does nothing".to_owned(),
                _ => format!("a step does several things: {}", words.join(", ")),
            };
            let hint = format!("give it one of {}", WORDS.join(", "));
            table.source.mistake(&table.span, problem, Some(hint));
            return None;
        };
        let place = format!("{} ({word})", table.source.named_place(&table.span));
        let kind = self.kind(word, &mut table);
        table.done();
        Some(Step { place, kind: kind? })
    }

    fn kind(&mut self, word: &str, table: &mut Table<'_>) -> Option<StepKind> {
        match word {
            "ask" => {
                let timeout = table.positive("timeout");
                Some(StepKind::Ask { questions: vec![self.question(table)?], timeout })
            }
            "ask_all" => self.questions(table),
            "sleep" => self.sleep(table),
            "report" => self.report(table),
            "set" => self.set(table),
            "if" => {
                let condition = self.expression(table, "if");
                if !table.has("then") {
                    table.missing("then", "give the steps that follow where the condition holds");
                }
                let then = table.tables("then").unwrap_or_default();
                let otherwise = table.tables("else").unwrap_or_default();
                let (then, otherwise) = (self.steps(then), self.steps(otherwise));
                Some(StepKind::Branch { condition: condition?, then, otherwise })
            }
            "while" => self.repeat(table),
            "return" => self.reply(table, "return").map(StepKind::Return),
            "error" => self.reply(table, "error").map(StepKind::ToolError),
            "protocol_error" => self.protocol_error(table),
            _ => {
                let names = Fault::ALL.map(|fault| (fault.as_str(), fault));
                table.choice("fault", &names).map(StepKind::Fault)
            }
        }
    }

    /// Seconds, a length of time, or a template that gives seconds.
    fn sleep(&mut self, table: &mut Table<'_>) -> Option<StepKind> {
        let (value, span) = table.json("sleep")?;
        let time = match &value {
            Value::String(text) if text.contains("{{") => {
                return self.value_template(table.source, &span, &value).map(StepKind::Sleep);
            }
            Value::String(text) => duration::parse(text),
            other => other.as_f64().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
        };
        let Some(time) = time.filter(|time| *time <= LONGEST_SLEEP) else {
            let problem = format!("{value} is no time to sleep: write 2, \"2s\" or \"5m\", a week at most");
            table.mistake(&span, problem);
            return None;
        };
        Some(StepKind::Sleep(ValueTemplate::Plain(time.as_secs_f64().into())))
    }

    fn report(&mut self, table: &mut Table<'_>) -> Option<StepKind> {
        let message = self.template(table, "report")?;
        let current = self.amount(table, "current").unwrap_or(ValueTemplate::Plain(Value::from(0)));
        let total = self.amount(table, "total");
        if let (Some(done), Some(all)) = (plain(Some(&current)), plain(total.as_ref()))
            && done > all
        {
            table.mistake(&table.span, format!("\"current\" is {done}, more than \"total\", {all}"));
        }
        Some(StepKind::Report { message: Some(message), current, total })
    }

    /// A number from 0 on, or a template that gives one.
    fn amount(&mut self, table: &mut Table<'_>, key: &'static str) -> Option<ValueTemplate> {
        let (value, span) = table.json(key)?;
        let is_template = value.as_str().is_some_and(|text| text.contains("{{"));
        if !is_template && !value.as_f64().is_some_and(|number| number >= 0.0) {
            table.mistake(&span, format!("{key:?} is {value}, not a number from 0 on, nor a template"));
            return None;
        }
        self.value_template(table.source, &span, &value)
    }

    fn set(&mut self, table: &mut Table<'_>) -> Option<StepKind> {
        let values = table.table("set")?;
        if values.entries().next().is_none() {
            values.mistake(&values.span, "\"set\" gives no name a value: write set = { name = \"value\" }");
        }
        let mut set = Vec::new();
        for (name, span, node) in values.entries() {
            self.give(table.source, name, &span);
            let value = self.value_template(table.source, &node.span(), &json(node.get_ref()))?;
            set.push((name.to_owned(), value));
        }
        Some(StepKind::Set(set))
    }

    fn repeat(&mut self, table: &mut Table<'_>) -> Option<StepKind> {
        let condition = self.expression(table, "while");
        let at_most = table.count("at_most", 1);
        if !table.has("at_most") {
            table.missing("at_most", "every loop needs a bound, such as at_most = 10");
        }
        if at_most.is_some_and(|at_most| at_most > MOST_ROUNDS) {
            let span = table.get("at_most").map_or(0..0, |found| found.node.span());
            table.mistake(&span, format!("a loop goes round {MOST_ROUNDS} times at most"));
        }
        if !table.has("do") {
            table.missing("do", "give the steps that are repeated");
        }
        let body = table.tables("do").unwrap_or_default();
        let body = self.steps(body);
        Some(StepKind::Loop { condition: condition?, at_most: at_most?, body })
    }

    pub(super) fn give(&mut self, source: &Source<'_>, name: &str, span: &Range<usize>) {
        let fits = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        if name.is_empty() || !fits || name.starts_with(|first: char| first.is_ascii_digit()) {
            source.mistake(span, format!("{name:?} cannot be a name: use letters, digits and '_'"), None);
        } else if given().contains(name) {
            source.mistake(span, format!("the name {name:?} is taken: every script has it"), None);
        }
        self.given.insert(name.to_owned());
    }

    pub(super) fn template(&mut self, table: &mut Table<'_>, key: &'static str) -> Option<Template> {
        let (text, span) = table.text(key)?;
        let parsed = Template::parse(&text);
        self.checked(table.source, &span, parsed, Template::names)
    }

    fn expression(&mut self, table: &mut Table<'_>, key: &'static str) -> Option<Expression> {
        let (text, span) = table.text(key)?;
        let parsed = Expression::parse(&text);
        self.checked(table.source, &span, parsed, Expression::names)
    }

    pub(super) fn value_template(
        &mut self,
        source: &Source<'_>,
        span: &Range<usize>,
        value: &Value,
    ) -> Option<ValueTemplate> {
        self.checked(source, span, ValueTemplate::parse(value), ValueTemplate::names)
    }

    fn checked<T>(
        &mut self,
        source: &Source<'_>,
        span: &Range<usize>,
        parsed: Result<T, TemplateError>,
        names: impl Fn(&T) -> BTreeSet<String>,
    ) -> Option<T> {
        match parsed {
            Ok(parsed) => {
                self.used.extend(names(&parsed).into_iter().map(|name| (name, span.clone())));
                Some(parsed)
            }
            Err(error) => {
                source.mistake(span, error.to_string(), None);
                None
            }
        }
    }
}

/// Whether no step after this one is ever run.
fn is_end(step: &Step) -> bool {
    matches!(step.kind, StepKind::Return(_) | StepKind::ToolError(_) | StepKind::ProtocolError { .. })
}

fn plain(value: Option<&ValueTemplate>) -> Option<f64> {
    match value? {
        ValueTemplate::Plain(value) => value.as_f64(),
        _ => None,
    }
}

/// The names that every script has: values, and the functions of templates.
fn given() -> BTreeSet<String> {
    ["args", "task"].iter().chain(&FUNCTIONS).map(|name| (*name).to_owned()).collect()
}
