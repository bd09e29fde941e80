//! Values that people type, read by the kind of field or by the schema that they are for.

use serde_json::{Map, Value};

pub(crate) use crate::desk::values::{accepting, defaults, editable, in_words, shown, stands_for};

use crate::task::form::{Field, FieldKind};
use crate::task::{Form, Violation};

/// A value as a form's field shows it: choices by their titles.
pub(crate) fn shown_in(field: &Field, value: &Value) -> String {
    let (FieldKind::OneOf { choices } | FieldKind::SomeOf { choices, .. }) = &field.kind else {
        return shown(value);
    };
    let title = |value: &Value| {
        let found = choices.iter().find(|choice| *value == choice.value);
        found.map_or_else(|| shown(value), |choice| choice.title.clone())
    };
    match value {
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(title).collect::<Vec<_>>().join(", "),
        one => title(one),
    }
}

/// Reads what was typed for a field. Bounds, lengths and formats are checked by [`violation`].
pub(crate) fn typed(form: &Form, field: &Field, text: &str) -> Result<Value, String> {
    super::typed::read(form.schema(), form.property(&field.name), text)
}

/// What is wrong with `value` in that field of the form.
pub(crate) fn violation(form: &Form, field: &Field, value: &Value) -> Option<String> {
    let content = Map::from_iter([(field.name.clone(), value.clone())]);
    let path = format!("/{}", field.name.replace('~', "~0").replace('/', "~1"));
    let here = |one: &Violation| one.path == path || one.path.starts_with(&format!("{path}/"));
    let found = form.violations(&content).into_iter().find(here)?;
    Some(match &field.kind {
        FieldKind::SomeOf { .. } => {
            format!("{} are chosen: {}", value.as_array().map_or(0, Vec::len), rules(field))
        }
        FieldKind::Text { format: Some(format), .. } if found.problem.contains("is not a \"") => {
            format!("{value} is not {}", format_words(format))
        }
        // Of alternatives the schema's check only says that none fits.
        _ if found.problem.contains(" schemas listed in ") => {
            format!("{value} does not fit: {}", rules(field))
        }
        _ => found.problem,
    })
}

/// A text format in words.
fn format_words(format: &str) -> &str {
    match format {
        "email" => "an e-mail address",
        "uri" => "a URL, such as https://example.com/page",
        "date" => "a date, as YYYY-MM-DD",
        "date-time" => "a date and time, as YYYY-MM-DDThh:mm:ssZ",
        other => other,
    }
}

/// A field's rules in words, for example "a whole number, 1 to 8".
pub(crate) fn rules(field: &Field) -> String {
    let of = |range: Option<String>, what: &str| range.map(|range| format!("{range} {what}"));
    let (kind, range) = match &field.kind {
        FieldKind::Text { min_length, max_length, format, .. } => {
            let kind = format.as_deref().map(|format| format_words(format).to_owned());
            (kind, of(range(*min_length, *max_length), "characters"))
        }
        FieldKind::Number { integer, minimum, maximum } => {
            let kind = if *integer { "a whole number" } else { "a number" };
            (Some(kind.to_owned()), range(*minimum, *maximum))
        }
        FieldKind::SomeOf { min_items, max_items, .. } => {
            (None, range(*min_items, *max_items).map(|range| format!("choose {range}")))
        }
        FieldKind::List { items, min_items, max_items } => {
            let kind = format!("a list of {items}, with commas between");
            (Some(kind), of(range(*min_items, *max_items), "of them"))
        }
        FieldKind::Other { takes } => (Some(takes.clone()), None),
        // Their choices are on the screen, with a way to skip an optional one.
        FieldKind::Boolean | FieldKind::OneOf { .. } => return String::new(),
    };
    let parts = [kind, range, may_be_empty(field).map(str::to_owned)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn may_be_empty(field: &Field) -> Option<&'static str> {
    match field.required {
        false => Some("optional"),
        true if field.nullable => Some("empty for null"),
        true => None,
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
