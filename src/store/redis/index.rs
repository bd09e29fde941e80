//! An index that Redis evicted or somebody overwrote is made anew from the tasks' own records.

use super::{RedisStore, open};
use crate::store::{StoreResult, Trouble};
use crate::task::TaskId;

/// Keys that are looked at in one step of the search, and tasks that are brought back by one script.
const SCANNED_AT_ONCE: usize = 1000;
const AT_ONCE: usize = 200;

impl RedisStore {
    /// Goes through all records, however many keys this Redis has; ends where another process has done so meanwhile.
    pub(super) async fn restore_index(&self) -> StoreResult<()> {
        let key = self.key("index");
        tracing::warn!(key, "the index of all tasks was lost, and is made anew from their records");
        let pattern = format!("{}*", open::glob_escaped(&self.key("task:")));
        let (mut cursor, mut tasks) = ("0".to_owned(), 0);
        loop {
            let mut command = redis::cmd("SCAN");
            command.arg(&cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(SCANNED_AT_ONCE);
            let (next, keys): (String, Vec<String>) = self.command(&command).await?;
            let ids: Vec<TaskId> = keys.iter().filter_map(|key| self.id_in(key)).collect();
            for some in ids.chunks(AT_ONCE) {
                let Some(back) = self.restore_some(some, false).await? else { return Ok(()) };
                tasks += back;
            }
            if next == "0" {
                self.restore_some(&[], true).await?;
                tracing::warn!(tasks, "the index of all tasks is whole again");
                return Ok(());
            }
            cursor = next;
        }
    }

    fn id_in(&self, key: &str) -> Option<TaskId> {
        key.strip_prefix(&self.key("task:"))?.parse().ok()
    }

    /// How many of these tasks got back; `None` where the index is whole.
    async fn restore_some(&self, tasks: &[TaskId], are_last: bool) -> StoreResult<Option<i64>> {
        let mut call = self.invocation(&self.scripts.reindex);
        call.arg(u8::from(are_last)).arg(tasks.iter().map(TaskId::as_str).collect::<Vec<_>>());
        let mut reply = self.verb(&call).await?;
        Ok((reply.word() == "ok").then(|| reply.number()))
    }

    /// The same after something else was done, which counts whether this can be done now or not: who looks for what is
    /// due finds the index lost again.
    pub(super) async fn restore_index_if_possible(&self) {
        if let Err(error) = self.restore_index().await {
            tracing::warn!(%error, "the index of all tasks was lost, and cannot be made anew now");
        }
    }

    /// Says that the index was lost, which no list shows.
    pub(super) async fn lost_index(&self) -> StoreResult<Option<Trouble>> {
        let mut command = redis::cmd("ZSCORE");
        command.arg(self.key("index")).arg("w");
        let begun = self.meta("layout").await.is_ok_and(|layout| layout.is_some_and(|layout| layout == "2"));
        match self.command::<Option<String>>(&command).await {
            Ok(None) if begun => Ok(Some(Trouble {
                cause: "store_damaged",
                problem: format!(
                    "the key {} was lost: tasks that are there are in no list until it is made anew",
                    self.key("index")
                ),
                advice: "start a worker or `mcptask serve`: it makes the key anew from the tasks' records, and goes on"
                    .to_owned(),
            })),
            // That it is of another type is told with the other keys.
            Ok(_) => Ok(None),
            Err(error) if super::connection::is_wrong_type(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
