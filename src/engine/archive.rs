//! The archive: what is left of tasks whose ttl has ended. For operators alone: no protocol shows it to clients.

use super::{Engine, EngineError, EngineResult};
use crate::store::{ArchivePage, ArchivedTask, PageCursor, Retention, StoreError, TaskFilter};
use crate::task::TaskId;

impl Engine {
    /// From now on what expires here is archived; see [`Store::retain`](crate::store::Store::retain).
    pub fn retain(&self, retention: Retention) {
        self.store().retain(retention);
    }

    /// A page of archived tasks.
    pub async fn archived(
        &self,
        filter: &TaskFilter,
        after: Option<&PageCursor>,
        most: usize,
    ) -> EngineResult<ArchivePage> {
        Ok(self.store().archived(filter, after, most).await?)
    }

    /// One archived task.
    pub async fn archived_task(&self, id: &TaskId) -> EngineResult<ArchivedTask> {
        let found = self.store().archived_task(id).await?;
        found.ok_or_else(|| StoreError::NoTask(id.clone()).into())
    }

    /// The one archived task whose id begins with `prefix`, if there is one.
    pub async fn resolve_archived(&self, prefix: &str) -> EngineResult<Option<TaskId>> {
        let mut found = self.store().find_archived(prefix, 6).await?;
        match found.len() {
            0 | 1 => Ok(found.pop()),
            _ => Err(EngineError::Ambiguous { prefix: prefix.to_owned(), candidates: found }),
        }
    }
}
