//! Schemas as real servers send them: what is read of them, and what an answer is held to.

use serde_json::{Map, Value, json};

use crate::form::{Field, FieldKind, Form, foreign, given};
use crate::task::joined;

/// The form of one needed field, beside definitions.
fn needed(property: &Value) -> Form {
    let schema = json!({ "type": "object", "properties": { "c": property }, "required": ["c"], "$defs": {
        "Level": { "type": "string", "enum": ["l", "h"], "description": "How much." },
        "Home": { "type": "object", "properties": { "street": { "type": "string" }, "zip": { "type": "string" } } },
        "Loop": { "anyOf": [{ "$ref": "#/$defs/Loop" }] } } });
    Form::parse(&schema).expect("is an object")
}

fn field(form: &Form) -> &Field {
    form.field("c").expect("the field")
}

fn faults(form: &Form, value: &Value) -> usize {
    form.violations(&Map::from_iter([("c".to_owned(), value.clone())])).len()
}

/// What a field takes, in short.
fn kind(form: &Form) -> String {
    let field = field(form);
    let values = |choices: &[super::Choice]| {
        choices.iter().map(|one| one.value.to_string()).collect::<Vec<_>>().join("|")
    };
    let kind = match &field.kind {
        FieldKind::Text { .. } => "text".to_owned(),
        FieldKind::Number { integer, .. } => if *integer { "integer" } else { "number" }.to_owned(),
        FieldKind::Boolean => "boolean".to_owned(),
        FieldKind::OneOf { choices } => format!("one of {}", values(choices)),
        FieldKind::SomeOf { choices, .. } => format!("some of {}", values(choices)),
        FieldKind::List { items, .. } => format!("list of {items}"),
        FieldKind::Other { takes } => takes.clone(),
    };
    format!("{kind}{}", if field.nullable { " or null" } else { "" })
}

#[test]
fn every_shape_of_real_servers_is_a_field() {
    let consts = json!([{ "const": "l", "title": "Low" }, { "const": "h" }]);
    for (property, wanted, right, wrong) in [
        (
            json!({ "anyOf": [{ "type": "string" }, { "type": "null" }] }),
            "text or null",
            json!(null),
            json!(1),
        ),
        (json!({ "type": ["integer", "null"] }), "integer or null", json!(1), json!("1")),
        (json!({ "type": "string", "title": null, "description": null }), "text", json!("l"), json!(null)),
        (json!({ "enum": ["l", "h", null] }), r#"one of "l"|"h" or null"#, json!(null), json!("x")),
        (json!({ "oneOf": consts }), r#"one of "l"|"h""#, json!("h"), json!("Low")),
        (json!({ "anyOf": consts }), r#"one of "l"|"h""#, json!("h"), json!("Low")),
        (
            json!({ "anyOf": [{ "enum": [1, 2] }, { "type": "null" }] }),
            "one of 1|2 or null",
            json!(2),
            json!("2"),
        ),
        (json!({ "type": "integer", "enum": [1, 2, 1] }), "one of 1|2", json!(2), json!("2")),
        (json!({ "const": "l" }), r#"one of "l""#, json!("l"), json!("h")),
        (json!({ "$ref": "#/$defs/Level" }), r#"one of "l"|"h""#, json!("h"), json!("x")),
        (json!({ "allOf": [{ "$ref": "#/$defs/Level" }] }), r#"one of "l"|"h""#, json!("h"), json!("x")),
        (
            json!({ "type": "array", "items": { "oneOf": consts } }),
            r#"some of "l"|"h""#,
            json!(["h"]),
            json!("h"),
        ),
        (
            json!({ "type": "array", "items": { "$ref": "#/$defs/Level" } }),
            r#"some of "l"|"h""#,
            json!([]),
            json!([1]),
        ),
        (json!({ "type": "array", "items": { "type": "string" } }), "list of text", json!(["a"]), json!([1])),
        (
            json!({ "type": "array", "items": { "type": "integer" } }),
            "list of whole numbers",
            json!([1]),
            json!(["1"]),
        ),
        (json!({ "type": "array" }), "a JSON list", json!([{}]), json!({})),
        (json!({ "type": "string", "format": "password" }), "text", json!("x"), json!(1)),
        (json!({ "type": "string", "minLength": 1.0 }), "text", json!("x"), json!("")),
        (json!({ "type": "integer", "minimum": 1, "exclusiveMinimum": true }), "integer", json!(1), json!(0)),
        (json!({ "type": "string", "nullable": true }), "text or null", json!(null), json!(1)),
        (
            json!({ "$ref": "#/$defs/Home" }),
            "a JSON object with street (text), zip (text)",
            json!({ "zip": "1" }),
            json!("x"),
        ),
        (json!({ "type": ["string", "integer"] }), "text or a whole number", json!(1), json!(true)),
        (json!({ "type": "object" }), "a JSON object", json!({}), json!([])),
        (json!({ "$ref": "#/$defs/Loop" }), "JSON, or text", json!(1), json!(1)),
        (json!({ "$ref": "https://example.com/x.json" }), "JSON, or text", json!(1), json!(1)),
        (json!({}), "JSON, or text", json!([{}]), json!([{}])),
    ] {
        let form = needed(&property);
        assert_eq!(kind(&form), wanted, "{property}");
        assert_eq!(faults(&form, &right), 0, "{property} refuses {right}");
        let refused = faults(&form, &wrong) > 0;
        assert!(refused || wrong == right, "{property} takes {wrong}");
        let schema = json!({ "type": "object", "properties": { "c": property } });
        assert!(
            !foreign(&schema).is_empty(),
            "{property} is no field of MCP's forms, so it is not asked here"
        );
    }
}

#[test]
fn a_field_that_nobody_can_fill_in_says_so() {
    for property in [json!({ "enum": [] }), json!({ "type": "string", "enum": [] }), json!(false)] {
        let form = needed(&property);
        assert_eq!(kind(&form), "JSON, of which no value fits its schema", "{property}");
        for value in [json!("x"), json!(null), json!([])] {
            assert!(faults(&form, &value) > 0, "{property} takes {value}");
        }
    }
    for property in [json!({ "enum": [null] }), json!({ "type": "null" })] {
        let form = needed(&property);
        assert_eq!((kind(&form).as_str(), faults(&form, &Value::Null)), ("null or null", 0), "{property}");
    }
    // What is no schema is left out, as elsewhere: a line of JSON or text that its server may refuse.
    for property in [json!({ "oneOf": [] }), json!({ "anyOf": [] })] {
        assert_eq!(kind(&needed(&property)), "JSON, or text", "{property}");
    }
}

#[test]
fn what_is_wrong_with_a_secret_is_said_without_it() {
    for property in [
        json!({ "type": "string", "format": "password", "minLength": 8 }),
        json!({ "type": "string", "writeOnly": true, "minLength": 8 }),
        json!({ "type": "integer", "writeOnly": true }),
    ] {
        let form = needed(&property);
        let field = field(&form);
        assert!(field.is_secret && field.show(&json!("hunter2")) == "(hidden)", "{property}");
        let problem = form.read(field, "hunter2").expect_err("it does not fit");
        assert!(problem.starts_with("it does not fit: ") && !problem.contains("hunter2"), "{problem}");
        let content = Map::from_iter([(field.name.clone(), json!("hunter2"))]);
        let said = joined(&form.violations(&content));
        assert!(said.contains("it does not fit: ") && !said.contains("hunter2"), "{said}");
        let said =
            joined(&given::content(&form, &[(&field.name, "hunter2")], "").expect_err("it does not fit"));
        assert!(said.contains("it does not fit: ") && !said.contains("hunter2"), "{said}");
    }
    for property in [json!({ "type": "string" }), json!({ "enum": ["a"], "writeOnly": true })] {
        assert!(!field(&needed(&property)).is_secret, "{property}");
    }
}

#[test]
fn references_that_are_not_followed_are_a_line_of_json() {
    for name in ["#level", "#/$defs/Le%76el", "#/%24defs/Level", "https://example.com/x.json#/a"] {
        let form = needed(&json!({ "$ref": name }));
        assert_eq!(kind(&form), "JSON, or text", "{name}");
        assert_eq!(faults(&form, &json!("h")), 0, "{name}");
    }
}

#[test]
fn a_default_that_the_schema_refuses_is_none() {
    for (property, wanted) in [
        (json!({ "type": "string", "default": null }), None),
        (json!({ "enum": ["a"], "default": "b" }), None),
        (json!({ "type": "array", "items": { "enum": ["a"] }, "default": ["a", "b"] }), None),
        (json!({ "type": "integer", "maximum": 3, "default": 4 }), None),
        (json!({ "type": "integer", "default": "4" }), None),
        (json!({ "type": "integer", "default": 4 }), Some(json!(4))),
        (json!({ "type": ["string", "null"], "default": null }), Some(Value::Null)),
        (json!({ "type": "object", "default": { "a": 1 } }), Some(json!({ "a": 1 }))),
    ] {
        assert_eq!(field(&needed(&property)).default, wanted, "{property}");
    }
}

#[test]
fn what_is_left_empty_is_null_only_where_it_has_to_be() {
    let form = Form::parse(&json!({ "type": "object", "required": ["needed"], "properties": {
        "needed": { "type": ["string", "null"] }, "free": { "type": ["string", "null"], "default": null },
        "set": { "type": ["integer", "null"], "default": 5 }, "plain": { "type": "string" } } }))
    .expect("a form");
    let empty: Vec<_> = form.fields.iter().map(Field::empty).collect();
    assert_eq!(empty, [Some(Value::Null), None, Some(Value::Null), None]);
}

#[test]
fn fields_are_found_through_references_and_what_a_schema_is_made_of() {
    let form = Form::parse(&json!({ "$ref": "#/$defs/Base", "required": ["other"],
        "allOf": [{ "properties": { "b": { "type": "integer" } }, "required": ["b"] }],
        "$defs": { "Base": { "type": "object", "properties": { "a": { "type": "string" } } } } }))
    .expect("a form");
    let fields: Vec<_> = form.fields.iter().map(|one| (one.name.as_str(), one.required)).collect();
    assert_eq!(fields, [("a", false), ("b", true), ("other", true)]);
    assert!(form.property("a").is_some());
}

#[test]
fn what_cannot_be_told_field_by_field_is_given_as_a_whole() {
    let variant =
        |kind: &str| json!({ "properties": { "kind": { "const": kind }, kind: { "type": "string" } } });
    for schema in [
        json!({ "type": "object", "oneOf": [variant("a"), variant("b")] }),
        json!({ "type": "object", "additionalProperties": { "type": "integer" } }),
        json!({ "type": "array" }),
    ] {
        assert!(Form::parse(&schema).expect("an object").is_whole, "{schema}");
    }
    for schema in [json!({ "type": "object", "properties": {} }), json!({}), json!({ "type": "object" })] {
        let form = Form::parse(&schema).expect("an object");
        assert!(!form.is_whole && form.fields.is_empty(), "{schema}");
    }
    let either = json!({ "properties": { "a": {}, "b": {} }, "anyOf": [{ "required": ["a"] }, { "required": ["b"] }] });
    let form = Form::parse(&either).expect("an object");
    assert_eq!(
        (form.fields.len(), form.violations(&Map::new()).len()),
        (2, 1),
        "the whole schema is checked"
    );
}

#[test]
fn what_cannot_be_compiled_is_left_out_and_the_rest_is_checked() {
    let email = "^(?!\\.)(?!.*\\.\\.)([A-Za-z0-9_'+\\-\\.]*)[A-Za-z0-9_+-]@([A-Za-z0-9][A-Za-z0-9\\-]*\\.)+[A-Za-z]{2,}$";
    let form = needed(&json!({ "type": "string", "pattern": email }));
    assert_eq!(
        (faults(&form, &json!("a@b.example")), faults(&form, &json!("a..b@c.example"))),
        (0, 1),
        "Zod's"
    );
    for property in [
        json!({ "type": "string", "maxLength": 3, "pattern": "(" }),
        json!({ "type": "string", "maxLength": 3, "$ref": "https://example.com/x" }),
        json!({ "type": "string", "maxLength": 3, "$ref": "#nowhere", "$dynamicRef": "#nowhere" }),
        json!({ "type": "string", "maxLength": 3, "required": true }),
        json!({ "type": "string", "maxLength": 3, "anyOf": [5] }),
        json!({ "type": "string", "maxLength": 3, "$id": "not a uri at all %%", "$schema": "x" }),
        json!({ "type": "string", "maxLength": 3, "enum": null, "minLength": null }),
    ] {
        let form = needed(&property);
        assert_eq!((faults(&form, &json!("abc")), faults(&form, &json!("abcd"))), (0, 1), "{property}");
    }
}

#[test]
fn patterns_of_strangers_end_soon() {
    let form = needed(&json!({ "type": "string", "pattern": "^(?=a)(a+)+\\1$" }));
    let began = std::time::Instant::now();
    faults(&form, &json!(format!("{}!", "a".repeat(10_000))));
    let many: Map<String, Value> = (0..1000)
        .map(|at| (format!("f{at}"), json!({ "type": "string", "pattern": "^(?=a)a{1,99}$" })))
        .collect();
    assert_eq!(Form::parse(&json!({ "properties": many })).expect("a form").fields.len(), 1000);
    assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
}

#[test]
fn a_schema_that_refers_to_itself_everywhere_is_read_soon() {
    let again = json!({ "anyOf": [{ "$ref": "#/$defs/Loop" }, { "$ref": "#/$defs/Loop" }] });
    let fields: Map<String, Value> = (0..200).map(|at| (format!("f{at}"), again.clone())).collect();
    let began = std::time::Instant::now();
    let schema = json!({ "properties": fields, "$ref": "#", "$defs": { "Loop": again } });
    assert_eq!(Form::parse(&schema).expect("an object").fields.len(), 200);
    assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
    let many: Map<String, Value> = (0..5000).map(|at| (format!("f{at}"), json!({}))).collect();
    assert!(Form::parse(&json!({ "properties": many })).expect("an object").is_whole);
}
