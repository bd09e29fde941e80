//! Forms as real servers send them: the Python SDK and Pydantic, Zod, the PHP SDK, `MCPJam`. Each is asked by `forms.py`, and
//! answered in every way that there is.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use serde_json::{Value, json};

/// One field, and its answer.
pub(crate) struct Shape {
    /// The schema of the field `c`, which is needed.
    pub(crate) property: Value,
    /// What is typed behind `c=`.
    pub(crate) set: &'static str,
    /// What the prompt shows, and the keys that are pressed there.
    pub(crate) keys: Vec<(&'static str, &'static str)>,
    /// What arrives.
    pub(crate) value: Value,
}

impl Shape {
    /// The whole schema, with definitions that the field may refer to.
    pub(crate) fn schema(&self) -> Value {
        json!({ "type": "object", "properties": { "c": self.property }, "required": ["c"], "$defs": {
            "Level": { "type": "string", "enum": ["l", "h"], "title": "Level" },
            "Count": { "type": "integer", "minimum": 1 },
            "Home": { "type": "object", "title": "Home", "required": ["street"], "properties": {
                "street": { "type": "string" }, "zip": { "type": "string" } } } } })
    }

    /// The command of the server that asks it.
    pub(crate) fn server(file: &str) -> String {
        format!("python3 {}/tests/support/forms.py {file}", env!("CARGO_MANIFEST_DIR"))
    }
}

const ENTER: &str = "\r";
const DOWN: &str = "\u{1b}[B";

/// A field that is typed on a line, and what arrives.
fn line(property: Value, typed: &'static str, value: Value) -> Shape {
    Shape { property, set: typed, keys: vec![("c: ", typed), ("", ENTER)], value }
}

/// A list of which the second is chosen, or the first behind the last that stands for null; the last title is waited for, as each drawing ends with it.
fn second(property: Value, set: &'static str, last: &'static str, value: Value) -> Shape {
    Shape { property, set, keys: vec![(last, DOWN), (last, ENTER)], value }
}

/// A list of several of which the first is chosen.
fn first_of(property: Value, set: &'static str, last: &'static str, value: Value) -> Shape {
    Shape { property, set, keys: vec![(last, " "), (last, ENTER)], value }
}

/// All of them.
pub(crate) fn shapes() -> Vec<Shape> {
    let (low, high) = (json!({ "const": "l", "title": "Low" }), json!({ "const": "h", "title": "High" }));
    let titled = json!([low, high]);
    let none = json!({ "type": "null" });
    let level = json!({ "$ref": "#/$defs/Level" });
    let empty =
        |property: Value| Shape { property, set: "null", keys: vec![("c: ", ENTER)], value: Value::Null };
    vec![
        // The Python SDK and Pydantic: Optional, Literal, Enum, lists, dates, models within models.
        line(
            json!({ "anyOf": [{ "type": "string" }, none], "default": null, "title": "c" }),
            "l",
            json!("l"),
        ),
        empty(json!({ "anyOf": [{ "type": "integer" }, none], "title": "c" })),
        line(json!({ "anyOf": [{ "type": "integer", "minimum": 2 }, none], "title": "c" }), "3", json!(3)),
        Shape {
            property: json!({ "anyOf": [{ "type": "boolean" }, none] }),
            set: "yes",
            keys: vec![("(none)", " "), ("yes", ENTER)],
            value: json!(true),
        },
        second(
            json!({ "anyOf": [{ "enum": ["l", "h"], "type": "string" }, none] }),
            "l",
            "(none)",
            json!("l"),
        ),
        second(level.clone(), "h", "h", json!("h")),
        second(json!({ "allOf": [level], "default": "l" }), "h", "h", json!("h")),
        line(json!({ "type": "array", "items": { "type": "string" } }), "a, b", json!(["a", "b"])),
        line(json!({ "type": "array", "items": { "$ref": "#/$defs/Count" } }), "1,2", json!([1, 2])),
        first_of(json!({ "type": "array", "items": level }), "l", "h", json!(["l"])),
        line(json!({ "$ref": "#/$defs/Home" }), "{\"street\":\"x\"}", json!({ "street": "x" })),
        line(
            json!({ "type": "array", "items": { "$ref": "#/$defs/Home" } }),
            "[{\"street\":\"x\"}]",
            json!([{ "street": "x" }]),
        ),
        line(
            json!({ "type": "object", "additionalProperties": { "type": "integer" } }),
            "{\"a\":1}",
            json!({ "a": 1 }),
        ),
        line(json!({ "anyOf": [{ "type": "integer" }, { "type": "string" }] }), "5", json!(5)),
        second(json!({ "enum": [1, 2], "type": "integer" }), "2", "2", json!(2)),
        line(
            json!({ "type": "string", "format": "uuid" }),
            "6f9619ff-8b86-d011-b42d-00c04fc964ff",
            json!("6f9619ff-8b86-d011-b42d-00c04fc964ff"),
        ),
        // Zod: const, anyOf of consts, bounds that MCP's forms do not have, patterns that look ahead.
        Shape { property: json!({ "const": "l" }), set: "l", keys: vec![("l", ENTER)], value: json!("l") },
        second(json!({ "anyOf": titled }), "h", "High", json!("h")),
        line(json!({ "type": "integer", "exclusiveMinimum": 0, "multipleOf": 5 }), "5", json!(5)),
        line(
            json!({ "type": "string", "format": "email", "pattern": "^(?!\\.)(?!.*\\.\\.)[a-z.]+@[a-z.]+$" }),
            "a@b.example",
            json!("a@b.example"),
        ),
        // PHP and `MCPJam`: null for what is not set, choices without a type, items.oneOf, floats for counts.
        line(json!({ "type": "string", "title": null, "description": null }), "l", json!("l")),
        line(json!({ "type": "string", "default": null }), "l", json!("l")),
        line(json!({ "type": ["string", "null"] }), "l", json!("l")),
        second(json!({ "oneOf": titled }), "h", "High", json!("h")),
        second(json!({ "enum": ["l", "h"] }), "h", "h", json!("h")),
        second(json!({ "enum": ["l", "h"], "default": "none of them" }), "h", "h", json!("h")),
        first_of(json!({ "type": "array", "items": { "oneOf": titled } }), "Low", "High", json!(["l"])),
        line(json!({ "type": "string", "minLength": 1.0 }), "l", json!("l")),
        line(json!({ "type": "string", "format": "password" }), "l", json!("l")),
        line(json!({ "type": "integer", "format": "int32" }), "1", json!(1)),
        line(json!({ "type": "string", "nullable": true }), "l", json!("l")),
        line(json!({}), "[1]", json!([1])),
    ]
}
