//! Events of our own log.

use super::Seen;
use crate::desk::asked::OpenQuestion;
use crate::desk::{object, text, time};
use crate::task::answer::named;
use crate::task::{Answerer, Event, EventKind, Who};

impl Seen {
    /// An event of our own log.
    pub(crate) fn of_event(event: &Event) -> Self {
        let question =
            event.kind.question().map(|question| OpenQuestion::of_store(&event.task, &event.tool, question));
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

fn by_whom(by: Answerer, who: Option<&Who>) -> String {
    text::line(&named(by, who))
}

fn noting(who: Option<&Who>) -> String {
    let note = who.and_then(|who| who.note.as_deref());
    note.map(|note| format!(", noting: {}", text::sentence(note))).unwrap_or_default()
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
        EventKind::Unanswerable { question, reason } => {
            let id = &question.id;
            format!("{id} waits for people, nobody at its client can answer it: {}", text::sentence(reason))
        }
        EventKind::Reminded { question } => {
            format!("reminded of {}: {}", question.id, text::sentence(&question.ask.message))
        }
        EventKind::Answered { question, action, by, who, reason } => {
            let why =
                reason.as_deref().map(|reason| format!(", {}", text::sentence(reason))).unwrap_or_default();
            let who = who.as_deref();
            format!("answered {question}: {action} by {}{why}{}", by_whom(*by, who), noting(who))
        }
        EventKind::Extended { question, deadline, by, who, .. } => {
            let (until, who) = (time::moment(*deadline), who.as_deref());
            format!("extended {question} until {until} by {}{}", by_whom(*by, who), noting(who))
        }
        EventKind::Completed { is_error: true } => "completed with an error result".to_owned(),
        EventKind::Failed { code, message } => format!("failed: {} ({code})", text::sentence(message)),
        EventKind::Cancelled { reason } => format!("cancelled: {}", text::sentence(reason)),
        EventKind::Requeued { reason } => format!("requeued: {}", text::sentence(reason)),
        EventKind::Noted { note } => format!("noted: {}", text::sentence(note)),
    }
}
