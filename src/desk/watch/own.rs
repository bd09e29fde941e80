//! Events of our own log.

use super::Seen;
use crate::desk::asked::OpenQuestion;
use crate::desk::{object, text};
use crate::task::answer::named;
use crate::task::{Event, EventKind};

impl Seen {
    /// An event of our own log.
    pub(crate) fn of_event(event: &Event) -> Self {
        let question = match &event.kind {
            EventKind::Asked { question } => Some(OpenQuestion::of_store(&event.task, &event.tool, question)),
            _ => None,
        };
        Self {
            at: event.at,
            task: event.task.to_string(),
            tool: Some(event.tool.clone()),
            status: event.status,
            is_tool_error: matches!(event.kind, EventKind::Completed { is_error: true }),
            is_success_unknown: false,
            name: event.kind.name(),
            is_end: event.kind.is_end(),
            words: words(&event.kind),
            software: None,
            question,
            object: object::of_event(event),
        }
    }
}

fn words(kind: &EventKind) -> String {
    match kind {
        EventKind::Expired { pruned: true } => "deleted by prune".to_owned(),
        EventKind::Submitted {}
        | EventKind::Expired { pruned: false }
        | EventKind::Completed { is_error: false } => kind.name().to_owned(),
        EventKind::Claimed { worker, attempt: 1 } => format!("claimed by {worker}"),
        EventKind::Claimed { worker, attempt } => format!("claimed by {worker}, claim {attempt}"),
        EventKind::Progress(step) => format!("progress {}", text::progress(step)),
        EventKind::Asked { question } => {
            format!("asked {}: {}", question.id, text::sentence(&question.ask.message))
        }
        EventKind::Answered { question, action, by, who, reason } => {
            let why =
                reason.as_deref().map(|reason| format!(", {}", text::sentence(reason))).unwrap_or_default();
            let who = who.as_deref();
            let by = text::line(&named(*by, who));
            let note = who.and_then(|who| who.note.as_deref());
            let note = note.map(|note| format!(", noting: {}", text::sentence(note))).unwrap_or_default();
            format!("answered {question}: {action} by {by}{why}{note}")
        }
        EventKind::Completed { is_error: true } => "completed with an error result".to_owned(),
        EventKind::Failed { code, message } => format!("failed: {} ({code})", text::sentence(message)),
        EventKind::Cancelled { reason } => format!("cancelled: {}", text::sentence(reason)),
        EventKind::Requeued { reason } => format!("requeued: {}", text::sentence(reason)),
        EventKind::Noted { note } => format!("noted: {}", text::sentence(note)),
    }
}
