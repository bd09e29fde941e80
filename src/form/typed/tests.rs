//! What is read from what is typed, shape by shape.

use serde_json::{Value, json};

use super::read;

/// What is read where `schema` is a part of a root that has definitions.
fn of(schema: &Value, text: &str) -> Result<Value, String> {
    let root = json!({ "$defs": {
        "Version": { "type": "string", "enum": ["1.10"] },
        "Count": { "type": ["integer", "null"] },
        "Loop": { "anyOf": [{ "$ref": "#/$defs/Loop" }, { "$ref": "#/$defs/Loop" }] },
        "Lists": { "type": "array", "items": { "$ref": "#/$defs/Lists" } },
        "Again": { "$ref": "#/$defs/Version" } } });
    read(&root, Some(schema), text)
}

#[test]
fn text_stays_text_wherever_text_is_taken() {
    let shapes = [
        json!({ "type": "string" }),
        json!({ "anyOf": [{ "type": "string" }, { "type": "null" }], "default": null }),
        json!({ "oneOf": [{ "type": "null" }, { "type": "string", "minLength": 1 }] }),
        json!({ "type": ["string", "null"] }),
        json!({ "type": "string", "nullable": true }),
        json!({ "allOf": [{ "description": "Which." }, { "type": "string" }] }),
        json!({ "type": "string", "anyOf": [{ "minLength": 2 }, { "format": "uri" }] }),
    ];
    for shape in shapes {
        for text in ["1.10", "01", "true", "12", "[1]", "{}", "\"x\"", "a, b", ""] {
            assert_eq!(of(&shape, text), Ok(json!(text)), "{shape}");
        }
    }
}

#[test]
fn references_and_alternatives_are_followed() {
    let choices = json!([{ "const": "1.10", "title": "old" }, { "const": "1.20", "title": "new" }]);
    let shapes = [
        json!({ "enum": ["1.10", "1.20"] }),
        json!({ "$ref": "#/$defs/Version" }),
        json!({ "$ref": "#/$defs/Again" }),
        json!({ "allOf": [{ "$ref": "#/$defs/Version" }] }),
        json!({ "anyOf": [{ "$ref": "#/$defs/Version" }, { "type": "null" }] }),
        json!({ "oneOf": choices }),
        json!({ "type": "string", "oneOf": choices }),
        json!({ "anyOf": [{ "anyOf": choices }, { "type": "null" }] }),
    ];
    for shape in shapes {
        assert_eq!(of(&shape, "1.10"), Ok(json!("1.10")), "{shape}");
        let refused = of(&shape, "1.1").expect_err("is no choice");
        assert!(refused.contains("\"1.10\""), "{refused}");
    }
    assert_eq!(of(&json!({ "$ref": "#/$defs/Count" }), "5"), Ok(json!(5)));
    assert_eq!(of(&json!({ "$ref": "#/$defs/Count" }), "null"), Ok(Value::Null));
    assert_eq!(of(&json!({ "$ref": "#/$defs/Loop" }), "x"), Ok(json!("x")), "ends");
    assert_eq!(of(&json!({ "$ref": "#/$defs/Lists" }), "[[],[[]]]"), Ok(json!([[], [[]]])));
    assert!(of(&json!({ "$ref": "#/$defs/Lists" }), "x").is_err(), "ends");
    assert_eq!(of(&json!({ "type": ["string", "null"] }), "null"), Ok(Value::Null));
}

#[test]
fn a_value_wins_over_every_title() {
    let swapped = json!({ "oneOf": [{ "const": "1", "title": "3" }, { "const": "2" }, { "const": "3", "title": "1" }] });
    for text in ["1", "2", "3"] {
        assert_eq!(of(&swapped, text), Ok(json!(text)));
        assert_eq!(of(&json!({ "type": "array", "items": swapped }), text), Ok(json!([text])));
    }
    let titled = json!({ "enum": ["s", "m", "x"], "enumNames": ["Small", "Other", "Other"] });
    assert_eq!(of(&titled, "Small"), Ok(json!("s")));
    assert!(of(&titled, "Other").expect_err("means two").contains("several choices"));
    let numbers = json!({ "enum": [1, 2.5, true, null, "1"] });
    for (text, wanted) in
        [("1", json!("1")), ("2.50", json!(2.5)), ("yes", json!(true)), ("null", Value::Null)]
    {
        assert_eq!(of(&numbers, text), Ok(wanted));
    }
}

#[test]
fn values_with_commas_can_be_given() {
    let choices = json!([{ "const": "salt, pepper", "title": "Both, please" }, { "const": "oil", "title": "Oil" },
        { "const": "salt" }]);
    let lists = [
        json!({ "type": "array", "items": { "anyOf": choices } }),
        json!({ "anyOf": [{ "type": "array", "items": { "anyOf": choices } }, { "type": "null" }] }),
    ];
    let ways = [
        "salt, pepper,oil",
        r#"["salt, pepper", "oil"]"#,
        r#"["Both, please","Oil"]"#,
        r"salt\, pepper, oil",
        r#""salt, pepper",Oil"#,
        "Both, please , oil,",
    ];
    for list in &lists {
        for way in ways {
            assert_eq!(of(list, way), Ok(json!(["salt, pepper", "oil"])), "{way}");
        }
        assert_eq!(of(list, "salt,oil"), Ok(json!(["salt", "oil"])));
        assert!(of(list, "salt,vinegar").expect_err("is no choice").contains("\"vinegar\""));
    }
    let free = json!({ "type": "array", "items": { "type": "string" } });
    for (text, wanted) in [
        ("a,b", json!(["a", "b"])),
        (r#""a,b", c"#, json!(["a,b", "c"])),
        (r"a\,b,c:\d", json!(["a,b", r"c:\d"])),
        (r#""quoted" word, """#, json!(["\"quoted\" word", ""])),
        (r#"["1", "a,b"]"#, json!(["1", "a,b"])),
        ("1.10, 01", json!(["1.10", "01"])),
        ("", json!([])),
    ] {
        assert_eq!(of(&free, text), Ok(wanted), "{text}");
    }
}

#[test]
fn numbers_are_exact_or_refused() {
    let shapes = [
        json!({ "type": "integer" }),
        json!({ "anyOf": [{ "type": "integer" }, { "type": "null" }] }),
        json!({ "type": ["number", "null"] }),
        json!({}),
    ];
    for shape in shapes {
        for text in ["9007199254740993", "-9007199254740993", "18446744073709551615"] {
            assert_eq!(of(&shape, text).expect(text).to_string(), text, "{shape}");
        }
        let refused = of(&shape, "18446744073709551617").expect_err("cannot be held");
        assert!(refused.contains("would be rounded"), "{shape}: {refused}");
    }
    let list = json!({ "type": "array", "items": { "type": "integer" } });
    assert_eq!(of(&list, "1, 18446744073709551615"), Ok(json!([1, u64::MAX])));
    for text in ["1,18446744073709551617", "[18446744073709551617]"] {
        assert!(of(&list, text).expect_err("cannot be held").contains("would be rounded"));
    }
    let either = json!({ "type": ["string", "integer"] });
    for (text, wanted) in
        [("5", json!(5)), ("05", json!("05")), ("18446744073709551617", json!("18446744073709551617"))]
    {
        assert_eq!(of(&either, text), Ok(wanted));
    }
}

#[test]
fn what_does_not_fit_is_said_in_words() {
    for (schema, text, wanted) in [
        (json!({ "type": "integer" }), "seven", "\"seven\" is not a whole number"),
        (json!({ "type": ["integer", "null"] }), "x", "\"x\" is not a whole number"),
        (json!({ "type": ["integer", "boolean"] }), "x", "\"x\" is not a whole number or true or false"),
        (json!({ "type": "boolean" }), "maybe", "\"maybe\" is neither true (yes) nor false (no)"),
        (json!({ "enum": ["a", 2] }), "b", "\"b\" is not one of \"a\", 2"),
        (json!({ "type": "object" }), "x", "\"x\" is not a JSON object"),
    ] {
        assert_eq!(of(&schema, text).expect_err(text), wanted);
    }
}

#[test]
fn anything_is_json_only_where_nothing_is_lost() {
    for (text, wanted) in [
        ("1.10", json!("1.10")),
        ("01", json!("01")),
        ("1.5", json!(1.5)),
        ("true", json!(true)),
        ("[1]", json!([1])),
        ("{\"a\":1.10}", json!({ "a": 1.1 })),
        ("word", json!("word")),
    ] {
        assert_eq!(of(&json!({}), text), Ok(wanted), "{text}");
    }
}

#[test]
fn alternatives_of_a_suggested_command_are_undecided() {
    let schema = json!({ "type": "boolean" });
    assert_eq!(
        of(&schema, "yes|no").expect_err("undecided"),
        "\"yes|no\" is neither true (yes) nor false (no)"
    );
    assert_eq!(of(&schema, "no|no"), Ok(json!(false)));
    for undecided in ["yes|", "|", "maybe|maybe"] {
        of(&schema, undecided).expect_err(undecided);
    }
}
