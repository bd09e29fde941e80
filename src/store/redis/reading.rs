//! The verbs that only read. They use no scripts, so that a user who may only read, a replica and a full Redis serve
//! them; see also `list.rs`.

use jiff::Timestamp;
use redis::{Cmd, Value};

use super::codec::{self, Entry};
use super::connection::is_wrong_type;
use super::{RedisStore, open};
use crate::store::{
    ClaimKey, EventFilter, History, Rows, StoreError, StoreResult, Stretch, Unreadable, WorkerDetails,
    WorkerInfo,
};
use crate::task::{Answer, Cursor, Task, TaskId, ToolSpec, WorkerId};

/// Events that are fetched at once by their ids.
const FETCHED_AT_ONCE: usize = 500;

impl RedisStore {
    pub(super) async fn read_task(&self, task: &TaskId) -> StoreResult<Option<Task>> {
        // The same two commands whether the task is there or not, so that nobody learns from the time that it takes.
        let record = redis::cmd("HGETALL").arg(self.task_key(task)).to_owned();
        let place = redis::cmd("ZSCORE").arg(self.key("index")).arg(format!("i:{task}")).to_owned();
        let mut found = self.each(&[record, place]).await?.into_iter();
        let (Some(record), place) = (found.next(), found.next()) else { return Ok(None) };
        let unreadable = |problem| StoreError::Unreadable { task: task.clone(), problem };
        match record {
            Ok(hash) if codec::is_empty(&hash) => match place {
                Some(Ok(Value::Nil)) | None => Ok(None),
                _ => Err(unreadable(LOST.to_owned())),
            },
            Ok(hash) => codec::record(hash).map(Some).map_err(unreadable),
            Err(problem) => Err(unreadable(problem)),
        }
    }

    /// Whether the index has a task, so that a record that is not there was lost.
    pub(super) async fn is_indexed(&self, task: &TaskId) -> StoreResult<bool> {
        let mut command = redis::cmd("ZSCORE");
        command.arg(self.key("index")).arg(format!("i:{task}"));
        match self.command::<Option<String>>(&command).await {
            Err(error) if is_wrong_type(&error) => Ok(false),
            found => Ok(found?.is_some()),
        }
    }

    pub(super) async fn find_tasks(&self, prefix: &str, most: usize) -> StoreResult<Vec<TaskId>> {
        if self.is_index_lost().await? {
            return Ok(self.recorded(prefix).await?.into_iter().take(most).collect());
        }
        // Ids are printable ASCII, and DEL is the first character after that.
        let (from, to) = (format!("[i:{prefix}"), format!("(i:{prefix}\u{7f}"));
        let members: Vec<String> = self.range(&from, &to, most).await?;
        Ok(members.iter().filter_map(|member| member.strip_prefix("i:")?.parse().ok()).collect())
    }

    /// Members of the index between two bounds.
    pub(super) async fn range(&self, from: &str, to: &str, most: usize) -> StoreResult<Vec<String>> {
        let mut command = redis::cmd("ZRANGEBYLEX");
        command.arg(self.key("index")).arg(from).arg(to).arg("LIMIT").arg(0).arg(most);
        self.command(&command).await
    }

    pub(super) async fn read_answers(
        &self,
        claim: &ClaimKey,
        first: u32,
        count: u32,
    ) -> StoreResult<Option<Vec<Answer>>> {
        let mut command = redis::cmd("HMGET");
        command.arg(self.task_key(&claim.task)).arg("status").arg("worker").arg("attempt");
        for position in first..first.saturating_add(count) {
            command.arg(format!("a{position}")).arg(format!("a{position}.at"));
        }
        let values: Vec<Option<String>> = self.command(&command).await?;
        let mut values = values.into_iter().map(Option::unwrap_or_default);
        let mut next = || values.next().unwrap_or_default();
        still_held(claim, &next(), &next(), &next())?;
        let mut answers = Vec::new();
        for _ in 0..count {
            let (answer, at) = (next(), next());
            if answer.is_empty() {
                return Ok(None);
            }
            answers.push(self.decode(codec::answer(&answer, at.parse().unwrap_or_default()))?);
        }
        Ok(Some(answers))
    }

    pub(super) async fn read_claims(&self, worker: &WorkerId) -> StoreResult<Vec<ClaimKey>> {
        let ids = self.held(worker).await?;
        let commands: Vec<Cmd> = ids
            .iter()
            .map(|id| redis::cmd("HMGET").arg(self.task_key(id)).arg("attempt").arg("worker").to_owned())
            .collect();
        let found = self.each(&commands).await?;
        let claims = ids.into_iter().zip(found).filter_map(|(task, values)| {
            let values: (Option<u32>, Option<String>) = redis::from_redis_value(values.ok()?).ok()?;
            let (attempt, holder) = values;
            (holder.as_deref() == Some(worker.as_str())).then_some(ClaimKey { task, attempt: attempt? })
        });
        Ok(claims.collect())
    }

    pub(super) async fn read_tools(&self) -> StoreResult<Rows<ToolSpec>> {
        let mut found: Vec<(String, String)> =
            self.command(redis::cmd("HGETALL").arg(self.key("tools"))).await?;
        found.sort();
        let mut tools = Rows::default();
        for (name, json) in found {
            tools.take(name, serde_json::from_str(&json));
        }
        Ok(tools)
    }

    pub(super) async fn read_workers(&self) -> StoreResult<Rows<WorkerInfo>> {
        let now_ms = self.time_ms().await?;
        let mut command = redis::cmd("ZRANGEBYSCORE");
        command.arg(self.key("leases")).arg("(0").arg("+inf").arg("WITHSCORES");
        let leases: Vec<(String, f64)> = self.command(&command).await?;
        let commands: Vec<Cmd> = leases
            .iter()
            .flat_map(|(worker, _)| {
                let tools = redis::cmd("GET").arg(self.key(&format!("worker:{worker}"))).to_owned();
                let mut about = redis::cmd("HMGET");
                about.arg(self.key(&format!("about:{worker}"))).arg(&ABOUT);
                [tools, redis::cmd("SCARD").arg(self.key(&format!("held:{worker}"))).to_owned(), about]
            })
            .collect();
        let mut found = self.each(&commands).await?.into_iter();
        let mut workers = Rows::default();
        for (worker, until) in leases {
            let (tools, tasks, about) = (found.next(), found.next(), found.next());
            let info = worker_info(&worker, until as i64 - now_ms, tools, tasks);
            workers.take(worker.clone(), info.map(|info| with_details(info, about)));
        }
        Ok(workers)
    }

    /// The store's clock; this machine's where the user may not ask for it.
    pub(super) async fn time_ms(&self) -> StoreResult<i64> {
        match self.command::<(i64, i64)>(&redis::cmd("TIME")).await {
            Ok((seconds, micros)) => Ok(seconds * 1000 + micros / 1000),
            Err(error) if error.refusal().is_some_and(crate::store::Refusal::is_about_rights) => {
                Ok(jiff::Timestamp::now().as_millisecond())
            }
            Err(error) => Err(error),
        }
    }

    pub(super) async fn read_history(
        &self,
        filter: &EventFilter,
        stretch: Stretch,
        most: usize,
    ) -> StoreResult<History> {
        let (entries, next) = match filter {
            EventFilter::All => {
                let entries = self.entries("events", stretch, most).await?;
                let next = last_of(&entries).filter(|_| entries.len() == most);
                (entries, next)
            }
            EventFilter::Session(session) => {
                let ids = self.entries(&format!("log:{session}"), stretch, most).await?;
                let next = last_of(&ids).filter(|_| ids.len() == most);
                (self.events_of(ids.into_iter().map(|(id, _)| id).collect()).await?, next)
            }
            EventFilter::Task(task) => {
                let mut ids = self.event_ids(task).await?;
                match stretch {
                    Stretch::After(after) => ids.retain(|id| *id > after),
                    Stretch::Before(before) => {
                        ids.retain(|id| before.is_none_or(|before| *id < before));
                        ids.reverse();
                    }
                }
                let next = (ids.len() > most).then(|| ids[most - 1]);
                ids.truncate(most);
                (self.events_of(ids.iter().map(Cursor::to_string).collect()).await?, next)
            }
        };
        let read = codec::events(self.complete(entries).await?);
        Ok(History { events: read.rows, unreadable: read.unreadable, next })
    }

    async fn entries(&self, log: &str, stretch: Stretch, most: usize) -> StoreResult<Vec<Entry>> {
        let (verb, from, to) = match stretch {
            Stretch::After(after) => ("XRANGE", format!("({after}"), "+"),
            Stretch::Before(None) => ("XREVRANGE", "+".to_owned(), "-"),
            Stretch::Before(Some(before)) => ("XREVRANGE", format!("({before}"), "-"),
        };
        let mut command = redis::cmd(verb);
        command.arg(self.key(log)).arg(from).arg(to).arg("COUNT").arg(most);
        self.command(&command).await
    }

    /// The entries with the questions that were too large for the log.
    pub(super) async fn complete(&self, mut entries: Vec<Entry>) -> StoreResult<Vec<Entry>> {
        let elsewhere: Vec<(usize, Cmd)> = entries
            .iter()
            .enumerate()
            .filter_map(|(at, entry)| {
                let (task, field) = codec::question_elsewhere(entry)?;
                Some((at, redis::cmd("HGET").arg(self.key(&format!("task:{task}"))).arg(field).to_owned()))
            })
            .collect();
        let (places, commands): (Vec<usize>, Vec<Cmd>) = elsewhere.into_iter().unzip();
        for (at, question) in places.into_iter().zip(self.each(&commands).await?) {
            if let Ok(Some(question)) = text_of::<String>(Some(question)) {
                entries[at].1.insert("detail".to_owned(), question);
            }
        }
        Ok(entries)
    }

    /// The places of a task's events, in order.
    async fn event_ids(&self, task: &TaskId) -> StoreResult<Vec<Cursor>> {
        let recent = redis::cmd("HGET").arg(self.task_key(task)).arg("log").to_owned();
        let earlier =
            redis::cmd("LRANGE").arg(self.key(&format!("history:{task}"))).arg(0).arg(-1).to_owned();
        // What is not of its type has none: the task itself is then named as what cannot be read.
        let mut found = self.each(&[recent, earlier]).await?.into_iter();
        let recent: Option<String> = text_of(found.next()).unwrap_or_default();
        let mut chunks: Vec<String> = text_of(found.next()).unwrap_or_default().unwrap_or_default();
        chunks.extend(recent);
        let mut ids: Vec<Cursor> =
            chunks.iter().flat_map(|chunk| chunk.split(' ')).filter_map(|id| id.parse().ok()).collect();
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }

    /// The events at these places; those that the log does not keep any more are left out.
    async fn events_of(&self, ids: Vec<String>) -> StoreResult<Vec<Entry>> {
        let mut found = Vec::new();
        for some in ids.chunks(FETCHED_AT_ONCE) {
            let commands: Vec<Cmd> = some
                .iter()
                .map(|id| redis::cmd("XRANGE").arg(self.key("events")).arg(id).arg(id).to_owned())
                .collect();
            for entry in self.each(&commands).await? {
                let entry: Vec<Entry> = self.decode(redis::from_redis_value(self.decode(entry)?))?;
                found.extend(entry);
            }
        }
        Ok(found)
    }

    pub(super) async fn last_event(&self) -> StoreResult<Cursor> {
        let entries = self.entries("events", Stretch::Before(None), 1).await?;
        Ok(last_of(&entries).unwrap_or(Cursor::START))
    }

    /// What the index has of a task whose record does not say it: found by looking at all of the index, which only
    /// tasks need that are damaged or lost.
    pub(super) async fn members_of(&self, task: &TaskId) -> StoreResult<Vec<String>> {
        let (mut members, mut cursor) = (Vec::new(), "0".to_owned());
        let pattern = format!("*:{}*", open::glob_escaped(task.as_str()));
        let is_its = |member: &str| member.split(':').any(|part| part == task.as_str());
        loop {
            let mut command = redis::cmd("ZSCAN");
            command.arg(self.key("index")).arg(&cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(1000);
            let (next, found): (String, Vec<(String, f64)>) = self.command(&command).await?;
            members.extend(found.into_iter().map(|(member, _)| member).filter(|member| is_its(member)));
            if next == "0" {
                return Ok(members);
            }
            cursor = next;
        }
    }
}

/// What is said of a task that the index has and nothing else.
pub(super) const LOST: &str = "its record is gone: Redis evicted it, or somebody deleted it";

/// What is read of a worker's `about:WORKER`.
const ABOUT: [&str; 4] = ["host", "process", "slots", "since"];

fn last_of(entries: &[Entry]) -> Option<Cursor> {
    entries.last()?.0.parse().ok()
}

fn worker_info(
    worker: &str,
    lease_ms: i64,
    tools: Option<Result<Value, String>>,
    tasks: Option<Result<Value, String>>,
) -> Result<WorkerInfo, String> {
    let tools: Option<String> = text_of(tools)?;
    let tools = serde_json::from_str(tools.as_deref().unwrap_or("[]"))
        .map_err(|error| format!("the list of its tools is unreadable: {error}"))?;
    let id = worker.parse().map_err(|error| format!("{error}"))?;
    // What it holds may be lost for a moment, which does not make it another worker.
    let held: Option<u64> = text_of(tasks).unwrap_or_default();
    let tasks = held.unwrap_or_default().saturating_sub(1);
    Ok(WorkerInfo { id, tools, lease_ms, tasks, details: WorkerDetails::default(), since: None })
}

/// What a worker said of itself. What is not there, or cannot be read, is unknown, and it is a worker all the same: one
/// of an older version says nothing.
fn with_details(info: WorkerInfo, about: Option<Result<Value, String>>) -> WorkerInfo {
    let said: Vec<Option<String>> = text_of(about).unwrap_or_default().unwrap_or_default();
    let said = |at: usize| said.get(at).cloned().flatten().filter(|text| !text.is_empty());
    let number = |at: usize| said(at).and_then(|text| text.parse().ok());
    let details = WorkerDetails { host: said(0), process: number(1), slots: number(2) };
    let since = said(3).and_then(|text| Timestamp::from_millisecond(text.parse().ok()?).ok());
    WorkerInfo { details, since, ..info }
}

fn text_of<T: redis::FromRedisValue>(reply: Option<Result<Value, String>>) -> Result<Option<T>, String> {
    let Some(value) = reply else { return Ok(None) };
    redis::from_redis_value(value?).map_err(|error| error.to_string())
}

/// Whether a task is held under that claim, by what its record says.
fn still_held(claim: &ClaimKey, status: &str, worker: &str, attempt: &str) -> StoreResult<()> {
    let lost = |now: String| StoreError::ClaimLost { task: claim.task.clone(), attempt: claim.attempt, now };
    if status.is_empty() {
        return Err(StoreError::NoTask(claim.task.clone()));
    }
    if matches!(status, "completed" | "failed" | "cancelled") {
        return Err(lost(format!("the task is {status}")));
    }
    if attempt != claim.attempt.to_string() {
        return Err(lost(format!("the task was claimed again, attempt {attempt}")));
    }
    if worker.is_empty() {
        return Err(lost("the task went back to the queue".to_owned()));
    }
    Ok(())
}

/// One thing that cannot be read.
pub(super) fn unreadable(name: impl Into<String>, problem: impl Into<String>) -> Unreadable {
    Unreadable { name: name.into(), problem: problem.into() }
}
