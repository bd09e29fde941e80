//! The entries of a file of answers, each with its place.

use serde_json::{Map, Value};

use super::{Entry, OTHERWISE, WHOLE};
use crate::task::Action;

/// What is wrong with an action that is none.
pub(super) const NO_ACTION: &str = "is no action: there are accept, decline and cancel";

/// The actions, as they are written.
const ACTIONS: [&str; 3] = ["accept", "decline", "cancel"];

/// Whether it is an action of MCP's.
pub(super) fn is_action(value: &Value) -> bool {
    value.as_str().is_some_and(|value| ACTIONS.contains(&value))
}

fn is_nearly_action(value: &Value) -> bool {
    value.as_str().is_some_and(|value| ACTIONS.iter().any(|action| is_slip(value, action)))
}

/// Whether a word is another one with a letter too many, a letter too few, or two letters the wrong way round.
pub(super) fn is_slip(written: &str, meant: &str) -> bool {
    let (written, meant): (Vec<char>, Vec<char>) = (written.chars().collect(), meant.chars().collect());
    let same = |pair: &(&char, &char)| pair.0 == pair.1;
    let before = written.iter().zip(&meant).take_while(same).count();
    let (written, meant) = (&written[before..], &meant[before..]);
    let after = written.iter().rev().zip(meant.iter().rev()).take_while(same).count();
    match (&written[..written.len() - after], &meant[..meant.len() - after]) {
        ([], [_]) | ([_], []) => true,
        ([one, other], [first, second]) => one == second && other == first,
        _ => false,
    }
}

/// Refuses a last resort that would be passed over: beside the fields of an entry, or in an action's entry.
pub(super) fn misplaced_otherwise(place: &str, value: &Value) -> Result<(), String> {
    let is_resort = |value: &Value| value == "decline" || value == "cancel";
    match value.get(OTHERWISE).filter(|value| place != WHOLE && is_resort(value)) {
        Some(resort) => {
            Err(format!("{place}: {{\"otherwise\": {resort}}} is an entry of its own, the last of them"))
        }
        None => Ok(()),
    }
}

/// The entries of a text, each with its place.
pub(super) fn placed(text: &str) -> Result<Vec<(String, Value)>, String> {
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let mut found = Vec::new();
    loop {
        let begins = text.len() - text[stream.byte_offset()..].trim_start().len();
        let line = text[..begins].matches('\n').count() + 1;
        match stream.next() {
            Some(value) => found.push((format!("line {line}"), value.map_err(|error| error.to_string())?)),
            None => break,
        }
    }
    match <[(String, Value); 1]>::try_from(found) {
        Ok([(_, Value::Array(list))]) => {
            let number = |(at, value)| (format!("entry {}", at + 1), value);
            Ok(list.into_iter().enumerate().map(number).collect())
        }
        Ok([(_, one)]) => Ok(vec![(WHOLE.to_owned(), one)]),
        Err(lines) => Ok(lines),
    }
}

/// What the last entry, or the one object, says of questions that nothing else answers.
pub(super) fn otherwise(place: &str, value: &Value) -> Result<Option<Action>, String> {
    let Some(object) = value.as_object().filter(|object| place == WHOLE || object.len() == 1) else {
        return Ok(None);
    };
    match object.get(OTHERWISE) {
        Some(Value::String(action)) if action == "decline" => Ok(Some(Action::Decline)),
        Some(Value::String(action)) if action == "cancel" => Ok(Some(Action::Cancel)),
        // Alone it can be nothing else.
        Some(other) if object.len() == 1 => {
            Err(format!("{place}: \"otherwise\" is {other}: there are \"decline\" and \"cancel\""))
        }
        Some(other) if is_action(other) || is_nearly_action(other) => {
            Err(format!("{place}: \"otherwise\" is {other}: there are \"decline\" and \"cancel\""))
        }
        _ => Ok(None),
    }
}

/// Reads one entry. It is an envelope where its content is an object, which no field is, or where it has an action of
/// MCP's and nothing else but a message; else it is content.
pub(super) fn entry(place: String, value: Value) -> Result<Entry, String> {
    let Value::Object(mut object) = value else { return Err(format!("{place}: {value} is not an object")) };
    let is_key = |key: &String| matches!(key.as_str(), "action" | "content" | "message" | OTHERWISE);
    let action = object.get("action").and_then(|action| serde_json::from_value(action.clone()).ok());
    let has_content = object.get("content").is_some_and(Value::is_object);
    let is_envelope = has_content || action.is_some() && object.keys().all(is_key);
    if let Some(slip) = object.get("action").filter(|slip| object.len() == 1 && is_nearly_action(slip)) {
        return Err(format!("{place}: {slip} {NO_ACTION}"));
    }
    if !is_envelope {
        return Ok(Entry { place, action: None, content: object, message: None });
    }
    if let Some(key) = object.keys().find(|key| !is_key(key)) {
        return Err(format!(
            "{place}: {key:?} is no part of an entry: there are action, content and message"
        ));
    }
    if let Some(other) = object.get("action").filter(|_| action.is_none()) {
        return Err(format!("{place}: {other} {NO_ACTION}"));
    }
    let message = match object.remove("message") {
        None => None,
        Some(Value::String(message)) => Some(message.trim().to_owned()),
        Some(other) => return Err(format!("{place}: the message {other} is not text")),
    };
    match object.remove("content") {
        None | Some(Value::Null) => Ok(Entry { place, action, content: Map::new(), message }),
        Some(Value::Object(content)) => Ok(Entry { place, action, content, message }),
        Some(other) => Err(format!("{place}: the content {other} is not an object")),
    }
}
