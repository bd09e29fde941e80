//! The Redis engine, for many processes and machines.
//!
//! Each verb is one Lua script of `lua/` (headed by its arguments and replies), run under one key prefix
//! with a hash tag, so a namespace lives on one shard of a cluster. A process holds at most three
//! connections, however many tasks wait: one for commands, one for a worker that waits for new work, one
//! for the tail of the log. Redis 6.2 or newer, or Valkey.

mod codec;
mod connection;
mod list;
mod reply;
mod scripts;
mod tail;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use redis::{Cmd, FromRedisValue};
use tokio_util::sync::CancellationToken;

use super::{
    ClaimKey, Due, EventFilter, History, LAYOUT, MAX_OPEN_QUESTIONS, Page, PageCursor, Requeue, Rows, Store,
    StoreError, StoreResult, Tail, TaskFilter, Trouble, WorkerInfo,
};
use crate::task::{
    Answer, Ask, Cursor, NewTask, Outcome, Progress, Question, QuestionId, RpcError, Task, TaskId, ToolSpec,
    WorkerId,
};
use connection::Connection;
use reply::Reply;
use scripts::Scripts;

/// How many of each kind [`Store::due`] brings at once.
const DUE_AT_ONCE: usize = 100;

/// State in Redis, in one namespace.
pub struct RedisStore {
    connection: Connection,
    prefix: String,
    scripts: Scripts,
}

impl std::fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisStore").field("location", &self.location()).finish_non_exhaustive()
    }
}

impl RedisStore {
    /// Connects to `url` (`redis://`, `rediss://`, `unix://`, `redis+sentinel://HOST:PORT,HOST:PORT/NAME/DB`,
    /// `redis+cluster://HOST:PORT,HOST:PORT`; user and password as usual) and begins the namespace if it is new.
    pub async fn open(url: &str, namespace: &str) -> StoreResult<Arc<Self>> {
        let connection = Connection::open(url, namespace).await?;
        let store = Self { connection, prefix: prefix(namespace), scripts: Scripts::new() };
        let found: u32 = store.call(store.invocation(&store.scripts.open).arg(LAYOUT)).await?;
        if found > LAYOUT {
            return Err(StoreError::NewerLayout { location: store.location(), found });
        }
        Ok(Arc::new(store))
    }

    /// Opens a namespace that somebody has begun, without writing anything: [`StoreError::NoStore`] where there is none,
    /// [`StoreError::OlderLayout`] where a process that may create a store has to open it first.
    pub async fn open_existing(url: &str, namespace: &str) -> StoreResult<Arc<Self>> {
        if !Self::is_begun(url, namespace).await? {
            return Err(StoreError::NoStore { location: connection::location(url, namespace) });
        }
        Self::open(url, namespace).await
    }

    /// Whether that namespace has been begun; asks without beginning it.
    pub async fn is_begun(url: &str, namespace: &str) -> StoreResult<bool> {
        let connection = Connection::open(url, namespace).await?;
        let found = redis::cmd("EXISTS").arg(format!("{}meta", prefix(namespace))).to_owned();
        found.query_async(&mut connection.commands()).await.map_err(|error| connection.error(&error))
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    fn invocation<'a>(&self, script: &'a redis::Script) -> redis::ScriptInvocation<'a> {
        script.key(&self.prefix)
    }

    /// Runs a script.
    async fn call<T: FromRedisValue>(&self, invocation: &redis::ScriptInvocation<'_>) -> StoreResult<T> {
        let mut connection = self.connection.commands();
        invocation.invoke_async(&mut connection).await.map_err(|error| self.connection.error(&error))
    }

    /// Runs a script that replies with a word and more.
    async fn verb(&self, invocation: &redis::ScriptInvocation<'_>) -> StoreResult<Reply> {
        Ok(Reply::new(self.call(invocation).await?, self.connection.location()))
    }

    async fn command<T: FromRedisValue>(&self, command: &Cmd) -> StoreResult<T> {
        let mut connection = self.connection.commands();
        command.query_async(&mut connection).await.map_err(|error| self.connection.error(&error))
    }

    fn broken(&self, problem: impl std::fmt::Display) -> StoreError {
        StoreError::Backend { location: self.location(), problem: problem.to_string() }
    }

    fn decode<T, E: std::fmt::Display>(&self, decoded: Result<T, E>) -> StoreResult<T> {
        decoded.map_err(|error| self.broken(error))
    }

    /// Waits until one of the ready streams has an entry, for a bounded time.
    async fn ready(&self, tools: &[String]) -> StoreResult<()> {
        let mut command = redis::cmd("XREAD");
        command.arg("COUNT").arg(1).arg("BLOCK").arg(connection::BLOCK.as_millis() as u64).arg("STREAMS");
        for tool in tools {
            command.arg(self.key(&format!("ready:{tool}")));
        }
        // An entry is deleted when its task is claimed, so every entry there is stands for work to do.
        command.arg(vec!["0"; tools.len()]);
        self.connection.waiting(&command).await
    }
}

/// What all keys of a namespace begin with.
fn prefix(namespace: &str) -> String {
    format!("mcptask:{{{namespace}}}:")
}

#[async_trait]
impl Store for RedisStore {
    fn location(&self) -> String {
        self.connection.location().to_owned()
    }

    async fn submit(&self, new: &NewTask, most_open: u32) -> StoreResult<Task> {
        let session = new.session.as_ref().map_or("", |session| session.as_str());
        let mut call = self.invocation(&self.scripts.submit);
        call.arg(new.id.as_str()).arg(codec::json(new)).arg(&new.tool).arg(session).arg(new.scope.as_str());
        call.arg(u8::from(new.hidden)).arg(codec::optional(new.ttl_ms)).arg(new.max_attempts).arg(most_open);
        let mut reply = self.verb(&call).await?;
        match reply.word() {
            "ok" => self.decode(codec::task(reply.next())),
            "too_many" => Err(StoreError::TooManyTasks { limit: most_open }),
            _ => Err(self.broken(format!("there is already a task {}", new.id))),
        }
    }

    async fn claim(
        &self,
        worker: &WorkerId,
        tools: &[String],
        most: usize,
        stop: &CancellationToken,
    ) -> StoreResult<Vec<Task>> {
        if tools.is_empty() {
            // There is no stream to wait on, and Redis refuses to wait on none.
            stop.cancelled().await;
        }
        while !stop.is_cancelled() {
            let mut call = self.invocation(&self.scripts.claim);
            call.arg(worker.as_str()).arg(most).arg(tools);
            let claimed: Vec<redis::Value> = self.call(&call).await?;
            if !claimed.is_empty() {
                return claimed.into_iter().map(|hash| self.decode(codec::task(hash))).collect();
            }
            tokio::select! {
                () = stop.cancelled() => break,
                ready = self.ready(tools) => ready?,
            }
        }
        Ok(Vec::new())
    }

    async fn report(&self, claim: &ClaimKey, progress: &Progress) -> StoreResult<()> {
        if !progress.is_finite() {
            return Err(self.broken(format!("progress {progress:?} has to be finite numbers")));
        }
        let mut call = self.invocation(&self.scripts.report);
        call.arg(claim.task.as_str()).arg(claim.attempt).arg(codec::json(progress));
        call.arg(progress.message.as_deref().unwrap_or_default());
        self.verb(&call).await?.claimed(claim)
    }

    async fn ask(
        &self,
        claim: &ClaimKey,
        first: u32,
        asks: &[Ask],
        timeout: Option<Duration>,
    ) -> StoreResult<Vec<Question>> {
        let mut call = self.invocation(&self.scripts.ask);
        let timeout = timeout.map(|timeout| timeout.as_millis() as u64);
        call.arg(claim.task.as_str()).arg(claim.attempt).arg(first).arg(codec::optional(timeout));
        call.arg(MAX_OPEN_QUESTIONS);
        for ask in asks {
            call.arg(codec::json(ask)).arg(ask.fingerprint());
        }
        let mut reply = self.verb(&call).await?;
        match reply.word() {
            "ok" => {
                let fields = reply.rest().into_iter().zip(first..);
                fields.map(|(fields, at)| self.decode(codec::question(at, fields))).collect()
            }
            "differs" => {
                let question = QuestionId::at(reply.number() as u32);
                Err(StoreError::JournalDiffers { task: claim.task.clone(), question })
            }
            "too_many" => {
                Err(StoreError::TooManyQuestions { task: claim.task.clone(), limit: MAX_OPEN_QUESTIONS })
            }
            "gap" => Err(self.broken(format!("question {first} follows question {}", reply.number()))),
            _ => Err(reply.refusal(claim)),
        }
    }

    async fn answers(&self, claim: &ClaimKey, first: u32, count: u32) -> StoreResult<Option<Vec<Answer>>> {
        let mut call = self.invocation(&self.scripts.answers);
        call.arg(claim.task.as_str()).arg(claim.attempt).arg(first).arg(count);
        let mut reply = self.verb(&call).await?;
        match reply.word() {
            "ok" => {
                let answers = (0..count).map(|_| self.decode(codec::answer(&reply.text(), reply.number())));
                answers.collect::<Result<_, _>>().map(Some)
            }
            "open" => Ok(None),
            _ => Err(reply.refusal(claim)),
        }
    }

    async fn answer(&self, task: &TaskId, question: &QuestionId, answer: &Answer) -> StoreResult<Answer> {
        let unknown = || StoreError::NoQuestion { task: task.clone(), question: question.clone() };
        let position = question.position().ok_or_else(unknown)?;
        let detail = serde_json::json!({
            "question": question, "action": answer.action, "by": answer.by, "reason": answer.reason
        });
        let mut call = self.invocation(&self.scripts.answer);
        call.arg(task.as_str()).arg(position).arg(codec::json(answer)).arg(detail.to_string());
        let mut reply = self.verb(&call).await?;
        match reply.word() {
            "ok" => Ok(Answer { at: codec::timestamp(reply.number()), ..answer.clone() }),
            "no_question" => Err(unknown()),
            "answered" => {
                let answer = self.decode(codec::answer(&reply.text(), reply.number()))?;
                let answer = Box::new(answer);
                Err(StoreError::AlreadyAnswered { task: task.clone(), question: question.clone(), answer })
            }
            _ => Err(reply.unclaimed(task)),
        }
    }

    async fn finish(&self, claim: &ClaimKey, outcome: &Outcome) -> StoreResult<()> {
        let (status, json, kind, detail) = codec::ending(outcome);
        let mut call = self.invocation(&self.scripts.finish);
        call.arg(claim.task.as_str()).arg(claim.attempt).arg(status).arg(json).arg(kind).arg(detail);
        self.verb(&call).await?.claimed(claim)
    }

    async fn cancel(&self, task: &TaskId, reason: &str) -> StoreResult<()> {
        let mut call = self.invocation(&self.scripts.cancel);
        let mut reply = self.verb(call.arg(task.as_str()).arg(reason)).await?;
        if reply.word() == "ok" { Ok(()) } else { Err(reply.unclaimed(task)) }
    }

    async fn requeue(&self, claim: &ClaimKey, requeue: &Requeue) -> StoreResult<()> {
        let (status, json, kind, detail) = codec::ending(&requeue.last_outcome());
        let delay = requeue.delay.map(|delay| delay.as_millis() as u64);
        let mut call = self.invocation(&self.scripts.requeue);
        call.arg(claim.task.as_str()).arg(claim.attempt).arg(&requeue.reason).arg(u8::from(requeue.counts));
        call.arg(codec::optional(delay)).arg(status).arg(json).arg(kind).arg(detail);
        self.verb(&call).await?.claimed(claim)
    }

    async fn resume(&self, task: &TaskId) -> StoreResult<()> {
        self.verb(self.invocation(&self.scripts.resume).arg(task.as_str())).await.map(drop)
    }

    async fn expire(&self, task: &TaskId) -> StoreResult<()> {
        self.verb(self.invocation(&self.scripts.expire).arg(task.as_str())).await.map(drop)
    }

    async fn note(&self, task: &TaskId, note: &str) -> StoreResult<()> {
        let mut reply = self.verb(self.invocation(&self.scripts.note).arg(task.as_str()).arg(note)).await?;
        if reply.word() == "ok" { Ok(()) } else { Err(reply.unclaimed(task)) }
    }

    async fn enlist(&self, worker: &WorkerId, tools: &[ToolSpec], lease: Duration) -> StoreResult<()> {
        let names: Vec<_> = tools.iter().map(|tool| &tool.name).collect();
        let mut call = self.invocation(&self.scripts.enlist);
        call.arg(worker.as_str()).arg(lease.as_millis() as u64).arg(codec::json(&names));
        for tool in tools {
            call.arg(&tool.name).arg(codec::json(tool));
        }
        self.verb(&call).await.map(drop)
    }

    async fn renew(&self, worker: &WorkerId, lease: Duration) -> StoreResult<bool> {
        let mut call = self.invocation(&self.scripts.renew);
        self.call(call.arg(worker.as_str()).arg(lease.as_millis() as u64)).await
    }

    async fn dismiss(&self, worker: &WorkerId) -> StoreResult<()> {
        self.verb(self.invocation(&self.scripts.dismiss).arg(worker.as_str())).await.map(drop)
    }

    async fn attribute(&self, source: &str, tools: &[String]) -> StoreResult<Vec<String>> {
        self.call(self.invocation(&self.scripts.attribute).arg(source).arg(tools)).await
    }

    async fn withdraw(&self, tools: &[String], error: &RpcError) -> StoreResult<()> {
        let (_, json, _, detail) = codec::ending(&Outcome::Error(error.clone()));
        let mut call = self.invocation(&self.scripts.withdraw);
        self.verb(call.arg(json).arg(detail).arg(tools)).await.map(drop)
    }

    async fn claims(&self, worker: &WorkerId) -> StoreResult<Vec<ClaimKey>> {
        let held: Vec<(String, u32)> =
            self.call(self.invocation(&self.scripts.claims).arg(worker.as_str())).await?;
        held.into_iter()
            .map(|(task, attempt)| Ok(ClaimKey { task: self.decode(task.parse())?, attempt }))
            .collect()
    }

    async fn get(&self, task: &TaskId) -> StoreResult<Option<Task>> {
        let key = self.key(&format!("task:{task}"));
        let hash: redis::Value = self.command(redis::cmd("HGETALL").arg(key)).await?;
        if codec::is_empty(&hash) { Ok(None) } else { self.decode(codec::task(hash)).map(Some) }
    }

    async fn find(&self, prefix: &str, most: usize) -> StoreResult<Vec<TaskId>> {
        let mut command = redis::cmd("ZRANGEBYLEX");
        command.arg(self.key("ids")).arg(format!("[{prefix}")).arg(format!("({prefix}\u{7f}"));
        let found: Vec<String> = self.command(command.arg("LIMIT").arg(0).arg(most)).await?;
        found.into_iter().map(|id| self.decode(id.parse())).collect()
    }

    async fn list(&self, filter: &TaskFilter, after: Option<&PageCursor>, most: usize) -> StoreResult<Page> {
        let mut page = Page { next: after.cloned(), ..Page::default() };
        loop {
            // A script examines a bounded number of tasks; a filter that admits few takes several calls.
            let left = most - page.tasks.len();
            let call = self.list_call(filter, page.next.as_ref(), left);
            let (hashes, millis, id): (Vec<redis::Value>, String, String) = self.call(&call).await?;
            for hash in hashes {
                page.tasks.push(self.decode(codec::task(hash))?);
            }
            page.next = match millis.parse() {
                Ok(created_ms) => Some(PageCursor { created_ms, task: self.decode(id.parse())? }),
                Err(_) => None,
            };
            if page.next.is_none() || page.tasks.len() >= most {
                return Ok(page);
            }
        }
    }

    async fn tools(&self) -> StoreResult<Rows<ToolSpec>> {
        let mut found: Vec<(String, String)> =
            self.command(redis::cmd("HGETALL").arg(self.key("tools"))).await?;
        found.sort();
        let mut tools = Rows::default();
        for (name, json) in found {
            tools.take(name, serde_json::from_str(&json));
        }
        Ok(tools)
    }

    async fn workers(&self) -> StoreResult<Rows<WorkerInfo>> {
        let found: Vec<(String, i64, String, u64)> =
            self.call(&self.invocation(&self.scripts.workers)).await?;
        let decoded = found.into_iter().map(|(id, lease_ms, tools, tasks)| {
            let tools = self.decode(serde_json::from_str(&tools))?;
            Ok(WorkerInfo { id: self.decode(id.parse())?, tools, lease_ms, tasks })
        });
        let rows = decoded.collect::<StoreResult<Vec<_>>>()?;
        Ok(Rows { rows, unreadable: Vec::new() })
    }

    async fn history(&self, filter: &EventFilter, after: Cursor, most: usize) -> StoreResult<History> {
        let log = match filter {
            EventFilter::All => "events".to_owned(),
            EventFilter::Session(session) => format!("session:{session}:log"),
            EventFilter::Task(task) => format!("task:{task}:log"),
        };
        let mut command = redis::cmd("XRANGE");
        command.arg(self.key(&log)).arg(format!("({after}")).arg("+").arg("COUNT").arg(most);
        let entries: Vec<codec::Entry> = self.command(&command).await?;
        let events = self.decode(codec::events(entries))?;
        let next = events.last().filter(|_| events.len() == most).map(|last| last.cursor);
        Ok(History { events, next, ..History::default() })
    }

    async fn last(&self) -> StoreResult<Cursor> {
        let mut command = redis::cmd("XREVRANGE");
        command.arg(self.key("events")).arg("+").arg("-").arg("COUNT").arg(1);
        let entries: Vec<codec::Entry> = self.command(&command).await?;
        entries.first().map_or(Ok(Cursor::START), |(id, _)| self.decode(id.parse()))
    }

    fn tail(&self, after: Cursor) -> Box<dyn Tail> {
        let keys = [self.key("events"), self.key("tools:changes")];
        Box::new(tail::RedisTail::new(self.connection.clone(), keys, after))
    }

    async fn due(&self) -> StoreResult<Due> {
        let call: (Vec<String>, Vec<(String, u32, String)>, i64) =
            self.call(self.invocation(&self.scripts.due).arg(DUE_AT_ONCE)).await?;
        self.decode(codec::due(call))
    }

    async fn health(&self) -> StoreResult<Vec<Trouble>> {
        Ok(Vec::new())
    }

    async fn close(&self) {}
}
