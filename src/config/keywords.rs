//! What is wrong with a tool's JSON schema though JSON Schema allows it: a word that it does not know and therefore
//! passes over, and bounds that nothing can keep.

use serde_json::{Map, Value};

use super::mistake::allowed;
use crate::form::schema_violations;

/// The keywords of JSON Schema 2020-12, and those of earlier drafts and of MCP that are still written.
const KNOWN: [&str; 66] = [
    "$anchor",
    "$comment",
    "$defs",
    "$dynamicAnchor",
    "$dynamicRef",
    "$id",
    "$ref",
    "$schema",
    "$vocabulary",
    "additionalItems",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "contains",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
    "default",
    "definitions",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "deprecated",
    "description",
    "discriminator",
    "else",
    "enum",
    "enumNames",
    "example",
    "examples",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "id",
    "if",
    "items",
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minContains",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "not",
    "nullable",
    "oneOf",
    "pattern",
    "patternProperties",
    "prefixItems",
    "properties",
    "propertyNames",
    "readOnly",
    "required",
    "then",
    "title",
    "type",
    "unevaluatedItems",
    "unevaluatedProperties",
    "uniqueItems",
    "writeOnly",
    "externalDocs",
];

/// Keywords whose value is one schema, a list of them, or a table of them.
const ONE: [&str; 12] = [
    "additionalProperties",
    "contains",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
    "contentSchema",
    "additionalItems",
];
const SEVERAL: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];
const NAMED: [&str; 5] = ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"];

/// Bounds, each with the one that it may not exceed.
const BOUNDS: [(&str, &str); 5] = [
    ("minimum", "maximum"),
    ("minLength", "maxLength"),
    ("minItems", "maxItems"),
    ("minProperties", "maxProperties"),
    ("minContains", "maxContains"),
];

/// The first thing that is hardly meant, in words.
pub(super) fn problem(schema: &Value) -> Option<String> {
    let object = schema.as_object()?;
    let own = unknown(object).or_else(|| bounds(object)).or_else(|| default_problem(schema));
    own.or_else(|| object.iter().find_map(|(key, part)| within(key, part)))
}

fn within(key: &str, part: &Value) -> Option<String> {
    if ONE.contains(&key) {
        problem(part)
    } else if SEVERAL.contains(&key) {
        part.as_array()?.iter().find_map(problem)
    } else if NAMED.contains(&key) {
        part.as_object()?.iter().find_map(|(name, part)| Some(format!("{name}: {}", problem(part)?)))
    } else {
        None
    }
}

/// Extensions begin with `x-`.
fn unknown(object: &Map<String, Value>) -> Option<String> {
    let key = object.keys().find(|key| !key.starts_with("x-") && !KNOWN.contains(&key.as_str()))?;
    let nearest: Vec<&str> = super::mistake::meant(key, &KNOWN).into_iter().collect();
    let hint = if nearest.is_empty() { String::new() } else { format!("; {}", allowed(key, &nearest)) };
    Some(format!("{key:?} is no keyword of JSON Schema{hint}"))
}

fn bounds(object: &Map<String, Value>) -> Option<String> {
    let number = |key: &str| object.get(key).and_then(Value::as_f64);
    BOUNDS.iter().find_map(|(least, most)| {
        let (from, to) = (number(least)?, number(most)?);
        (from > to).then(|| format!("{least:?} is {from}, more than {most:?}, {to}"))
    })
}

/// How a default breaks its own schema.
pub(super) fn default_problem(schema: &Value) -> Option<String> {
    let default = schema.get("default")?;
    // What it refers to is not in sight here, and what a template gives is not known yet.
    let text = schema.to_string();
    if text.contains("$ref") || text.contains("{{") {
        return None;
    }
    schema_violations(schema, default).first().map(|violation| format!("its default: {violation}"))
}
