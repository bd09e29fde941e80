//! Reading the properties of any schema into fields, as far as they can be filled in one by one: what strangers send is
//! more than MCP's forms have. Whether an answer is right says the whole schema.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::shape::{self, MOST_DEPTH, MOST_PARTS, Shape, Type};
use super::{Choice, Field, FieldKind};

/// The most fields that are told apart. As many as a question of ours has room for are fewer.
const MOST_FIELDS: usize = 4000;

/// The fields of a schema, in its order; those that are only required, last. `None` where what an answer holds cannot be
/// told field by field.
pub(super) fn all(root: &Value) -> Option<Vec<Field>> {
    let mut found = Properties { root, all: Vec::new(), required: Vec::new(), left: MOST_PARTS };
    let is_whole = found.read(root, 0);
    let Properties { mut all, required, .. } = found;
    let nothing = &Value::Bool(true);
    all.extend(required.iter().map(|name| (*name, nothing)));
    let mut seen = BTreeSet::new();
    all.retain(|(name, _)| seen.insert(*name));
    if is_whole || all.len() > MOST_FIELDS || (all.is_empty() && is_open(root)) {
        return None;
    }
    let required: BTreeSet<&str> = required.into_iter().collect();
    let field = |(name, property): (&str, &Value)| read(root, name, property, required.contains(name));
    Some(all.into_iter().map(field).collect())
}

/// A stranger's schema as one that is an object. One that is none, such as `true`, says nothing of what it takes, so that
/// the content is given as a whole.
pub(crate) fn of_object(schema: &Value) -> Value {
    if schema.is_object() { schema.clone() } else { json!({ "type": "object", "minProperties": 0 }) }
}

/// Whether a schema without properties says something of what an answer holds all the same.
fn is_open(root: &Value) -> bool {
    let has = |key: &str| root.get(key).is_some();
    let is_other = root.get("type").is_some_and(|name| name != "object");
    let additional = root.get("additionalProperties").and_then(Value::as_object);
    is_other
        || additional.is_some_and(|schema| !schema.is_empty())
        || ["anyOf", "oneOf", "patternProperties", "propertyNames", "minProperties", "$ref"]
            .into_iter()
            .any(has)
}

/// A walk through a schema for the properties of the object that it describes.
struct Properties<'a> {
    root: &'a Value,
    all: Vec<(&'a str, &'a Value)>,
    required: Vec<&'a str>,
    /// How many parts may still be looked at.
    left: usize,
}

impl<'a> Properties<'a> {
    /// Reads a part that holds for the whole. Whether it has alternatives with properties of their own: then nobody
    /// knows which fields there are before one of them was chosen.
    fn read(&mut self, schema: &'a Value, depth: usize) -> bool {
        let (Some(object), Some(left)) = (schema.as_object(), self.left.checked_sub(1)) else { return false };
        if depth == MOST_DEPTH {
            return false;
        }
        self.left = left;
        let named = object.get("properties").and_then(Value::as_object).into_iter().flatten();
        self.all.extend(named.map(|(name, property)| (name.as_str(), property)));
        let required = list(object, "required").filter_map(Value::as_str);
        self.required.extend(required);
        let target =
            object.get("$ref").and_then(Value::as_str).and_then(|name| shape::referred(self.root, name));
        let mut parts = target.into_iter().chain(list(object, "allOf"));
        self.has_alternatives(object) || parts.any(|part| self.read(part, depth + 1))
    }

    fn has_alternatives(&self, object: &'a Map<String, Value>) -> bool {
        let mut alternatives = ["anyOf", "oneOf"].into_iter().flat_map(|key| list(object, key));
        alternatives.any(|part| {
            let target =
                part.get("$ref").and_then(Value::as_str).and_then(|name| shape::referred(self.root, name));
            target.unwrap_or(part).get("properties").is_some()
        })
    }
}

fn list<'a>(object: &'a Map<String, Value>, key: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    object.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn read(root: &Value, name: &str, property: &Value, required: bool) -> Field {
    let shape = Shape::of(root, Some(property));
    let words = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let nullable = shape.is_nullable();
    // Null stands for nothing, unless nothing may not be.
    let default = property.get("default").filter(|default| !default.is_null() || (nullable && required));
    let kind = kind(root, &shape);
    let is_typed = !matches!(kind, FieldKind::Boolean | FieldKind::OneOf { .. } | FieldKind::SomeOf { .. });
    Field {
        name: name.to_owned(),
        title: words(property.get("title")),
        description: words(shape.said("description")),
        required,
        nullable,
        default: default.cloned(),
        is_secret: is_typed && says_secret(&shape),
        kind,
    }
}

fn says_secret(shape: &Shape<'_>) -> bool {
    shape.said("format").is_some_and(|format| format == "password")
        || shape.said("writeOnly") == Some(&Value::Bool(true))
}

fn kind(root: &Value, shape: &Shape<'_>) -> FieldKind {
    let choices = choices(shape);
    let types = types(shape);
    match (choices.is_empty(), types.as_slice()) {
        (false, []) => FieldKind::OneOf { choices },
        (true, [Type::Text]) => text(shape),
        (true, [Type::Integer]) => number(shape, true),
        (true, [Type::Number] | [Type::Integer, Type::Number] | [Type::Number, Type::Integer]) => {
            number(shape, false)
        }
        (true, [Type::Boolean]) => FieldKind::Boolean,
        (true, [Type::List]) => of_list(root, shape),
        _ => FieldKind::Other { takes: in_words(shape, &choices, &types) },
    }
}

/// Its choices but null, each once.
fn choices(shape: &Shape<'_>) -> Vec<Choice> {
    let mut seen = BTreeSet::new();
    let choices = shape.choices.iter().filter(|choice| !choice.value.is_null());
    let distinct = choices.filter(|choice| seen.insert(choice.value.to_string()));
    distinct.map(|choice| Choice::new(choice.value, choice.title)).collect()
}

/// Its types but null, each once.
fn types(shape: &Shape<'_>) -> Vec<Type> {
    let mut found = Vec::new();
    for one in &shape.types {
        if *one != Type::Null && !found.contains(one) {
            found.push(*one);
        }
    }
    found
}

fn text(shape: &Shape<'_>) -> FieldKind {
    let words = |key: &str| shape.said(key).and_then(Value::as_str).map(str::to_owned);
    FieldKind::Text {
        min_length: count(shape, "minLength"),
        max_length: count(shape, "maxLength"),
        format: words("format"),
        pattern: words("pattern"),
    }
}

fn number(shape: &Shape<'_>, integer: bool) -> FieldKind {
    let bound = |key: &str| shape.said(key).and_then(Value::as_f64);
    FieldKind::Number { integer, minimum: bound("minimum"), maximum: bound("maximum") }
}

fn of_list(root: &Value, shape: &Shape<'_>) -> FieldKind {
    let (min_items, max_items) = (count(shape, "minItems"), count(shape, "maxItems"));
    let items = Shape::of(root, shape.items);
    let (choices, types) = (choices(&items), types(&items));
    let is_plain = |one: &Type| matches!(one, Type::Text | Type::Integer | Type::Number | Type::Boolean);
    match (choices.is_empty(), types.as_slice()) {
        (false, []) if !items.is_nullable() => FieldKind::SomeOf { choices, min_items, max_items },
        (true, [only]) if is_plain(only) && !items.is_nullable() => {
            FieldKind::List { items: only.several(), min_items, max_items }
        }
        _ => FieldKind::Other { takes: "a JSON list".to_owned() },
    }
}

/// A count, which some write as 1.0.
fn count(shape: &Shape<'_>, key: &str) -> Option<u64> {
    let value = shape.said(key)?;
    let whole = || value.as_f64().filter(|float| float.fract() == 0.0).map(|float| float.to_string());
    value.as_u64().or_else(|| whole()?.parse().ok())
}

/// The most names of a JSON object's properties that are said.
const MOST_NAMES: usize = 12;

fn in_words(shape: &Shape<'_>, choices: &[Choice], types: &[Type]) -> String {
    let of_type = |one: &Type| match one {
        Type::Object => object_in_words(shape),
        Type::List => "a JSON list".to_owned(),
        Type::Anything => "JSON, or text".to_owned(),
        other => other.words().to_owned(),
    };
    let choices = choices.iter().map(|choice| choice.text.clone());
    let all: Vec<String> = choices.chain(types.iter().map(of_type)).collect();
    match all.is_empty() {
        true if shape.is_nullable() => "null".to_owned(),
        // Such as an enum without values. What is typed all the same is checked against the whole schema.
        true => "JSON, of which no value fits its schema".to_owned(),
        false => all.join(" or "),
    }
}

fn object_in_words(shape: &Shape<'_>) -> String {
    let properties = shape.said("properties").and_then(Value::as_object);
    let needed = shape.said("required").and_then(Value::as_array);
    let part = |(name, property): (&String, &Value)| {
        let kind = property.get("type").and_then(Value::as_str).and_then(Type::of);
        let is_needed = needed.is_some_and(|names| names.iter().any(|one| one == name));
        let about: Vec<&str> =
            kind.map(Type::words).into_iter().chain(is_needed.then_some("needed")).collect();
        if about.is_empty() { name.clone() } else { format!("{name} ({})", about.join(", ")) }
    };
    let names: Vec<String> = properties.into_iter().flatten().map(part).collect();
    let more = if names.len() > MOST_NAMES { ", …" } else { "" };
    match names.as_slice() {
        [] => "a JSON object".to_owned(),
        names => format!("a JSON object with {}{more}", names[..names.len().min(MOST_NAMES)].join(", ")),
    }
}
