//! The verbs on questions that wait, of a store of which an outage is said.

use async_trait::async_trait;

use super::Announced;
use crate::store::{Extended, Extension, StoreResult, WaitingStore};
use crate::task::{QuestionId, TaskId};

#[async_trait]
impl WaitingStore for Announced {
    async fn extend(
        &self,
        task: &TaskId,
        question: &QuestionId,
        extension: &Extension,
    ) -> StoreResult<Extended> {
        self.outage.written(self.store.extend(task, question, extension).await)
    }

    async fn leave(&self, task: &TaskId, question: &QuestionId, reason: &str) -> StoreResult<()> {
        self.outage.written(self.store.leave(task, question, reason).await)
    }

    async fn remind(&self, task: &TaskId, question: &QuestionId) -> StoreResult<()> {
        self.outage.written(self.store.remind(task, question).await)
    }
}
