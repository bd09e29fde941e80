//! How much work the check of a value against a schema is. A schema that refers to its own parts can make it double
//! with each reference or each level of the value; nobody can stop the check once it runs, so it is measured first,
//! on the same schema and the same value, each pair of a referred part and a value counted once.

use std::collections::HashMap;

use serde_json::Value;

/// The most visits of a value by a part of a schema: a fraction of a second.
const MOST: u64 = 2_000_000;

/// Below this many visits nobody notices.
const LARGE: u64 = 50_000;

/// Keywords whose parts apply to the same value.
const IN_PLACE: [&str; 3] = ["allOf", "anyOf", "oneOf"];
const IN_PLACE_ONE: [&str; 4] = ["not", "if", "then", "else"];

/// Whether a check may take milliseconds.
pub(super) fn is_large(schema: &Value, value: &Value) -> bool {
    has_key(schema, &["$ref", "$dynamicRef"]) || size(schema).saturating_mul(size(value)) > LARGE
}

/// Whether it takes milliseconds to read the schema.
pub(super) fn takes_long_to_compile(schema: &Value) -> bool {
    size(schema) > 500 || has_key(schema, &["pattern", "patternProperties"])
}

fn size(value: &Value) -> u64 {
    match value {
        Value::Array(items) => 1 + items.iter().map(size).sum::<u64>(),
        Value::Object(object) => 1 + object.values().map(size).sum::<u64>(),
        Value::String(text) => 1 + text.len() as u64 / 64,
        _ => 1,
    }
}

fn has_key(schema: &Value, keys: &[&str]) -> bool {
    match schema {
        Value::Array(items) => items.iter().any(|item| has_key(item, keys)),
        Value::Object(object) => {
            object.iter().any(|(key, item)| keys.contains(&key.as_str()) || has_key(item, keys))
        }
        _ => false,
    }
}

/// A measurement.
pub(super) struct Effort<'a> {
    root: &'a Value,
    /// What a referred part costs on a value, by their addresses; 0 while it is being measured.
    known: HashMap<(*const Value, *const Value), u64>,
    /// Visits of the measurement itself.
    visits: u64,
}

impl<'a> Effort<'a> {
    /// Whether the check ends soon.
    pub(super) fn is_bearable(schema: &'a Value, value: &Value) -> bool {
        let mut effort = Self { root: schema, known: HashMap::new(), visits: 0 };
        effort.of(schema, value) <= MOST
    }

    fn of(&mut self, schema: &'a Value, value: &Value) -> u64 {
        self.visits += 1;
        let Value::Object(keywords) = schema else { return 1 };
        if self.visits > MOST {
            return u64::MAX;
        }
        let mut sum = 1_u64;
        for (keyword, part) in keywords {
            let cost = match (keyword.as_str(), part) {
                (word, Value::Array(parts)) if IN_PLACE.contains(&word) => self.all(parts, value),
                (word, part) if IN_PLACE_ONE.contains(&word) => self.of(part, value),
                ("$ref" | "$dynamicRef", Value::String(name)) => self.referred(name, value),
                ("dependentSchemas", Value::Object(parts)) => self.all(parts.values(), value),
                ("enum" | "const", choices) => size(choices).saturating_mul(size(value)) / 8,
                (word, part) => self.inside(word, part, value),
            };
            sum = sum.saturating_add(cost);
        }
        sum
    }

    fn all(&mut self, parts: impl IntoIterator<Item = &'a Value>, value: &Value) -> u64 {
        parts.into_iter().fold(0, |sum, part| sum.saturating_add(self.of(part, value)))
    }

    /// Keywords whose parts apply to what is within the value.
    fn inside(&mut self, keyword: &str, part: &'a Value, value: &Value) -> u64 {
        let mut sum = 0_u64;
        let mut add = |cost: u64| sum = sum.saturating_add(cost);
        match (keyword, part, value) {
            ("properties", Value::Object(parts), Value::Object(object)) => {
                for (name, part) in parts {
                    object.get(name).into_iter().for_each(|inner| add(self.of(part, inner)));
                }
            }
            ("patternProperties", Value::Object(parts), Value::Object(object)) => {
                for part in parts.values() {
                    object.values().for_each(|inner| add(self.of(part, inner).saturating_add(1)));
                }
            }
            ("additionalProperties" | "unevaluatedProperties", part, Value::Object(object)) => {
                object.values().for_each(|inner| add(self.of(part, inner)));
            }
            ("propertyNames", part, Value::Object(object)) => {
                object.keys().for_each(|name| add(self.of(part, &Value::String(name.clone()))));
            }
            ("prefixItems", Value::Array(parts), Value::Array(items)) => {
                parts.iter().zip(items).for_each(|(part, inner)| add(self.of(part, inner)));
            }
            ("items" | "contains" | "unevaluatedItems", part, Value::Array(items)) => {
                add(items.iter().fold(0, |sum, inner| sum.saturating_add(self.of(part, inner))));
            }
            ("uniqueItems", _, items) => add(size(items)),
            _ => {}
        }
        sum
    }

    fn referred(&mut self, name: &str, value: &Value) -> u64 {
        let mut sum = 0_u64;
        for part in self.parts(name) {
            let pair = (std::ptr::from_ref(part), std::ptr::from_ref(value));
            let known = self.known.get(&pair).copied();
            let cost = known.unwrap_or_else(|| {
                self.known.insert(pair, 0);
                let cost = self.of(part, value);
                self.known.insert(pair, cost);
                cost
            });
            sum = sum.saturating_add(cost);
        }
        sum
    }

    /// What a reference means: a part by its pointer, else whatever has an anchor or an id, for nobody knows better.
    fn parts(&self, name: &str) -> Vec<&'a Value> {
        match name.strip_prefix('#') {
            Some("") => vec![self.root],
            Some(pointer) if pointer.starts_with('/') => self.root.pointer(pointer).into_iter().collect(),
            _ => {
                let mut named = vec![self.root];
                anchors(self.root, &mut named);
                named
            }
        }
    }
}

fn anchors<'a>(schema: &'a Value, found: &mut Vec<&'a Value>) {
    match schema {
        Value::Array(items) => items.iter().for_each(|item| anchors(item, found)),
        Value::Object(object) => {
            if ["$anchor", "$dynamicAnchor", "$id"].iter().any(|key| object.contains_key(*key)) {
                found.push(schema);
            }
            object.values().for_each(|item| anchors(item, found));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    /// A value of so many objects in each other.
    fn nested(levels: usize) -> Value {
        (0..levels).fold(json!("x"), |inner, _| json!({ "a": inner }))
    }

    #[test]
    fn references_that_double_are_refused() {
        let mut parts = Map::new();
        for at in 0..60 {
            let next = json!({ "$ref": format!("#/$defs/d{}", at + 1) });
            parts.insert(format!("d{at}"), json!({ "allOf": [next, next] }));
        }
        parts.insert("d60".to_owned(), json!({}));
        let schema = json!({ "type": "object", "allOf": [{ "$ref": "#/$defs/d0" }], "$defs": parts });
        assert!(!Effort::is_bearable(&schema, &json!({ "a": "x" })));
        let twice = json!({ "anyOf": [{ "allOf": [{ "$ref": "#" }] }, { "allOf": [{ "$ref": "#" }] }] });
        let schema = json!({ "type": "object", "properties": { "a": twice } });
        assert!(!Effort::is_bearable(&schema, &nested(60)));
        assert!(Effort::is_bearable(&schema, &nested(5)));
    }

    #[test]
    fn a_tree_that_refers_to_itself_once_is_fine() {
        let schema = json!({ "type": "object", "properties": {
            "a": { "$ref": "#" }, "list": { "type": "array", "items": { "$ref": "#/$defs/one" } } },
            "$defs": { "one": { "type": "object", "properties": { "n": { "type": "integer" } } } } });
        let many: Vec<_> = (0..10_000).map(|n| json!({ "n": n })).collect();
        assert!(Effort::is_bearable(&schema, &json!({ "a": nested(90), "list": many })));
    }

    #[test]
    fn many_choices_times_many_values_are_refused() {
        let choices: Vec<_> = (0..10_000).map(|n| json!({ "z": n })).collect();
        let values: Vec<_> = (0..10_000).map(|n| json!({ "k": n })).collect();
        let schema = json!({ "properties": { "a": { "items": { "enum": choices } } } });
        assert!(!Effort::is_bearable(&schema, &json!({ "a": values })));
    }
}
