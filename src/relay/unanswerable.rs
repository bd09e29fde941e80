//! What becomes of a question that its client cannot answer.

use std::error::Error;

use super::shared::Shared;
use crate::engine::{EngineError, EngineResult};
use crate::store::StoreError;
use crate::task::{Answer, Answerer, Question, TaskId, Unanswerable};

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

/// What becomes of it: as its tool says, or else this server. Of a task that cannot be read nobody knows the tool.
async fn way(shared: &Shared, task: &TaskId) -> EngineResult<Unanswerable> {
    let usual = shared.config.unanswerable;
    let tool = match shared.engine.store().get(task).await {
        Ok(Some(found)) => found.new.tool,
        Ok(None) => return Err(StoreError::NoTask(task.clone()).into()),
        Err(StoreError::Unreadable { .. }) => return Ok(usual),
        Err(error) => return Err(error.into()),
    };
    match shared.engine.tool(&tool).await {
        Ok(spec) => Ok(spec.unanswerable.unwrap_or(usual)),
        Err(EngineError::UnknownTool { .. }) => Ok(usual),
        Err(error) => Err(error),
    }
}

/// Answers the question with cancel, or leaves it to an operator, who is shown those of foreground calls too; true when
/// it stays open.
pub(super) async fn settle(shared: &Shared, task: &TaskId, question: &Question, reason: &str) -> bool {
    let id = &question.id;
    let settled = Shared::outlast(&shared.stop, || async {
        let (store, way) = (shared.engine.store(), way(shared, task).await?);
        match way {
            Unanswerable::Cancel => {
                let answer = Answer::cancel(Answerer::Policy, reason);
                shared.engine.answer_known(task, question, answer).await.map(drop)?;
            }
            Unanswerable::Wait => {
                store.note(task, None, &format!("question {id} waits for an operator: {reason}")).await?;
            }
            Unanswerable::Notify => store.leave(task, id, reason).await?,
        }
        Ok(way)
    });
    match settled.await {
        // The process stops: whoever serves the task next settles it.
        None => false,
        Some(Ok(way)) => {
            let waits = way != Unanswerable::Cancel;
            let became =
                if waits { "a question waits for an operator" } else { "a question is answered by cancel" };
            tracing::warn!(%task, question = %id, reason, "{became}");
            waits
        }
        Some(Err(error)) if is_too_late(&error) => false,
        Some(Err(error)) => {
            tracing::warn!(%task, question = %id, %error, "could not settle a question");
            true
        }
    }
}
