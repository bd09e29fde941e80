//! `notifications/tasks/status` of the legacy era, made from an event of the log.

use jiff::Timestamp;
use rmcp::model::{CustomNotification, ServerNotification, ToolListChangedNotification};
use serde_json::{Map, Value, json};

use super::connection::Facts;
use crate::task::{Event, EventKind, Question, TaskStatus};

/// The `_meta` key that says which task a message is about (2025-11-25, basic/utilities/tasks).
pub(crate) const RELATED_TASK: &str = "io.modelcontextprotocol/related-task";

/// The status that the legacy era shows. It knows no completed task whose result is an error
/// (2025-11-25, basic/utilities/tasks: "failed" covers a tool result with `isError`).
pub(crate) fn legacy_status(status: TaskStatus, tool_error: bool) -> TaskStatus {
    if tool_error { TaskStatus::Failed } else { status }
}

/// Whether the client is told of this event.
pub(super) fn is_told(kind: &EventKind) -> bool {
    match kind {
        EventKind::Progress(progress) => progress.message.is_some(),
        EventKind::Asked { .. }
        | EventKind::Answered { .. }
        | EventKind::Completed { .. }
        | EventKind::Failed { .. }
        | EventKind::Cancelled { .. } => true,
        _ => false,
    }
}

/// The notification; a question comes with it, for clients that know what it means.
pub(super) fn status(event: &Event, facts: &Facts, poll_interval_ms: u64) -> ServerNotification {
    let tool_error = matches!(event.kind, EventKind::Completed { is_error: true });
    let status = legacy_status(event.status, tool_error);
    let mut params = json!({
        "taskId": event.task,
        "status": status,
        "createdAt": shown(facts.created_at),
        "lastUpdatedAt": shown(event.at),
        "ttl": facts.ttl_ms,
        "pollInterval": poll_interval_ms,
    });
    if let Some(message) = message(&event.kind) {
        params["statusMessage"] = json!(message);
    }
    if let EventKind::Asked { question } = &event.kind {
        let mut related = json!({ "taskId": event.task, "status": status });
        related["statusMessage"] = json!(question.ask.message);
        related["elicitation"] = elicitation(question);
        params["_meta"] = Value::Object(Map::from_iter([(RELATED_TASK.to_owned(), related)]));
    }
    let notification = CustomNotification::new("notifications/tasks/status", Some(params));
    ServerNotification::CustomNotification(notification)
}

/// The question in the shape that FastMCP's notifications have.
fn elicitation(question: &Question) -> Value {
    let mut shown = question.ask.to_params();
    if let Value::Object(shown) = &mut shown {
        shown.shift_remove("mode");
    }
    shown["requestId"] = json!(question.id);
    shown
}

fn message(kind: &EventKind) -> Option<&str> {
    match kind {
        EventKind::Asked { question } => Some(&question.ask.message),
        EventKind::Progress(progress) => progress.message.as_deref(),
        EventKind::Failed { message, .. } => Some(message),
        EventKind::Cancelled { reason } => Some(reason),
        _ => None,
    }
}

/// `notifications/tools/list_changed`.
pub(super) fn tools_changed() -> ServerNotification {
    ServerNotification::ToolListChangedNotification(ToolListChangedNotification::default())
}

/// `notifications/progress` for a task whose call brought a token: it stays valid for the task's life.
pub(super) fn progress(event: &Event, facts: &Facts) -> Option<ServerNotification> {
    let (EventKind::Progress(progress), Some(token)) = (&event.kind, &facts.progress_token) else {
        return None;
    };
    let mut params = json!({ "progressToken": token, "progress": progress.current });
    if let Some(total) = progress.total {
        params["total"] = json!(total);
    }
    if let Some(message) = &progress.message {
        params["message"] = json!(message);
    }
    params["_meta"] = json!({ RELATED_TASK: { "taskId": event.task } });
    Some(ServerNotification::CustomNotification(CustomNotification::new(
        "notifications/progress",
        Some(params),
    )))
}

/// A time as MCP shows it: RFC 3339 to the millisecond.
pub(crate) fn shown(at: Timestamp) -> String {
    format!("{at:.3}")
}
