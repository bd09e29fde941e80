//! Forms of real servers at the prompt, field by field.

use serde_json::{Value, json};

use crate::fields::{AFTER, BEFORE};
use crate::foreign_forms::{Shape, shapes};
use crate::place::Place;
use crate::terminal::{CTRL_U, ENTER, Terminal};

/// The prompt of that form, before its fields.
fn asked(place: &Place, schema: &Value) -> Terminal {
    let server = Shape::server(&place.file("schema.json", &format!("{schema}\n")));
    let arguments = ["submit", "ask", "--stdio", &server, "--era", "legacy", "--wait"];
    let mut terminal = Terminal::run(place, &arguments);
    terminal.at(BEFORE, &[ENTER]);
    terminal
}

/// Sends it; what the server got.
fn sent(terminal: &mut Terminal) -> Value {
    terminal.at(AFTER, &[ENTER]);
    let (rest, code) = terminal.ends();
    assert_eq!(code, 0, "{rest}");
    // Before it on its line stands what takes the menu off the screen.
    let content = rest.lines().rev().find_map(|line| line.find('{').map(|at| &line[at..]));
    serde_json::from_str(content.unwrap_or_else(|| panic!("no content in {rest}"))).expect("JSON")
}

#[test]
fn every_shape_of_real_servers_is_filled_in() {
    let place = Place::new();
    for shape in shapes() {
        let mut terminal = asked(&place, &shape.schema());
        for (text, key) in &shape.keys {
            terminal.at(text, &[key]);
        }
        assert_eq!(sent(&mut terminal), json!({ "c": shape.value }), "{}", shape.property);
    }
}

#[test]
fn what_does_not_fit_a_strangers_form_is_asked_again() {
    let place = Place::new();
    let schema = json!({ "type": "object", "required": ["home", "list"], "properties": {
        "home": { "type": "object", "required": ["zip"], "properties": { "zip": { "type": "string" } } },
        "list": { "type": "array", "minItems": 1, "items": { "type": "integer" } },
        "most": { "anyOf": [{ "type": "integer", "maximum": 9 }, { "type": "null" }], "default": 5 } } });
    let mut terminal = asked(&place, &schema);
    terminal.sees("a JSON object with zip");
    terminal.at("home: ", &["here", ENTER]);
    terminal.at("\"here\" is not a JSON object", &[CTRL_U, "{}", ENTER]);
    terminal.at("\"zip\" is a required property", &[CTRL_U, "{\"zip\": \"1\"}", ENTER]);
    terminal.sees("a list of whole numbers, with commas between, at least 1 of them");
    terminal.at("list: ", &[ENTER]);
    terminal.at("less than 1 item", &["1, x", ENTER]);
    terminal.at("\"x\" is not a whole number", &[CTRL_U, "1, 2", ENTER]);
    terminal.at("most: 5", &[CTRL_U, "12", ENTER]);
    terminal.at("12 does not fit: a whole number, at most 9, optional", &[CTRL_U, ENTER]);
    let wanted = json!({ "home": { "zip": "1" }, "list": [1, 2], "most": null });
    assert_eq!(sent(&mut terminal), wanted, "a default that was taken away is null");
}

#[test]
fn what_is_filled_in_and_left_stays_what_it_is() {
    let place = Place::new();
    let default = json!({ "any": "5", "list": ["a, b", "c"], "home": { "zip": "1" } });
    let schema = json!({ "type": "object", "required": ["any", "list", "home"], "properties": {
        "any": { "default": default["any"] }, "home": { "type": "object", "default": default["home"] },
        "list": { "type": "array", "items": { "type": "string" }, "default": default["list"] } } });
    let mut terminal = asked(&place, &schema);
    for shown in ["any: 5", "home: {\"zip\":\"1\"}", "list: [\"a, b\",\"c\"]"] {
        terminal.at(shown, &[ENTER]);
    }
    assert_eq!(sent(&mut terminal), default);
}

#[test]
fn a_form_of_variants_is_filled_in_as_a_whole() {
    let place = Place::new();
    let variant =
        |kind: &str| json!({ "properties": { "kind": { "const": kind } }, "required": ["kind", kind] });
    let mut terminal = asked(&place, &json!({ "type": "object", "oneOf": [variant("a"), variant("b")] }));
    terminal.at("JSON: ", &["{\"kind\": \"a\"}", ENTER]);
    terminal.at("is not valid under any", &[CTRL_U, "{\"kind\": \"a\", \"a\": 1}", ENTER]);
    assert_eq!(sent(&mut terminal), json!({ "kind": "a", "a": 1 }));
}
