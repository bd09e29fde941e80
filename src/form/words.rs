//! Values and fields in words.

use serde_json::{Map, Value};

use super::escaped;
use super::field::{Field, FieldKind};
use crate::task::Violation;

/// What stands for a value that is shown to nobody.
pub(crate) const HIDDEN: &str = "(hidden)";

/// A value as a person would type it. One that nobody would see, such as the empty text, stands in quotes.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) if text.trim().is_empty() => format!("{text:?}"),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "[]".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// A value that is read as the same value again when it is typed.
pub(crate) fn editable(value: &Value) -> String {
    let is_plain = |item: &Value| match item {
        Value::String(text) => {
            !text.is_empty() && text.trim() == text && !text.contains([',', '"', '\\', '[', '{'])
        }
        Value::Number(_) | Value::Bool(_) => true,
        _ => false,
    };
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => String::new(),
        Value::Array(items) if !items.iter().all(is_plain) => value.to_string(),
        other => shown(other),
    }
}

impl Field {
    /// A value as it is typed into the field: a default or an earlier answer that can be edited. Null is nothing.
    pub fn write(&self, value: &Value) -> String {
        if value.is_null() { String::new() } else { editable(value) }
    }

    /// A value as the field shows it: choices by their titles, and nothing of a secret.
    pub fn show(&self, value: &Value) -> String {
        if self.is_secret {
            return HIDDEN.to_owned();
        }
        let title = |value: &Value| {
            let found = self.choices().iter().find(|choice| *value == choice.value);
            found.map_or_else(|| shown(value), |choice| choice.title.clone())
        };
        match value {
            Value::Array(items) if items.is_empty() => "none".to_owned(),
            Value::Array(items) => items.iter().map(title).collect::<Vec<_>>().join(", "),
            one => title(one),
        }
    }

    /// What is said of a value of a secret that does not fit, without it.
    pub(super) fn unfit(&self) -> String {
        format!("it does not fit: {}", self.rules())
    }

    /// Takes what was given for the field out of the words on what is wrong with an answer, which may repeat it.
    pub(super) fn hide_in(&self, found: &mut [Violation], content: &Map<String, Value>) {
        let Some(given) = content.get(&self.name) else { return };
        let path = format!("/{}", escaped(&self.name));
        let as_json = given.to_string();
        let texts = [given.as_str().unwrap_or(&as_json), as_json.trim_matches('"')];
        let tells = |violation: &Violation| {
            violation.path == path
                || violation.path.starts_with(&format!("{path}/"))
                || texts.iter().any(|text| !text.is_empty() && violation.problem.contains(text))
        };
        for violation in found.iter_mut().filter(|violation| tells(violation)) {
            violation.problem = self.unfit();
        }
    }

    /// A field's rules in words, for example "a whole number, 1 to 8".
    pub fn rules(&self) -> String {
        let of = |range: Option<String>, what: &str| range.map(|range| format!("{range} {what}"));
        let (kind, range) = match &self.kind {
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
        let parts = [kind, range, left_empty(self).map(str::to_owned)];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// What stands for a value in suggested commands and may be one by itself.
    pub(crate) fn stands_for(&self) -> Option<&'static str> {
        match &self.kind {
            FieldKind::Text { .. } | FieldKind::List { .. } => Some("TEXT"),
            FieldKind::Other { .. } => Some("JSON"),
            FieldKind::Number { .. } => Some("NUMBER"),
            FieldKind::OneOf { .. } | FieldKind::SomeOf { .. } => Some("CHOICE"),
            FieldKind::Boolean => None,
        }
    }
}

/// A text format in words.
pub(super) fn format_words(format: &str) -> &str {
    match format {
        "email" => "an e-mail address",
        "uri" => "a URL, such as https://example.com/page",
        "date" => "a date, as YYYY-MM-DD",
        "date-time" => "a date and time, as YYYY-MM-DDThh:mm:ssZ",
        other => other,
    }
}

/// What it means that the field is left empty.
fn left_empty(field: &Field) -> Option<&'static str> {
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
