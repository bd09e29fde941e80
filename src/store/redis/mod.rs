//! The Redis engine, for many processes and machines.
//!
//! Each verb that changes something is one Lua script of `lua/` (headed by its arguments and replies), run under one
//! key prefix with a hash tag, so a namespace lives on one shard of a cluster; verbs that only read are plain commands.
//! A process holds at most three connections, however many tasks wait: one for commands, one for a worker that
//! waits for new work, one for the tail of the log. Redis 6.2 or newer, or Valkey.

mod archive;
mod claiming;
mod codec;
mod connection;
mod due;
mod health;
mod index;
mod keep;
mod labels;
mod links;
mod list;
mod mend;
mod notifiers;
mod open;
mod reading;
mod reply;
mod scripts;
mod tail;
mod waiting;
mod writing;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use redis::{Cmd, FromRedisValue, Value};
use tokio_util::sync::CancellationToken;

use super::links::LinkStore;
use super::notifiers::NotifierStore;
use super::{
    ArchivePage, ArchivedTask, ClaimKey, Due, EventFilter, History, IdleWorker, Page, PageCursor, Requeue,
    Retention, Rows, Store, StoreError, StoreResult, Stretch, Tail, TaskFilter, Trouble, WorkerDetails,
    WorkerInfo,
};
use crate::redis_link;
use crate::task::{
    Answer, Ask, Cursor, NewTask, Outcome, Progress, Question, QuestionId, RpcError, Task, TaskId, ToolSpec,
    WorkerId,
};
use claiming::Queues;
use connection::Connection;
use due::Rounds;
use open::{prefix, shared_prefix};
use reply::Reply;
use scripts::Scripts;

/// State in Redis, in one namespace. A cheap handle.
#[derive(Clone)]
pub struct RedisStore {
    connection: Connection,
    /// What the keys of this layout begin with.
    prefix: String,
    /// What the keys of every layout begin with.
    shared: String,
    scripts: Arc<Scripts>,
    /// Whether the namespace may be begun anew where it vanished.
    creates: bool,
    /// Where this process is in what it does again and again.
    rounds: Arc<Mutex<Rounds>>,
    /// What its worker knows of the queues since its last claim.
    queues: Arc<Mutex<Queues>>,
    /// How tasks that expire are archived. A lock, since it is said once the handle is there.
    retention: Arc<Mutex<Option<Retention>>>,
}

impl std::fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisStore").field("location", &self.location_text()).finish_non_exhaustive()
    }
}

impl RedisStore {
    /// Connects to `url` (`redis://`, `rediss://`, `unix://`, `redis+sentinel://HOST:PORT,HOST:PORT/NAME/DB`,
    /// `redis+cluster://HOST:PORT,HOST:PORT`; user and password as usual), begins the namespace if it is new, and brings
    /// an older layout up to date.
    pub async fn open(url: &str, namespace: &str) -> StoreResult<Arc<Self>> {
        let store = Self::connected(url, namespace, true).await?;
        store.begin().await?;
        Ok(Arc::new(store))
    }

    /// Opens a namespace that somebody has begun, without writing anything: [`StoreError::NoStore`] where there is none,
    /// [`StoreError::OlderLayout`] where a process that may create a store has to open it first.
    pub async fn open_existing(url: &str, namespace: &str) -> StoreResult<Arc<Self>> {
        let store = Self::connected(url, namespace, false).await?;
        store.check_existing().await?;
        Ok(Arc::new(store))
    }

    /// Whether that namespace has been begun; asks without beginning it.
    pub async fn is_begun(url: &str, namespace: &str) -> StoreResult<bool> {
        Self::connected(url, namespace, false).await?.command(&open::is_begun(namespace)).await
    }

    async fn connected(url: &str, namespace: &str, creates: bool) -> StoreResult<Self> {
        Ok(Self {
            connection: Connection::open(url, namespace).await?,
            prefix: prefix(namespace),
            shared: shared_prefix(namespace),
            scripts: Arc::new(Scripts::new()),
            creates,
            rounds: Arc::new(Mutex::new(Rounds::new())),
            queues: Arc::default(),
            retention: Arc::default(),
        })
    }

    /// Begins a namespace anew that vanished under this process, if it may.
    async fn begin_again(&self) -> StoreResult<()> {
        if !self.creates {
            return Ok(());
        }
        match self.begin().await {
            // This process has seen what is overwritten now, and goes on.
            Err(error) if connection::is_wrong_type(&error) => Ok(()),
            begun => begun,
        }
    }

    /// How tasks that expire are archived, if they are.
    fn retention(&self) -> Option<Retention> {
        *self.retention.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn location_text(&self) -> String {
        self.connection.location().to_owned()
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    fn task_key(&self, task: &TaskId) -> String {
        format!("{}task:{task}", self.prefix)
    }

    fn invocation<'a>(&self, script: &'a redis::Script) -> redis::ScriptInvocation<'a> {
        script.key(&self.prefix)
    }

    /// Runs a script.
    async fn call<T: FromRedisValue>(&self, invocation: &redis::ScriptInvocation<'_>) -> StoreResult<T> {
        let mut connection = self.connection.commands();
        self.replied(invocation.invoke_async(&mut connection).await)
    }

    /// Runs a script that replies with a word and more.
    async fn verb(&self, invocation: &redis::ScriptInvocation<'_>) -> StoreResult<Reply> {
        Ok(Reply::new(self.call(invocation).await?, self.connection.location()))
    }

    async fn command<T: FromRedisValue>(&self, command: &Cmd) -> StoreResult<T> {
        let mut connection = self.connection.commands();
        self.replied(command.query_async(&mut connection).await)
    }

    /// Runs several commands at once. What is wrong with one of them is its own; what is wrong with the store, or with
    /// who asks, is everybody's.
    async fn each(&self, commands: &[Cmd]) -> StoreResult<Vec<Result<Value, String>>> {
        if commands.is_empty() {
            return Ok(Vec::new());
        }
        let mut pipeline = redis::pipe();
        for command in commands {
            pipeline.add_command(command.clone());
        }
        let mut connection = self.connection.commands();
        let replies: redis::RedisResult<Vec<redis::RedisResult<Value>>> =
            pipeline.ignore_errors().query_async(&mut connection).await;
        let replies = replies.map_err(|error| self.connection.error(&error))?;
        let row = |reply: redis::RedisResult<Value>| match reply {
            Ok(value) => Ok(Ok(codec::readable(value))),
            Err(error) if connection::refusal(&error).is_some() => Err(self.connection.error(&error)),
            Err(error) => Ok(Err(redis_link::said(&error))),
        };
        replies.into_iter().map(row).collect()
    }

    /// What a reply says, or the store's error.
    fn replied<T: FromRedisValue>(&self, reply: redis::RedisResult<Value>) -> StoreResult<T> {
        let reply = reply.map_err(|error| self.connection.error(&error))?;
        self.decode(redis::from_redis_value(codec::readable(reply)))
    }

    fn broken(&self, problem: impl std::fmt::Display) -> StoreError {
        StoreError::Backend { location: self.location_text(), problem: problem.to_string() }
    }

    fn decode<T, E: std::fmt::Display>(&self, decoded: Result<T, E>) -> StoreResult<T> {
        decoded.map_err(|error| self.broken(error))
    }
}

#[async_trait]
impl Store for RedisStore {
    fn location(&self) -> String {
        self.location_text()
    }

    async fn submit_to(&self, new: &NewTask, most_open: u32, idle: Option<&IdleWorker>) -> StoreResult<Task> {
        self.write_task(new, most_open, idle).await
    }

    async fn claim(
        &self,
        worker: &WorkerId,
        tools: &[String],
        most: usize,
        stop: &CancellationToken,
    ) -> StoreResult<Vec<Task>> {
        self.wait_to_claim(worker, tools, most, stop).await
    }

    async fn report(&self, claim: &ClaimKey, progress: &Progress) -> StoreResult<()> {
        self.write_progress(claim, progress).await
    }

    async fn ask(
        &self,
        claim: &ClaimKey,
        first: u32,
        asks: &[Ask],
        timeout: Option<Duration>,
    ) -> StoreResult<Vec<Question>> {
        self.write_questions(claim, first, asks, timeout).await
    }

    async fn answers(&self, claim: &ClaimKey, first: u32, count: u32) -> StoreResult<Option<Vec<Answer>>> {
        self.read_answers(claim, first, count).await
    }

    async fn answer(&self, task: &TaskId, question: &QuestionId, answer: &Answer) -> StoreResult<Answer> {
        self.write_answer(task, question, answer).await
    }

    async fn finish(&self, claim: &ClaimKey, outcome: &Outcome) -> StoreResult<()> {
        self.write_outcome(claim, outcome).await
    }

    async fn cancel(&self, task: &TaskId, reason: &str) -> StoreResult<()> {
        self.end_task(task, reason).await
    }

    async fn requeue(&self, claim: &ClaimKey, requeue: &Requeue) -> StoreResult<()> {
        self.give_back(claim, requeue).await
    }

    async fn resume(&self, task: &TaskId) -> StoreResult<()> {
        let mut reply = self.verb(self.invocation(&self.scripts.resume).arg(task.as_str())).await?;
        if reply.word() == "ok" { Ok(()) } else { Err(reply.unclaimed(task)) }
    }

    async fn expire(&self, task: &TaskId) -> StoreResult<()> {
        self.delete_task(task).await
    }

    async fn prune(&self, task: &TaskId) -> StoreResult<bool> {
        self.prune_task(task).await
    }

    fn retain(&self, retention: Retention) {
        *self.retention.lock().unwrap_or_else(PoisonError::into_inner) = Some(retention);
    }

    async fn archived(
        &self,
        filter: &TaskFilter,
        after: Option<&PageCursor>,
        most: usize,
    ) -> StoreResult<ArchivePage> {
        self.read_archive(filter, after, most).await
    }

    async fn archived_task(&self, task: &TaskId) -> StoreResult<Option<ArchivedTask>> {
        self.read_archived_task(task).await
    }

    async fn find_archived(&self, prefix: &str, most: usize) -> StoreResult<Vec<TaskId>> {
        self.find_in_archive(prefix, most).await
    }

    async fn note(&self, task: &TaskId, claim: Option<&ClaimKey>, note: &str) -> StoreResult<()> {
        let mut call = self.invocation(&self.scripts.note);
        call.arg(task.as_str()).arg(super::gate::reason(note));
        call.arg(codec::optional(claim.map(|claim| claim.attempt.into())));
        let mut reply = self.verb(&call).await?;
        if reply.word() == "ok" { Ok(()) } else { Err(reply.unclaimed(task)) }
    }

    async fn enlist(
        &self,
        worker: &WorkerId,
        details: Option<&WorkerDetails>,
        tools: &[ToolSpec],
        lease: Duration,
    ) -> StoreResult<()> {
        self.write_worker(worker, details, tools, lease).await
    }

    async fn renew(&self, worker: &WorkerId, lease: Duration) -> StoreResult<bool> {
        let mut call = self.invocation(&self.scripts.renew);
        self.call(call.arg(worker.as_str()).arg(lease.as_millis() as u64)).await
    }

    async fn touch(&self) -> StoreResult<()> {
        let mut command = redis::cmd("ZADD");
        command.arg(self.key("index")).arg("XX").arg(0).arg("w");
        match self.command::<Value>(&command).await {
            // Writes are taken; that key is another matter.
            Err(error) if connection::is_wrong_type(&error) => Ok(()),
            done => done.map(drop),
        }
    }

    async fn dismiss(&self, worker: &WorkerId) -> StoreResult<()> {
        self.stop_waiting(worker).await?;
        self.verb(self.invocation(&self.scripts.dismiss).arg(worker.as_str())).await.map(drop)
    }

    async fn attribute(&self, source: &str, tools: &[String]) -> StoreResult<Vec<String>> {
        self.call(self.invocation(&self.scripts.attribute).arg(source).arg(tools)).await
    }

    async fn withdraw(&self, tools: &[String], error: &RpcError) -> StoreResult<()> {
        self.forget_tools(tools, error).await
    }

    async fn claims(&self, worker: &WorkerId) -> StoreResult<Vec<ClaimKey>> {
        self.read_claims(worker).await
    }

    async fn get(&self, task: &TaskId) -> StoreResult<Option<Task>> {
        self.read_task(task).await
    }

    async fn find(&self, prefix: &str, most: usize) -> StoreResult<Vec<TaskId>> {
        self.find_tasks(prefix, most).await
    }

    async fn list(&self, filter: &TaskFilter, after: Option<&PageCursor>, most: usize) -> StoreResult<Page> {
        self.read_page(filter, after, most).await
    }

    async fn tools(&self) -> StoreResult<Rows<ToolSpec>> {
        self.read_tools().await
    }

    async fn workers(&self) -> StoreResult<Rows<WorkerInfo>> {
        self.read_workers().await
    }

    async fn history(&self, filter: &EventFilter, after: Cursor, most: usize) -> StoreResult<History> {
        self.read_history(filter, Stretch::After(after), most).await
    }

    async fn history_before(
        &self,
        filter: &EventFilter,
        before: Option<Cursor>,
        most: usize,
    ) -> StoreResult<History> {
        self.read_history(filter, Stretch::Before(before), most).await
    }

    async fn last(&self) -> StoreResult<Cursor> {
        self.last_event().await
    }

    fn tail(&self, after: Cursor) -> Box<dyn Tail> {
        Box::new(tail::RedisTail::new(self.clone(), after))
    }

    async fn due(&self) -> StoreResult<Due> {
        self.find_due().await
    }

    async fn health(&self) -> StoreResult<Vec<Trouble>> {
        self.troubles().await
    }

    fn notifiers(&self) -> &dyn NotifierStore {
        self
    }

    fn links(&self) -> &dyn LinkStore {
        self
    }

    async fn close(&self) {}
}
