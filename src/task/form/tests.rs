use super::*;
use serde_json::json;

fn form(properties: &Value) -> Result<Form, Vec<Violation>> {
    Form::parse(&json!({ "type": "object", "properties": properties }))
}

#[test]
fn every_field_kind_of_the_specification_is_read() {
    let form = form(&json!({
        "text": { "type": "string", "minLength": 1, "maxLength": 9, "default": "a" },
        "mail": { "type": "string", "format": "email", "title": "E-mail" },
        "real": { "type": "number", "minimum": 0.5, "maximum": 2, "default": 1 },
        "whole": { "type": "integer", "minimum": 1, "default": 3 },
        "sure": { "type": "boolean", "default": true },
        "plain": { "type": "string", "enum": ["a", "b"], "default": "b" },
        "old": { "type": "string", "enum": ["a", "b"], "enumNames": ["A!", "B!"] },
        "titled": { "type": "string", "oneOf": [{ "const": "r", "title": "Red" }] },
        "many": { "type": "array", "items": { "type": "string", "enum": ["x", "y"] }, "minItems": 1 },
        "many_titled": { "type": "array", "default": ["r"],
            "items": { "anyOf": [{ "const": "r", "title": "Red" }] } },
    }))
    .expect("a form");
    let names: Vec<_> = form.fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names[..3], ["text", "mail", "real"], "the schema's order is kept");
    let FieldKind::OneOf { choices, .. } = &form.field("old").expect("old").kind else { panic!("one of") };
    assert_eq!(choices[1], Choice { value: "b".into(), title: "B!".into() });
}

#[test]
fn what_is_not_a_form_is_named() {
    let broken = [
        (json!({ "a": { "type": "object" } }), "/properties/a/type"),
        (json!({ "a": { "type": "array" } }), "/properties/a/items"),
        (json!({ "a": { "type": "string", "enum": [] } }), "/properties/a/enum"),
        (json!({ "a": { "type": "string", "format": "ipv4" } }), "/properties/a/format"),
        (json!({ "a": { "type": "integer", "default": 1.5 } }), "/properties/a/default"),
        (json!({ "a": { "type": "string", "enum": ["x"], "default": "y" } }), "/properties/a/default"),
        (json!({ "a": { "type": "string", "pattern": "(" } }), ""),
        (json!({ "a/b": 5 }), "/properties/a~1b"),
    ];
    for (properties, path) in broken {
        let violations = form(&properties).expect_err(&properties.to_string());
        assert!(violations[0].path.starts_with(path), "{properties}: {violations:?}");
    }
    assert!(Form::parse(&json!("x")).is_err());
    assert!(Form::parse(&json!({ "type": "object", "properties": {}, "required": ["a"] })).is_err());
}

#[test]
fn every_violation_of_an_answer_is_named() {
    let schema = json!({ "type": "object", "required": ["cuisine", "count"], "properties": {
        "cuisine": { "type": "string", "enum": ["thai", "greek"] },
        "count": { "type": "integer", "minimum": 1, "maximum": 4 },
        "mail": { "type": "string", "format": "email" },
        "day": { "type": "string", "format": "date" } } });
    let form = Form::parse(&schema).expect("a form");
    let content = json!({ "cuisine": "french", "count": 9, "mail": "nobody", "day": "2026-13-45" });
    let violations = form.violations(content.as_object().expect("object"));
    assert_eq!(violations.len(), 4, "{violations:?}");
    let good = json!({ "cuisine": "thai", "count": 2, "mail": "a@b.example", "day": "2026-11-23" });
    assert_eq!(form.violations(good.as_object().expect("object")), []);
    assert_eq!(form.violations(&Map::new()).len(), 2, "both required fields");
}

#[test]
fn an_answer_holds_only_flat_values() {
    let form = form(&json!({})).expect("a form");
    let content = json!({ "extra": { "deep": 1 } });
    assert_eq!(form.violations(content.as_object().expect("object")).len(), 1);
}
