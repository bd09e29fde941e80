//! More time for questions.

use std::time::Duration;

use super::{Engine, EngineError, EngineResult};
use crate::store::{Extended, Extension};
use crate::task::{QuestionId, TaskId};

/// The longest time that an extension may give a question: as long as a client's task is kept at most.
pub const LONGEST_EXTENSION: Duration = Duration::from_secs(7 * 24 * 3600);

impl Engine {
    /// Gives an open question more time, from now on; the other errors are those of answering it.
    pub async fn extend(
        &self,
        (task, question): (&TaskId, &QuestionId),
        extension: &Extension,
    ) -> EngineResult<Extended> {
        if extension.lasts.as_millis() == 0 || extension.lasts > LONGEST_EXTENSION {
            return Err(EngineError::Extension { lasts: extension.lasts });
        }
        Ok(self.store().extend(task, question, extension).await?)
    }
}
