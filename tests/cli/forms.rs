//! Forms of real servers, answered from a file and by `--set`, and what of an answer is refused here.

use serde_json::{Value, json};

use crate::foreign_forms::{Shape, shapes};
use crate::place::{Place, Ran};

/// A file with a schema, for the server that asks it.
fn asked(place: &Place, schema: &Value) -> String {
    Shape::server(&place.file("schema.json", &format!("{schema}\n")))
}

/// What a modern server got.
fn sent(place: &Place) -> Value {
    let text = std::fs::read_to_string(place.path().join("schema.json")).expect("the file");
    serde_json::from_str(text.lines().last().expect("a line")).expect("JSON")
}

fn respond(place: &Place, server: &str, answer: &[&str]) -> Ran {
    place.run(&[&["respond", "t1", "--stdio", server, "--era", "modern"], answer].concat())
}

#[test]
fn every_shape_is_answered_from_a_file_by_the_names_of_its_fields() {
    let place = Place::new();
    for shape in shapes() {
        let server = asked(&place, &shape.schema());
        let way = ["submit", "ask", "--stdio", &server, "--era", "legacy", "--wait", "--answers", "-"];
        let content = json!({ "c": shape.value });
        let ran = place.run_with(&way, &content.to_string());
        assert_eq!((ran.code, ran.out.trim()), (0, &*content.to_string()), "{}: {ran:?}", shape.property);
    }
}

#[test]
fn every_shape_is_answered_by_set() {
    let place = Place::new();
    for shape in shapes() {
        let server = asked(&place, &shape.schema());
        let ran = respond(&place, &server, &["--set", &format!("c={}", shape.set)]);
        assert_eq!(ran.code, 0, "{}: {ran:?}", shape.property);
        assert_eq!(
            sent(&place),
            json!({ "action": "accept", "content": { "c": shape.value } }),
            "{}",
            shape.property
        );
    }
}

#[test]
fn an_answer_is_held_to_the_whole_schema_of_its_server() {
    let place = Place::new();
    let schema = json!({ "type": "object", "required": ["n", "home"], "anyOf": [{ "required": ["a"] }, { "required": ["b"] }],
        "properties": { "n": { "anyOf": [{ "type": "integer", "multipleOf": 5 }, { "type": "null" }] },
            "a": { "type": "string" }, "b": { "type": "string" },
            "home": { "type": "object", "required": ["zip"], "properties": { "zip": { "type": "string", "maxLength": 2 } } } } });
    let server = asked(&place, &schema);
    for (answer, problem) in [
        (["--set", "n=7", "--set", "a=x", "--set", "home={\"zip\":\"1\"}"], "n: "),
        (["--set", "n=5", "--set", "a=x", "--set", "home={\"zip\":\"123\"}"], "home/zip: "),
        (["--set", "n=5", "--set", "a=x", "--set", "home={}"], "home: "),
        (
            ["--set", "n=5", "--set", "n=10", "--set", "home={\"zip\":\"1\"}"],
            "it fits none of what is allowed",
        ),
        (["--set", "n=5", "--set", "a=x", "--set", "home=here"], "is not a JSON object"),
        (["--set", "n=5", "--set", "a=x", "--set", "home=JSON"], "is not a JSON object"),
    ] {
        let ran = respond(&place, &server, &answer);
        assert!(ran.code == 2 && ran.err.contains(problem), "{problem}: {ran:?}");
    }
    let right = ["--set", "n=null", "--set", "a=x", "--set", "home={\"zip\":\"1\"}"];
    assert_eq!(respond(&place, &server, &right).code, 0);
    assert_eq!(sent(&place)["content"], json!({ "n": null, "a": "x", "home": { "zip": "1" } }));
}

#[test]
fn a_suggested_answer_of_a_strangers_form_decides_nothing() {
    let place = Place::new();
    let schema = json!({ "type": "object", "required": ["list", "any", "level"], "properties": {
        "list": { "type": "array", "items": { "type": "string" } }, "any": {}, "level": { "enum": [1, 2] } } });
    let server = asked(&place, &schema);
    let shown = respond(&place, &server, &["--no-input"]).err;
    assert!(
        shown.contains("level is 1 or 2; answer it later with: "),
        "the choices stand beside the command: {shown}"
    );
    for place in ["list=TEXT", "any=JSON", "level=CHOICE"] {
        assert!(shown.contains(&format!("--set {place}")), "{place} is not in {shown}");
    }
    let pasted =
        respond(&place, &server, &["--set", "list=TEXT", "--set", "any=JSON", "--set", "level=CHOICE"]);
    assert_eq!(pasted.code, 2, "{pasted:?}");
    for problem in ["TEXT stands for the answer", "JSON stands for the answer", "is not one of 1, 2"] {
        assert!(pasted.err.contains(problem), "{problem} is not in {pasted:?}");
    }
}

#[test]
fn a_form_that_cannot_be_told_field_by_field_is_answered_as_a_whole() {
    let place = Place::new();
    let variant =
        |kind: &str| json!({ "properties": { "kind": { "const": kind } }, "required": ["kind", kind] });
    let server = asked(&place, &json!({ "type": "object", "oneOf": [variant("a"), variant("b")] }));
    let refused = respond(&place, &server, &["--content", r#"{"kind":"a"}"#]);
    assert!(refused.code == 2 && refused.err.contains("does not fit"), "{refused:?}");
    assert_eq!(respond(&place, &server, &["--content", r#"{"kind":"a","a":{"deep":[1]}}"#]).code, 0);
    assert_eq!(sent(&place)["content"], json!({ "kind": "a", "a": { "deep": [1] } }));
}
