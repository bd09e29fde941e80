//! What becomes of a question that its client cannot answer.

use std::error::Error;

use super::shared::{Shared, Unanswerable};
use crate::engine::EngineError;
use crate::store::StoreError;
use crate::task::{Answer, Answerer, Question, TaskId};

/// An error with everything that caused it.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let cause = error.to_string();
        // Transparent wrappers repeat what they wrap.
        if !text.ends_with(&cause) {
            text = format!("{text}: {cause}");
        }
        source = error.source();
    }
    text
}

/// Whether the question has its answer, or its task is over: what came now came too late.
pub(super) fn is_too_late(error: &EngineError) -> bool {
    matches!(
        error,
        EngineError::Store(
            StoreError::AlreadyAnswered { .. }
                | StoreError::Ended { .. }
                | StoreError::NoTask(_)
                | StoreError::NoQuestion { .. }
        )
    )
}

/// Answers the question with cancel, or leaves it to an operator, who is shown those of foreground calls too; true when
/// it stays open.
pub(super) async fn settle(shared: &Shared, task: &TaskId, question: &Question, reason: &str) -> bool {
    let waits = shared.config.unanswerable == Unanswerable::Wait;
    tracing::warn!(%task, question = %question.id, reason,
        "{}", if waits { "a question waits for an operator" } else { "a question is answered by cancel" });
    let settled = Shared::outlast(&shared.stop, || async {
        if waits {
            let note = format!("question {} waits for an operator: {reason}", question.id);
            return shared.engine.store().note(task, None, &note).await.map_err(EngineError::from);
        }
        let answer = Answer::cancel(Answerer::Policy, reason);
        shared.engine.answer_known(task, question, answer).await.map(drop)
    });
    match settled.await {
        // The process stops: whoever serves the task next settles it.
        None => false,
        Some(Err(error)) if !is_too_late(&error) => {
            tracing::warn!(%task, question = %question.id, %error, "could not settle a question");
            true
        }
        Some(_) => waits,
    }
}
