//! The questions of a script as they are written.

use std::ops::Range;

use serde_json::Value;

use super::mistake::Source;
use super::schema;
use super::steps::Reader;
use super::table::{Table, twice};
use crate::task::{Ask, OnTimeout};
use crate::worker::script::{
    Context, MAX_QUESTIONS_AT_ONCE, QuestionKind, QuestionTemplate, StepKind, Template,
};

impl Reader {
    pub(super) fn questions(&mut self, table: &mut Table<'_>) -> Option<StepKind> {
        let timeout = table.positive("timeout");
        let mut questions = Vec::new();
        let tables = table.tables("ask_all")?;
        if tables.is_empty() {
            table.missing("ask_all", "give at least one question");
        }
        if tables.len() > MAX_QUESTIONS_AT_ONCE {
            let problem =
                format!("asks {} questions at once, more than {MAX_QUESTIONS_AT_ONCE}", tables.len());
            table.mistake(&table.span, format!("\"ask_all\" {problem}"));
        }
        let mut names = Vec::new();
        for mut one in tables {
            let question = self.question(&mut one);
            names.extend(question.as_ref().and_then(|question| question.name.clone()));
            questions.extend(question);
            one.done();
        }
        if let Some(name) = twice(&names) {
            table.mistake(&table.span, format!("two questions of \"ask_all\" have the name {name:?}"));
        }
        Some(StepKind::Ask { questions, timeout })
    }

    pub(super) fn question(&mut self, table: &mut Table<'_>) -> Option<QuestionTemplate> {
        let message = self.template(table, "ask");
        let name = table.text("as").map(|(name, span)| {
            self.give(table.source, &name, &span);
            name
        });
        let kind = self.question_kind(table);
        let on_timeout = table.choice("on_timeout", &OnTimeout::ALL).unwrap_or_default();
        let remind_after = table.positive("remind_after");
        let (message, kind) = (message?, kind?);
        let plain = plain(&message, &kind).map(|ask| ask.on_timeout(on_timeout));
        for violation in plain.iter().flat_map(crate::form::unaskable) {
            table.mistake(&table.span, format!("the question {:?}: {violation}", message.source()));
        }
        Some(QuestionTemplate { name, message, kind, on_timeout, remind_after })
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
}

/// The question, where there is nothing to fill in but its message.
fn plain(message: &Template, kind: &QuestionKind) -> Option<Ask> {
    let nothing = Context::default();
    match kind {
        QuestionKind::Form(schema) if schema.is_plain() => {
            Some(Ask::form(message.source(), schema.value(&nothing).unwrap_or_default()))
        }
        QuestionKind::Url(url) if url.is_plain() => Some(Ask::url(message.source(), url.source())),
        _ => None,
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
