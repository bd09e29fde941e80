//! The dialect layer: requests whose meaning differs between the eras, or that rmcp's types would lose,
//! travel through rmcp under a private name and arrive with their params untouched.

use rmcp::ErrorData;
use rmcp::model::{CustomResult, JsonRpcMessage, ServerJsonRpcMessage, ServerResult};
use serde_json::{Value, json};

use crate::events_extension;

/// The `_meta` key whose presence makes a request modern (2026-07-28, basic).
const VERSION_KEY: &str = "io.modelcontextprotocol/protocolVersion";

/// The first revision without `initialize`.
const FIRST_MODERN: &str = "2026-07-28";

/// What private names begin with; never taken from the wire.
const PRIVATE: &str = "mcptask-private/";
const LEGACY: &str = "mcptask-private/legacy/";
const MODERN: &str = "mcptask-private/modern/";

/// From here on not every whole number is a fraction of 64 bits (2^53).
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The protocol's two generations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Era {
    /// 2025-11-25 and before: sessions.
    Legacy,
    /// 2026-07-28 and later: every request stands for itself.
    Modern,
}

/// What became of a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Translation {
    /// It goes on as it is.
    Same,
    /// Its method has a private name now.
    Renamed {
        /// The method as it came.
        method: String,
        /// The private one.
        private: String,
        /// The era.
        era: Era,
    },
    /// It used a private name: refused.
    Forged,
}

/// The id of a message as it is given back; null where it has none, or one that nothing can be answered under.
pub(super) fn id(message: &Value) -> Value {
    message.get("id").filter(|id| is_id(id)).cloned().unwrap_or_default()
}

/// What rmcp's types hold: texts, and whole numbers that are not rounded.
fn is_id(id: &Value) -> bool {
    let is_whole = |fraction: f64| fraction.fract() == 0.0 && fraction.abs() < EXACT;
    id.is_string() || id.is_i64() || (id.is_f64() && id.as_f64().is_some_and(is_whole))
}

/// Refuses a request whose id could not be given back as the one that it was.
pub(super) fn check_id(message: &Value) -> Result<(), ErrorData> {
    match message.get("id") {
        Some(id) if id.is_number() && message.get("method").is_some() && !is_id(id) => {
            let problem = format!(
                "the id cannot be given back as it is: give a string, or a whole number from {} to {}",
                i64::MIN,
                i64::MAX
            );
            Err(ErrorData::invalid_request(problem, None))
        }
        _ => Ok(()),
    }
}

/// Refuses a request that would not arrive as it was sent: a number would be rounded, or a key stands twice.
pub(super) fn check_exact(message: &Value, text: &[u8]) -> Result<(), ErrorData> {
    if message.get("method").is_none() || message.get("id").is_none() {
        return Ok(());
    }
    let checked = std::str::from_utf8(text).map_or(Ok(()), crate::json::check);
    checked.map_err(|problem| ErrorData::invalid_params(problem.to_string(), None))
}

/// Renames the method of a request, in place.
pub(super) fn translate(message: &mut Value) -> Translation {
    let Some(method) = message.get("method").and_then(Value::as_str) else { return Translation::Same };
    if method.starts_with(PRIVATE) {
        return Translation::Forged;
    }
    // Notifications have no id, and none is renamed.
    if message.get("id").is_none() {
        return Translation::Same;
    }
    let era = era(message);
    let private = match (era, method) {
        (
            _,
            "tools/call" | "tools/list" | "tasks/get" | "tasks/result" | "tasks/list" | "tasks/cancel"
            | "tasks/update",
        )
        | (
            Era::Modern,
            "subscriptions/listen"
            | events_extension::LIST
            | events_extension::POLL
            | events_extension::STREAM,
        ) => match era {
            Era::Legacy => format!("{LEGACY}{method}"),
            Era::Modern => format!("{MODERN}{method}"),
        },
        _ => return Translation::Same,
    };
    let method = method.to_owned();
    if let Some(name) = message.get_mut("method") {
        *name = Value::String(private.clone());
    }
    Translation::Renamed { method, private, era }
}

/// A request is modern when it names a modern version itself.
pub(super) fn era(message: &Value) -> Era {
    let meta = message.get("params").and_then(|params| params.get("_meta"));
    let version = meta.and_then(|meta| meta.get(VERSION_KEY)).and_then(Value::as_str);
    if version.is_some_and(|version| version >= FIRST_MODERN) { Era::Modern } else { Era::Legacy }
}

/// The era and the protocol's name of a private method.
pub(super) fn original(private: &str) -> Option<(Era, &str)> {
    if let Some(method) = private.strip_prefix(LEGACY) {
        return Some((Era::Legacy, method));
    }
    private.strip_prefix(MODERN).map(|method| (Era::Modern, method))
}

/// The response to `initialize`, where rmcp's types know modern capabilities only: tells a legacy client which of its era's task requests there are, in place of the modern extension.
pub(super) fn with_legacy_tasks(mut message: ServerJsonRpcMessage) -> ServerJsonRpcMessage {
    if let JsonRpcMessage::Response(response) = &mut message
        && let ServerResult::InitializeResult(result) = &response.result
        && let Ok(mut wire) = serde_json::to_value(result)
    {
        if let Some(capabilities) = wire.get_mut("capabilities").and_then(|one| one.as_object_mut()) {
            capabilities.shift_remove("extensions");
            let tasks = json!({ "list": {}, "cancel": {}, "requests": { "tools": { "call": {} } } });
            capabilities.insert("tasks".to_owned(), tasks);
        }
        response.result = ServerResult::CustomResult(CustomResult(wire));
    }
    message
}

/// The response to `server/discover`, whose types have no place for the Events extension's old name: tells it there as well
/// where the extension is offered.
pub(super) fn with_old_events_key(discovered: &mut Value) {
    let Some(Value::Object(capabilities)) = discovered.get_mut("capabilities") else { return };
    if capabilities.get("extensions").is_some_and(|all| all.get(events_extension::ID).is_some()) {
        capabilities.insert(events_extension::OLD_KEY.to_owned(), json!({}));
    }
}

/// The same of a message on a line.
pub(super) fn with_events(mut message: ServerJsonRpcMessage) -> ServerJsonRpcMessage {
    if let JsonRpcMessage::Response(response) = &mut message
        && let ServerResult::DiscoverResult(result) = &response.result
        && let Ok(mut wire) = serde_json::to_value(result)
    {
        with_old_events_key(&mut wire);
        response.result = ServerResult::CustomResult(CustomResult(wire));
    }
    message
}

/// A renamed message is the message but for its method, and finds back.
#[cfg(any(test, fuzzing))]
pub(crate) fn message(input: &[u8]) {
    let Ok(mut message) = serde_json::from_slice::<Value>(input) else { return };
    let before = message.clone();
    match translate(&mut message) {
        Translation::Same => assert_eq!(message, before),
        Translation::Forged => return,
        Translation::Renamed { method, private, era } => {
            assert_eq!(original(&private), Some((era, method.as_str())));
            let mut back = message.clone();
            back["method"] = Value::String(method);
            assert_eq!(back, before);
        }
    }
    let _ = serde_json::from_value::<rmcp::model::ClientJsonRpcMessage>(message);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_keeps_everything_but_its_name() {
        let mut message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": { "name": "greet", "task": { "ttl": 5 } } });
        let Translation::Renamed { method, private, era } = translate(&mut message) else {
            panic!("renamed")
        };
        assert_eq!((method.as_str(), era), ("tools/call", Era::Legacy));
        assert_eq!(original(&private), Some((Era::Legacy, "tools/call")));
        assert_eq!(message["params"]["task"]["ttl"], 5);
    }

    #[test]
    fn the_version_in_the_request_makes_it_modern() {
        for (version, expected) in [("2026-07-28", Era::Modern), ("2025-11-25", Era::Legacy)] {
            let mut message = json!({ "id": 1, "method": "tasks/get",
                "params": { "_meta": { VERSION_KEY: version } } });
            let Translation::Renamed { era, .. } = translate(&mut message) else { panic!("renamed") };
            assert_eq!(era, expected, "{version}");
        }
    }

    #[test]
    fn a_private_name_from_the_wire_is_refused() {
        let mut message = json!({ "id": 1, "method": format!("{LEGACY}tools/call") });
        assert_eq!(translate(&mut message), Translation::Forged);
        let mut notification = json!({ "method": format!("{PRIVATE}anything") });
        assert_eq!(translate(&mut notification), Translation::Forged);
    }

    #[test]
    fn other_messages_pass_unchanged() {
        for mut message in [
            json!({ "id": 1, "method": "initialize" }),
            json!({ "method": "notifications/cancelled" }),
            json!({ "id": 1, "result": {} }),
        ] {
            let before = message.clone();
            assert_eq!(translate(&mut message), Translation::Same);
            assert_eq!(message, before);
        }
    }
}
