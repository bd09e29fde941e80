//! A form's fields in words: what each is called, what it takes, and what is filled in.

use serde_json::Value;

use crate::form::{Choice, Field, FieldKind, HIDDEN, shown};

/// A field in one line, for example `cuisine: text, needed; Cuisine: what you like to eat`.
pub(crate) fn in_words(field: &Field) -> String {
    let needed = match (field.required, &field.default) {
        (true, _) => ", needed",
        (false, None) => ", optional",
        (false, Some(_)) => "",
    };
    let shown = |value| if field.is_secret { HIDDEN.to_owned() } else { default(value) };
    let default = field.default.as_ref().map(|value| format!(", else {}", shown(value)));
    let null = if field.nullable { " or null" } else { "" };
    let about = match (&field.title, &field.description) {
        (Some(title), Some(description)) => format!("; {title}: {description}"),
        (Some(words), None) | (None, Some(words)) => format!("; {words}"),
        (None, None) => String::new(),
    };
    let (takes, default) = (takes(&field.kind), default.unwrap_or_default());
    format!("{}: {takes}{null}{needed}{default}{about}", field.name)
}

fn takes(kind: &FieldKind) -> String {
    match kind {
        FieldKind::Text { min_length, max_length, format, pattern, .. } => {
            let format = format.as_ref().map(|format| format!(" ({format})")).unwrap_or_default();
            let length = bounds(*min_length, *max_length).map(|bounds| {
                let is_one = bounds == "1" || bounds.ends_with(" 1");
                format!(" of {bounds} character{}", if is_one { "" } else { "s" })
            });
            let pattern = pattern.as_ref().map(|pattern| format!(" like {pattern}")).unwrap_or_default();
            format!("text{format}{}{pattern}", length.unwrap_or_default())
        }
        FieldKind::Number { integer, minimum, maximum, .. } => {
            let bounds = bounds(*minimum, *maximum).map(|bounds| format!(" of {bounds}"));
            format!("{}{}", if *integer { "whole number" } else { "number" }, bounds.unwrap_or_default())
        }
        FieldKind::Boolean => "yes or no".to_owned(),
        FieldKind::OneOf { choices } => format!("one of {}", titles(choices)),
        FieldKind::SomeOf { choices, min_items, max_items, .. } => {
            let how_many = bounds(*min_items, *max_items).unwrap_or_else(|| "any".to_owned());
            format!("{how_many} of {}", titles(choices))
        }
        FieldKind::List { items, min_items, max_items } => {
            let how_many = bounds(*min_items, *max_items).map(|bounds| format!(", {bounds} of them"));
            format!("a list of {items}{}", how_many.unwrap_or_default())
        }
        FieldKind::Other { takes } => takes.clone(),
    }
}

fn bounds<T: ToString + PartialEq>(least: Option<T>, most: Option<T>) -> Option<String> {
    match (least, most) {
        (Some(least), Some(most)) if least == most => Some(least.to_string()),
        (Some(least), Some(most)) => Some(format!("{} to {}", least.to_string(), most.to_string())),
        (Some(least), None) => Some(format!("at least {}", least.to_string())),
        (None, Some(most)) => Some(format!("at most {}", most.to_string())),
        (None, None) => None,
    }
}

/// What is sent, and what is shown where that is something else.
fn titles(choices: &[Choice]) -> String {
    let one = |choice: &Choice| {
        if choice.title == choice.text {
            choice.text.clone()
        } else {
            format!("{} ({})", choice.text, choice.title)
        }
    };
    choices.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn default(value: &Value) -> String {
    match value {
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        other => shown(other),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::form::Form;

    #[test]
    fn every_kind_of_field_says_what_it_takes() {
        let schema = json!({ "type": "object", "required": ["name", "size"], "properties": {
            "name": { "type": "string", "minLength": 1, "maxLength": 20, "title": "Name", "description": "whose" },
            "mail": { "type": "string", "format": "email" },
            "seats": { "type": "integer", "minimum": 1, "default": 2 },
            "outside": { "type": "boolean", "default": false },
            "size": { "type": "string", "oneOf": [
                { "const": "s", "title": "Small" }, { "const": "l", "title": "l" }], "default": "l" },
            "extras": { "type": "array", "maxItems": 2, "items": { "enum": ["a", "b"], "type": "string" } },
            "level": { "anyOf": [{ "enum": [1, 2] }, { "type": "null" }], "default": null },
            "tags": { "type": "array", "minItems": 1, "items": { "type": "string" }, "default": ["a", "b"] },
            "home": { "type": "object", "properties": { "street": {}, "zip": {} } },
        } });
        let form = Form::parse(&schema).expect("a form");
        let said: Vec<String> = form.fields.iter().map(in_words).collect();
        assert_eq!(
            said,
            [
                "name: text of 1 to 20 characters, needed; Name: whose",
                "mail: text (email), optional",
                "seats: whole number of at least 1, else 2",
                "outside: yes or no, else no",
                "size: one of s (Small), l, needed, else l",
                "extras: at most 2 of a, b, optional",
                "level: one of 1, 2 or null, optional",
                "tags: a list of text, at least 1 of them, else a, b",
                "home: a JSON object with street, zip, optional",
            ]
        );
    }
}
