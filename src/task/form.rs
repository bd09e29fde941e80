//! MCP's elicitation forms: a flat JSON schema, parsed once, and the check of an answer against it.
//!
//! Source: MCP 2025-11-25 and 2026-07-28, client/elicitation; SEP-1034 (defaults), SEP-1330 (enums).

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

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
#[derive(Debug, Clone, PartialEq)]
pub struct Form {
    /// The fields.
    pub fields: Vec<Field>,
    schema: Value,
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
        let required = required_names(object, &mut found);
        let mut fields = Vec::new();
        match object.get("properties").map(Value::as_object) {
            Some(Some(properties)) => {
                for (name, property) in properties {
                    let path = format!("/properties/{}", escaped(name));
                    match field(name, property, required.iter().any(|one| one == name)) {
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
        if found.is_empty()
            && let Err(error) = validator(schema)
        {
            found.push(error);
        }
        if found.is_empty() { Ok(Self { fields, schema: schema.clone() }) } else { Err(found) }
    }

    /// Every way in which `content` is not an acceptable answer; empty when it is one.
    pub fn violations(&self, content: &Map<String, Value>) -> Vec<Violation> {
        let mut found = schema_violations(&self.schema, &Value::Object(content.clone()));
        for (name, value) in content {
            if !is_form_value(value) {
                let problem = "is not a string, number, boolean or list of strings";
                found.push(Violation::new(format!("/{}", escaped(name)), problem));
            }
        }
        found
    }

    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// Every way in which `value` breaks the JSON schema; the schema's own fault, where it is broken, is
/// the one violation reported.
pub fn schema_violations(schema: &Value, value: &Value) -> Vec<Violation> {
    match validator(schema) {
        Ok(validator) => validator
            .iter_errors(value)
            .map(|error| Violation::new(error.instance_path().to_string(), error.to_string()))
            .collect(),
        Err(violation) => vec![violation],
    }
}

/// What is wrong with the JSON schema itself.
pub fn schema_fault(schema: &Value) -> Option<Violation> {
    validator(schema).err()
}

fn validator(schema: &Value) -> Result<jsonschema::Validator, Violation> {
    jsonschema::draft202012::options().should_validate_formats(true).build(schema).map_err(|error| {
        Violation::new(error.instance_path().to_string(), format!("the schema is broken: {error}"))
    })
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

fn required_names(object: &Map<String, Value>, found: &mut Vec<Violation>) -> Vec<String> {
    let Some(value) = object.get("required") else { return Vec::new() };
    let names: Option<Vec<String>> = value
        .as_array()
        .and_then(|names| names.iter().map(|name| name.as_str().map(str::to_owned)).collect());
    names.unwrap_or_else(|| {
        found.push(Violation::new("/required", "is not a list of property names"));
        Vec::new()
    })
}

fn field(name: &str, property: &Value, required: bool) -> Result<Field, Violation> {
    let object = property.as_object().ok_or_else(|| Violation::new("", "is not an object"))?;
    let words = |key: &'static str| match object.get(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Violation::new(format!("/{key}"), "is not a string")),
    };
    Ok(Field {
        name: name.to_owned(),
        title: words("title")?,
        description: words("description")?,
        required,
        kind: kind(object)?,
    })
}

fn kind(object: &Map<String, Value>) -> Result<FieldKind, Violation> {
    match object.get("type").and_then(Value::as_str) {
        Some("string") if object.contains_key("enum") || object.contains_key("oneOf") => one_of(object),
        Some("string") => text(object),
        Some("number") => number(object, false),
        Some("integer") => number(object, true),
        Some("boolean") => {
            Ok(FieldKind::Boolean { default: typed(object, "default", "a boolean", Value::as_bool)? })
        }
        Some("array") => some_of(object),
        Some(other) => Err(Violation::new(
            "/type",
            format!("is {other:?}: a form field is a string, number, integer, boolean or array of choices"),
        )),
        None => Err(Violation::new("/type", "is missing or not a string")),
    }
}

/// Reads `key` with `read`; `None` where it is absent, an error that names `what` where it is another type.
fn typed<'a, T>(
    object: &'a Map<String, Value>,
    key: &str,
    what: &str,
    read: impl Fn(&'a Value) -> Option<T>,
) -> Result<Option<T>, Violation> {
    let Some(value) = object.get(key) else { return Ok(None) };
    read(value).map(Some).ok_or_else(|| Violation::new(format!("/{key}"), format!("is not {what}")))
}

fn owned(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn text(object: &Map<String, Value>) -> Result<FieldKind, Violation> {
    let format = typed(object, "format", "a string", owned)?;
    if let Some(format) = &format
        && !matches!(format.as_str(), "email" | "uri" | "date" | "date-time")
    {
        return Err(Violation::new("/format", format!("is {format:?}, not email, uri, date or date-time")));
    }
    Ok(FieldKind::Text {
        min_length: typed(object, "minLength", "a count", Value::as_u64)?,
        max_length: typed(object, "maxLength", "a count", Value::as_u64)?,
        format,
        pattern: typed(object, "pattern", "a string", owned)?,
        default: typed(object, "default", "a string", owned)?,
    })
}

fn number(object: &Map<String, Value>, integer: bool) -> Result<FieldKind, Violation> {
    let whole = |value: &Value| match value {
        Value::Number(number) if !integer || value.as_f64().is_some_and(|float| float.fract() == 0.0) => {
            Some(number.clone())
        }
        _ => None,
    };
    Ok(FieldKind::Number {
        integer,
        minimum: typed(object, "minimum", "a number", Value::as_f64)?,
        maximum: typed(object, "maximum", "a number", Value::as_f64)?,
        default: typed(object, "default", if integer { "a whole number" } else { "a number" }, whole)?,
    })
}

fn one_of(object: &Map<String, Value>) -> Result<FieldKind, Violation> {
    let choices = if object.contains_key("oneOf") { titled(object, "oneOf")? } else { named(object)? };
    let default = typed(object, "default", "a string", owned)?;
    if let Some(default) = &default {
        known(&choices, default)?;
    }
    Ok(FieldKind::OneOf { choices, default })
}

fn some_of(object: &Map<String, Value>) -> Result<FieldKind, Violation> {
    let items = typed(object, "items", "an object", Value::as_object)?
        .ok_or_else(|| Violation::new("/items", "is missing: an array field is a list of choices"))?;
    let choices = if items.contains_key("anyOf") { titled(items, "anyOf") } else { named(items) };
    let choices = choices.map_err(|one| one.under("/items"))?;
    let strings = |value: &Value| value.as_array()?.iter().map(owned).collect::<Option<Vec<_>>>();
    let default = typed(object, "default", "a list of strings", strings)?.unwrap_or_default();
    for one in &default {
        known(&choices, one)?;
    }
    Ok(FieldKind::SomeOf {
        choices,
        min_items: typed(object, "minItems", "a count", Value::as_u64)?,
        max_items: typed(object, "maxItems", "a count", Value::as_u64)?,
        default,
    })
}

fn known(choices: &[Choice], default: &str) -> Result<(), Violation> {
    if choices.iter().any(|choice| choice.value == default) {
        return Ok(());
    }
    Err(Violation::new("/default", format!("is {default:?}, which is none of the choices")))
}

/// Choices of the form `[{const, title}]`.
fn titled(object: &Map<String, Value>, key: &str) -> Result<Vec<Choice>, Violation> {
    let problem =
        || Violation::new(format!("/{key}"), "is not a list of {const, title} with at least one entry");
    let list =
        object.get(key).and_then(Value::as_array).filter(|list| !list.is_empty()).ok_or_else(problem)?;
    list.iter()
        .map(|entry| {
            let value = owned(entry.get("const")?)?;
            let title = entry.get("title").and_then(owned).unwrap_or_else(|| value.clone());
            Some(Choice { value, title })
        })
        .collect::<Option<Vec<_>>>()
        .ok_or_else(problem)
}

/// Choices of the form `enum`, with the older `enumNames` as titles.
fn named(object: &Map<String, Value>) -> Result<Vec<Choice>, Violation> {
    let problem = || Violation::new("/enum", "is not a list of strings with at least one entry");
    let list =
        object.get("enum").and_then(Value::as_array).filter(|list| !list.is_empty()).ok_or_else(problem)?;
    let titles = object.get("enumNames").and_then(Value::as_array);
    list.iter()
        .enumerate()
        .map(|(at, entry)| {
            let value = owned(entry)?;
            let title =
                titles.and_then(|titles| titles.get(at)).and_then(owned).unwrap_or_else(|| value.clone());
            Some(Choice { value, title })
        })
        .collect::<Option<Vec<_>>>()
        .ok_or_else(problem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn form(properties: &Value) -> Result<Form, Vec<Violation>> {
        Form::parse(&json!({ "type": "object", "properties": properties }))
    }

    #[test]
    fn every_field_kind_of_the_specification_is_read() {
        let form = form(&json!({
            "text": { "type": "string", "minLength": 1, "maxLength": 9, "default": "a" },
            "mail": { "type": "string", "format": "email", "title": "E-mail" },
            "real": { "type": "number", "minimum": 0.5, "maximum": 2, "default": 1 },
            "whole": { "type": "integer", "minimum": 1, "default": 3 },
            "sure": { "type": "boolean", "default": true },
            "plain": { "type": "string", "enum": ["a", "b"], "default": "b" },
            "old": { "type": "string", "enum": ["a", "b"], "enumNames": ["A!", "B!"] },
            "titled": { "type": "string", "oneOf": [{ "const": "r", "title": "Red" }] },
            "many": { "type": "array", "items": { "type": "string", "enum": ["x", "y"] }, "minItems": 1 },
            "many_titled": { "type": "array", "default": ["r"],
                "items": { "anyOf": [{ "const": "r", "title": "Red" }] } },
        }))
        .expect("a form");
        let names: Vec<_> = form.fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(names[..3], ["text", "mail", "real"], "the schema's order is kept");
        let FieldKind::OneOf { choices, .. } = &form.field("old").expect("old").kind else {
            panic!("one of")
        };
        assert_eq!(choices[1], Choice { value: "b".into(), title: "B!".into() });
    }

    #[test]
    fn what_is_not_a_form_is_named() {
        let broken = [
            (json!({ "a": { "type": "object" } }), "/properties/a/type"),
            (json!({ "a": { "type": "array" } }), "/properties/a/items"),
            (json!({ "a": { "type": "string", "enum": [] } }), "/properties/a/enum"),
            (json!({ "a": { "type": "string", "format": "ipv4" } }), "/properties/a/format"),
            (json!({ "a": { "type": "integer", "default": 1.5 } }), "/properties/a/default"),
            (json!({ "a": { "type": "string", "enum": ["x"], "default": "y" } }), "/properties/a/default"),
            (json!({ "a": { "type": "string", "pattern": "(" } }), ""),
            (json!({ "a/b": 5 }), "/properties/a~1b"),
        ];
        for (properties, path) in broken {
            let violations = form(&properties).expect_err(&properties.to_string());
            assert!(violations[0].path.starts_with(path), "{properties}: {violations:?}");
        }
        assert!(Form::parse(&json!("x")).is_err());
        assert!(Form::parse(&json!({ "type": "object", "properties": {}, "required": ["a"] })).is_err());
    }

    #[test]
    fn every_violation_of_an_answer_is_named() {
        let schema = json!({ "type": "object", "required": ["cuisine", "count"], "properties": {
            "cuisine": { "type": "string", "enum": ["thai", "greek"] },
            "count": { "type": "integer", "minimum": 1, "maximum": 4 },
            "mail": { "type": "string", "format": "email" },
            "day": { "type": "string", "format": "date" } } });
        let form = Form::parse(&schema).expect("a form");
        let content = json!({ "cuisine": "french", "count": 9, "mail": "nobody", "day": "2026-13-45" });
        let violations = form.violations(content.as_object().expect("object"));
        assert_eq!(violations.len(), 4, "{violations:?}");
        let good = json!({ "cuisine": "thai", "count": 2, "mail": "a@b.example", "day": "2026-11-23" });
        assert_eq!(form.violations(good.as_object().expect("object")), []);
        assert_eq!(form.violations(&Map::new()).len(), 2, "both required fields");
    }

    #[test]
    fn an_answer_holds_only_flat_values() {
        let form = form(&json!({})).expect("a form");
        let content = json!({ "extra": { "deep": 1 } });
        assert_eq!(form.violations(content.as_object().expect("object")).len(), 1);
    }
}
