//! MCP's elicitation forms: a flat JSON schema, parsed once, and the check of an answer against it.
//!
//! Source: MCP 2025-11-25 and 2026-07-28, client/elicitation; SEP-1034 (defaults), SEP-1330 (enums).

use std::fmt;

use jsonschema::Validator;
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
#[derive(Debug, Clone)]
pub struct Form {
    /// The fields.
    pub fields: Vec<Field>,
    /// Compiling a schema takes many times longer than checking an answer against it.
    validator: Validator,
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
        if !found.is_empty() {
            return Err(found);
        }
        let validator = validator(schema).map_err(|error| vec![error])?;
        Ok(Self { fields, validator })
    }

    /// Every way in which `content` is not an acceptable answer; empty when it is one.
    pub fn violations(&self, content: &Map<String, Value>) -> Vec<Violation> {
        let mut found = checked(&self.validator, &Value::Object(content.clone()));
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
        Ok(validator) => checked(&validator, value),
        Err(violation) => vec![violation],
    }
}

fn checked(validator: &Validator, value: &Value) -> Vec<Violation> {
    let errors = validator.iter_errors(value);
    errors.map(|error| Violation::new(error.instance_path().to_string(), error.to_string())).collect()
}

/// What is wrong with the JSON schema itself.
pub fn schema_fault(schema: &Value) -> Option<Violation> {
    validator(schema).err()
}

fn validator(schema: &Value) -> Result<Validator, Violation> {
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
mod tests;
