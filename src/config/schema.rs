//! Schemas of flat objects in short: `{ seconds = "number", label = "text?" }`.

use std::ops::Range;

use serde_json::{Map, Value, json};
use toml::de::DeValue;

use super::mistake::{Source, allowed};
use super::table::{Node, Table, json, twice};
use super::{file, keywords};
use crate::json::Problem;

/// Makes the schema that a word stands for.
type Make = fn() -> Value;

/// Words for a field's type, each with the schema that it stands for.
const WORDS: [(&str, Make); 11] = [
    ("text", || json!({ "type": "string" })),
    ("string", || json!({ "type": "string" })),
    ("number", || json!({ "type": "number" })),
    ("integer", || json!({ "type": "integer" })),
    ("boolean", || json!({ "type": "boolean" })),
    ("email", || json!({ "type": "string", "format": "email" })),
    ("uri", || json!({ "type": "string", "format": "uri" })),
    ("date", || json!({ "type": "string", "format": "date" })),
    ("date-time", || json!({ "type": "string", "format": "date-time" })),
    ("texts", || json!({ "type": "array", "items": { "type": "string" } })),
    ("any", || json!({})),
];

/// The schema of an object whose fields are given in short. Each field is one of
///
/// - a word of [`WORDS`], with `?` behind it where the field may be absent, and `= value` for a default;
/// - a list of texts: one of them;
/// - a table: the field's JSON schema as it is, with `optional = true` where it may be absent.
///
/// `extra` says whether other fields are admitted.
pub(super) fn short(table: &Table<'_>, extra: bool) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for (name, span, node) in table.entries() {
        if name.trim().is_empty() {
            table.mistake(&span, "a field has no name");
        }
        let Some((schema, optional)) = field(table.source, (name, extra), node) else { continue };
        if !optional {
            required.push(Value::from(name));
        }
        properties.insert(name.to_owned(), schema);
    }
    let mut schema = Map::new();
    schema.insert("type".into(), "object".into());
    schema.insert("properties".into(), Value::Object(properties));
    if !required.is_empty() {
        schema.insert("required".into(), Value::Array(required));
    }
    if !extra {
        schema.insert("additionalProperties".into(), false.into());
    }
    Value::Object(schema)
}

fn field(source: &Source<'_>, (name, in_form): (&str, bool), node: Node<'_>) -> Option<(Value, bool)> {
    match node.get_ref() {
        DeValue::String(text) => worded(source, name, &node.span(), text),
        DeValue::Array(_) => chosen(source, name, node).map(|schema| (schema, false)),
        DeValue::Table(_) => whole_field(source, (name, in_form), node),
        _ => {
            let hint = "give a type such as \"text\", \"integer?\" or [\"one\", \"other\"]".to_owned();
            source.mistake(&node.span(), format!("field {name:?} has no type"), Some(hint));
            None
        }
    }
}

/// A list of texts.
fn chosen(source: &Source<'_>, name: &str, node: Node<'_>) -> Option<Value> {
    let items = node.get_ref().as_array()?;
    let mut texts: Vec<String> = Vec::new();
    for item in items {
        let Some(text) = item.get_ref().as_str() else {
            let problem = format!("a choice of field {name:?} is {}, not text", json(item.get_ref()));
            source.mistake(&item.span(), problem, Some("put it into quotes".to_owned()));
            return None;
        };
        texts.push(text.to_owned());
    }
    if let Some(text) = twice(&texts) {
        source.mistake(&node.span(), format!("field {name:?} has the choice {text:?} twice"), None);
        return None;
    }
    Some(json!({ "type": "string", "enum": texts }))
}

/// A field's whole schema.
fn whole_field(source: &Source<'_>, (name, in_form): (&str, bool), node: Node<'_>) -> Option<(Value, bool)> {
    let mut schema = json(node.get_ref());
    let optional = match schema.as_object_mut()?.shift_remove("optional") {
        None => false,
        Some(Value::Bool(optional)) => optional,
        Some(other) => {
            let problem = format!("\"optional\" of field {name:?} is {other}, not true or false");
            source.mistake(&node.span(), problem, None);
            false
        }
    };
    // What a form may have is checked where the question is whole.
    let problem = if in_form { keywords::default_problem(&schema) } else { keywords::problem(&schema) };
    if let Some(problem) = problem {
        source.mistake(&node.span(), format!("field {name:?}: {problem}"), None);
    }
    Some((schema, optional))
}

fn worded(source: &Source<'_>, name: &str, span: &Range<usize>, text: &str) -> Option<(Value, bool)> {
    let (word, default) = match text.split_once('=') {
        Some((word, default)) => (word.trim(), Some(default.trim())),
        None => (text.trim(), None),
    };
    let (word, optional) = word.strip_suffix('?').map_or((word, false), |word| (word, true));
    let Some((_, schema)) = WORDS.iter().find(|(known, _)| *known == word) else {
        let known = WORDS.map(|(known, _)| known);
        source.mistake(span, format!("field {name:?} has the type {word:?}"), Some(allowed(word, &known)));
        return None;
    };
    let mut schema = schema();
    if let Some(default) = default {
        // Text needs no quotes, and everything else is JSON already.
        let is_text = schema["type"] == "string";
        let value = if is_text { None } else { serde_json::from_str(default).ok() };
        schema["default"] = value.unwrap_or_else(|| Value::from(default));
        let broken = crate::form::schema_violations(&schema, &schema["default"]);
        if let Some(violation) = broken.first() {
            source.mistake(span, format!("the default of field {name:?}: {violation}"), None);
        }
    }
    Some((schema, optional || default.is_some()))
}

/// A whole JSON schema: a table, or the name of a file that has it, counted from the configuration's folder.
/// It must describe an object.
pub(super) fn whole(source: &Source<'_>, what: &str, node: Node<'_>) -> Option<Value> {
    let schema = match node.get_ref() {
        DeValue::String(file) => match from_file(source, file) {
            Ok(schema) => schema,
            Err(problem) => {
                source.mistake(&node.span(), format!("{what}: {problem}"), None);
                return None;
            }
        },
        other => json(other),
    };
    let problem = if schema.get("type") == Some(&"object".into()) {
        let fault = crate::form::schema_fault(&schema).map(|violation| violation.to_string());
        fault.or_else(|| too_large(&schema)).or_else(|| keywords::problem(&schema))
    } else {
        Some("its \"type\" is not \"object\"".to_owned())
    };
    if let Some(problem) = problem {
        let hint = "give a JSON schema of an object, as a table or as the name of a JSON file".to_owned();
        source.mistake(&node.span(), format!("{what}: {problem}"), Some(hint));
        return None;
    }
    Some(schema)
}

/// The largest schema of a tool, in bytes of JSON: both of a tool's are in every list of tools.
const MAX_SCHEMA_BYTES: usize = 128 * 1024;

fn too_large(schema: &Value) -> Option<String> {
    let size = schema.to_string().len();
    (size > MAX_SCHEMA_BYTES).then(|| format!("it has {size} bytes, more than {MAX_SCHEMA_BYTES}"))
}

fn from_file(source: &Source<'_>, name: &str) -> Result<Value, String> {
    let path = source.folder().join(name);
    let text = file::text(&path, 4 * MAX_SCHEMA_BYTES as u64)
        .map_err(|problem| format!("{} {problem}", path.display()))?;
    crate::json::read(&text).map_err(|problem| match problem {
        Problem::Inexact(problem) => format!("{}: {problem}", path.display()),
        Problem::Unlike(problem) => format!("{} is not JSON: {problem}", path.display()),
    })
}
