//! What becomes of answers in our own store.

use crate::desk::asked::Asked;
use crate::desk::failure::Failure;
use crate::desk::failure::store::{already_answered, gone_or, is_expired, is_outage};
use crate::engine::{Engine, EngineError, Viewer};
use crate::store::StoreError;
use crate::task::{Answer, QuestionId, Task, TaskId};

/// [`Found::closed_elsewhere`] for a question of a task of our own store, as it was seen before. Who is asked meanwhile sees
/// when it ends now, whoever extends it.
pub(crate) async fn closed_in_store(
    engine: &Engine,
    begun: &Task,
    (question, asked): (&str, &Asked),
) -> Result<String, Failure> {
    let id = begun.id();
    let is_closed = |task: &Task| {
        asked.stands(task, question);
        is_closed_in_store(task, question)
    };
    let now = match engine.wait(&Viewer::Operator, id, is_closed).await {
        Ok(now) => now,
        Err(EngineError::Store(StoreError::NoTask(id))) if is_expired(begun) => {
            return Ok(format!("task {id} expired meanwhile"));
        }
        Err(error) => return Err(gone_or(engine, begun, error).await),
    };
    Ok(how_closed(&now, question))
}

/// Whether a question is not open any more.
pub(super) fn is_closed_in_store(task: &Task, question: &str) -> bool {
    task.open_questions().all(|open| open.id.as_str() != question)
}

/// What became of a question that is not open any more.
pub(super) fn how_closed(task: &Task, question: &str) -> String {
    let known = task.questions.iter().find(|known| known.id.as_str() == question);
    match known.and_then(|known| Some((known, known.answer.as_ref()?))) {
        Some((known, answer)) => already_answered(task.id(), &known.id, answer).to_string(),
        None => format!("task {} has ended meanwhile: {}", task.id(), task.status),
    }
}

/// One try to store an answer. `was_lost` notes where one was lost on the way, so that the next try takes the same
/// answer that it finds for its own.
pub(crate) async fn store(
    engine: &Engine,
    task: &TaskId,
    question: &QuestionId,
    answer: &Answer,
    was_lost: &mut bool,
) -> Result<Answer, EngineError> {
    match engine.answer(&Viewer::Operator, task, question, answer.clone()).await {
        Err(EngineError::Store(StoreError::AlreadyAnswered { answer: stands, .. }))
            if *was_lost && is_same(&stands, answer) =>
        {
            Ok(*stands)
        }
        Err(EngineError::Store(error)) => {
            *was_lost |= is_outage(&error);
            Err(error.into())
        }
        done => done,
    }
}

fn is_same(one: &Answer, other: &Answer) -> bool {
    let content = |answer: &Answer| answer.content.clone().unwrap_or_default();
    one.action == other.action
        && (one.by, &one.who) == (other.by, &other.who)
        && content(one) == content(other)
}
