//! Values from the command line: `name=value` pairs typed by a schema, and JSON given inline, by file or
//! on stdin.

use std::io::Read as _;

use serde_json::{Map, Value};

use super::exact::Problem;
use super::failure::{Failure, Kind};
use super::{exact, typed, values};
use crate::task::form::shape;
use crate::task::{Form, Violation};

/// The largest text that is read from a file or stdin: the limits behind it are far below.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// Reads the text that an option names: itself, `@file`, or `-` for stdin.
pub(crate) fn text(given: &str) -> Result<String, Failure> {
    let mut text = String::new();
    let (place, read) = if given == "-" {
        ("stdin".to_owned(), std::io::stdin().take(MAX_BYTES).read_to_string(&mut text))
    } else if let Some(path) = given.strip_prefix('@') {
        let read = std::fs::File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text));
        (format!("{path:?}"), read)
    } else {
        return Ok(given.to_owned());
    };
    read.map_err(|error| Failure::caused(Kind::Usage, format!("cannot read {place}: {error}"), error))?;
    // Editors of some systems write a byte order mark, which is no part of the text.
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

/// Reads a JSON object that an option names.
pub(crate) fn object(option: &str, given: &str) -> Result<Map<String, Value>, Failure> {
    match exact::json(&text(given)?) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => Err(Failure::usage(format!("{option} is {}, not a JSON object", kind_of(&other)))),
        Err(Problem::Inexact(problem)) => Err(Failure::usage(format!("{option}: {problem}"))),
        Err(error) => Err(Failure::usage(format!("{option} is not JSON: {error}"))
            .hint(format!("for example {option} '{{\"guests\": 4}}', @file or - for stdin"))),
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// A tool's arguments: `--args-json` first, then each `--arg name=value`, typed by the input schema.
pub(crate) fn for_tool(
    schema: &Value,
    pairs: &[String],
    json: Option<&str>,
) -> Result<Map<String, Value>, Failure> {
    let mut arguments = json.map(|given| object("--args-json", given)).transpose()?.unwrap_or_default();
    let (mut problems, form) = (Vec::new(), Form::parse(schema).ok());
    for pair in pairs {
        let (name, text) = split("--arg", pair)?;
        let property = shape::property(schema, name);
        if property.is_none() && schema.get("additionalProperties") == Some(&Value::Bool(false)) {
            problems.push(unknown("argument", name, &property_names(schema)));
            continue;
        }
        let field = form.as_ref().and_then(|form| form.field(name));
        match typed::read(schema, property, text) {
            Ok(_) if field.is_some_and(|field| values::stands_for(field) == Some(text)) => {
                problems.push(not_filled_in(name, text, "value", "--args-json"));
            }
            Ok(value) => merge(&mut arguments, name, value),
            Err(problem) => problems.push(Violation::new(format!("/{name}"), problem)),
        }
    }
    refuse("--arg", &problems)?;
    Ok(arguments)
}

/// A form's content from `--set name=value`, typed by its fields; what is not set has its default.
pub(crate) fn for_form(form: &Form, pairs: &[String]) -> Result<Map<String, Value>, Failure> {
    let mut given = Map::new();
    let mut problems = Vec::new();
    for pair in pairs {
        let (name, text) = split("--set", pair)?;
        let Some(field) = form.field(name) else {
            let names: Vec<_> = form.fields.iter().map(|field| field.name.as_str()).collect();
            problems.push(unknown("field", name, &names));
            continue;
        };
        match values::typed(form, field, text) {
            Ok(_) if values::stands_for(field) == Some(text) => {
                problems.push(not_filled_in(name, text, "answer", "--content"));
            }
            Ok(value) => merge(&mut given, name, value),
            Err(problem) => problems.push(Violation::new(format!("/{name}"), problem)),
        }
    }
    let mut content = values::defaults(form);
    content.extend(given);
    // A value that could not be read is named above, not a second time as missing.
    let named: Vec<String> = problems.iter().map(|one| one.path.clone()).collect();
    let unread = |one: &Violation| {
        named.iter().any(|path| one.problem.contains(&format!("{:?}", path.trim_start_matches('/'))))
    };
    problems.extend(form.violations(&content).into_iter().filter(|one| !unread(one)));
    refuse("the answer", &problems)?;
    Ok(content)
}

fn split<'a>(option: &str, pair: &'a str) -> Result<(&'a str, &'a str), Failure> {
    pair.split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or_else(|| Failure::usage(format!("{option} {pair:?} is not name=value")))
}

/// A suggested command was pasted as it is.
fn not_filled_in(name: &str, text: &str, what: &str, option: &str) -> Violation {
    let problem =
        format!("{text} stands for the {what}: put the {what} in its place; {option} sends it as it is");
    Violation::new(format!("/{name}"), problem)
}

fn unknown(what: &str, name: &str, known: &[&str]) -> Violation {
    let known = if known.is_empty() {
        "there are none".to_owned()
    } else {
        format!("there are {}", known.join(", "))
    };
    Violation::new("", format!("there is no {what} {name:?}; {known}"))
}

fn property_names(schema: &Value) -> Vec<&str> {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.map(|properties| properties.keys().map(String::as_str).collect()).unwrap_or_default()
}

fn refuse(what: &str, problems: &[Violation]) -> Result<(), Failure> {
    match problems {
        [] => Ok(()),
        [one] => Err(Failure::usage(format!("{what} is not valid: {one}"))),
        several => {
            let lines: Vec<_> = several.iter().map(|one| format!("- {one}")).collect();
            Err(Failure::usage(format!("{what} is not valid:\n{}", lines.join("\n"))))
        }
    }
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

    use super::*;

    fn pairs(pairs: &[&str]) -> Vec<String> {
        pairs.iter().map(|pair| (*pair).to_owned()).collect()
    }

    #[test]
    fn arguments_are_typed_by_the_schema() {
        let schema = json!({ "properties": {
            "n": { "type": "integer" }, "s": { "type": "string" }, "b": { "type": "boolean" },
            "l": { "type": "array", "items": { "type": "integer" } }, "o": { "type": "object" }, "any": {} } });
        let given = pairs(&["n=3", "s=3", "b=true", "l=1,2", "l=3", "o={\"x\":1}", "any=[1]", "more=yes"]);
        let arguments = for_tool(&schema, &given, Some("{\"n\": 1, \"kept\": 2}")).expect("valid");
        let wanted = json!({ "n": 3, "kept": 2, "s": "3", "b": true, "l": [1, 2, 3], "o": { "x": 1 },
            "any": [1], "more": "yes" });
        assert_eq!(Value::Object(arguments), wanted);
    }

    #[test]
    fn every_problem_is_named_at_once() {
        let form = Form::parse(&json!({ "type": "object", "required": ["age", "ok"], "properties": {
            "age": { "type": "integer", "minimum": 18 }, "ok": { "type": "boolean" },
            "mail": { "type": "string", "format": "email" } } }))
        .expect("a form");
        let failure = for_form(&form, &pairs(&["age=seven", "mail=x", "colour=red"])).expect_err("refused");
        let message = failure.to_string();
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
        let content = for_form(&form, &pairs(&["extras=Quiet,w"])).expect("valid");
        assert_eq!(Value::Object(content), json!({ "seats": 2, "extras": ["q", "w"] }));
    }
}
