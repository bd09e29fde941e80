//! docs/JSON.md as a check of what commands print.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part of it")]

use serde_json::Value;

/// One row of a table.
#[derive(Debug)]
struct Field {
    name: String,
    types: String,
    is_always: bool,
    places: String,
}

impl Field {
    fn is_in(&self, place: &str) -> bool {
        self.places == "all" || self.places.split(", ").any(|one| one == place)
    }
}

/// The table below a heading.
fn table(kind: &str) -> Vec<Field> {
    let text = include_str!("../../docs/JSON.md");
    let heading = format!("## {kind}");
    let section = text.lines().skip_while(|line| *line != heading).skip(1);
    let rows = section.take_while(|line| !line.starts_with("## ")).filter(|line| line.starts_with("| `"));
    let names: Vec<Field> = rows.map(row).collect();
    assert!(!names.is_empty(), "docs/JSON.md has no table of {kind}");
    names
}

fn row(line: &str) -> Field {
    let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    let [name, types, when, places, _] = cells.as_slice() else { panic!("not five cells: {line}") };
    Field {
        name: name.trim_matches('`').to_owned(),
        types: (*types).to_owned(),
        is_always: *when == "always",
        places: (*places).to_owned(),
    }
}

fn fits(types: &str, value: &Value) -> bool {
    types.split(" or ").any(|one| match one {
        "string" => value.is_string(),
        "time" => value.as_str().is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok()),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        other => panic!("docs/JSON.md has a type {other:?}"),
    })
}

/// A whole line is of that kind, in its place.
pub fn is_line(kind: &str, object: &Value) {
    let place = object["source"].as_str().unwrap_or("mcptask");
    let mut names = table("every line");
    names.extend(table(kind));
    check(kind, &names, place, object);
}

/// What a notifier posts.
pub fn is_notice(body: &Value) {
    let data = &body["data"];
    check("notice", &table("notice"), "mcptask", data);
    assert_eq!(body["type"].as_str(), data["event"].as_str().map(|event| format!("task.{event}")).as_deref());
    assert_eq!(body["timestamp"], data["at"]);
}

fn is_part(kind: &str, place: &str, object: &Value) {
    check(kind, &table(kind), place, object);
}

fn check(kind: &str, names: &[Field], place: &str, object: &Value) {
    for (key, value) in object.as_object().expect("an object") {
        let of_key = || names.iter().filter(|name| name.name == *key && name.is_in(place));
        assert!(of_key().count() > 0, "docs/JSON.md has no {key:?} of {kind} in {place}: {object}");
        let is_known = value.is_null() || of_key().all(|name| fits(&name.types, value));
        assert!(is_known, "{key:?} of {kind} in {place} has another type: {object}");
    }
    for name in names.iter().filter(|name| name.is_always && name.is_in(place)) {
        assert!(!object[&name.name].is_null(), "{:?} of {kind} in {place} is not there: {object}", name.name);
    }
    for question in object["questions"].as_array().into_iter().flatten() {
        is_question(place, question);
    }
    for event in object["events"].as_array().into_iter().flatten() {
        is_part("event", place, event);
    }
    is_who(place, object);
    if kind == "exported question" && object["answer"].is_object() {
        is_part("answer", place, &object["answer"]);
        is_who(place, &object["answer"]);
    }
    if kind == "event" && object["question"].is_object() {
        is_question(place, &object["question"]);
    }
}

fn is_who(place: &str, object: &Value) {
    if object["who"].is_object() {
        is_part("who", place, &object["who"]);
    }
}

fn is_question(place: &str, question: &Value) {
    is_part("question", place, question);
    if question["answer"].is_object() {
        is_part("answer", place, &question["answer"]);
        is_who(place, &question["answer"]);
    }
}
