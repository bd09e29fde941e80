//! The response to `initialize`: rmcp's types know modern capabilities only.

use rmcp::model::{CustomResult, JsonRpcMessage, ServerJsonRpcMessage, ServerResult};
use serde_json::json;

/// Tells a legacy client which of its era's task requests there are, in place of the modern extension.
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
