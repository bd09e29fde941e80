//! What an id leads to: a task, or what the archive has of one.

use super::failure::Failure;
use super::failure::store::archived;
use super::place::{Found, Place};
use crate::engine::Engine;
use crate::task::TaskId;

/// What an id leads to.
pub(crate) enum Sought {
    /// A task.
    Task(Found),
    /// A task whose ttl has ended, of which the archive is left.
    Archived(Engine, TaskId),
}

impl Sought {
    /// The task's whole id.
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Task(found) => found.id(),
            Self::Archived(_, id) => id.as_str(),
        }
    }

    /// The task, where there still is one.
    pub(crate) fn task(self) -> Result<Found, Failure> {
        match self {
            Self::Task(found) => Ok(found),
            Self::Archived(_, id) => Err(archived(&id)),
        }
    }
}

impl Place {
    /// What the archive has of a task whose id begins so.
    pub(super) async fn seek_archived(&self, prefix: &str) -> Result<Option<Sought>, Failure> {
        let Self::Store(engine) = self else { return Ok(None) };
        let found = engine.resolve_archived(prefix).await?;
        Ok(found.map(|id| Sought::Archived(engine.clone(), id)))
    }
}
