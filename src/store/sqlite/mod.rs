//! The SQLite engine: one file, several processes of one machine.
//!
//! Every verb that writes is one `BEGIN IMMEDIATE` transaction on a thread that owns the writing
//! connection; verbs that read have a thread of their own, and the write-ahead log lets both go on at the
//! same time. What transitions need of a task are columns, what is large is JSON beside them (`schema.sql`), so that
//! no record that cannot be read keeps anything else from happening. Waiting is done on the bell (`bell.rs`), time is
//! the file system's (`clock.rs`), and nothing is acknowledged that is in a file that others do not find (`files.rs`).

mod actor;
mod archive;
mod bell;
mod bounds;
mod busy;
mod change;
mod claims;
mod clock;
mod due;
mod endings;
mod failure;
mod files;
mod health;
mod keep;
mod links;
mod list;
mod log;
mod migrate;
mod notifiers;
mod open;
mod questions;
mod reading;
mod recounts;
mod reminders;
mod row;
mod schema;
mod scopes;
mod sequence;
mod shared;
mod space;
mod tail;
mod waiting;
mod workers;

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::Connection;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::gate;
use super::links::LinkStore;
use super::notifiers::NotifierStore;
use super::{
    ArchivePage, ArchivedTask, ClaimKey, Due, EventFilter, History, IdleWorker, Page, PageCursor, Requeue,
    Retention, Rows, Store, StoreResult, Stretch, Tail, TaskFilter, Trouble, WorkerDetails, WorkerInfo,
};
use crate::task::{
    Answer, Ask, Cursor, NewTask, Outcome, Progress, Question, QuestionId, RpcError, Task, TaskId, ToolSpec,
    WorkerId,
};
use actor::Actor;
pub use clock::TimeSource;
use endings::End;
use files::Frozen;
use shared::Shared;
use tail::SqliteTail;

/// One namespace in one file.
#[derive(Clone)]
pub struct SqliteStore {
    location: Arc<str>,
    namespace: i64,
    writer: Actor,
    reader: Actor,
    shared: Arc<Shared>,
    /// What the file looked like, where it is read as if nobody wrote to it. A lock, since the thread that reads
    /// replaces it; nobody else asks.
    frozen: Arc<Mutex<Option<Frozen>>>,
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("location", &self.location).finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Claims what is queued now. Looking first spares the write lock those who were woken for nothing.
    async fn claim_now(&self, worker: &WorkerId, tools: &[String], most: usize) -> StoreResult<Vec<Task>> {
        loop {
            let (wanted, by, shared) = (tools.to_vec(), worker.clone(), Arc::clone(&self.shared));
            let any = self.read(move |connection, namespace| {
                claims::any_ready(connection, namespace, (&by, shared.now().as_millisecond()), &wanted)
            });
            if !any.await? {
                return Ok(Vec::new());
            }
            let (worker, tools) = (worker.clone(), tools.to_vec());
            let claimed = self.write(move |change| claims::claim(change, &worker, &tools, most)).await?;
            if !claimed.tasks.is_empty() || !claimed.parked {
                return Ok(claimed.tasks);
            }
        }
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

    async fn submit_to(&self, new: &NewTask, most_open: u32, idle: Option<&IdleWorker>) -> StoreResult<Task> {
        claims::check(new)?;
        let (new, idle) = (new.clone(), idle.cloned());
        self.write(move |change| claims::submit(change, new, most_open, idle.as_ref())).await
    }

    async fn claim(
        &self,
        worker: &WorkerId,
        tools: &[String],
        most: usize,
        stop: &CancellationToken,
    ) -> StoreResult<Vec<Task>> {
        let mut heard = self.shared.bell.hear();
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
        let json = claims::checked(progress)?;
        let (claim, progress) = (claim.clone(), progress.clone());
        self.write(move |change| claims::report(change, &claim, (progress, &json))).await
    }

    async fn ask(
        &self,
        claim: &ClaimKey,
        first: u32,
        asks: &[Ask],
        timeout: Option<Duration>,
    ) -> StoreResult<Vec<Question>> {
        let (claim, asks) = (claim.clone(), questions::checked(asks)?);
        self.write(move |change| questions::ask(change, &claim, (first, asks), timeout)).await
    }

    async fn answers(&self, claim: &ClaimKey, first: u32, count: u32) -> StoreResult<Option<Vec<Answer>>> {
        let claim = claim.clone();
        self.read(move |connection, namespace| {
            questions::answers(connection, namespace, &claim, first..first.saturating_add(count))
        })
        .await
    }

    async fn answer(&self, task: &TaskId, question: &QuestionId, answer: &Answer) -> StoreResult<Answer> {
        let (task, question, answer) = (task.clone(), question.clone(), questions::passed(answer)?);
        self.write(move |change| questions::answer(change, &task, &question, answer)).await
    }

    async fn finish(&self, claim: &ClaimKey, outcome: &Outcome) -> StoreResult<()> {
        let (claim, end) = (claim.clone(), End::with(outcome)?);
        self.write(move |change| endings::finish(change, &claim, &end)).await
    }

    async fn cancel(&self, task: &TaskId, reason: &str) -> StoreResult<()> {
        let (task, reason) = (task.clone(), gate::reason(reason));
        self.write(move |change| endings::cancel(change, &task, &reason)).await
    }

    async fn requeue(&self, claim: &ClaimKey, requeue: &Requeue) -> StoreResult<()> {
        let (claim, (requeue, end)) = (claim.clone(), endings::checked(requeue)?);
        self.write(move |change| endings::requeue(change, &claim, (requeue, &end))).await
    }

    async fn resume(&self, task: &TaskId) -> StoreResult<()> {
        let task = task.clone();
        self.write(move |change| endings::resume(change, &task)).await
    }

    async fn expire(&self, task: &TaskId) -> StoreResult<()> {
        let task = task.clone();
        self.write(move |change| endings::expire(change, &task)).await
    }

    async fn prune(&self, task: &TaskId) -> StoreResult<bool> {
        let task = task.clone();
        self.write(move |change| endings::prune(change, &task)).await
    }

    fn retain(&self, retention: Retention) {
        self.shared.retain(retention);
    }

    async fn archived(
        &self,
        filter: &TaskFilter,
        after: Option<&PageCursor>,
        most: usize,
    ) -> StoreResult<ArchivePage> {
        let (filter, after) = (filter.clone(), after.cloned());
        let verb = move |connection: &Connection, now| {
            archive::list(connection, now, (&filter, after.as_ref()), most)
        };
        self.read_now(verb).await
    }

    async fn archived_task(&self, task: &TaskId) -> StoreResult<Option<ArchivedTask>> {
        let task = task.clone();
        self.read_now(move |connection, now| archive::get(connection, now, &task)).await
    }

    async fn find_archived(&self, prefix: &str, most: usize) -> StoreResult<Vec<TaskId>> {
        let prefix = prefix.to_owned();
        self.read_now(move |connection, now| archive::find(connection, now, (&prefix, most))).await
    }

    async fn note(&self, task: &TaskId, claim: Option<&ClaimKey>, note: &str) -> StoreResult<()> {
        let (task, claim, note) = (task.clone(), claim.cloned(), gate::reason(note));
        self.write(move |change| endings::note(change, &task, claim.as_ref(), &note)).await
    }

    async fn enlist(
        &self,
        worker: &WorkerId,
        details: Option<&WorkerDetails>,
        tools: &[ToolSpec],
        lease: Duration,
    ) -> StoreResult<()> {
        let (worker, said) = (worker.clone(), workers::checked(tools, details)?);
        self.write(move |change| workers::enlist(change, &worker, &said, lease)).await
    }

    async fn renew(&self, worker: &WorkerId, lease: Duration) -> StoreResult<bool> {
        let worker = worker.clone();
        self.write(move |change| workers::renew(change, &worker, lease)).await
    }

    async fn touch(&self) -> StoreResult<()> {
        self.write(|change| workers::touch(change)).await
    }

    async fn dismiss(&self, worker: &WorkerId) -> StoreResult<()> {
        let worker = worker.clone();
        self.write(move |change| workers::dismiss(change, &worker)).await
    }

    async fn attribute(&self, source: &str, tools: &[String]) -> StoreResult<Vec<String>> {
        gate::message("the source", source)?;
        tools.iter().try_for_each(|tool| gate::label("tool", tool))?;
        let (source, tools) = (source.to_owned(), tools.to_vec());
        self.write(move |change| workers::attribute(change, &source, &tools)).await
    }

    async fn withdraw(&self, tools: &[String], error: &RpcError) -> StoreResult<()> {
        let end = End::with(&Outcome::Error(error.clone()))?;
        for tool in tools {
            let mut is_left = true;
            while is_left {
                let (tool, end) = (tool.clone(), end.clone());
                is_left = self.write(move |change| workers::withdraw(change, &tool, &end)).await?;
            }
        }
        Ok(())
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
        self.read(workers::tools).await
    }

    async fn workers(&self) -> StoreResult<Rows<WorkerInfo>> {
        self.read_now(|connection, (namespace, now_ms)| workers::workers(connection, namespace, now_ms)).await
    }

    async fn history(&self, filter: &EventFilter, after: Cursor, most: usize) -> StoreResult<History> {
        let filter = filter.clone();
        let verb = move |connection: &Connection, namespace| {
            reading::history(connection, namespace, (&filter, Stretch::After(after)), most)
        };
        self.read(verb).await
    }

    async fn history_before(
        &self,
        filter: &EventFilter,
        before: Option<Cursor>,
        most: usize,
    ) -> StoreResult<History> {
        let filter = filter.clone();
        let verb = move |connection: &Connection, namespace| {
            reading::history(connection, namespace, (&filter, Stretch::Before(before)), most)
        };
        self.read(verb).await
    }

    async fn last(&self) -> StoreResult<Cursor> {
        self.read(reading::last).await
    }

    fn tail(&self, after: Cursor) -> Box<dyn Tail> {
        Box::new(SqliteTail {
            store: self.clone(),
            heard: self.shared.bell.hear(),
            after,
            tools: 0,
            has_failed: false,
        })
    }

    async fn due(&self) -> StoreResult<Due> {
        self.look_for_due().await
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

    async fn close(&self) {
        self.close_files().await;
    }
}
