//! Reading the properties of a form's schema.

use serde_json::{Map, Value};

use super::{Choice, Field, FieldKind, Violation};

/// The names that `required` has.
pub(super) fn required_names(object: &Map<String, Value>, found: &mut Vec<Violation>) -> Vec<String> {
    let Some(value) = object.get("required") else { return Vec::new() };
    let names: Option<Vec<String>> = value
        .as_array()
        .and_then(|names| names.iter().map(|name| name.as_str().map(str::to_owned)).collect());
    names.unwrap_or_else(|| {
        found.push(Violation::new("/required", "is not a list of property names"));
        Vec::new()
    })
}

/// Reads one property.
pub(super) fn read(name: &str, property: &Value, required: bool) -> Result<Field, Violation> {
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
