//! What a command's end means for its task.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use serde_json::{Value, json};

use crate::form::schema_violations;
use crate::json;
use crate::store::gate::{self, Kind};
use crate::task::{Outcome, ToolSpec, joined};

/// How the started process ended, in words; nothing when it ended well.
pub(super) fn exit_problem(status: ExitStatus) -> Option<String> {
    if status.success() {
        None
    } else if let Some(code) = status.code() {
        Some(format!("it ended with exit code {code}"))
    } else if status.signal().is_some() {
        // The standard library names the signal: "signal: 9 (SIGKILL)".
        Some(format!("it was killed by {}", status.to_string().replacen("signal: ", "signal ", 1)))
    } else {
        Some(format!("it ended with {status}"))
    }
}

/// The result of a command that ended well, or why its stdout is none.
pub(super) fn result(tool: &ToolSpec, stdout: Vec<u8>) -> Result<Outcome, String> {
    let text = String::from_utf8(stdout).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        format!("its stdout is not text: the byte at {at} is not UTF-8; print base64, or write a file")
    })?;
    let text = text.trim_end_matches(['\n', '\r']);
    let parsed = serde_json::from_str::<Value>(text);
    let inexact = if matches!(parsed, Ok(Value::Object(_))) { json::check(text).err() } else { None };
    if let Some(schema) = &tool.output_schema {
        checked(schema, parsed.as_ref())?;
        if let Some(problem) = &inexact {
            return Err(format!(
                "its stdout cannot be passed on as the tool's output schema wants: {problem}"
            ));
        }
    }
    let problem = match (parsed, inexact) {
        // The text has it as it was printed; an object would have something else.
        (Ok(_), Some(problem)) => problem.to_string(),
        (Ok(object @ Value::Object(_)), None) => match kept(text, Some(object)) {
            // Too deep, or too long twice over: the text is kept all the same.
            Err(problem) if tool.output_schema.is_none() => problem,
            kept => return kept,
        },
        // It is meant as an object, as it seems.
        (Err(error), _) if text.starts_with('{') && text.ends_with('}') => {
            format!("it is no JSON that can be read: {error}")
        }
        _ => return kept(text, None),
    };
    let outcome = kept(text, None)?;
    tracing::warn!(tool = %tool.name, %problem, "a command's result is passed on as text only");
    Ok(outcome)
}

/// The result of that text, and of the object that it is, where a store keeps it.
fn kept(text: &str, object: Option<Value>) -> Result<Outcome, String> {
    let mut result = json!({ "content": [{ "type": "text", "text": text }], "isError": false });
    if let Some(object) = object {
        result["structuredContent"] = object;
    }
    let outcome = Outcome::Result(result);
    match gate::json(Kind::Outcome, &outcome) {
        Ok(_) => Ok(outcome),
        Err(error) => Err(format!("its stdout is no result that can be kept: {error}")),
    }
}

fn checked(schema: &Value, parsed: Result<&Value, &serde_json::Error>) -> Result<(), String> {
    let object = match parsed {
        Ok(object @ Value::Object(_)) => object,
        Ok(_) => return Err("its stdout is JSON but no object, as the tool's output schema wants".to_owned()),
        Err(error) => {
            return Err(format!("its stdout is no JSON, as the tool's output schema wants: {error}"));
        }
    };
    let violations = schema_violations(schema, object);
    if violations.is_empty() {
        return Ok(());
    }
    Err(format!("its stdout breaks the tool's output schema: {}", joined(&violations)))
}

/// The most of stdout that an error result quotes, in bytes: its end says most.
const MAX_QUOTED_BYTES: usize = 64 * 1024;

/// An error result: what was wrong, the end of stderr, and what was printed until then.
pub(super) fn failure(problem: &str, stderr: &str, stdout: &[u8]) -> Outcome {
    let stderr = end_of(stderr);
    let text = if stderr.is_empty() { problem.to_owned() } else { format!("{problem}\n{stderr}") };
    let mut content = vec![json!({ "type": "text", "text": text })];
    let printed = end_of(std::str::from_utf8(stdout).map(str::trim_end).unwrap_or_default());
    if !printed.is_empty() {
        content.push(json!({ "type": "text", "text": printed }));
    }
    Outcome::Result(json!({ "content": content, "isError": true }))
}

fn end_of(text: &str) -> String {
    let from = text.len().saturating_sub(MAX_QUOTED_BYTES);
    let from = (from..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(from);
    if from == 0 { text.to_owned() } else { format!("… {}", &text[from..]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(output_schema: Option<Value>) -> ToolSpec {
        ToolSpec { output_schema, ..ToolSpec::new("t", "d", json!({ "type": "object" })) }
    }

    fn wanted() -> Value {
        json!({ "type": "object", "properties": { "n": { "type": "integer" } }, "required": ["n"] })
    }

    #[test]
    fn an_object_is_structured_and_text_is_not() {
        let Ok(Outcome::Result(object)) = result(&tool(None), b"{\"n\": 1}\n".to_vec()) else { panic!() };
        assert_eq!(object["structuredContent"]["n"], 1);
        let Ok(Outcome::Result(text)) = result(&tool(None), b"[1]\n\n".to_vec()) else { panic!() };
        assert_eq!(text["content"][0]["text"], "[1]");
        assert!(text.get("structuredContent").is_none());
    }

    #[test]
    fn what_would_be_rounded_or_lost_is_passed_on_as_text_only() {
        for text in ["{\"n\": 123456789012345678901234567890}", "{\"n\": 1, \"n\": 2}"] {
            let Ok(Outcome::Result(object)) = result(&tool(None), text.into()) else { panic!("{text}") };
            assert!(object.get("structuredContent").is_none(), "{object}");
            assert_eq!(object["content"][0]["text"], text);
            let problem = result(&tool(Some(json!({ "type": "object" }))), text.into()).expect_err("refused");
            assert!(problem.contains("would be rounded") || problem.contains("twice"), "{problem}");
        }
    }

    #[test]
    fn stdout_is_held_to_the_output_schema() {
        assert!(result(&tool(Some(wanted())), b"{\"n\": 1}".to_vec()).is_ok());
        let problem = |bytes: &[u8]| result(&tool(Some(wanted())), bytes.to_vec()).expect_err("refused");
        assert!(problem(b"{\"n\": \"x\"}").contains("n: "));
        assert!(problem(b"hello").contains("no JSON"));
        assert!(problem(b"[]").contains("no object"));
    }

    #[test]
    fn an_object_that_no_store_keeps_is_passed_on_as_text_only() {
        let deep = |levels| format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(3 * 1024 * 1024));
        for text in [deep(99), deep(100), deep(127), deep(128), deep(5000), long] {
            let kept = result(&tool(None), text.clone().into_bytes());
            let Ok(Outcome::Result(object)) = kept else { panic!("{kept:?}") };
            assert!(object.get("structuredContent").is_none() && object["isError"] == false);
            assert_eq!(object["content"][0]["text"], text);
        }
        let Ok(Outcome::Result(object)) = result(&tool(None), deep(90).into()) else { panic!() };
        assert!(object.get("structuredContent").is_some());
        let any = json!({ "type": "object" });
        let problem = result(&tool(Some(any)), deep(110).into()).expect_err("no text has the schema");
        assert!(problem.contains("levels deep"), "{problem}");
    }

    #[test]
    fn what_no_store_keeps_is_no_result_and_its_quote_is_short() {
        let problem = |bytes: Vec<u8>| result(&tool(None), bytes).expect_err("refused");
        let large = format!("{{\"a\":\"{}\"}}", "\u{1}".repeat(10));
        assert!(result(&tool(None), large.into_bytes()).is_ok(), "control characters are no JSON, but text");
        let large = "\u{1}".repeat(1_000_000);
        assert!(problem(large.clone().into_bytes()).contains("bytes, more than"));
        let quoted = failure("x", "", large.as_bytes());
        assert!(gate::json(Kind::Outcome, &quoted).is_ok());
        let umlauts = end_of(&"ä".repeat(100_000));
        assert!(umlauts.len() < MAX_QUOTED_BYTES + 8 && umlauts.ends_with('ä'));
    }

    #[test]
    fn bytes_that_are_no_text_are_no_result() {
        assert!(result(&tool(None), vec![b'a', 0xff]).expect_err("refused").contains("byte at 1"));
    }
}
