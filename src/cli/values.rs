//! Values that people type, read by the kind of field or by the schema that they are for.

use serde_json::{Map, Number, Value};

use crate::task::form::{Field, FieldKind};
use crate::task::{Form, Violation};

/// A value as a person would type it.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// A value as a form's field shows it: choices by their titles.
pub(crate) fn shown_in(field: &Field, value: &Value) -> String {
    let (FieldKind::OneOf { choices, .. } | FieldKind::SomeOf { choices, .. }) = &field.kind else {
        return shown(value);
    };
    let title = |value: &Value| {
        let found = choices.iter().find(|choice| value == choice.value.as_str());
        found.map_or_else(|| shown(value), |choice| choice.title.clone())
    };
    match value {
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(title).collect::<Vec<_>>().join(", "),
        one => title(one),
    }
}

/// Reads what was typed for a field. Bounds, lengths and formats are checked by [`violation`].
pub(crate) fn typed(field: &Field, text: &str) -> Result<Value, String> {
    match &field.kind {
        FieldKind::Text { .. } => Ok(text.into()),
        FieldKind::Number { integer, .. } => number(text, *integer).map(Value::Number),
        FieldKind::Boolean { .. } => boolean(text).map(Value::Bool),
        FieldKind::OneOf { choices, .. } => {
            let found = choices.iter().find(|choice| choice.value == text || choice.title == text);
            // An unknown one is refused by the form, with the choices named.
            Ok(found.map_or(text, |choice| &choice.value).into())
        }
        FieldKind::SomeOf { choices, .. } => {
            let one = |part: &str| {
                let found = choices.iter().find(|choice| choice.value == part || choice.title == part);
                found.map_or(part, |choice| &choice.value).to_owned()
            };
            Ok(text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(one).collect())
        }
    }
}

fn number(text: &str, integer: bool) -> Result<Number, String> {
    let text = text.trim();
    let kind = if integer { "a whole number" } else { "a number" };
    let wrong = || format!("{text:?} is not {kind}");
    if let Ok(whole) = text.parse::<i64>() {
        return Ok(whole.into());
    }
    let float: f64 = text.parse().map_err(|_| wrong())?;
    if integer && float.fract() != 0.0 {
        return Err(wrong());
    }
    Number::from_f64(float).ok_or_else(wrong)
}

fn boolean(text: &str) -> Result<bool, String> {
    match text.trim().to_lowercase().as_str() {
        "true" | "yes" | "y" | "1" => Ok(true),
        "false" | "no" | "n" | "0" => Ok(false),
        _ => Err(format!("{text:?} is neither true (yes) nor false (no)")),
    }
}

/// What is wrong with `value` in that field of the form.
pub(crate) fn violation(form: &Form, field: &Field, value: &Value) -> Option<String> {
    let content = Map::from_iter([(field.name.clone(), value.clone())]);
    let path = format!("/{}", field.name.replace('~', "~0").replace('/', "~1"));
    let here = |one: &Violation| one.path == path || one.path.starts_with(&format!("{path}/"));
    form.violations(&content).into_iter().find(here).map(|one| one.problem)
}

/// The values that a form sends when nothing is changed in it.
pub(crate) fn defaults(form: &Form) -> Map<String, Value> {
    let default = |field: &Field| match &field.kind {
        FieldKind::Text { default, .. } | FieldKind::OneOf { default, .. } => {
            default.clone().map(Value::String)
        }
        FieldKind::Number { default, .. } => default.clone().map(Value::Number),
        FieldKind::Boolean { default } => default.map(Value::Bool),
        FieldKind::SomeOf { default, .. } if default.is_empty() => None,
        FieldKind::SomeOf { default, .. } => Some(default.clone().into()),
    };
    form.fields.iter().filter_map(|field| Some((field.name.clone(), default(field)?))).collect()
}

/// A field's rules in words, for example "a whole number from 1 to 8".
pub(crate) fn rules(field: &Field) -> String {
    let kind = match &field.kind {
        FieldKind::Text { min_length, max_length, format, .. } => {
            let form = match format.as_deref() {
                Some("email") => "an e-mail address",
                Some("uri") => "a URL",
                Some("date") => "a date: YYYY-MM-DD",
                Some("date-time") => "a date and time: YYYY-MM-DDThh:mm:ssZ",
                _ => "",
            };
            let length = range(*min_length, *max_length).map(|range| format!("{range} characters"));
            [Some(form.to_owned()), length]
                .into_iter()
                .flatten()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join(", ")
        }
        FieldKind::Number { integer, minimum, maximum, .. } => {
            let kind = if *integer { "a whole number" } else { "a number" };
            range(*minimum, *maximum).map_or_else(|| kind.to_owned(), |range| format!("{kind}, {range}"))
        }
        FieldKind::SomeOf { min_items, max_items, .. } => {
            range(*min_items, *max_items).map(|range| format!("choose {range}")).unwrap_or_default()
        }
        FieldKind::Boolean { .. } | FieldKind::OneOf { .. } => String::new(),
    };
    match (field.required, kind.is_empty()) {
        (true, _) => kind,
        (false, true) => "optional".to_owned(),
        (false, false) => format!("{kind}; optional"),
    }
}

fn range<T: std::fmt::Display + PartialEq>(least: Option<T>, most: Option<T>) -> Option<String> {
    match (least, most) {
        (Some(least), Some(most)) if least == most => Some(format!("exactly {least}")),
        (Some(least), Some(most)) => Some(format!("{least} to {most}")),
        (Some(least), None) => Some(format!("at least {least}")),
        (None, Some(most)) => Some(format!("at most {most}")),
        (None, None) => None,
    }
}
