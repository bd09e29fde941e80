//! What is left of tasks whose ttl has ended: the archive of our own store, to be read only.

use serde_json::json;

use super::facts::{self, Facts};
use super::failure::{Failure, Kind};
use super::place::{Found, Place};
use super::row::{Row, Wanted};
use super::suggest::{Advice, Suggested};
use crate::engine::Engine;
use crate::store::{ArchivedTask, TaskFilter};
use crate::task::TaskId;

/// How many archived tasks are read at once.
const PAGE: usize = 500;

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

    /// All that is known of it.
    pub(crate) async fn facts(&self) -> Result<Facts, Failure> {
        match self {
            Self::Task(found) => found.facts().await,
            Self::Archived(engine, id) => facts::archived(engine, id).await,
        }
    }
}

/// The failure of who wants more of an archived task than to read it.
fn expired(id: &TaskId) -> Failure {
    let message = format!("task {id} expired: its ttl ended, and what is left of it can only be read");
    Failure::new(Kind::Cancelled, message)
        .hint(Advice::command(Suggested::new("show").about(id.as_str()), "shows it, with its result"))
}

impl Row {
    /// An archived task.
    pub(crate) fn of_archived(one: &ArchivedTask) -> Self {
        let mut row = Self::of_task(&one.task);
        row.object["expired_at"] = json!(one.expired_at);
        row.object["kept_until"] = json!(one.kept_until);
        row
    }
}

impl Place {
    /// What the archive has of a task whose id begins so.
    pub(super) async fn seek_archived(&self, prefix: &str) -> Result<Option<Sought>, Failure> {
        let Self::Store(engine) = self else { return Ok(None) };
        let found = engine.resolve_archived(prefix).await?;
        Ok(found.map(|id| Sought::Archived(engine.clone(), id)))
    }

    /// The rows of the archive, the newest first, one more than is wanted where there are more. Only our own store has one.
    pub(super) async fn archived_rows(&self, wanted: &Wanted) -> Result<Vec<Row>, Failure> {
        let Self::Store(engine) = self else { return Ok(Vec::new()) };
        let filter = TaskFilter {
            session: wanted.session.clone(),
            tool: wanted.tool.clone(),
            status: <[_; 1]>::try_from(wanted.statuses.as_slice()).ok().map(|[status]| status),
            ..TaskFilter::default()
        };
        let (most, mut rows, mut after) = (wanted.most_read(), Vec::new(), None);
        loop {
            let size = PAGE.min(most - rows.len());
            let page = engine.archived(&filter, after.as_ref(), size).await?;
            let is_past = |one: &ArchivedTask| wanted.since.is_some_and(|since| one.task.created_at < since);
            let reached_since = page.tasks.iter().any(is_past);
            rows.extend(page.tasks.iter().map(Row::of_archived).filter(|row| wanted.admits(row)));
            rows.extend(page.unreadable.iter().map(Row::of_unreadable));
            after = page.next;
            if after.is_none() || reached_since || rows.len() >= most {
                return Ok(rows);
            }
        }
    }
}
