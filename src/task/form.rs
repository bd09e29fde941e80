//! MCP's elicitation forms: a flat JSON schema, parsed once, and the check of an answer against it.
//!
//! Source: MCP 2025-11-25 and 2026-07-28, client/elicitation; SEP-1034 (defaults), SEP-1330 (enums).

mod effort;
mod field;
mod schema;
mod strict;

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
    /// What it takes.
    pub kind: FieldKind,
}

impl Field {
    /// The title, or the name where there is none.
    pub fn label(&self) -> &str {
        self.title.as_deref().unwrap_or(&self.name)
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
        /// `email`, `uri`, `date` or `date-time`.
        format: Option<String>,
        /// A regular expression; enforced where present, though MCP does not have it.
        pattern: Option<String>,
        /// What is filled in.
        default: Option<String>,
    },
    /// A number.
    Number {
        /// Only whole ones.
        integer: bool,
        /// The least.
        minimum: Option<f64>,
        /// The greatest.
        maximum: Option<f64>,
        /// What is filled in.
        default: Option<serde_json::Number>,
    },
    /// Yes or no.
    Boolean {
        /// What is filled in.
        default: Option<bool>,
    },
    /// One of several choices.
    OneOf {
        /// The choices.
        choices: Vec<Choice>,
        /// What is chosen at first.
        default: Option<String>,
    },
    /// Any of several choices.
    SomeOf {
        /// The choices.
        choices: Vec<Choice>,
        /// Fewest of them.
        min_items: Option<u64>,
        /// Most of them.
        max_items: Option<u64>,
        /// What is chosen at first.
        default: Vec<String>,
    },
}

/// The most patterns of one form: each takes its time and room when it is compiled.
const MAX_PATTERNS: usize = 32;

impl FieldKind {
    fn has_pattern(&self) -> bool {
        matches!(self, Self::Text { pattern: Some(_), .. })
    }
}

/// One choice: what is sent and what is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What is shown.
    pub title: String,
}

impl Form {
    /// Reads a `requestedSchema`; names everything in it that MCP's forms do not have.
    pub fn parse(schema: &Value) -> Result<Self, Vec<Violation>> {
        let Some(object) = schema.as_object() else {
            return Err(vec![Violation::new(
                "",
                "is not an object: a form is {type: \"object\", properties}",
            )]);
        };
        let mut found = Vec::new();
        if object.get("type").and_then(Value::as_str) != Some("object") {
            found.push(Violation::new("/type", "is not \"object\""));
        }
        let required = field::required_names(object, &mut found);
        let mut fields = Vec::new();
        match object.get("properties").map(Value::as_object) {
            Some(Some(properties)) => {
                for (name, property) in properties {
                    let path = format!("/properties/{}", escaped(name));
                    match field::read(name, property, required.iter().any(|one| one == name)) {
                        Ok(field) => fields.push(field),
                        Err(one) => found.push(one.under(&path)),
                    }
                }
                for name in required.iter().filter(|name| !properties.contains_key(*name)) {
                    found.push(Violation::new("/required", format!("names {name:?}, which is no property")));
                }
            }
            Some(None) => found.push(Violation::new("/properties", "is not an object")),
            None => found.push(Violation::new("/properties", "is missing")),
        }
        let patterns = fields.iter().filter(|field| field.kind.has_pattern()).count();
        if patterns > MAX_PATTERNS {
            let problem = format!("have {patterns} patterns, more than {MAX_PATTERNS}");
            found.push(Violation::new("/properties", problem));
        }
        if !found.is_empty() {
            return Err(found);
        }
        let schema = schema::Schema::new(schema).map_err(|error| vec![error])?;
        Ok(Self { fields, schema })
    }

    /// Every way in which `content` is not an acceptable answer; empty when it is one.
    pub fn violations(&self, content: &Map<String, Value>) -> Vec<Violation> {
        let mut found = self.schema.violations(&Value::Object(content.clone()));
        for (name, value) in content {
            if !is_form_value(value) {
                let problem = "is not a string, number, boolean or list of strings";
                found.push(Violation::new(format!("/{}", escaped(name)), problem));
            }
        }
        found
    }

    /// The whole schema, as it was written.
    pub fn schema(&self) -> &Value {
        self.schema.as_value()
    }

    /// The schema of the field of that name.
    pub fn property(&self, name: &str) -> Option<&Value> {
        self.schema().get("properties")?.get(name)
    }

    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
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
