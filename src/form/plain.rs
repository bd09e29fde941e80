//! What breaks a schema, in words for people who know nothing of schemas: which part it is, and what is allowed there.

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::{JsonType, ValidationError};
use serde_json::Value;

use super::shape::Type;
use super::words::format_words;

/// What is said where no alternative fits.
pub(super) const NONE_FITS: &str = "fits none of what is allowed";

/// What is wrong, in words that follow the place.
pub(super) fn in_words(error: &ValidationError<'_>) -> String {
    let value = error.instance();
    match error.kind() {
        Kind::OneOfNotValid { context } | Kind::AnyOf { context } => none_fits(error, context),
        Kind::OneOfMultipleValid { .. } => {
            format!("{value} fits several of what is allowed, and has to fit exactly one")
        }
        Kind::Format { format } => match format_words(format) {
            words if words == format => format!("{value} has not the format {format}"),
            words => format!("{value} is not {words}"),
        },
        Kind::MinItems { limit } => format!("{} too few: at least {limit}", entries(value)),
        Kind::MaxItems { limit } => format!("{} too many: at most {limit}", entries(value)),
        Kind::Type { kind } => format!("{value} is not {}", kinds(kind).join(" or ")),
        _ => error.to_string(),
    }
}

fn entries(value: &Value) -> String {
    match value.as_array().map_or(0, Vec::len) {
        1 => "1 entry is".to_owned(),
        several => format!("{several} entries are"),
    }
}

/// What is said where no alternative fits: what each of them allows or, where that is no short list, what each finds.
fn none_fits(whole: &ValidationError<'_>, alternatives: &[Vec<ValidationError<'static>>]) -> String {
    let (value, place) = (whole.instance(), whole.instance_path().to_string());
    let allowed: Option<Vec<String>> =
        alternatives.iter().map(|errors| errors.first().and_then(|error| allows(&place, error))).collect();
    if let Some(allowed) = allowed {
        return format!("{value} is not {}", choice(&allowed));
    }
    let found = alternatives.iter().filter_map(|errors| errors.first()).map(|error| within(&place, error));
    // The whole of an answer is long, and known to who gave it.
    let what = if place.is_empty() { "it".to_owned() } else { value.to_string() };
    format!("{what} {NONE_FITS}: {}", found.collect::<Vec<_>>().join("; or "))
}

/// What an alternative allows in place of the whole value.
fn allows(place: &str, error: &ValidationError<'static>) -> Option<String> {
    if error.instance_path().to_string() != place {
        return None;
    }
    match error.kind() {
        Kind::Constant { expected_value } => Some(expected_value.to_string()),
        Kind::Enum { options } => {
            Some(options.as_array()?.iter().map(Value::to_string).collect::<Vec<_>>().join(", "))
        }
        Kind::Type { kind } => Some(kinds(kind).join(" or ")),
        _ => None,
    }
}

/// What is wrong, with the part of the value at `place` where it is so.
fn within(place: &str, error: &ValidationError<'static>) -> String {
    let path = error.instance_path().to_string();
    let words = in_words(error);
    match path.strip_prefix(place).map(|part| part.trim_start_matches('/')).filter(|part| !part.is_empty()) {
        Some(part) => format!("{part}: {words}"),
        None => words,
    }
}

/// The alternatives as a choice.
fn choice(allowed: &[String]) -> String {
    match allowed {
        [one] => one.clone(),
        [one, other] => format!("{one} or {other}"),
        several => format!("one of {}", several.join(", ")),
    }
}

fn kinds(kind: &TypeKind) -> Vec<&'static str> {
    let words = |one: JsonType| Type::of(one.as_str()).map_or("what is allowed", Type::words);
    match kind {
        TypeKind::Single(one) => vec![words(*one)],
        TypeKind::Multiple(several) => several.iter().map(words).collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::form::schema_violations;

    #[test]
    fn what_is_wrong_names_the_part_and_what_is_allowed() {
        let sizes = json!([{ "const": "s", "title": "Small" }, { "const": "l" }, { "const": "xl" }]);
        let of = json!({ "properties": {
            "size": { "oneOf": sizes },
            "level": { "anyOf": [{ "enum": [1, 2] }, { "type": "null" }] },
            "tags": { "type": "array", "minItems": 1 },
            "few": { "type": "array", "maxItems": 1 },
            "mail": { "type": "string", "format": "email" },
            "addr": { "properties": { "zip": { "type": "integer" } } },
            "either": { "anyOf": [{ "required": ["zip"] }, { "type": "string" }] },
        } });
        for (value, said) in [
            (json!({ "size": "m" }), r#"size: "m" is not one of "s", "l", "xl""#),
            (json!({ "level": 3 }), "level: 3 is not 1, 2 or null"),
            (json!({ "tags": [] }), "tags: 0 entries are too few: at least 1"),
            (json!({ "few": [1, 2] }), "few: 2 entries are too many: at most 1"),
            (json!({ "mail": "x" }), r#"mail: "x" is not an e-mail address"#),
            (json!({ "addr": { "zip": "9" } }), r#"addr/zip: "9" is not a whole number"#),
            (
                json!({ "either": {} }),
                r#"either: {} fits none of what is allowed: "zip" is a required property; or {} is not text"#,
            ),
        ] {
            let found: Vec<_> = schema_violations(&of, &value).iter().map(ToString::to_string).collect();
            assert_eq!(found, [said]);
        }
    }
}
