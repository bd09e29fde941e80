//! What a question's form may have and nothing else: MCP's forms are flat, so that any client can show one. A question
//! that is asked here is held to it; what other servers ask is read as far as it can be ([`super::Form::parse`]).

mod field;

use serde_json::{Map, Value};

use super::{escaped, schema_fault};
use crate::task::Violation;

/// Of the schema itself. `additionalProperties` is no part of MCP's forms, but many generators write it, and clients
/// pass over it.
const FORM: [&str; 7] =
    ["$schema", "type", "title", "description", "properties", "required", "additionalProperties"];

/// Of every field.
const FIELD: [&str; 4] = ["type", "title", "description", "default"];

/// Of a text, besides. Patterns are checked here and never emitted.
const TEXT: [&str; 4] = ["minLength", "maxLength", "format", "pattern"];

/// Of a choice.
const CHOICE: [&str; 3] = ["enum", "enumNames", "oneOf"];

/// The most patterns of one form: each takes its time and room when it is compiled.
pub(super) const MAX_PATTERNS: usize = 32;

/// Everything in a form's schema that MCP's forms do not have, and every bound that nothing can keep.
pub fn foreign(schema: &Value) -> Vec<Violation> {
    let Some(object) = schema.as_object() else { return Vec::new() };
    let mut found = malformed(object);
    if found.is_empty() {
        found.extend(schema_fault(schema));
    }
    unknown(object, "", &[&FORM], &mut found);
    if object.get("additionalProperties").is_some_and(|value| !value.is_boolean()) {
        found.push(Violation::new("/additionalProperties", "is neither true nor false"));
    }
    for key in ["title", "description", "$schema"] {
        if object.get(key).is_some_and(|value| !value.is_string()) {
            found.push(Violation::new(format!("/{key}"), "is not a string"));
        }
    }
    let properties = object.get("properties").and_then(Value::as_object);
    for (name, property) in properties.into_iter().flatten() {
        if let Some(property) = property.as_object() {
            keywords(property, &format!("/properties/{}", escaped(name)), &mut found);
        }
        if name.is_empty() {
            found.push(Violation::new("/properties", "has a field without a name"));
        }
    }
    found
}

/// What keeps a schema from being a flat form of MCP's kinds of fields.
fn malformed(object: &Map<String, Value>) -> Vec<Violation> {
    let mut found = Vec::new();
    if object.get("type").and_then(Value::as_str) != Some("object") {
        found.push(Violation::new("/type", "is not \"object\""));
    }
    let required = field::required_names(object, &mut found);
    let Some(properties) = object.get("properties").and_then(Value::as_object) else {
        let problem = if object.contains_key("properties") { "is not an object" } else { "is missing" };
        found.push(Violation::new("/properties", problem));
        return found;
    };
    for (name, property) in properties {
        let fault = field::check(property).err();
        found.extend(fault.map(|one| one.under(&format!("/properties/{}", escaped(name)))));
    }
    for name in required.into_iter().filter(|name| !properties.contains_key(*name)) {
        found.push(Violation::new("/required", format!("names {name:?}, which is no property")));
    }
    let patterns = properties.values().filter(|property| property.get("pattern").is_some()).count();
    if patterns > MAX_PATTERNS {
        let problem = format!("have {patterns} patterns, more than {MAX_PATTERNS}");
        found.push(Violation::new("/properties", problem));
    }
    found
}

fn unknown(object: &Map<String, Value>, path: &str, known: &[&[&str]], found: &mut Vec<Violation>) {
    for key in object.keys().filter(|key| !known.iter().any(|list| list.contains(&key.as_str()))) {
        found.push(Violation::new(format!("{path}/{}", escaped(key)), "is nothing that MCP's forms have"));
    }
}

fn keywords(property: &Map<String, Value>, path: &str, found: &mut Vec<Violation>) {
    let chooses = property.contains_key("enum") || property.contains_key("oneOf");
    let more: &[&str] = match property.get("type").and_then(Value::as_str) {
        Some("string") if chooses => &CHOICE,
        Some("string") => &TEXT,
        Some("number" | "integer") => &["minimum", "maximum"],
        Some("array") => &["items", "minItems", "maxItems"],
        Some("boolean") => &[],
        // Said already.
        _ => return,
    };
    unknown(property, path, &[&FIELD, more], found);
    for (least, most) in [("minimum", "maximum"), ("minLength", "maxLength"), ("minItems", "maxItems")] {
        let bound = |key: &str| property.get(key).and_then(Value::as_f64);
        if let (Some(from), Some(to)) = (bound(least), bound(most))
            && from > to
        {
            found.push(Violation::new(
                format!("{path}/{least}"),
                format!("is {from}, more than {most}, {to}"),
            ));
        }
    }
    choices(property.get("oneOf"), &format!("{path}/oneOf"), found);
    if let Some(items) = property.get("items").and_then(Value::as_object) {
        unknown(items, &format!("{path}/items"), &[&["type", "enum", "enumNames", "anyOf"]], found);
        choices(items.get("anyOf"), &format!("{path}/items/anyOf"), found);
        twice(items, &format!("{path}/items"), found);
    }
    twice(property, path, found);
}

fn choices(list: Option<&Value>, path: &str, found: &mut Vec<Violation>) {
    let entries = list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object);
    for (at, entry) in entries.enumerate() {
        unknown(entry, &format!("{path}/{at}"), &[&["const", "title"]], found);
    }
}

/// Choices that nobody can tell apart.
fn twice(object: &Map<String, Value>, path: &str, found: &mut Vec<Violation>) {
    for (key, value) in ["enum", "oneOf", "anyOf"].into_iter().filter_map(|key| Some((key, object.get(key)?)))
    {
        let mut seen = std::collections::BTreeSet::new();
        for entry in value.as_array().into_iter().flatten() {
            let choice = entry.as_str().or_else(|| entry.get("const")?.as_str());
            if let Some(choice) = choice.filter(|choice| !seen.insert(*choice)) {
                found.push(Violation::new(
                    format!("{path}/{key}"),
                    format!("has the choice {choice:?} twice"),
                ));
            }
        }
    }
}
