//! The SQLite engine: one file, several processes of one machine.
//!
//! Every verb that writes is one `BEGIN IMMEDIATE` transaction on a thread that owns the writing
//! connection; verbs that read have a thread of their own, and the write-ahead log lets both go on at the
//! same time. A task is kept as its JSON record, beside the columns that queries need (`migrations/`).
//! Waiting is done on the bell (`bell.rs`).

mod actor;
mod bell;
mod busy;
mod change;
mod claims;
mod clock;
mod due;
mod endings;
mod fault;
mod list;
mod open;
mod questions;
mod reading;
mod tail;
mod workers;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    ClaimKey, Due, EventFilter, History, Page, PageCursor, Requeue, Rows, Store, StoreError, StoreResult,
    Tail, TaskFilter, Trouble, WorkerInfo,
};
use crate::task::{
    Answer, Ask, Cursor, Event, NewTask, Outcome, Progress, Question, QuestionId, RpcError, Task, TaskId,
    ToolSpec, WorkerId,
};
use actor::Actor;
use bell::Bell;
use change::Change;
use fault::Fault;
use tail::SqliteTail;

/// One namespace in one file.
#[derive(Clone)]
pub struct SqliteStore {
    location: Arc<str>,
    namespace: i64,
    writer: Actor,
    reader: Actor,
    bell: Arc<Bell>,
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("location", &self.location).finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Opens the file, which is created with its directory where missing, and a namespace in it.
    ///
    /// Errors: [`StoreError::NewerLayout`]; [`StoreError::Unreachable`] when the file cannot be opened or
    /// is something else.
    pub async fn open(path: &Path, namespace: &str) -> StoreResult<Arc<Self>> {
        let (path, namespace) = (path.to_owned(), namespace.to_owned());
        let opened = tokio::task::spawn_blocking(move || {
            let location: Arc<str> = path.display().to_string().into();
            Self::open_blocking(&path, &namespace, &location).map_err(|fault| fault.at(&location))
        });
        opened.await.expect("opening does not panic and is not aborted").map(Arc::new)
    }

    /// Opens a file that is there and a namespace that somebody has begun in it, without writing anything:
    /// [`StoreError::NoStore`] where there is none, [`StoreError::OlderLayout`] where a process that may create a store
    /// has to open it first.
    pub async fn open_existing(path: &Path, namespace: &str) -> StoreResult<Arc<Self>> {
        if !path.exists() {
            return Err(StoreError::NoStore { location: path.display().to_string() });
        }
        Self::open(path, namespace).await
    }

    fn open_blocking(path: &Path, namespace: &str, location: &Arc<str>) -> Result<Self, Fault> {
        let unwritable = |error: std::io::Error| {
            Fault::File(format!("{error}; check that this user may write to the file and its directory"))
        };
        open::prepare(path).map_err(unwritable)?;
        let writer = open::writer(path)?;
        let namespace = open::namespace(&writer, namespace)?;
        let reader = open::reader(path)?;
        let bell = Bell::open(path).map_err(unwritable)?;
        Ok(Self {
            location: Arc::clone(location),
            namespace,
            writer: Actor::start(Arc::clone(location), writer, None)?,
            reader: Actor::start(Arc::clone(location), reader, Some(bell.net()))?,
            bell: Arc::new(bell),
        })
    }

    /// Runs `verb` in one transaction, and rings the bell after the commit if it appended an event.
    async fn write<T, F>(&self, verb: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Change) -> Result<T, Fault> + Send + 'static,
    {
        let (namespace, bell) = (self.namespace, Arc::clone(&self.bell));
        let job = move |connection: &mut Connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            // The time is taken under the lock, so that times have the order of the events.
            let mut change =
                Change { transaction: &transaction, namespace, now: clock::now(), appended: false };
            let result = verb(&mut change)?;
            let appended = change.appended;
            transaction.commit()?;
            if appended {
                bell.ring();
            }
            Ok(result)
        };
        self.writer.run(job).await
    }

    /// Runs `verb` on one consistent state.
    async fn read<T, F>(&self, verb: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection, i64) -> Result<T, Fault> + Send + 'static,
    {
        let namespace = self.namespace;
        let job = move |connection: &mut Connection| {
            let transaction = connection.transaction()?;
            verb(&transaction, namespace)
        };
        self.reader.run(job).await
    }

    async fn events(&self, filter: EventFilter, after: Cursor, most: usize) -> StoreResult<Vec<Event>> {
        self.read(move |connection, namespace| {
            reading::history(connection, namespace, (&filter, after), most)
        })
        .await
    }

    /// Claims what is queued now. Looking first spares the write lock those who were woken for nothing.
    async fn claim_now(&self, worker: &WorkerId, tools: &[String], most: usize) -> StoreResult<Vec<Task>> {
        let wanted = tools.to_vec();
        let ready =
            self.read(move |connection, namespace| claims::ready(connection, namespace, &wanted, 1)).await?;
        if ready.is_empty() {
            return Ok(Vec::new());
        }
        let (worker, tools) = (worker.clone(), tools.to_vec());
        self.write(move |change| claims::claim(change, &worker, &tools, most)).await
    }
}

/// Waits until the bell rings.
async fn next_ring(heard: &mut watch::Receiver<()>) {
    heard.changed().await.expect("whoever waits holds the store, and the store its bell");
}

#[async_trait]
impl Store for SqliteStore {
    fn location(&self) -> String {
        self.location.to_string()
    }

    async fn submit(&self, new: &NewTask, most_open: u32) -> StoreResult<Task> {
        let new = new.clone();
        self.write(move |change| claims::submit(change, new, most_open)).await
    }

    async fn claim(
        &self,
        worker: &WorkerId,
        tools: &[String],
        most: usize,
        stop: &CancellationToken,
    ) -> StoreResult<Vec<Task>> {
        let mut heard = self.bell.hear();
        while !stop.is_cancelled() {
            heard.mark_unchanged();
            // Never given up halfway: a claim that nobody receives would hold its tasks for ever.
            let tasks = self.claim_now(worker, tools, most).await?;
            if !tasks.is_empty() {
                return Ok(tasks);
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = next_ring(&mut heard) => {}
            }
        }
        Ok(Vec::new())
    }

    async fn report(&self, claim: &ClaimKey, progress: &Progress) -> StoreResult<()> {
        if !progress.is_finite() {
            let problem = format!("progress {progress:?} has to be finite numbers");
            return Err(StoreError::Backend { location: self.location(), problem });
        }
        let (claim, progress) = (claim.clone(), progress.clone());
        self.write(move |change| claims::report(change, &claim, &progress)).await
    }

    async fn ask(
        &self,
        claim: &ClaimKey,
        first: u32,
        asks: &[Ask],
        timeout: Option<Duration>,
    ) -> StoreResult<Vec<Question>> {
        let (claim, asks) = (claim.clone(), asks.to_vec());
        self.write(move |change| questions::ask(change, &claim, first, asks, timeout)).await
    }

    async fn answers(&self, claim: &ClaimKey, first: u32, count: u32) -> StoreResult<Option<Vec<Answer>>> {
        let claim = claim.clone();
        self.read(move |connection, namespace| {
            questions::answers(connection, namespace, &claim, first..first.saturating_add(count))
        })
        .await
    }

    async fn answer(&self, task: &TaskId, question: &QuestionId, answer: &Answer) -> StoreResult<Answer> {
        let (task, question, answer) = (task.clone(), question.clone(), answer.clone());
        self.write(move |change| questions::answer(change, &task, &question, answer)).await
    }

    async fn finish(&self, claim: &ClaimKey, outcome: &Outcome) -> StoreResult<()> {
        let (claim, outcome) = (claim.clone(), outcome.clone());
        self.write(move |change| endings::finish(change, &claim, outcome)).await
    }

    async fn cancel(&self, task: &TaskId, reason: &str) -> StoreResult<()> {
        let (task, reason) = (task.clone(), reason.to_owned());
        self.write(move |change| endings::cancel(change, &task, &reason)).await
    }

    async fn requeue(&self, claim: &ClaimKey, requeue: &Requeue) -> StoreResult<()> {
        let (claim, requeue) = (claim.clone(), requeue.clone());
        self.write(move |change| endings::requeue(change, &claim, requeue)).await
    }

    async fn resume(&self, task: &TaskId) -> StoreResult<()> {
        let task = task.clone();
        self.write(move |change| endings::resume(change, &task)).await
    }

    async fn expire(&self, task: &TaskId) -> StoreResult<()> {
        let task = task.clone();
        self.write(move |change| endings::expire(change, &task)).await
    }

    async fn note(&self, task: &TaskId, note: &str) -> StoreResult<()> {
        let (task, note) = (task.clone(), note.to_owned());
        self.write(move |change| endings::note(change, &task, &note)).await
    }

    async fn enlist(&self, worker: &WorkerId, tools: &[ToolSpec], lease: Duration) -> StoreResult<()> {
        let (worker, tools) = (worker.clone(), tools.to_vec());
        self.write(move |change| workers::enlist(change, &worker, &tools, lease)).await
    }

    async fn renew(&self, worker: &WorkerId, lease: Duration) -> StoreResult<bool> {
        let worker = worker.clone();
        self.write(move |change| workers::renew(change, &worker, lease)).await
    }

    async fn dismiss(&self, worker: &WorkerId) -> StoreResult<()> {
        let worker = worker.clone();
        self.write(move |change| workers::dismiss(change, &worker)).await
    }

    async fn attribute(&self, source: &str, tools: &[String]) -> StoreResult<Vec<String>> {
        let (source, tools) = (source.to_owned(), tools.to_vec());
        self.write(move |change| workers::attribute(change, &source, &tools)).await
    }

    async fn withdraw(&self, tools: &[String], error: &RpcError) -> StoreResult<()> {
        let (tools, error) = (tools.to_vec(), error.clone());
        self.write(move |change| workers::withdraw(change, &tools, &error)).await
    }

    async fn claims(&self, worker: &WorkerId) -> StoreResult<Vec<ClaimKey>> {
        let worker = worker.clone();
        self.read(move |connection, namespace| workers::claims(connection, namespace, &worker)).await
    }

    async fn get(&self, task: &TaskId) -> StoreResult<Option<Task>> {
        let task = task.clone();
        self.read(move |connection, namespace| reading::get(connection, namespace, &task)).await
    }

    async fn find(&self, prefix: &str, most: usize) -> StoreResult<Vec<TaskId>> {
        let prefix = prefix.to_owned();
        self.read(move |connection, namespace| reading::find(connection, namespace, &prefix, most)).await
    }

    async fn list(&self, filter: &TaskFilter, after: Option<&PageCursor>, most: usize) -> StoreResult<Page> {
        let (filter, after) = (filter.clone(), after.cloned());
        let verb = move |connection: &Connection, namespace| {
            list::list(connection, namespace, (&filter, after.as_ref()), most)
        };
        self.read(verb).await
    }

    async fn tools(&self) -> StoreResult<Rows<ToolSpec>> {
        Ok(Rows { rows: self.read(workers::tools).await?, ..Rows::default() })
    }

    async fn workers(&self) -> StoreResult<Rows<WorkerInfo>> {
        let now_ms = clock::now().as_millisecond();
        let rows =
            self.read(move |connection, namespace| workers::workers(connection, namespace, now_ms)).await?;
        Ok(Rows { rows, ..Rows::default() })
    }

    async fn history(&self, filter: &EventFilter, after: Cursor, most: usize) -> StoreResult<History> {
        let events = self.events(filter.clone(), after, most).await?;
        let next = events.last().filter(|_| events.len() == most).map(|last| last.cursor);
        Ok(History { events, next, ..History::default() })
    }

    async fn last(&self) -> StoreResult<Cursor> {
        self.read(reading::last).await
    }

    fn tail(&self, after: Cursor) -> Box<dyn Tail> {
        Box::new(SqliteTail { store: self.clone(), heard: self.bell.hear(), after, tools: 0 })
    }

    async fn due(&self) -> StoreResult<Due> {
        let now = clock::now();
        let verb = move |connection: &Connection, namespace| {
            let due = due::due(connection, namespace, now)?;
            Ok((due, workers::any_to_forget(connection, namespace, now.as_millisecond())?))
        };
        let (due, forget) = self.read(verb).await?;
        if forget {
            self.write(|change| workers::forget(change)).await?;
        }
        Ok(due)
    }

    async fn health(&self) -> StoreResult<Vec<Trouble>> {
        Ok(Vec::new())
    }

    async fn close(&self) {}
}
