//! What an event means for the session that owns its task.

use super::status;
use crate::task::{Event, EventKind, Question, QuestionId};

/// One thing that a session does about an event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Step<'a> {
    /// Puts the question to the client.
    Ask(&'a Question),
    /// Puts the task's last question to the client, whatever became of it.
    AskLast,
    /// Notifies the client.
    Tell,
    /// Withdraws a question.
    Withdraw(&'a QuestionId),
    /// Withdraws all questions of the task.
    WithdrawAll,
    /// Forgets what it knew of the task.
    Forget,
}

/// What a session does about an event, in order.
pub(super) fn steps(event: &Event) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    // The question is what people wait for, so it goes before the news that there is one.
    if let EventKind::Asked { question } = &event.kind {
        steps.push(Step::Ask(question));
    }
    if status::is_told(&event.kind) || matches!(event.kind, EventKind::Progress(_)) {
        steps.push(Step::Tell);
    }
    match &event.kind {
        EventKind::Answered { question, .. } => steps.push(Step::Withdraw(question)),
        kind if kind.is_end() => steps.extend([Step::WithdrawAll, Step::Forget]),
        _ => {}
    }
    steps
}
