//! The steps of a script as they are written. Each is a table whose first word says what it does:
//! `ask`, `ask_all`, `sleep`, `report`, `set`, `if`, `while`, `return`, `error`, `protocol_error`, `fault`.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde_json::Value;

use super::mistake::{Source, allowed};
use super::table::{Node, Table, json};
use super::{duration, schema, script};
use crate::task::{Ask, Fault};
use crate::worker::script::{
    Expression, QuestionKind, QuestionTemplate, Reply, Step, StepKind, Template, TemplateError, ValueTemplate,
};

/// The words that begin a step.
const WORDS: [&str; 11] =
    ["ask", "ask_all", "sleep", "report", "set", "if", "while", "return", "error", "protocol_error", "fault"];

/// The most rounds that a loop may be allowed.
const MOST_ROUNDS: u32 = 100_000;

/// Reads steps, and remembers which names they give and use.
#[derive(Default)]
pub(super) struct Reader {
    given: BTreeSet<String>,
    used: Vec<(String, Range<usize>)>,
}

impl Reader {
    pub(super) fn steps(&mut self, tables: Vec<Table<'_>>) -> Vec<Step> {
        tables.into_iter().filter_map(|table| self.step(table)).collect()
    }

    /// Names that a template uses and no step gives.
    pub(super) fn check_names(&self, source: &Source<'_>) {
        let mut known = script::given();
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
                let timeout = table.duration("timeout");
                Some(StepKind::Ask { questions: vec![self.question(table)?], timeout })
            }
            "ask_all" => self.questions(table),
            "sleep" => self.sleep(table),
            "report" => self.report(table),
            "set" => self.set(table),
            "if" => {
                let condition = self.expression(table, "if");
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

    fn questions(&mut self, table: &mut Table<'_>) -> Option<StepKind> {
        let timeout = table.duration("timeout");
        let mut questions = Vec::new();
        let tables = table.tables("ask_all")?;
        if tables.is_empty() {
            table.missing("ask_all", "give at least one question");
        }
        for mut one in tables {
            questions.extend(self.question(&mut one));
            one.done();
        }
        Some(StepKind::Ask { questions, timeout })
    }

    fn question(&mut self, table: &mut Table<'_>) -> Option<QuestionTemplate> {
        let message = self.template(table, "ask");
        let name = table.text("as").map(|(name, span)| {
            self.give(table.source, &name, &span);
            name
        });
        let kind = self.question_kind(table);
        let (message, kind) = (message?, kind?);
        if let (true, QuestionKind::Form(schema)) = (message.is_plain(), &kind)
            && schema.is_plain()
        {
            let schema = schema.value(&BTreeMap::new()).unwrap_or_default();
            for violation in Ask::form(message.source(), schema).violations() {
                table.mistake(&table.span, format!("the question {:?}: {violation}", message.source()));
            }
        }
        Some(QuestionTemplate { name, message, kind })
    }

    /// A form in short, a form's whole schema, or a page's address. A question without any of them is one
    /// that is accepted or declined as it is.
    fn question_kind(&mut self, table: &mut Table<'_>) -> Option<QuestionKind> {
        let ways: Vec<_> = ["form", "schema", "url"].into_iter().filter(|way| table.has(way)).collect();
        if ways.len() > 1 {
            let problem = format!("a question has {}: it takes one of them", ways.join(" and "));
            table.mistake(&table.span, problem);
        }
        for key in ["form", "schema", "url"] {
            table.get(key);
        }
        if table.has("url") {
            return self.template(table, "url").map(QuestionKind::Url);
        }
        let (schema, span) = if table.has("schema") {
            table.json("schema")?
        } else if let Some(fields) = table.table("form") {
            (schema::short(&fields, true), fields.span)
        } else if table.has("form") {
            return None;
        } else {
            (serde_json::json!({ "type": "object", "properties": {} }), table.span.clone())
        };
        warn_of_secrets(table.source, &span, &schema);
        self.value_template(table.source, &span, &schema).map(QuestionKind::Form)
    }

    /// Seconds, a length of time, or a template that gives seconds.
    fn sleep(&mut self, table: &mut Table<'_>) -> Option<StepKind> {
        let (value, span) = table.json("sleep")?;
        if let Some(text) = value.as_str()
            && !text.contains("{{")
        {
            let Some(time) = duration::parse(text) else {
                table.mistake(&span, format!("{text:?} is no length of time: write 2, \"2s\" or \"5m\""));
                return None;
            };
            return Some(StepKind::Sleep(ValueTemplate::Plain(time.as_secs_f64().into())));
        }
        self.value_template(table.source, &span, &value).map(StepKind::Sleep)
    }

    fn report(&mut self, table: &mut Table<'_>) -> Option<StepKind> {
        let message = self.template(table, "report")?;
        let mut number = |key| {
            let (value, span) = table.json(key)?;
            self.value_template(table.source, &span, &value)
        };
        let (current, total) = (number("current"), number("total"));
        let current = current.unwrap_or(ValueTemplate::Plain(Value::from(0)));
        Some(StepKind::Report { message: Some(message), current, total })
    }

    fn set(&mut self, table: &mut Table<'_>) -> Option<StepKind> {
        let values = table.table("set")?;
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
            table.mistake(&table.span, format!("a loop goes round {MOST_ROUNDS} times at most"));
        }
        let body = table.tables("do").unwrap_or_default();
        let body = self.steps(body);
        Some(StepKind::Loop { condition: condition?, at_most: at_most?, body })
    }

    /// Text, or a table of `text`, `content` and `structured`.
    fn reply(&mut self, table: &mut Table<'_>, word: &'static str) -> Option<Reply> {
        let node = table.get(word)?.node;
        if node.get_ref().as_str().is_some() {
            return Some(Reply { text: self.template(table, word), ..Reply::default() });
        }
        let mut parts = Table::of(table.source, format!("{word:?}"), node)?;
        let text = if parts.has("text") { self.template(&mut parts, "text") } else { None };
        parts.get("text");
        let mut content = Vec::new();
        if let Some(found) = parts.get("content") {
            content = self.blocks(table.source, found.node);
        }
        let structured = parts.json("structured");
        let structured =
            structured.and_then(|(value, span)| self.value_template(table.source, &span, &value));
        parts.done();
        Some(Reply { text, content, structured })
    }

    fn blocks(&mut self, source: &Source<'_>, node: Node<'_>) -> Vec<ValueTemplate> {
        let known = ["text", "image", "audio", "resource", "resource_link"];
        let Some(blocks) = node.get_ref().as_array() else {
            source.mistake(&node.span(), "\"content\" is not a list of content blocks", None);
            return Vec::new();
        };
        let mut read = Vec::new();
        for block in blocks {
            let value = json(block.get_ref());
            match value.get("type").and_then(Value::as_str) {
                Some(kind) if known.contains(&kind) => {}
                kind => {
                    let kind = kind.unwrap_or_default();
                    let problem = format!("a content block has the type {kind:?}");
                    source.mistake(&block.span(), problem, Some(allowed(kind, &known)));
                }
            }
            read.extend(self.value_template(source, &block.span(), &value));
        }
        read
    }

    fn protocol_error(&mut self, table: &mut Table<'_>) -> Option<StepKind> {
        let mut parts = table.table("protocol_error")?;
        let code = parts.integer("code").unwrap_or(-32603);
        if !parts.has("message") {
            parts.missing("message", "say what went wrong");
        }
        let message = self.template(&mut parts, "message");
        let data = parts.json("data");
        let data = data.and_then(|(value, span)| self.value_template(table.source, &span, &value));
        parts.done();
        Some(StepKind::ProtocolError { code, message: message?, data })
    }

    fn give(&mut self, source: &Source<'_>, name: &str, span: &Range<usize>) {
        let fits = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        if name.is_empty() || !fits || name.starts_with(|first: char| first.is_ascii_digit()) {
            source.mistake(span, format!("{name:?} cannot be a name: use letters, digits and '_'"), None);
        } else if script::given().contains(name) {
            source.mistake(span, format!("the name {name:?} is taken: every script has it"), None);
        }
        self.given.insert(name.to_owned());
    }

    fn template(&mut self, table: &mut Table<'_>, key: &'static str) -> Option<Template> {
        let (text, span) = table.text(key)?;
        let parsed = Template::parse(&text);
        self.checked(table.source, &span, parsed, Template::names)
    }

    fn expression(&mut self, table: &mut Table<'_>, key: &'static str) -> Option<Expression> {
        let (text, span) = table.text(key)?;
        let parsed = Expression::parse(&text);
        self.checked(table.source, &span, parsed, Expression::names)
    }

    fn value_template(
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

/// Words in a field's name by which it asks for a secret.
const SECRETS: [&str; 7] = ["password", "passphrase", "passcode", "secret", "token", "api_key", "apikey"];

/// Secrets must not be asked for by form (2025-11-25 and 2026-07-28, client/elicitation): the client sees the answer.
fn warn_of_secrets(source: &Source<'_>, span: &Range<usize>, schema: &Value) {
    let fields = schema.get("properties").and_then(Value::as_object);
    for name in fields.into_iter().flat_map(|fields| fields.keys()) {
        let plain = name.to_lowercase().replace(['-', ' '], "_");
        if SECRETS.iter().any(|secret| plain.contains(secret)) {
            let hint = "ask for it on a page of your own, with url = \"https://…\"".to_owned();
            source.warning(
                span,
                format!("the field {name:?} asks for a secret, which a form must not"),
                hint,
            );
        }
    }
}
