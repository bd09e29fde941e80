use super::*;
use serde_json::json;

mod strangers;

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
    let FieldKind::OneOf { choices } = &form.field("old").expect("old").kind else { panic!("one of") };
    assert_eq!(choices[1], Choice { value: json!("b"), text: "b".into(), title: "B!".into() });
    let default = |name: &str| form.field(name).and_then(|field| field.default.clone());
    assert_eq!((default("text"), default("many_titled")), (Some(json!("a")), Some(json!(["r"]))));
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
        let violations = foreign(&json!({ "type": "object", "properties": properties }));
        assert!(
            violations.first().is_some_and(|one| one.path.starts_with(path)),
            "{properties}: {violations:?}"
        );
    }
    assert!(Form::parse(&json!("x")).is_err());
    assert_eq!(foreign(&json!({ "type": "object", "properties": {}, "required": ["a"] })).len(), 1);
    assert_eq!(foreign(&json!({})).len(), 2);
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
fn a_pattern_is_enforced() {
    let form = form(&json!({ "code": { "type": "string", "pattern": "^[a-z]+$" } })).expect("a form");
    for (code, faults) in [("abc", 0), ("a1", 1)] {
        let content = json!({ "code": code });
        assert_eq!(form.violations(content.as_object().expect("object")).len(), faults, "{code}");
    }
}

#[test]
fn each_bound_and_format_is_enforced() {
    let form = form(&json!({
        "short": { "type": "string", "minLength": 2, "maxLength": 3 },
        "mail": { "type": "string", "format": "email" },
        "page": { "type": "string", "format": "uri" },
        "day": { "type": "string", "format": "date" },
        "at": { "type": "string", "format": "date-time" },
        "real": { "type": "number", "minimum": 0.5, "maximum": 2 },
        "whole": { "type": "integer" },
        "sure": { "type": "boolean" },
        "one": { "type": "string", "oneOf": [{ "const": "r", "title": "Red" }] },
        "many": { "type": "array", "minItems": 1, "maxItems": 1,
            "items": { "anyOf": [{ "const": "r", "title": "Red" }, { "const": "b", "title": "Blue" }] } },
    }))
    .expect("a form");
    let tried = [
        ("short", json!("ab"), vec![json!("a"), json!("abcd"), json!(5)]),
        ("mail", json!("a@b.example"), vec![json!("a")]),
        ("page", json!("https://a.example"), vec![json!("a page")]),
        ("day", json!("2026-11-23"), vec![json!("2026-13-01")]),
        ("at", json!("2026-11-23T10:00:00Z"), vec![json!("2026-11-23")]),
        ("real", json!(0.5), vec![json!(0.4), json!(2.1), json!("1")]),
        ("whole", json!(3), vec![json!(3.5)]),
        ("sure", json!(false), vec![json!("false")]),
        ("one", json!("r"), vec![json!("Red"), json!("b")]),
        ("many", json!(["b"]), vec![json!([]), json!(["r", "b"]), json!(["x"]), json!("r")]),
    ];
    for (name, right, wrong) in tried {
        let faults = |value: &Value| form.violations(&Map::from_iter([(name.to_owned(), value.clone())]));
        assert_eq!(faults(&right), [], "{name}");
        for value in wrong {
            assert!(!faults(&value).is_empty(), "{name} takes {value}");
        }
    }
}

#[test]
fn an_answer_holds_only_flat_values() {
    let form = form(&json!({})).expect("a form");
    let content = json!({ "extra": { "deep": 1 } });
    assert_eq!(form.violations(content.as_object().expect("object")).len(), 1);
}

#[test]
fn what_no_part_of_a_schema_names_has_to_be_flat_too() {
    let variant = |name: &str| json!({ "properties": { name: { "type": "object" } } });
    let schemas = [json!({ "type": "object", "oneOf": [variant("a"), variant("b")] }), json!(true)];
    let content = json!({ "extra": { "deep": 1 } });
    for schema in schemas {
        let form = Form::parse(&of_object(&schema)).expect("a form");
        let found = form.violations(content.as_object().expect("object"));
        assert!(found.iter().any(|one| one.path == "/extra"), "{schema}: {found:?}");
    }
    let described = [
        json!({ "type": "object", "anyOf": [variant("extra"), variant("b")] }),
        json!({ "type": "object", "anyOf": [variant("a"), { "properties": { "b": {} }, "required": ["extra"] }] }),
        json!({ "type": "object", "required": ["extra"] }),
        json!({ "type": "object", "properties": {}, "additionalProperties": { "type": "object" } }),
    ];
    for schema in described {
        let form = Form::parse(&schema).expect("a form");
        assert_eq!(form.violations(content.as_object().expect("object")), [], "{schema}");
    }
}

#[test]
fn what_would_be_seen_by_nobody_is_shown_in_quotes() {
    for (value, said) in [
        (json!(""), "\"\""),
        (json!("  "), "\"  \""),
        (json!([]), "[]"),
        (json!(["", "a"]), "\"\", a"),
        (json!("a"), "a"),
    ] {
        assert_eq!(shown(&value), said);
    }
    assert_eq!((editable(&json!("")).as_str(), editable(&json!([])).as_str()), ("", ""), "as it is typed");
}

#[test]
fn what_mcps_forms_do_not_have_is_named_each_of_it() {
    let schema = json!({ "type": "object", "allOf": [{}], "$defs": { "x": {} }, "not": {}, "if": {}, "patternProperties": {},
        "dependentRequired": {}, "additionalProperties": { "type": "string" }, "properties": {
            "a": { "type": "string", "const": "x", "minimum": 1 },
            "b": { "type": "integer", "exclusiveMinimum": 1, "$ref": "#/$defs/x" },
            "c": { "type": "array", "uniqueItems": true, "items": { "type": "string", "enum": ["x"], "pattern": "x" } },
            "d": { "type": "string", "oneOf": [{ "const": "r", "title": "Red", "if": {} }] },
            "e": { "type": "string", "enum": ["x"], "minLength": 3 } } });
    let found: Vec<_> = foreign(&schema).into_iter().map(|one| one.path).collect();
    let wanted = [
        "/allOf",
        "/$defs",
        "/not",
        "/if",
        "/patternProperties",
        "/dependentRequired",
        "/additionalProperties",
        "/properties/a/const",
        "/properties/a/minimum",
        "/properties/b/exclusiveMinimum",
        "/properties/b/$ref",
        "/properties/c/uniqueItems",
        "/properties/c/items/pattern",
        "/properties/d/oneOf/0/if",
        "/properties/e/minLength",
    ];
    assert_eq!(found, wanted);
}

#[test]
fn what_generators_write_around_a_form_is_no_fault() {
    let schema = json!({ "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "T", "description": "d",
        "type": "object", "additionalProperties": false, "required": [], "properties": {
            "a": { "type": "string", "title": "A", "description": "d", "pattern": "^x", "default": "x" } } });
    assert_eq!(foreign(&schema), []);
    for way in [json!(true), json!(false)] {
        assert_eq!(foreign(&json!({ "type": "object", "properties": {}, "additionalProperties": way })), []);
    }
}

#[test]
fn bounds_that_nothing_can_keep_are_named() {
    let fields = [
        json!({ "type": "integer", "minimum": 3, "maximum": 2 }),
        json!({ "type": "string", "minLength": 3, "maxLength": 2 }),
        json!({ "type": "array", "minItems": 2, "maxItems": 1, "items": { "enum": ["a", "b"] } }),
        json!({ "type": "array", "minItems": 2, "items": { "enum": ["a"] } }),
        json!({ "type": "string", "enum": ["a", "a"] }),
        json!({ "type": "array", "items": { "anyOf": [{ "const": "a" }, { "const": "a" }] } }),
    ];
    for field in fields {
        let found = foreign(&json!({ "type": "object", "properties": { "f": field } }));
        assert_eq!(found.len(), 1, "{field}: {found:?}");
    }
}

/// A pattern that takes exponential time where it may go back takes none here; one that has to is refused.
#[test]
fn patterns_take_time_in_proportion_to_the_text() {
    let form = form(&json!({ "a": { "type": "string", "pattern": "^(a+)+$" } })).expect("a form");
    let content = json!({ "a": format!("{}!", "a".repeat(50_000)) });
    let began = std::time::Instant::now();
    assert_eq!(form.violations(content.as_object().expect("an object")).len(), 1);
    assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
    let again =
        json!({ "type": "object", "properties": { "a": { "type": "string", "pattern": "^(a)\\1$" } } });
    assert_eq!(foreign(&again).len(), 1);
}

/// Whoever stored such a question before it was refused, its answer is checked in bounded time.
#[test]
fn a_schema_that_doubles_with_each_reference_is_not_followed() {
    let mut parts = Map::new();
    for at in 0..60 {
        let next = json!({ "$ref": format!("#/$defs/d{}", at + 1) });
        parts.insert(format!("d{at}"), json!({ "allOf": [next, next] }));
    }
    parts.insert("d60".to_owned(), json!({}));
    let schema = json!({ "type": "object", "properties": { "a": { "type": "string" } },
        "allOf": [{ "$ref": "#/$defs/d0" }], "$defs": parts });
    let content = json!({ "a": "x" });
    let found =
        Form::parse(&schema).expect("can be read").violations(content.as_object().expect("an object"));
    assert!(found.len() == 1 && found[0].problem.contains("too long to check"), "{found:?}");
    assert!(schema_violations(&schema, &content)[0].problem.contains("too long to check"));
}

#[test]
fn patterns_are_bounded_in_size_and_number() {
    let large = json!({ "a": { "type": "string", "pattern": "^((\\w{1,100}){1,100}){1,100}$" } });
    let faults = |properties: &Value| foreign(&json!({ "type": "object", "properties": properties }));
    assert!(faults(&large)[0].problem.contains("broken"));
    let usual = json!({ "a": { "type": "string", "pattern": "^[\\w.+-]{1,64}@[a-z0-9.-]{1,255}$" } });
    assert_eq!(faults(&usual), []);
    let many: Map<_, _> =
        (0..40).map(|at| (format!("f{at}"), json!({ "type": "string", "pattern": "^a$" }))).collect();
    assert!(faults(&Value::Object(many))[0].problem.contains("40 patterns"));
}
