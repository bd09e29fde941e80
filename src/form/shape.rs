//! What a schema takes, as far as one who types a value need know: choices and types, through references,
//! alternatives and lists of types. Fields of forms and what is typed for them stand on this one reading.

use serde_json::{Map, Value};

/// A type of JSON Schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Null,
    Integer,
    Number,
    Boolean,
    Object,
    List,
    Text,
    /// Whatever is typed.
    Anything,
}

impl Type {
    /// The type of that name.
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "null" => Self::Null,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "boolean" => Self::Boolean,
            "object" => Self::Object,
            "array" => Self::List,
            "string" => Self::Text,
            _ => return None,
        })
    }

    /// A value of it, in words.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Integer => "a whole number",
            Self::Number => "a number",
            Self::Boolean => "true or false",
            Self::Object => "a JSON object",
            Self::List => "a list",
            Self::Text => "text",
            Self::Anything => "anything",
        }
    }

    /// Values of it, in words.
    pub(crate) fn several(self) -> &'static str {
        match self {
            Self::Integer => "whole numbers",
            Self::Number => "numbers",
            Self::Boolean => "true or false",
            Self::Text => "text",
            Self::Null | Self::Object | Self::List | Self::Anything => "JSON",
        }
    }
}

/// One value of several.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Choice<'a> {
    /// What is sent.
    pub(crate) value: &'a Value,
    /// What is shown, where that is something else.
    pub(crate) title: Option<&'a str>,
}

/// What a schema takes.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Shape<'a> {
    /// Values that are named.
    pub(crate) choices: Vec<Choice<'a>>,
    /// Types of which any value does.
    pub(crate) types: Vec<Type>,
    /// The schema of a list's items.
    pub(crate) items: Option<&'a Value>,
    /// The parts of the schema that say more of it, the outermost first; none of several alternatives.
    parts: Vec<&'a Map<String, Value>>,
}

/// The most parts of one schema that are looked at: a schema may refer to itself, and comes from strangers.
pub(super) const MOST_PARTS: usize = 1000;

/// The most parts that are within each other.
pub(super) const MOST_DEPTH: usize = 40;

impl<'a> Shape<'a> {
    /// The shape of `schema`, whose references are into `root`; without a schema anything is taken.
    pub(crate) fn of(root: &'a Value, schema: Option<&'a Value>) -> Self {
        let mut reading = Reading { root, left: MOST_PARTS, depth: 0 };
        reading.shape(schema.unwrap_or(&Value::Null), false)
    }

    /// Whether any value of the type does.
    pub(crate) fn takes(&self, wanted: Type) -> bool {
        self.types.contains(&wanted)
    }

    /// What the first part that has the keyword says.
    pub(crate) fn said(&self, keyword: &str) -> Option<&'a Value> {
        self.parts.iter().find_map(|part| part.get(keyword))
    }

    /// Whether null is taken.
    pub(crate) fn is_nullable(&self) -> bool {
        self.takes(Type::Null) || self.choices.iter().any(|choice| choice.value.is_null())
    }

    fn one(wanted: Type) -> Self {
        Self { types: vec![wanted], ..Self::default() }
    }

    fn add(&mut self, other: Self) {
        self.choices.extend(other.choices);
        self.types.extend(other.types);
        self.items = self.items.or(other.items);
    }

    fn is_null(&self) -> bool {
        let is_null = |choice: &Choice<'_>| choice.value.is_null();
        self.types.iter().all(|one| *one == Type::Null) && self.choices.iter().all(is_null)
    }
}

/// A property of a schema of an object, through references and what it is made of.
pub(crate) fn property<'a>(root: &'a Value, name: &str) -> Option<&'a Value> {
    fn found<'a>(root: &'a Value, schema: &'a Value, name: &str, left: &mut usize) -> Option<&'a Value> {
        *left = left.checked_sub(1)?;
        if let Some(property) = schema.get("properties").and_then(|properties| properties.get(name)) {
            return Some(property);
        }
        let target = schema.get("$ref").and_then(Value::as_str).and_then(|name| referred(root, name));
        let parts = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
        target.into_iter().chain(parts).find_map(|part| found(root, part, name, left))
    }
    let other = || root.get("additionalProperties").filter(|other| other.is_object());
    found(root, root, name, &mut MOST_PARTS.clone()).or_else(other)
}

/// Whether any part of the schema names the property, or says what those take that it does not name.
pub(super) fn mentions(schema: &Value, name: &str) -> bool {
    match schema {
        Value::Array(parts) => parts.iter().any(|part| mentions(part, name)),
        Value::Object(object) => {
            let names = object.get("properties").and_then(Value::as_object);
            let needed = object.get("required").and_then(Value::as_array);
            let others = ["additionalProperties", "unevaluatedProperties", "patternProperties", "$ref"];
            names.is_some_and(|names| names.contains_key(name))
                || needed.is_some_and(|names| names.iter().any(|one| one == name))
                || others.iter().any(|key| object.get(*key).is_some_and(|said| !said.is_boolean()))
                || object.values().any(|part| mentions(part, name))
        }
        _ => false,
    }
}

pub(super) fn referred<'a>(root: &'a Value, name: &str) -> Option<&'a Value> {
    root.pointer(name.strip_prefix('#')?)
}

/// A walk through a schema.
struct Reading<'a> {
    root: &'a Value,
    /// How many parts may still be looked at.
    left: usize,
    /// How many parts the present one is within.
    depth: usize,
}

impl<'a> Reading<'a> {
    /// `is_choice` says that the schema is one of alternatives, whose title names what it takes.
    fn shape(&mut self, schema: &'a Value, is_choice: bool) -> Shape<'a> {
        if *schema == Value::Bool(false) {
            return Shape::default();
        }
        let (Some(object), Some(left)) = (schema.as_object(), self.left.checked_sub(1)) else {
            return Shape::one(Type::Anything);
        };
        if self.depth == MOST_DEPTH {
            return Shape::one(Type::Anything);
        }
        (self.left, self.depth) = (left, self.depth + 1);
        let shape = self.of_object(object, is_choice);
        self.depth -= 1;
        shape
    }

    fn of_object(&mut self, object: &'a Map<String, Value>, is_choice: bool) -> Shape<'a> {
        let title = object.get("title").and_then(Value::as_str).filter(|_| is_choice);
        let mut shape = if let Some(value) = object.get("const") {
            Shape { choices: vec![Choice { value, title }], ..Shape::default() }
        } else if let Some(values) = object.get("enum").and_then(Value::as_array) {
            Shape { choices: named(object, values, title), ..Shape::default() }
        } else {
            self.of_parts(object)
        };
        if object.get("nullable") == Some(&Value::Bool(true)) && !shape.is_nullable() {
            shape.types.push(Type::Null);
        }
        shape.parts.insert(0, object);
        shape
    }

    fn of_parts(&mut self, object: &'a Map<String, Value>) -> Shape<'a> {
        let own = own(object);
        let target = object.get("$ref").and_then(Value::as_str).and_then(|name| referred(self.root, name));
        if let Some(target) = target {
            return self.shape(target, false);
        }
        for key in ["anyOf", "oneOf"] {
            if let Some(parts) = object.get(key).and_then(Value::as_array) {
                return self.alternatives(parts, &own);
            }
        }
        // All of them hold, so that the narrowest says what can be typed.
        let parts = object.get("allOf").and_then(Value::as_array).into_iter().flatten();
        let shapes: Vec<_> = parts.map(|part| self.shape(part, false)).collect();
        let chosen = shapes.iter().find(|shape| !shape.choices.is_empty());
        let chosen = chosen.or_else(|| shapes.iter().find(|shape| !shape.takes(Type::Anything)));
        let parts = shapes.iter().flat_map(|shape| shape.parts.iter().copied()).collect();
        Shape { parts, ..chosen.cloned().unwrap_or(own) }
    }

    /// An alternative that says nothing of types has those that stand beside all alternatives.
    fn alternatives(&mut self, parts: &'a [Value], own: &Shape<'a>) -> Shape<'a> {
        let mut sum = Shape::default();
        let shapes: Vec<_> = parts.iter().map(|part| self.shape(part, true)).collect();
        let mut that_are = shapes.iter().filter(|shape| !shape.is_null());
        // What one of several says does not hold for the others.
        if let (Some(only), None) = (that_are.next(), that_are.next()) {
            sum.parts.clone_from(&only.parts);
        }
        for shape in shapes {
            sum.add(if shape.takes(Type::Anything) { own.clone() } else { shape });
        }
        sum
    }
}

/// The types that a schema names itself.
fn own(object: &Map<String, Value>) -> Shape<'_> {
    let names: Vec<&str> = match object.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ if object.contains_key("properties") => vec!["object"],
        _ if object.contains_key("items") => vec!["array"],
        _ => Vec::new(),
    };
    let types: Vec<Type> = names.into_iter().filter_map(Type::of).collect();
    let types = if types.is_empty() { vec![Type::Anything] } else { types };
    Shape { types, items: object.get("items"), ..Shape::default() }
}

/// The choices of an `enum`, with the older `enumNames` as titles.
fn named<'a>(object: &'a Map<String, Value>, values: &'a [Value], title: Option<&'a str>) -> Vec<Choice<'a>> {
    let titles = object.get("enumNames").and_then(Value::as_array);
    let only = title.filter(|_| values.len() == 1);
    let title = |at: usize| titles.and_then(|titles| titles.get(at)).and_then(Value::as_str).or(only);
    values.iter().enumerate().map(|(at, value)| Choice { value, title: title(at) }).collect()
}
