//! What an id leads to: a task, or what the archive has of one.

use super::failure::{Failure, Kind};
use super::place::{Found, Place};
use super::suggest::{Advice, Suggested};
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
            Self::Archived(_, id) => Err(expired(&id)),
        }
    }
}

/// The failure of who wants more of an archived task than to read it.
fn expired(id: &TaskId) -> Failure {
    let message = format!("task {id} expired: its ttl ended, and what is left of it can only be read");
    Failure::new(Kind::Cancelled, message)
        .hint(Advice::command(Suggested::new("show").about(id.as_str()), "shows it, with its result"))
}

impl Place {
    /// What the archive has of a task whose id begins so.
    pub(super) async fn seek_archived(&self, prefix: &str) -> Result<Option<Sought>, Failure> {
        let Self::Store(engine) = self else { return Ok(None) };
        let found = engine.resolve_archived(prefix).await?;
        Ok(found.map(|id| Sought::Archived(engine.clone(), id)))
    }
}
