//! Refusals as JSON-RPC errors.

use rmcp::ErrorData;
use rmcp::model::{ClientCapabilities, ErrorCode};
use serde_json::json;

use crate::engine::EngineError;
use crate::store::StoreError;
use crate::task::{RpcError, Violation};

/// "Invalid params": the request cannot be right whenever it is sent.
pub(super) fn invalid(message: impl Into<String>) -> ErrorData {
    ErrorData::invalid_params(message.into(), None)
}

/// "Method not found".
pub(super) fn no_method(message: impl Into<String>) -> ErrorData {
    ErrorData::new(ErrorCode::METHOD_NOT_FOUND, message.into(), None)
}

/// "Missing required client capability": the tasks extension.
pub(super) fn needs_tasks_extension() -> ErrorData {
    ErrorData::missing_required_client_capability(ClientCapabilities::builder().enable_tasks().build())
}

/// What the engine refused, as the client is told.
pub(super) fn refused(error: EngineError) -> ErrorData {
    let message = error.to_string();
    match error {
        EngineError::Store(StoreError::Unreachable { .. } | StoreError::Backend { .. }) => {
            tracing::warn!(%message, "a request failed");
            ErrorData::internal_error("the task store does not work at present; try again later", None)
        }
        EngineError::Store(StoreError::TooManyTasks { .. }) => {
            ErrorData::new(ErrorCode::INTERNAL_ERROR, message, None)
        }
        EngineError::Arguments { violations, .. } | EngineError::Answer { violations, .. } => {
            violated(message, &violations)
        }
        _ => invalid(message),
    }
}

/// "Invalid params" that names every violation.
pub(super) fn violated(message: impl Into<String>, violations: &[Violation]) -> ErrorData {
    ErrorData::invalid_params(message.into(), Some(json!({ "violations": violations })))
}

/// A task's own error.
pub(super) fn task_error(error: &RpcError) -> ErrorData {
    let code = i32::try_from(error.code).map_or(ErrorCode::INTERNAL_ERROR, ErrorCode);
    ErrorData::new(code, error.message.clone(), error.data.clone())
}

/// The end of a task that somebody cancelled.
pub(super) fn cancelled(reason: Option<&str>) -> ErrorData {
    let reason = reason.unwrap_or("no reason was given");
    ErrorData::internal_error(format!("the task was cancelled: {reason}"), None)
}
