//! Forms of real servers on the screen, field by field.

use serde_json::{Value, json};

use crate::foreign_forms::{Shape, shapes};
use crate::place::Place;
use crate::screen::{SEND, Screen};
use crate::terminal::{CTRL_U, ENTER, Terminal};

/// The question of that form.
fn asked(place: &Place, schema: &Value) -> Screen {
    let server = Shape::server(&place.file("schema.json", &format!("{schema}\n")));
    let arguments = ["submit", "ask", "--stdio", &server, "--era", "legacy", "--wait"];
    let screen = Screen::sized(place, &arguments, (100, 30));
    // A call that is no task has nothing else to know it by.
    let shown = screen.sees(crate::fields::OPEN);
    assert!(shown.contains("ask asks\n  place: forms ("), "{shown}");
    screen
}

/// Sends it; what the server got.
fn sent(screen: &mut Screen) -> Value {
    screen.at(SEND, ENTER);
    let (rest, code) = screen.ends();
    assert_eq!(code, 0, "{rest}");
    let content = rest.lines().rev().find_map(|line| line.find('{').map(|at| &line[at..]));
    serde_json::from_str(content.unwrap_or_else(|| panic!("no content in {rest}"))).expect("JSON")
}

#[test]
fn every_shape_of_real_servers_is_filled_in() {
    let place = Place::new();
    for shape in shapes() {
        let mut screen = asked(&place, &shape.schema());
        for (text, key) in &shape.keys {
            screen.at(&text.replace("c: ", "> c"), key);
            if key.len() > 1 && !key.contains(char::is_control) {
                // What is pressed next is no part of the same paste.
                screen.sees(key);
            }
        }
        assert_eq!(sent(&mut screen), json!({ "c": shape.value }), "{}", shape.property);
    }
}

#[test]
fn what_does_not_fit_a_strangers_form_is_asked_again() {
    let place = Place::new();
    let schema = json!({ "type": "object", "required": ["home", "list"], "properties": {
        "home": { "type": "object", "required": ["zip"], "properties": { "zip": { "type": "string" } } },
        "list": { "type": "array", "minItems": 1, "items": { "type": "integer" } },
        "most": { "anyOf": [{ "type": "integer", "maximum": 9 }, { "type": "null" }], "default": 5 } } });
    let mut screen = asked(&place, &schema);
    screen.sees("a JSON object with zip");
    screen.fill("home", "here");
    screen.at("\"here\" is not a JSON object", CTRL_U);
    screen.fill("home", "{}");
    screen.at("\"zip\" is a required property", CTRL_U);
    screen.fill("home", "{\"zip\": \"1\"}");
    screen.sees("a list of whole numbers, with commas between, at least 1 of them");
    screen.at("> list", ENTER);
    screen.sees("0 entries are too few: at least 1");
    screen.fill("list", "1, x");
    screen.at("\"x\" is not a whole number", CTRL_U);
    screen.fill("list", "1, 2");
    screen.at("> most  5", CTRL_U);
    screen.fill("most", "12");
    screen.at("12 does not fit: a whole number, at most 9, optional", &[CTRL_U, ENTER].concat());
    let wanted = json!({ "home": { "zip": "1" }, "list": [1, 2], "most": null });
    assert_eq!(sent(&mut screen), wanted, "a default that was taken away is null");
}

#[test]
fn what_is_filled_in_and_left_stays_what_it_is() {
    let place = Place::new();
    let default = json!({ "any": "5", "list": ["a, b", "c"], "home": { "zip": "1" } });
    let schema = json!({ "type": "object", "required": ["any", "list", "home"], "properties": {
        "any": { "default": default["any"] }, "home": { "type": "object", "default": default["home"] },
        "list": { "type": "array", "items": { "type": "string" }, "default": default["list"] } } });
    let mut screen = asked(&place, &schema);
    for shown in ["> any   5", "> home  {\"zip\":\"1\"}", "> list  [\"a, b\",\"c\"]"] {
        screen.at(shown, ENTER);
    }
    assert_eq!(sent(&mut screen), default);
}

#[test]
fn a_form_of_variants_is_filled_in_as_a_whole() {
    let place = Place::new();
    let variant =
        |kind: &str| json!({ "properties": { "kind": { "const": kind } }, "required": ["kind", kind] });
    let mut screen = asked(&place, &json!({ "type": "object", "oneOf": [variant("a"), variant("b")] }));
    screen.fill("JSON", "{\"kind\": \"a\"}");
    screen.at("it fits none of what is allowed: ", CTRL_U);
    screen.fill("JSON", "{\"kind\": \"a\", \"a\": 1}");
    assert_eq!(sent(&mut screen), json!({ "kind": "a", "a": 1 }));
}

#[test]
fn a_form_that_is_no_object_is_a_line_of_json() {
    let place = Place::new();
    for schema in [json!(true), json!(null), json!("form")] {
        let mut screen = asked(&place, &schema);
        screen.fill("JSON", "{\"kind\": 1}");
        assert_eq!(sent(&mut screen), json!({ "kind": 1 }), "{schema}");
    }
}

#[test]
fn a_password_is_typed_unseen() {
    let place = Place::new();
    let schema = json!({ "type": "object", "required": ["pw", "key"], "properties": {
        "pw": { "type": "string", "format": "password", "minLength": 7 },
        "key": { "type": "string", "writeOnly": true } } });
    let mut screen = asked(&place, &schema);
    screen.at("> pw", "hunter\r");
    screen.sees("it does not fit");
    screen.at("******", "2");
    screen.at("*******", ENTER);
    screen.at("> key", "swordfish");
    screen.sees("*********");
    let written = screen.written();
    assert!(!written.contains("hunter") && !written.contains("swordfish"), "{written}");
    screen.press(ENTER);
    screen.at(SEND, ENTER);
    let (rest, _) = screen.ends();
    // The server of the test gives back what it got.
    assert_eq!((rest.matches("hunter2").count(), rest.matches("swordfish").count()), (1, 1), "{rest}");
}

#[test]
fn a_password_is_typed_unseen_on_a_terminal_that_cannot_move_its_cursor() {
    let place = Place::new();
    let schema = json!({ "type": "object", "required": ["pw"], "properties": {
        "pw": { "type": "string", "format": "password", "minLength": 7 } } });
    let server = Shape::server(&place.file("schema.json", &format!("{schema}\n")));
    let arguments = ["submit", "ask", "--stdio", &server, "--era", "legacy", "--wait"];
    let mut terminal = Terminal::dumb(&place, &arguments);
    let mut before = terminal.sees("fill in the form");
    terminal.press(&[ENTER]);
    before += &terminal.sees("pw: ");
    terminal.press(&["hunter", ENTER]);
    before += &terminal.sees("it does not fit");
    terminal.press(&["2", ENTER]);
    before += &terminal.sees("pw: *******");
    before += &terminal.sees("pw: (hidden)");
    before += &terminal.sees("Send this answer?");
    terminal.press(&[ENTER]);
    let (rest, code) = terminal.ends();
    assert!(!before.contains("hunter"), "{before}");
    assert_eq!((code, rest.matches("hunter2").count()), (0, 1), "{rest}");
}
