//! Values that are given by name, `name=value`, read by a schema: a tool's arguments and a form's content.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{Form, shape, typed};
use crate::task::{Violation, instead};

/// A tool's arguments: what is known of them already, then each pair, typed by the input schema. Their bounds are the
/// tool's to check. `literally` is what sends a text that stands for a value elsewhere.
pub(crate) fn arguments(
    schema: &Value,
    mut arguments: Map<String, Value>,
    pairs: &[(&str, &str)],
    literally: &str,
) -> Result<Map<String, Value>, Vec<Violation>> {
    let (mut problems, form, mut met) = (Vec::new(), Form::parse(schema).ok(), HashSet::new());
    for (name, text) in pairs {
        let property = shape::property(schema, name);
        if property.is_none() && schema.get("additionalProperties") == Some(&Value::Bool(false)) {
            problems.push(unknown("argument", name, &property_names(schema)));
            continue;
        }
        let field = form.as_ref().and_then(|form| form.field(name));
        match typed::read(schema, property, text) {
            Ok(_) if field.is_some_and(|field| field.stands_for() == Some(text)) => {
                problems.push(not_filled_in(name, text, "value", literally));
            }
            Ok(value) if !met.insert(*name) && !value.is_array() => problems.push(twice(name)),
            Ok(value) => merge(&mut arguments, name, value),
            Err(problem) => problems.push(Violation::new(format!("/{name}"), problem)),
        }
    }
    if problems.is_empty() { Ok(arguments) } else { Err(problems) }
}

/// A form's content, checked: each pair typed by its field, what is not given has its default.
pub(crate) fn content(
    form: &Form,
    pairs: &[(&str, &str)],
    literally: &str,
) -> Result<Map<String, Value>, Vec<Violation>> {
    let (mut given, mut problems, mut met) = (Map::new(), Vec::new(), HashSet::new());
    for (name, text) in pairs {
        let Some(field) = form.field(name) else {
            let names: Vec<_> = form.fields.iter().map(|field| field.name.as_str()).collect();
            problems.push(unknown("field", name, &names));
            continue;
        };
        match form.typed(field, text) {
            Ok(_) if field.stands_for() == Some(text) => {
                problems.push(not_filled_in(name, text, "answer", literally));
            }
            Ok(value) if !met.insert(*name) && !value.is_array() => problems.push(twice(name)),
            Ok(value) => merge(&mut given, name, value),
            Err(problem) => problems.push(Violation::new(format!("/{name}"), problem)),
        }
    }
    let mut content = form.defaults();
    content.extend(given);
    // A value that could not be read is named above, not a second time as missing.
    let named: Vec<String> = problems.iter().map(|one| one.path.clone()).collect();
    let unread = |one: &Violation| {
        named.iter().any(|path| one.problem.contains(&format!("{:?}", path.trim_start_matches('/'))))
    };
    problems.extend(form.violations(&content).into_iter().filter(|one| !unread(one)));
    if problems.is_empty() { Ok(content) } else { Err(problems) }
}

/// Nobody can tell which of two values is meant.
fn twice(name: &str) -> Violation {
    Violation::new(format!("/{name}"), "is there twice: give it once".to_owned())
}

/// A suggested command was pasted as it is.
fn not_filled_in(name: &str, text: &str, what: &str, literally: &str) -> Violation {
    let problem =
        format!("{text} stands for the {what}: put the {what} in its place; {literally} sends it as it is");
    Violation::new(format!("/{name}"), problem)
}

fn unknown(what: &str, name: &str, known: &[&str]) -> Violation {
    Violation::new("", format!("there is no {what} {name:?}; {}", instead(known)))
}

fn property_names(schema: &Value) -> Vec<&str> {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.map(|properties| properties.keys().map(String::as_str).collect()).unwrap_or_default()
}

/// A list that is given several times grows; anything else is replaced.
fn merge(into: &mut Map<String, Value>, name: &str, value: Value) {
    match (into.get_mut(name), value) {
        (Some(Value::Array(list)), Value::Array(more)) => list.extend(more),
        (_, value) => drop(into.insert(name.to_owned(), value)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::task::joined;

    use super::*;

    #[test]
    fn arguments_are_typed_by_the_schema() {
        let schema = json!({ "properties": {
            "n": { "type": "integer" }, "s": { "type": "string" }, "b": { "type": "boolean" },
            "l": { "type": "array", "items": { "type": "integer" } }, "o": { "type": "object" }, "any": {} } });
        let given = [
            ("n", "3"),
            ("s", "3"),
            ("b", "true"),
            ("l", "1,2"),
            ("l", "3"),
            ("o", "{\"x\":1}"),
            ("any", "[1]"),
            ("more", "yes"),
        ];
        let known = Map::from_iter([("n".to_owned(), json!(1)), ("kept".to_owned(), json!(2))]);
        let arguments = super::arguments(&schema, known, &given, "--args-json").expect("valid");
        let wanted = json!({ "n": 3, "kept": 2, "s": "3", "b": true, "l": [1, 2, 3], "o": { "x": 1 },
            "any": [1], "more": "yes" });
        assert_eq!(Value::Object(arguments), wanted);
    }

    #[test]
    fn a_value_that_is_given_twice_is_refused_and_a_list_grows() {
        let schema = json!({ "type": "object", "properties": { "ok": { "type": "boolean" },
            "l": { "type": "array", "items": { "type": "string", "enum": ["a", "b"] } } } });
        let form = Form::parse(&schema).expect("a form");
        let (twice, lists) = ([("ok", "yes"), ("ok", "no")], [("l", "a"), ("l", "b")]);
        let refused = joined(&content(&form, &twice, "--content").expect_err("which one?"));
        assert_eq!(refused, "ok: is there twice: give it once");
        let refused = super::arguments(&schema, Map::new(), &twice, "--args-json").expect_err("which one?");
        assert_eq!(joined(&refused), "ok: is there twice: give it once");
        assert_eq!(content(&form, &lists, "--content").expect("a list")["l"], json!(["a", "b"]));
        let known = Map::from_iter([("ok".to_owned(), json!(true))]);
        let given =
            super::arguments(&schema, known, &twice[1..], "--args-json").expect("it is given once here");
        assert_eq!(given["ok"], json!(false));
    }

    #[test]
    fn every_problem_is_named_at_once() {
        let form = Form::parse(&json!({ "type": "object", "required": ["age", "ok"], "properties": {
            "age": { "type": "integer", "minimum": 18 }, "ok": { "type": "boolean" },
            "mail": { "type": "string", "format": "email" } } }))
        .expect("a form");
        let given = [("age", "seven"), ("mail", "x"), ("colour", "red")];
        let message = joined(&content(&form, &given, "--content").expect_err("refused"));
        for part in
            ["age: \"seven\" is not a whole number", "no field \"colour\"", "mail", "\"ok\" is a required"]
        {
            assert!(message.contains(part), "{part} is not in {message}");
        }
        assert!(!message.contains("\"age\" is a required"), "{message}");
    }

    #[test]
    fn what_is_not_set_has_its_default() {
        let form = Form::parse(&json!({ "type": "object", "properties": {
            "seats": { "type": "integer", "default": 2 },
            "extras": { "type": "array", "items": { "anyOf": [
                { "const": "w", "title": "Wireless network" }, { "const": "q", "title": "Quiet" }] } } } }))
        .expect("a form");
        let content = content(&form, &[("extras", "Quiet,w")], "--content").expect("valid");
        assert_eq!(Value::Object(content), json!({ "seats": 2, "extras": ["q", "w"] }));
    }
}
