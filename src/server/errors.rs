//! Refusals as JSON-RPC errors.

use rmcp::ErrorData;
use rmcp::model::{ClientCapabilities, ErrorCode, TASKS_EXTENSION_ID};
use serde_json::{Value, json};

use crate::engine::EngineError;
use crate::events_extension::Refusal;
use crate::store::StoreError;
use crate::task::{RpcError, Violation};

/// Under this key of an error's data clients find whether a request that met a store that is away can be repeated.
const STORE_AWAY: &str = "mcptask/storeAway";

/// Under this key they find that the store refuses, and that waiting does not help.
const STORE_REFUSES: &str = "mcptask/storeRefuses";

/// "Invalid params": the request cannot be right whenever it is sent.
pub(super) fn invalid(message: impl Into<String>) -> ErrorData {
    ErrorData::invalid_params(message.into(), None)
}

/// A request of the older era outside a session, over HTTP a bad request (2025-11-25, basic/transports).
pub(super) fn no_session() -> ErrorData {
    let problem = "the request belongs to no session: send initialize first, or name 2026-07-28";
    ErrorData::invalid_request(problem, None)
}

/// "Method not found".
pub(super) fn no_method(message: impl Into<String>) -> ErrorData {
    ErrorData::new(ErrorCode::METHOD_NOT_FOUND, message.into(), None)
}

/// "Missing required client capability": the tasks extension, by its name.
pub(super) fn needs_tasks_extension() -> ErrorData {
    let required = ClientCapabilities::builder().enable_tasks().build();
    let mut error = ErrorData::missing_required_client_capability(required);
    error.message = format!("{}: the extension {TASKS_EXTENSION_ID}", error.message).into();
    error
}

/// The Events extension refuses: its code, and what it is about.
pub(super) fn events(refusal: Refusal, message: impl Into<String>, data: Option<Value>) -> ErrorData {
    ErrorData::new(ErrorCode(refusal.code()), message.into(), data)
}

/// What the engine refused, as the client is told. What says where the store is, or what is wrong with it, stays here.
pub(super) fn refused(error: EngineError) -> ErrorData {
    let message = error.to_string();
    match error {
        EngineError::Arguments { violations, .. } | EngineError::Answer { violations, .. } => {
            violated(message, &violations)
        }
        EngineError::Store(error) => refused_by_store(error, message),
        _ => invalid(message),
    }
}

fn refused_by_store(error: StoreError, message: String) -> ErrorData {
    match error {
        // Whose it is cannot be read, so it is like one that never was.
        StoreError::Unreadable { task, .. } => {
            tracing::warn!(%message, "a client asked for it");
            invalid(StoreError::NoTask(task).to_string())
        }
        StoreError::TooManyTasks { .. } => ErrorData::internal_error(message, None),
        StoreError::NoTask(_)
        | StoreError::NoQuestion { .. }
        | StoreError::AlreadyAnswered { .. }
        | StoreError::Ended { .. }
        | StoreError::TooManyQuestions { .. }
        | StoreError::Refused { .. } => invalid(message),
        error => {
            tracing::warn!(%message, "a request failed");
            let text = "the task store does not work at present; try again later";
            let told = away(&error).map(|what| json!({ STORE_AWAY: what }));
            let refuses = matches!(error, StoreError::Refuses { .. }).then(|| json!({ STORE_REFUSES: true }));
            ErrorData::internal_error(text, told.or(refuses))
        }
    }
}

/// What is known of the request where the store is away: one that it refused has changed nothing. `None` where it is
/// not away, and waiting does not help.
fn away(error: &StoreError) -> Option<&'static str> {
    match error {
        StoreError::Refuses { refusal, .. } if refusal.is_about_rights() => None,
        StoreError::Refuses { refusal, .. } => refusal.is_passing().then_some("nothingChanged"),
        error => error.is_passing().then_some("unknown"),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Refusal;
    use crate::task::TaskId;

    #[test]
    fn what_is_wrong_with_the_store_is_not_told_to_clients() {
        let location = "redis://10.1.2.3:6379/secret".to_owned();
        let problem = "OOM command not allowed".to_owned();
        for error in [
            StoreError::Unreachable { location: location.clone(), problem: problem.clone() },
            StoreError::Backend { location: location.clone(), problem: problem.clone() },
            StoreError::Refuses { location, refusal: Refusal::MemoryFull, problem },
        ] {
            let told = refused(error.into());
            assert_eq!(told.code, ErrorCode::INTERNAL_ERROR);
            assert!(told.message.contains("try again later"), "{told:?}");
            assert!(!told.message.contains("10.1.2.3") && !told.message.contains("OOM"), "{told:?}");
        }
    }

    #[test]
    fn a_client_is_told_whether_a_store_that_is_away_has_changed_anything() {
        let location = "redis://127.0.0.1:6379/0".to_owned();
        let refuses = |refusal| {
            let (location, problem) = (location.clone(), "no".to_owned());
            StoreError::Refuses { location, refusal, problem }
        };
        let unreachable = StoreError::Unreachable { location: location.clone(), problem: "reset".to_owned() };
        for (error, told) in [
            (refuses(Refusal::MemoryFull), json!({ STORE_AWAY: "nothingChanged" })),
            (unreachable, json!({ STORE_AWAY: "unknown" })),
            (refuses(Refusal::NotPermitted), json!({ STORE_REFUSES: true })),
            (refuses(Refusal::FileGone), json!({ STORE_REFUSES: true })),
        ] {
            assert_eq!(refused(error.into()).data.unwrap_or_default(), told);
        }
    }

    #[test]
    fn a_task_that_cannot_be_read_is_not_found() {
        let task = TaskId::generate();
        let unreadable = StoreError::Unreadable { task: task.clone(), problem: "is half lost".to_owned() };
        let (told, never) = (refused(unreadable.into()), refused(StoreError::NoTask(task).into()));
        assert_eq!((told.code, told.message), (never.code, never.message));
    }

    #[test]
    fn what_does_not_pass_the_gate_is_named() {
        let (what, problem) = ("the task".to_owned(), "is nested 101 levels deep, more than 100".to_owned());
        let told = refused(StoreError::Refused { what, problem }.into());
        assert_eq!(told.code, ErrorCode::INVALID_PARAMS);
        assert_eq!(told.message, "the task is nested 101 levels deep, more than 100");
    }
}
