//! What becomes of a question that its client cannot answer.

use std::error::Error;

use super::{Shared, Unanswerable};
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

/// Answers the question with cancel, or leaves it to an operator; true when it stays open. A question of a foreground call is
/// always cancelled: no operator is shown it.
pub(super) async fn settle(
    shared: &Shared,
    task: &TaskId,
    question: &Question,
    foreground: bool,
    reason: &str,
) -> bool {
    let waits = shared.config.unanswerable == Unanswerable::Wait && !foreground;
    tracing::warn!(%task, question = %question.id, reason,
        "{}", if waits { "a question waits for an operator" } else { "a question is answered by cancel" });
    loop {
        let done = if waits {
            let note = format!("question {} waits for an operator: {reason}", question.id);
            shared.engine.store().note(task, &note).await.map_err(EngineError::from)
        } else {
            let answer = Answer::cancel(Answerer::Policy, reason);
            shared.engine.answer_known(task, question, answer).await.map(drop)
        };
        match done {
            Err(EngineError::Store(
                error @ (StoreError::Unreachable { .. } | StoreError::Backend { .. }),
            )) => {
                tracing::warn!(%task, question = %question.id, %error, "cannot settle it yet; trying again");
            }
            // Done, or somebody else answered, or the task is over.
            _ => return waits,
        }
        tokio::select! {
            () = shared.stop.cancelled() => return false,
            () = tokio::time::sleep(super::AFTER_FAILURE) => {}
        }
    }
}
