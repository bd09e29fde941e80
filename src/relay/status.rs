//! `notifications/tasks/status` of the legacy era, made from an event of the log.

use jiff::Timestamp;
use rmcp::model::{CustomNotification, ServerNotification, ToolListChangedNotification};
use serde_json::{Map, Value, json};

use super::connection::Facts;
use crate::task::{Event, EventKind, Outcome, Question, TaskStatus};

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
        // The client goes by the ttl that it was told.
        EventKind::Extended { expires_at, .. } => expires_at.is_some(),
        _ => false,
    }
}

/// The most characters of a failure's words that a status has; the rest is in the result.
const WORDS: usize = 1000;

/// What stands for the words of a failure that has none.
const FAILED: &str = "the task failed";

/// The same of a result that its tool calls an error.
pub(super) const TOOL_ERROR: &str = "the tool calls its result an error";

/// Why a task failed, for people: the error's words, or the text of the result that its tool calls an error. `None` where
/// it did not fail.
pub(crate) fn failure(outcome: &Outcome) -> Option<String> {
    let (words, otherwise) = match outcome {
        Outcome::Error(error) => (error.message.as_str(), FAILED),
        Outcome::Result(result) if outcome.is_tool_error() => {
            let content = result.get("content").and_then(Value::as_array).into_iter().flatten();
            let mut texts = content.filter_map(|part| part.get("text").and_then(Value::as_str));
            (texts.next().unwrap_or_default(), TOOL_ERROR)
        }
        Outcome::Result(_) => return None,
    };
    let words: String = words.trim().chars().take(WORDS).collect();
    Some(if words.is_empty() { otherwise.to_owned() } else { words })
}

/// The notification; a question comes with it, for clients that know what it means. `failure` is why the task failed,
/// where the event does not say it.
pub(super) fn status(
    event: &Event,
    facts: &Facts,
    failure: Option<&str>,
    poll_interval_ms: u64,
) -> ServerNotification {
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
    if let Some(message) = failure.or_else(|| message(&event.kind)) {
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
        EventKind::Failed { message, .. } if message.trim().is_empty() => Some(FAILED),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::RpcError;

    #[test]
    fn a_failure_always_has_words() {
        let broken =
            |message: &str| Outcome::Error(RpcError { code: -1, message: message.to_owned(), data: None });
        let result = |result| Outcome::Result(result);
        let text = |text: &str| json!([{ "type": "image" }, { "type": "text", "text": text }]);
        for (outcome, words) in [
            (broken("It broke."), Some("It broke.")),
            (broken(" "), Some("the task failed")),
            (result(json!({ "isError": true, "content": text("No luck.\n") })), Some("No luck.")),
            (result(json!({ "isError": true, "content": [] })), Some("the tool calls its result an error")),
            (result(json!({ "isError": true })), Some("the tool calls its result an error")),
            (result(json!({ "isError": false, "content": text("fine") })), None),
        ] {
            assert_eq!(failure(&outcome).as_deref(), words, "{outcome:?}");
        }
        let long = failure(&broken(&"ä".repeat(5000))).expect("words");
        assert_eq!(long.chars().count(), WORDS);
    }
}
