//! The verbs on a question that waits: it gets more time, and people are told of it once more, or that nobody at its client can
//! answer it.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{StoreError, StoreResult};
use crate::task::{Answerer, QuestionId, TaskId, Who};

/// How long a task is kept beyond the end of a question that was extended, so that it can go on with a late answer.
pub const KEPT_BEYOND: Duration = Duration::from_secs(10 * 60);

/// More time for a question.
#[derive(Debug, Clone, PartialEq)]
pub struct Extension {
    /// How long it waits from now on.
    pub lasts: Duration,
    /// What kind of answerer gives it.
    pub by: Answerer,
    /// Who it is, where that is known.
    pub who: Option<Box<Who>>,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extended {
    /// When the question answers itself now.
    pub deadline: Timestamp,
    /// When the task's ttl ends now; `None` where that was long enough.
    pub expires_at: Option<Timestamp>,
}

/// The verbs.
#[async_trait]
pub trait WaitingStore: Send + Sync {
    /// Has an open question wait so much longer from now on, and keeps its task at least [`KEPT_BEYOND`] longer than that.
    /// Refused with [`StoreError::WaitsLonger`] where it waits as long already; otherwise the errors are those of
    /// [`Store::answer`]. Event: `extended`.
    ///
    /// [`StoreError::WaitsLonger`]: super::StoreError::WaitsLonger
    /// [`Store::answer`]: super::Store::answer
    async fn extend(
        &self,
        task: &TaskId,
        question: &QuestionId,
        extension: &Extension,
    ) -> StoreResult<Extended>;

    /// Tells once more of an open question whose reminder is due ([`Due::reminders`](super::Due::reminders)), once; does
    /// nothing to another. Event: `reminded`.
    async fn remind(&self, task: &TaskId, question: &QuestionId) -> StoreResult<()>;

    /// Leaves an open question to people, since nobody at its task's client can answer it, for that reason; does nothing to
    /// another. Event: `unanswerable`.
    async fn leave(&self, task: &TaskId, question: &QuestionId, reason: &str) -> StoreResult<()>;
}

/// The place of a question within its task; no task has one of another form.
pub(super) fn position(task: &TaskId, question: &QuestionId) -> StoreResult<u32> {
    question.position().ok_or_else(|| StoreError::no_question(task, question))
}
