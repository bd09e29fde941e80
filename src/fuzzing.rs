//! What the fuzz targets under `fuzz/` run: each function takes what a stranger can send, and panics where
//! anything but a value or a refusal comes of it. The tests here run the targets' seeds.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::ask::protocol::{Reply, Request, timeout};
use crate::desk::answers::Answers;
use crate::form::{Form, schema_fault, schema_violations, unaskable};
use crate::task::Ask;

/// A message on the wire, through the dialect layer and into rmcp's types.
pub fn dialect(input: &[u8]) {
    crate::server::message(input);
}

/// A question's schema, and behind the first line end what is given as the answer.
pub fn form(input: &[u8]) {
    let (schema, answer) = split(input);
    if let Ok(answers) = Answers::parse(&String::from_utf8_lossy(answer)) {
        let _ = answers.to(
            0,
            &Ask::form("Why?", json!({ "type": "object", "properties": { "a": { "type": "string" } } })),
        );
    }
    let Ok(schema) = serde_json::from_slice::<Value>(schema) else { return };
    check(&Ask::form("Why?", schema.clone()));
    let content: Value = serde_json::from_slice(answer).unwrap_or_default();
    if let Ok(form) = Form::parse(&schema) {
        let empty = Map::new();
        let complete = form.violations(content.as_object().unwrap_or(&empty)).is_empty();
        assert!(
            !complete
                || form.fields.iter().all(|field| !field.required || content.get(&field.name).is_some())
        );
        typed(&form, &String::from_utf8_lossy(answer));
    }
    if schema_fault(&schema).is_none() {
        schema_violations(&schema, &content);
    }
}

/// The same text typed into each field: what is read can be written and is then read again.
fn typed(form: &Form, text: &str) {
    for field in &form.fields {
        field.rules();
        if let Ok(Some(value)) = form.read(field, text) {
            field.show(&value);
            let again = form.read_again(field, Some(&value), &field.write(&value));
            assert!(again.is_ok() || field.write(&value).is_empty(), "{again:?}");
        }
    }
    form.defaults();
}

/// A file of tools. Its names are relative, so that no run reads elsewhere than where it runs.
pub fn config(input: &[u8]) {
    let text = String::from_utf8_lossy(input).replace('/', "_");
    match crate::config::parse(Path::new("mcptask.toml"), &text) {
        Ok(config) => drop(config.tools()),
        Err(mistakes) => {
            assert!(!mistakes.is_empty(), "refused for no reason");
            let lines = text.lines().count() + 1;
            assert!(mistakes.iter().all(|mistake| mistake.line <= lines && !mistake.to_string().is_empty()));
        }
    }
}

/// Lines on a command's socket, read by either side.
pub fn ask(input: &[u8]) {
    for line in input.split(|byte| *byte == b'\n') {
        if let Ok(request) = serde_json::from_slice::<Request>(line) {
            let text = serde_json::to_vec(&request).expect("what was read can be written");
            assert_eq!(serde_json::from_slice::<Request>(&text).expect("and read again"), request);
            match request {
                Request::Ask(request) => {
                    let _ = timeout(request.timeout);
                    let _ = request.into_ask().map(|ask| check(&ask));
                }
                Request::AskAll(request) => {
                    let _ = request.into_asks().map(|(asks, _)| asks.iter().for_each(check));
                }
                Request::Report(_) => {}
            }
        }
        if let Ok(reply) = serde_json::from_slice::<Reply>(line) {
            serde_json::to_vec(&reply).expect("what was read can be written");
        }
    }
}

/// A key of a FastMCP task, and on the lines behind it what Redis replies about it.
pub fn fastmcp(input: &[u8]) {
    crate::fastmcp::fuzzing::task(input);
}

fn check(ask: &Ask) {
    let sound = unaskable(ask).is_empty();
    let (print, params) = (ask.fingerprint(), ask.to_params());
    assert!(!sound || (!print.is_empty() && params.is_object()));
}

/// What stands before and behind the first line end.
fn split(input: &[u8]) -> (&[u8], &[u8]) {
    match input.iter().position(|byte| *byte == b'\n') {
        Some(at) => (&input[..at], &input[at + 1..]),
        None => (input, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replay(target: &str, run: fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
        let seeds: Vec<_> = std::fs::read_dir(&folder).expect("seeds").collect();
        assert!(seeds.len() > 2, "{} has hardly any seeds", folder.display());
        for seed in seeds {
            let path = seed.expect("an entry").path();
            run(&std::fs::read(&path).expect("a seed can be read"));
        }
    }

    #[test]
    fn seeds_of_the_dialect_layer() {
        replay("dialect", dialect);
    }

    #[test]
    fn seeds_of_forms_and_answers() {
        replay("form", form);
    }

    #[test]
    fn seeds_of_the_configuration_file() {
        replay("config", config);
    }

    #[test]
    fn seeds_of_a_commands_socket() {
        replay("ask", ask);
    }

    #[test]
    fn seeds_of_fastmcps_values() {
        replay("fastmcp", fastmcp);
    }
}
