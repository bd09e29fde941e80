//! Values from the command line: `name=value` pairs typed by a schema, and JSON given inline, by file or
//! on stdin.

use std::io::Read as _;

use serde_json::{Map, Value};

use super::failure::{Failure, Kind};
use crate::desk::answers::Answers;
use crate::desk::suggest::{Advice, Suggested};
use crate::form::{self, Form};
use crate::json::{self, Problem};
use crate::task::Violation;

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
    match json::read(&text(given)?) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => Err(Failure::usage(format!("{option} is {}, not a JSON object", kind_of(&other)))),
        Err(Problem::Inexact(problem)) => Err(Failure::usage(format!("{option}: {problem}"))),
        Err(error) => Err(Failure::usage(format!("{option} is not JSON: {error}"))
            .hint(format!("for example {option} '{{\"guests\": 4}}', @file or - for stdin"))),
    }
}

/// Reads the answers of a file; `-` is stdin.
pub(crate) fn answers(path: &str) -> Result<Answers, Failure> {
    let text = text(&if path == "-" { path.to_owned() } else { format!("@{path}") })?;
    Answers::parse(&text).map_err(|problem| {
        Failure::usage(format!("the answers in {path:?} cannot be read: {problem}"))
            .hint(Advice::command(Suggested::new("submit").flag("--help"), "shows the format"))
    })
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
    let known = json.map(|given| object("--args-json", given)).transpose()?.unwrap_or_default();
    form::arguments(schema, known, &split("--arg", pairs)?, "--args-json")
        .map_err(|problems| invalid("--arg", &problems))
}

/// The same over those that an earlier task had: what is given stands in the place of what it had of that name.
pub(crate) fn over(
    schema: &Value,
    mut earlier: Map<String, Value>,
    pairs: &[String],
) -> Result<Map<String, Value>, Failure> {
    let pairs = split("--arg", pairs)?;
    earlier.retain(|name, _| pairs.iter().all(|(given, _)| given != name));
    form::arguments(schema, earlier, &pairs, "submit --args-json")
        .map_err(|problems| invalid("--arg", &problems))
}

/// A form's content from `--set name=value`, typed by its fields; what is not set has its default.
pub(crate) fn for_form(form: &Form, pairs: &[String]) -> Result<Map<String, Value>, Failure> {
    form::content(form, &split("--set", pairs)?, "--content")
        .map_err(|problems| invalid("the answer", &problems))
}

fn split<'a>(option: &str, pairs: &'a [String]) -> Result<Vec<(&'a str, &'a str)>, Failure> {
    let one = |pair: &'a String| {
        pair.split_once('=')
            .filter(|(name, _)| !name.is_empty())
            .ok_or_else(|| Failure::usage(format!("{option} {pair:?} is not name=value")))
    };
    pairs.iter().map(one).collect()
}

fn invalid(what: &str, problems: &[Violation]) -> Failure {
    match problems {
        [one] => Failure::usage(format!("{what} is not valid: {one}")),
        several => {
            let lines: Vec<_> = several.iter().map(|one| format!("- {one}")).collect();
            Failure::usage(format!("{what} is not valid:\n{}", lines.join("\n")))
        }
    }
}
