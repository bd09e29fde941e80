//! MCP's elicitation forms: a JSON schema, read once into fields, and the check of an answer against it. What we ask is
//! held to MCP's flat forms ([`foreign`]); what strangers ask is read as far as it can be ([`Form::parse`]).
//!
//! Source: MCP 2025-11-25 and 2026-07-28, client/elicitation; SEP-1034 (defaults), SEP-1330 (enums).

mod compiling;
mod effort;
mod field;
mod mend;
mod schema;
pub(crate) mod shape;
mod strict;

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use schema::{schema_fault, schema_violations};
pub use strict::foreign;

/// One way in which a value breaks a rule: where, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// A JSON pointer into the checked value, empty for the whole.
    pub path: String,
    /// What is wrong, in words that follow the path.
    pub problem: String,
}

impl Violation {
    /// A violation at `path`.
    pub fn new(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { path: path.into(), problem: problem.into() }
    }

    /// The same violation seen from further up.
    #[must_use]
    pub fn under(self, prefix: &str) -> Self {
        Self { path: format!("{prefix}{}", self.path), problem: self.problem }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.trim_start_matches('/');
        if path.is_empty() { f.write_str(&self.problem) } else { write!(f, "{path}: {}", self.problem) }
    }
}

/// All violations in one line.
pub fn joined(violations: &[Violation]) -> String {
    violations.iter().map(Violation::to_string).collect::<Vec<_>>().join("; ")
}

/// A form, its fields in the order of the schema.
#[derive(Debug, Clone)]
pub struct Form {
    /// The fields.
    pub fields: Vec<Field>,
    /// Whether what it takes cannot be told field by field, so that the content is given as a whole.
    pub is_whole: bool,
    schema: schema::Schema,
}

/// One field of a form.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// The property's name.
    pub name: String,
    /// A name for people.
    pub title: Option<String>,
    /// What to fill in.
    pub description: Option<String>,
    /// Whether an accepted answer must have it.
    pub required: bool,
    /// Whether it may be null.
    pub nullable: bool,
    /// What is filled in; never what the schema itself refuses.
    pub default: Option<Value>,
    /// What it takes.
    pub kind: FieldKind,
}

impl Field {
    /// The title, or the name where there is none.
    pub fn label(&self) -> &str {
        self.title.as_deref().unwrap_or(&self.name)
    }

    /// Whether it may be left empty: it is then left out, or null.
    pub fn may_be_empty(&self) -> bool {
        !self.required || self.nullable
    }

    /// What is sent where it is left empty; `None` leaves it out. Who takes away a default that null could stand for
    /// means null: left out, it would get the default again.
    pub fn empty(&self) -> Option<Value> {
        (self.nullable && (self.required || self.default.is_some())).then_some(Value::Null)
    }
}

/// What a field takes.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldKind {
    /// Text.
    Text {
        /// Fewest characters.
        min_length: Option<u64>,
        /// Most characters.
        max_length: Option<u64>,
        /// `email`, `uri`, `date` or `date-time`; strangers have others.
        format: Option<String>,
        /// A regular expression; enforced where present, though MCP does not have it.
        pattern: Option<String>,
    },
    /// A number.
    Number {
        /// Only whole ones.
        integer: bool,
        /// The least.
        minimum: Option<f64>,
        /// The greatest.
        maximum: Option<f64>,
    },
    /// Yes or no.
    Boolean,
    /// One of several choices.
    OneOf {
        /// The choices.
        choices: Vec<Choice>,
    },
    /// Any of several choices.
    SomeOf {
        /// The choices.
        choices: Vec<Choice>,
        /// Fewest of them.
        min_items: Option<u64>,
        /// Most of them.
        max_items: Option<u64>,
    },
    /// A list of whatever is typed. MCP's forms have none, but several libraries write it.
    List {
        /// What its items are, in words.
        items: &'static str,
        /// Fewest of them.
        min_items: Option<u64>,
        /// Most of them.
        max_items: Option<u64>,
    },
    /// What no form can hold: a line of JSON, or what else the schema takes.
    Other {
        /// What it takes, in words.
        takes: String,
    },
}

/// One choice: what is sent and what is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// What is sent.
    pub value: Value,
    /// The value as it is typed.
    pub text: String,
    /// What is shown.
    pub title: String,
}

impl Choice {
    /// A choice that is shown by its value where it has no title.
    pub fn new(value: &Value, title: Option<&str>) -> Self {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Self { value: value.clone(), title: title.map_or_else(|| text.clone(), str::to_owned), text }
    }
}

impl Form {
    /// Reads a `requestedSchema` of anybody's, as far as it can be: what MCP's forms do not have is a field all the same,
    /// at worst one of JSON. What may be asked from here says [`foreign`].
    pub fn parse(schema: &Value) -> Result<Self, Vec<Violation>> {
        if !schema.is_object() {
            let problem = "is not an object: a form is {type: \"object\", properties}";
            return Err(vec![Violation::new("", problem)]);
        }
        let schema = schema::Schema::new(schema);
        let read = field::all(schema.as_value());
        let is_whole = read.is_none();
        let mut fields = read.unwrap_or_default();
        let defaults = fields.iter().filter_map(|field| Some((field.name.clone(), field.default.clone()?)));
        let faulty = schema.faulty(&defaults.collect());
        for field in fields.iter_mut().filter(|field| faulty.contains(&field.name)) {
            field.default = None;
        }
        Ok(Self { fields, is_whole, schema })
    }

    /// Every way in which `content` is not an acceptable answer; empty when it is one.
    pub fn violations(&self, content: &Map<String, Value>) -> Vec<Violation> {
        let mut found = self.schema.violations(&Value::Object(content.clone()));
        // What a field takes is in the schema; of the rest nothing is known.
        let known: BTreeSet<&str> = self.fields.iter().map(|field| field.name.as_str()).collect();
        let is_unknown = |name: &str| !self.is_whole && !known.contains(name);
        let foreign = content.iter().filter(|(name, value)| is_unknown(name) && !is_form_value(value));
        found.extend(foreign.map(|(name, _)| no_form_value(name)));
        found
    }

    /// The whole schema, as it was written; of a stranger's without what cannot be compiled.
    pub fn schema(&self) -> &Value {
        self.schema.as_value()
    }

    /// The schema of the field of that name.
    pub fn property(&self, name: &str) -> Option<&Value> {
        shape::property(self.schema(), name)
    }

    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// What of an answer's content MCP's own type of it cannot hold, whatever the schema says. Null is none of its values,
/// but what the SDKs read.
pub fn unheld(content: &Map<String, Value>) -> Vec<Violation> {
    let unheld = content.iter().filter(|(_, value)| !value.is_null() && !is_form_value(value));
    unheld.map(|(name, _)| no_form_value(name)).collect()
}

fn no_form_value(name: &str) -> Violation {
    Violation::new(format!("/{}", escaped(name)), "is not a string, number, boolean or list of strings")
}

fn is_form_value(value: &Value) -> bool {
    match value {
        Value::String(_) | Value::Number(_) | Value::Bool(_) => true,
        Value::Array(items) => items.iter().all(Value::is_string),
        Value::Null | Value::Object(_) => false,
    }
}

/// A name as a part of a JSON pointer (RFC 6901).
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests;
