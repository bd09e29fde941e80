//! What a tool is, and how a run of it can end.

use std::time::Duration;

use async_trait::async_trait;

use super::{RunSettings, TaskContext};
use crate::engine::{EngineError, Failure as _};
use crate::store::StoreError;
use crate::task::{Outcome, RpcError, ToolSpec};

/// How a run of a tool ended.
pub type ToolOutcome = Result<Outcome, Interrupted>;

/// Something that runs as a background task and may ask. Implement this to add a tool of your own.
///
/// A run may be repeated after a crash: it must ask the same questions in the same order, and then gets
/// the answers that it already had.
#[async_trait]
pub trait Tool: Send + Sync {
    /// What the catalog shows.
    fn spec(&self) -> &ToolSpec;

    /// Runs the tool once. Arguments, questions and progress go through `task`.
    async fn run(&self, task: TaskContext) -> ToolOutcome;

    /// How it is run.
    fn settings(&self) -> RunSettings {
        RunSettings::default()
    }

    /// How long a run may clean up after [`TaskContext::taken`] or [`TaskContext::given_back`] fired,
    /// before it is dropped. A tool that owns nothing outside this process needs no time.
    fn grace(&self) -> Duration {
        Duration::ZERO
    }
}

/// Why a run has no outcome of its own. Tools pass it on with `?`.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Interrupted {
    /// The task ends in this JSON-RPC error.
    #[error("{}", .0.message)]
    Failed(RpcError),
    /// What the tool asked or reported was refused; the task's result says why.
    #[error("{0}")]
    Refused(EngineError),
    /// The task ends with this as its result: no other attempt would go better.
    #[error("{0}")]
    Lasting(String),
    /// The attempt failed; another may succeed.
    #[error("{0}")]
    Retry(String),
    /// The machine or the store is short of something that it will have again, through no fault of the task: it is
    /// tried again later, and the attempt does not count.
    #[error("{0}")]
    Shortage(String),
    /// The worker is stopping; another one goes on.
    #[error("the worker is stopping")]
    GivenBack,
    /// The task was cancelled, expired or went to another worker.
    #[error("the task was taken away")]
    Taken,
}

impl From<EngineError> for Interrupted {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Store(
                StoreError::ClaimLost { .. } | StoreError::NoTask(_) | StoreError::Ended { .. },
            ) => Self::Taken,
            EngineError::Store(StoreError::JournalDiffers { .. }) => {
                Self::Failed(RpcError::internal(error.to_string()))
            }
            // A file that is gone may come back too; what the tool has done is not wrong.
            ref away if away.is_passing() || away.is_file_gone() => Self::Shortage(error.to_string()),
            EngineError::Store(StoreError::Backend { .. } | StoreError::Unreadable { .. }) => {
                Self::Retry(error.to_string())
            }
            refused => Self::Refused(refused),
        }
    }
}
