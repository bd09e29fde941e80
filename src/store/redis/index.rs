//! An index that Redis evicted or somebody overwrote is made anew from the tasks' own records.

use std::collections::BTreeSet;

use redis::Value;

use super::connection::is_wrong_type;
use super::health::SHARED_KEYS;
use super::mend::AT_ONCE;
use super::open::SCANNED_AT_ONCE;
use super::{RedisStore, open};
use crate::store::{LAYOUT, PageCursor, StoreResult, Trouble};
use crate::task::TaskId;

/// How long it is noted that keys were lost.
const NOTED_SECONDS: u32 = 7 * 24 * 3600;

impl RedisStore {
    /// Goes through all records, however many keys this Redis has; ends where another process has done so meanwhile. Where
    /// there are none, nothing was lost: another process has just begun the namespace.
    pub(super) async fn restore_index(&self) -> StoreResult<()> {
        if !self.has_records().await? {
            return self.restore_some(&[], true).await.map(drop);
        }
        if self.is_index_lost().await? { self.rebuild_index().await } else { Ok(()) }
    }

    async fn rebuild_index(&self) -> StoreResult<()> {
        let key = self.key("index");
        tracing::warn!(
            key,
            "the index of all tasks was lost or overwritten, and is made anew from their records"
        );
        let (mut cursor, mut tasks) = ("0".to_owned(), 0);
        loop {
            let (next, ids) = self.scan_records(&cursor, "").await?;
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

    /// Notes that an eviction took the key that says that the namespace is there, and maybe others, which counts whether it
    /// can be done now or not.
    pub(super) async fn note_loss_if_possible(&self) {
        if let Err(error) = self.note_loss().await {
            tracing::warn!(%error, "that this Redis lost keys cannot be noted now");
        }
    }

    /// Whether a pass over all keys for tasks' records could find any: where none of the keys is there that tasks share,
    /// the Redis is another program's, in which only few keys are looked at.
    async fn may_have_records(&self) -> StoreResult<bool> {
        let mut exists = redis::cmd("EXISTS");
        exists.arg(SHARED_KEYS.iter().map(|(name, _)| self.key(name)).collect::<Vec<_>>());
        if self.command::<usize>(&exists).await? > 0 {
            return Ok(true);
        }
        let keys: usize = self.command(&redis::cmd("DBSIZE")).await?;
        Ok(keys <= SCANNED_AT_ONCE)
    }

    /// Whether there is any task's record.
    pub(super) async fn has_records(&self) -> StoreResult<bool> {
        if !self.may_have_records().await? {
            return Ok(false);
        }
        let mut cursor = "0".to_owned();
        loop {
            let (next, ids) = self.scan_records(&cursor, "").await?;
            if !ids.is_empty() || next == "0" {
                return Ok(!ids.is_empty());
            }
            cursor = next;
        }
    }

    /// Notes for `doctor` that the namespace lost keys which cannot be made anew, as long as people may still look into it.
    async fn note_loss(&self) -> StoreResult<()> {
        let key = self.key("loss");
        tracing::warn!(
            key,
            "this Redis lost what said that the namespace is there, while tasks of it are still there"
        );
        let at = jiff::Timestamp::now().strftime("%FT%TZ").to_string();
        let mut note = redis::cmd("SET");
        self.command::<Value>(note.arg(key).arg(at).arg("EX").arg(NOTED_SECONDS)).await.map(drop)
    }

    /// Says that the namespace lost what says that it is there.
    pub(super) async fn lost_meta(&self) -> StoreResult<Option<Trouble>> {
        if !matches!(self.meta("layout").await, Ok(None)) || !self.has_records().await? {
            return Ok(None);
        }
        Ok(Some(Trouble {
            cause: "store_damaged",
            problem: format!("the key {}meta was lost, while tasks are there", self.shared),
            advice:
                "start a worker or `mcptask serve`: it makes the key anew, and what else was lost and the tasks tell"
                    .to_owned(),
        }))
    }

    /// Says that keys were lost which could not be made anew.
    pub(super) async fn noted_loss(&self) -> StoreResult<Option<Trouble>> {
        let key = self.key("loss");
        let noted: Option<String> = match self.command(redis::cmd("GET").arg(&key)).await {
            Err(error) if is_wrong_type(&error) => None,
            noted => noted?,
        };
        Ok(noted.map(|at| Trouble {
            cause: "store_damaged",
            problem: format!(
                "at {at} this Redis had lost {}meta and maybe other keys, such as the log of all events, while tasks \
                 were there: they were found again by their records, but what the log had of them may be gone",
                self.shared
            ),
            advice: format!(
                "set maxmemory-policy to noeviction, and find out who else deletes keys of this Redis; then delete {key}, \
                 which otherwise is kept for seven days"
            ),
        }))
    }

    /// Some of the tasks that have records, those whose ids begin so, and where to go on.
    async fn scan_records(&self, cursor: &str, begins: &str) -> StoreResult<(String, Vec<TaskId>)> {
        let (start, mut command) = (self.key("task:"), redis::cmd("SCAN"));
        let pattern = format!("{}*", open::glob_escaped(&format!("{start}{begins}")));
        command.arg(cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(SCANNED_AT_ONCE);
        let (next, keys): (String, Vec<String>) = self.command(&command).await?;
        let ids = keys.iter().filter_map(|key| key.strip_prefix(&start)?.parse().ok());
        Ok((next, ids.collect()))
    }

    /// All tasks that have records, those whose ids begin so: for those who read while the index is lost.
    pub(super) async fn recorded(&self, begins: &str) -> StoreResult<BTreeSet<TaskId>> {
        let (mut cursor, mut ids) = ("0".to_owned(), BTreeSet::new());
        loop {
            let (next, some) = self.scan_records(&cursor, begins).await?;
            ids.extend(some);
            if next == "0" {
                return Ok(ids);
            }
            cursor = next;
        }
    }

    /// The places of all tasks that have records, oldest first; one whose record does not say its time is the first.
    pub(super) async fn recorded_places(&self) -> StoreResult<Vec<PageCursor>> {
        let ids: Vec<TaskId> = self.recorded("").await?.into_iter().collect();
        let mut places = Vec::new();
        for some in ids.chunks(AT_ONCE) {
            let created = |id: &TaskId| redis::cmd("HGET").arg(self.task_key(id)).arg("created").to_owned();
            let commands: Vec<_> = some.iter().map(created).collect();
            for (task, created) in some.iter().zip(self.each(&commands).await?) {
                let created: Option<String> =
                    created.ok().and_then(|text| redis::from_redis_value(text).ok());
                let created_ms = created.and_then(|text| text.parse().ok()).unwrap_or_default();
                places.push(PageCursor { created_ms, task: task.clone() });
            }
        }
        places.sort_by(|one, other| (one.created_ms, &one.task).cmp(&(other.created_ms, &other.task)));
        Ok(places)
    }

    /// Whether the index was lost or overwritten, or another program gave a member of it another score, which takes the
    /// order of all.
    pub(super) async fn is_index_lost(&self) -> StoreResult<bool> {
        let key = self.key("index");
        let count = |from, to| redis::cmd("ZCOUNT").arg(&key).arg(from).arg(to).to_owned();
        let mark = redis::cmd("ZSCORE").arg(&key).arg("w").to_owned();
        let found = self.each(&[mark, count("-inf", "(0"), count("(0", "+inf")]).await?;
        // Anything else is an error of a key of another type.
        Ok(!matches!(&found[..], [Ok(mark), Ok(Value::Int(0)), Ok(Value::Int(0))] if *mark != Value::Nil))
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

    /// Says that the index was lost or overwritten.
    pub(super) async fn lost_index(&self) -> StoreResult<Option<Trouble>> {
        let is_begun = self.meta("layout").await.is_ok_and(|layout| layout == Some(LAYOUT.to_string()));
        if !is_begun || !self.is_index_lost().await? {
            return Ok(None);
        }
        Ok(Some(Trouble {
            cause: "store_damaged",
            problem: format!(
                "the key {} was lost or overwritten: no deadline is kept, and lists are slow, until it is made anew",
                self.key("index")
            ),
            advice: "start a worker or `mcptask serve`: it makes the key anew from the tasks' records, and goes on"
                .to_owned(),
        }))
    }
}
