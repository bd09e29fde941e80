//! The properties of a form's schema, each of a kind that MCP's forms have.

use serde_json::{Map, Value};

use crate::task::Violation;

/// The names that `required` has.
pub(super) fn required_names<'a>(object: &'a Map<String, Value>, found: &mut Vec<Violation>) -> Vec<&'a str> {
    let Some(value) = object.get("required") else { return Vec::new() };
    let names = value.as_array().and_then(|names| names.iter().map(Value::as_str).collect());
    names.unwrap_or_else(|| {
        found.push(Violation::new("/required", "is not a list of property names"));
        Vec::new()
    })
}

/// Checks one property.
pub(super) fn check(property: &Value) -> Result<(), Violation> {
    let object = property.as_object().ok_or_else(|| Violation::new("", "is not an object"))?;
    for key in ["title", "description"] {
        typed(object, key, "a string", Value::as_str)?;
    }
    match object.get("type").and_then(Value::as_str) {
        Some("string") if object.contains_key("enum") || object.contains_key("oneOf") => one_of(object),
        Some("string") => text(object),
        Some("number") => number(object, false),
        Some("integer") => number(object, true),
        Some("boolean") => typed(object, "default", "a boolean", Value::as_bool).map(drop),
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

fn counts(object: &Map<String, Value>, keys: [&str; 2]) -> Result<(), Violation> {
    keys.into_iter().try_for_each(|key| typed(object, key, "a count", Value::as_u64).map(drop))
}

fn text(object: &Map<String, Value>) -> Result<(), Violation> {
    if let Some(format) = typed(object, "format", "a string", Value::as_str)?
        && !matches!(format, "email" | "uri" | "date" | "date-time")
    {
        return Err(Violation::new("/format", format!("is {format:?}, not email, uri, date or date-time")));
    }
    counts(object, ["minLength", "maxLength"])?;
    typed(object, "pattern", "a string", Value::as_str)?;
    typed(object, "default", "a string", Value::as_str).map(drop)
}

fn number(object: &Map<String, Value>, integer: bool) -> Result<(), Violation> {
    let is_whole = |number: &f64| !integer || number.fract() == 0.0;
    let what = if integer { "a whole number" } else { "a number" };
    typed(object, "minimum", "a number", Value::as_f64)?;
    typed(object, "maximum", "a number", Value::as_f64)?;
    typed(object, "default", what, |value| value.as_f64().filter(is_whole)).map(drop)
}

fn one_of(object: &Map<String, Value>) -> Result<(), Violation> {
    let choices = if object.contains_key("oneOf") { titled(object, "oneOf")? } else { named(object)? };
    let default = typed(object, "default", "a string", Value::as_str)?;
    default.map_or(Ok(()), |default| known(&choices, default))
}

fn some_of(object: &Map<String, Value>) -> Result<(), Violation> {
    let items = typed(object, "items", "an object", Value::as_object)?
        .ok_or_else(|| Violation::new("/items", "is missing: an array field is a list of choices"))?;
    let choices = if items.contains_key("anyOf") { titled(items, "anyOf") } else { named(items) };
    let choices = choices.map_err(|one| one.under("/items"))?;
    counts(object, ["minItems", "maxItems"])?;
    if let Some(least) =
        object.get("minItems").and_then(Value::as_u64).filter(|least| *least > choices.len() as u64)
    {
        let problem = format!("is {least}, more than there are choices, {}", choices.len());
        return Err(Violation::new("/minItems", problem));
    }
    let strings = |value| Value::as_array(value)?.iter().map(Value::as_str).collect::<Option<Vec<_>>>();
    let default = typed(object, "default", "a list of strings", strings)?.unwrap_or_default();
    default.into_iter().try_for_each(|one| known(&choices, one))
}

fn known(choices: &[&str], default: &str) -> Result<(), Violation> {
    if choices.contains(&default) {
        return Ok(());
    }
    Err(Violation::new("/default", format!("is {default:?}, which is none of the choices")))
}

/// Choices of the form `[{const, title}]`.
fn titled<'a>(object: &'a Map<String, Value>, key: &str) -> Result<Vec<&'a str>, Violation> {
    let problem =
        || Violation::new(format!("/{key}"), "is not a list of {const, title} with at least one entry");
    choices(object.get(key), |entry| entry.get("const")?.as_str()).ok_or_else(problem)
}

/// Choices of the form `enum`.
fn named(object: &Map<String, Value>) -> Result<Vec<&str>, Violation> {
    let problem = || Violation::new("/enum", "is not a list of strings with at least one entry");
    choices(object.get("enum"), Value::as_str).ok_or_else(problem)
}

fn choices<'a>(list: Option<&'a Value>, read: impl Fn(&'a Value) -> Option<&'a str>) -> Option<Vec<&'a str>> {
    let list = list?.as_array().filter(|list| !list.is_empty())?;
    list.iter().map(read).collect()
}
