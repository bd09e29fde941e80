//! Forms: a JSON schema read once into fields, text turned into values and values into text, and the check of an answer.
//! Every face that shows a question stands on this; nothing here knows of a terminal or a page.
//!
//! - [`Form::parse`] reads a schema of anybody's as far as it can be; what we ask is held to MCP's flat forms ([`foreign`]).
//! - [`Form::fields`] says what each [`Field`] is called, takes ([`FieldKind`], [`Field::rules`]), needs and begins with.
//! - [`Form::read`] turns what was typed for a field into its value, or says in words what is wrong with it.
//! - [`Field::write`] is a value as it is typed, [`Field::show`] as it is read.
//! - [`Form::violations`] checks the whole, [`misfits`] a whole answer to a question.
//!
//! Source: MCP 2025-11-25 and 2026-07-28, client/elicitation; SEP-1034 (defaults), SEP-1330 (enums).

mod ask;
mod compiling;
mod effort;
mod entry;
mod field;
mod given;
mod mend;
mod plain;
mod reading;
mod schema;
mod shape;
mod strict;
mod typed;
mod words;

use serde_json::{Map, Value};

use crate::task::Violation;

pub use ask::{at_end, misfits, unaskable};
pub(crate) use entry::WHOLE;
pub use field::{Choice, Field, FieldKind};
pub(crate) use given::{arguments, content};
pub(crate) use reading::of_object;
pub use schema::{schema_fault, schema_violations};
pub(crate) use shape::Shape;
pub use strict::foreign;
pub(crate) use typed::FORMAT;
pub(crate) use words::{HIDDEN, editable, shown};

/// A form, its fields in the order of the schema.
#[derive(Debug, Clone)]
pub struct Form {
    /// The fields.
    pub fields: Vec<Field>,
    /// Whether what it takes cannot be told field by field, so that the content is given as a whole.
    pub is_whole: bool,
    schema: schema::Schema,
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
        let read = reading::all(schema.as_value());
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
        self.fields
            .iter()
            .filter(|field| field.is_secret)
            .for_each(|field| field.hide_in(&mut found, content));
        // Of what the schema names it says itself what it takes. Of the rest nothing is known, so that it has to be what
        // MCP's own type of an answer holds.
        let is_described = |name: &str| {
            let is_field = || self.field(name).is_some() || self.property(name).is_some();
            if self.is_whole { shape::mentions(self.schema(), name) } else { is_field() }
        };
        let foreign = content.iter().filter(|(name, value)| !is_form_value(value) && !is_described(name));
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
