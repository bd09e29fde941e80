//! What the server sends, kept as it was sent.
//!
//! rmcp reads each message into typed models, and the models forget: a form's fields come out sorted by
//! name instead of in the author's order, `execution.taskSupport`, `capabilities.tasks` and the older
//! era's tasks are dropped, and a result that fits no model shrinks to its `resultType`. So before rmcp
//! parses a message, its telling parts are put where rmcp passes JSON through untouched: results under
//! one private key, elicitations, task notifications and promises of them under private methods.

use std::sync::OnceLock;

use rmcp::model::{ServerCapabilities, Tool};
use serde::Deserialize as _;
use serde_json::{Value, json};

use super::tools::not_a_tool;

const VERBATIM: &str = "mcptask/verbatim";

/// The private method that stands for `elicitation/create`.
pub(super) const ELICITATION: &str = "mcptask/elicitation";

/// The private method that stands for `notifications/tasks/status` and `notifications/tasks`.
pub(super) const TASK_CHANGED: &str = "mcptask/task_changed";

/// The private method that stands for `notifications/subscriptions/acknowledged`.
pub(super) const PROMISED: &str = "mcptask/promised";

/// The road that each inbound message takes.
#[derive(Debug, Default)]
pub(super) struct Wire {
    handshake: OnceLock<Value>,
}

impl Wire {
    /// The server's `initialize` or `server/discover` result, verbatim.
    pub(super) fn handshake(&self) -> &Value {
        self.handshake.get().unwrap_or(&Value::Null)
    }

    /// The message as rmcp shall read it. What is not a JSON object is rmcp's to refuse.
    pub(super) fn inbound(&self, text: &str) -> String {
        let Ok(mut message) = serde_json::from_str::<Value>(text) else { return text.to_owned() };
        let private = match message.get("method").and_then(Value::as_str) {
            Some("elicitation/create") => Some(ELICITATION),
            Some("notifications/subscriptions/acknowledged") => Some(PROMISED),
            Some("notifications/tasks/status" | "notifications/tasks") => Some(TASK_CHANGED),
            _ => None,
        };
        if let (Some(method), Some(slot)) = (private, message.get_mut("method")) {
            *slot = method.into();
        } else if let Some(result) = message.get_mut("result") {
            self.keep(result);
        }
        message.to_string()
    }

    fn keep(&self, result: &mut Value) {
        if result.get("protocolVersion").is_some() || result.get("supportedVersions").is_some() {
            // A session that is opened again says the same; the first word stays.
            let _ = self.handshake.set(result.clone());
            if let Some(read) = discovered(result) {
                *result = read;
            }
        } else if result.get("tools").is_none() || result.get("resultType").is_none() {
            *result = json!({ VERBATIM: result.take() });
        }
        // rmcp reads a modern server's tool list itself: it learns from it which arguments travel as
        // headers too (SEP-2243). Nothing that this client needs is lost there, but it reads all tools or none.
        else if let Some(Value::Array(tools)) = result.get_mut("tools") {
            tools.retain(|tool| {
                let is_tool = Tool::deserialize(tool).is_ok();
                if !is_tool {
                    not_a_tool(tool);
                }
                is_tool
            });
        }
    }
}

/// What rmcp has to know of a `server/discover` result. It takes one that lacks a hint about caching, or has a capability
/// that it cannot read, for none at all, and its server for one of the older era.
fn discovered(result: &Value) -> Option<Value> {
    let versions = result.get("supportedVersions").filter(|versions| versions.is_array())?;
    let kind = result.get("resultType").cloned().unwrap_or_else(|| "complete".into());
    let capabilities = result.get("capabilities").filter(|one| ServerCapabilities::deserialize(*one).is_ok());
    let meta = result.get("_meta").filter(|meta| meta.is_object());
    Some(json!({
        "resultType": kind,
        "supportedVersions": versions,
        "capabilities": capabilities.cloned().unwrap_or_else(|| json!({})),
        "ttlMs": 0,
        "cacheScope": "private",
        "_meta": meta.cloned().unwrap_or_else(|| json!({})),
    }))
}

/// A result as the server sent it.
pub(super) fn unwrapped(mut result: Value) -> Value {
    match result.get_mut(VERBATIM) {
        Some(kept) => kept.take(),
        None => result,
    }
}

#[cfg(test)]
mod tests {
    use rmcp::model::{ServerJsonRpcMessage, ServerResult};

    use super::*;

    fn read(text: &str) -> ServerJsonRpcMessage {
        serde_json::from_str(&Wire::default().inbound(text)).expect("rmcp reads it")
    }

    #[test]
    fn a_result_comes_out_as_it_went_in() {
        for result in [
            json!({}),
            json!({ "resultType": "complete" }),
            json!({ "task": { "taskId": "t", "status": "working" } }),
            json!({ "taskId": "t", "status": "working", "ttl": 5 }),
            json!({ "content": [{ "type": "hologram" }], "resultType": "complete" }),
            json!({ "tools": [{ "name": "x", "inputSchema": {}, "execution": { "taskSupport": "required" } }] }),
        ] {
            let message = json!({ "jsonrpc": "2.0", "id": 1, "result": result }).to_string();
            let ServerJsonRpcMessage::Response(response) = read(&message) else {
                panic!("{message} is a response")
            };
            assert!(matches!(response.result, ServerResult::CustomResult(_)), "{message}");
            let read = serde_json::to_value(&response.result).expect("serialises");
            assert_eq!(unwrapped(read), result);
        }
    }

    #[test]
    fn a_form_keeps_the_order_of_its_fields() {
        let text = r#"{"jsonrpc":"2.0","id":1,"method":"elicitation/create","params":{"message":"m",
            "requestedSchema":{"type":"object","properties":{"z":{"type":"string"},"a":{"type":"string"}}}}}"#;
        let read = serde_json::to_string(&read(text)).expect("serialises");
        assert!(read.find("\"z\"") < read.find("\"a\""), "{read}");
    }
}
