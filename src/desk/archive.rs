//! What is left of tasks whose ttl has ended: the archive of our own store, to be read only.

use serde_json::json;

use super::facts::{self, Facts};
use super::failure::Failure;
use super::place::Place;
use super::row::{Row, Wanted};
use super::sought::Sought;
use crate::store::{ArchivedTask, TaskFilter};

/// How many archived tasks are read at once.
const PAGE: usize = 500;

impl Sought {
    /// All that is known of it.
    pub(crate) async fn facts(&self) -> Result<Facts, Failure> {
        match self {
            Self::Task(found) => found.facts().await,
            Self::Archived(engine, id) => facts::archived(engine, id).await,
        }
    }
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
