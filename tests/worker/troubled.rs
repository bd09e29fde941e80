//! A real store with troubles: verbs that are refused, or done with their reply lost, as often as a test says.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use mcptask::store::{
    ArchivePage, ArchivedTask, ClaimKey, Due, EventFilter, Extended, Extension, History, IdleWorker, Page,
    PageCursor, Refusal, Requeue, Retention, Rows, Store, StoreError, StoreResult, Tail, TaskFilter, Trouble,
    WaitingStore, WorkerDetails, WorkerInfo,
};
use mcptask::task::{
    Answer, Ask, Cursor, NewTask, Outcome, Progress, Question, QuestionId, RpcError, Task, TaskId, ToolSpec,
    WorkerId,
};
use tokio_util::sync::CancellationToken;

/// What goes wrong with a verb.
#[derive(Debug, Clone)]
pub enum Wrong {
    /// It is not done, and this is said.
    Refused(StoreError),
    /// It is done, and its reply is lost.
    ReplyLost,
}

/// The store.
#[derive(Debug)]
pub struct Troubled {
    store: Arc<dyn Store>,
    troubles: Mutex<HashMap<&'static str, (usize, Wrong)>>,
    damaged: Mutex<Option<TaskId>>,
    calls: Mutex<HashMap<&'static str, usize>>,
}

/// What a store says that does not do it now.
pub fn refuses(refusal: Refusal) -> Wrong {
    Wrong::Refused(StoreError::Refuses {
        location: "a store with troubles".to_owned(),
        refusal,
        problem: format!("{refusal:?}"),
    })
}

fn away() -> StoreError {
    StoreError::Unreachable {
        location: "a store with troubles".to_owned(),
        problem: "the reply is lost".to_owned(),
    }
}

impl Troubled {
    /// Without troubles for now.
    pub fn new(store: Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self {
            store,
            troubles: Mutex::default(),
            damaged: Mutex::default(),
            calls: Mutex::default(),
        })
    }

    /// The next `times` calls of `verb` go wrong.
    pub fn trouble(&self, verb: &'static str, times: usize, wrong: Wrong) {
        self.troubles().insert(verb, (times, wrong));
    }

    /// Nothing can be done any more about that task.
    pub fn damage(&self, task: &TaskId) {
        *self.damaged.lock().expect("nobody panicked") = Some(task.clone());
    }

    /// From now on all goes well again.
    pub fn recover(&self) {
        self.troubles().clear();
        self.damaged.lock().expect("nobody panicked").take();
    }

    fn is_fine(&self, task: &TaskId) -> StoreResult<()> {
        if self.damaged.lock().expect("nobody panicked").as_ref() == Some(task) {
            let problem = "a damaged record".to_owned();
            return Err(StoreError::Backend { location: self.location(), problem });
        }
        Ok(())
    }

    /// How often a verb was called.
    pub fn calls(&self, verb: &str) -> usize {
        self.calls.lock().expect("nobody panicked").get(verb).copied().unwrap_or_default()
    }

    /// Waits until a verb was called so often.
    pub async fn called(&self, verb: &str, times: usize) {
        let called = async {
            while self.calls(verb) < times {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        crate::support::within(verb, called).await;
    }

    fn troubles(&self) -> MutexGuard<'_, HashMap<&'static str, (usize, Wrong)>> {
        self.troubles.lock().expect("nobody panicked")
    }

    fn wrong(&self, verb: &'static str) -> Option<Wrong> {
        *self.calls.lock().expect("nobody panicked").entry(verb).or_default() += 1;
        let mut troubles = self.troubles();
        let (left, wrong) = troubles.get_mut(verb)?;
        *left = left.checked_sub(1)?;
        Some(wrong.clone())
    }

    async fn verb<T>(
        &self,
        verb: &'static str,
        done: impl Future<Output = StoreResult<T>> + Send,
    ) -> StoreResult<T> {
        match self.wrong(verb) {
            None => done.await,
            Some(Wrong::Refused(error)) => Err(error),
            Some(Wrong::ReplyLost) => {
                done.await?;
                Err(away())
            }
        }
    }
}

#[async_trait]
impl WaitingStore for Troubled {
    async fn extend(
        &self,
        task: &TaskId,
        question: &QuestionId,
        extension: &Extension,
    ) -> StoreResult<Extended> {
        self.store.extend(task, question, extension).await
    }

    async fn leave(&self, task: &TaskId, question: &QuestionId, reason: &str) -> StoreResult<()> {
        self.store.leave(task, question, reason).await
    }

    async fn remind(&self, task: &TaskId, question: &QuestionId) -> StoreResult<()> {
        self.store.remind(task, question).await
    }
}

#[async_trait]
impl Store for Troubled {
    fn location(&self) -> String {
        self.store.location()
    }

    async fn submit_to(&self, new: &NewTask, most_open: u32, idle: Option<&IdleWorker>) -> StoreResult<Task> {
        self.verb("submit", self.store.submit_to(new, most_open, idle)).await
    }

    async fn claim(
        &self,
        worker: &WorkerId,
        tools: &[String],
        most: usize,
        stop: &CancellationToken,
    ) -> StoreResult<Vec<Task>> {
        self.verb("claim", self.store.claim(worker, tools, most, stop)).await
    }

    async fn report(&self, claim: &ClaimKey, progress: &Progress) -> StoreResult<()> {
        self.verb("report", self.store.report(claim, progress)).await
    }

    async fn ask(
        &self,
        claim: &ClaimKey,
        first: u32,
        asks: &[Ask],
        timeout: Option<Duration>,
    ) -> StoreResult<Vec<Question>> {
        self.verb("ask", self.store.ask(claim, first, asks, timeout)).await
    }

    async fn answers(&self, claim: &ClaimKey, first: u32, count: u32) -> StoreResult<Option<Vec<Answer>>> {
        self.verb("answers", self.store.answers(claim, first, count)).await
    }

    async fn answer(&self, task: &TaskId, question: &QuestionId, answer: &Answer) -> StoreResult<Answer> {
        self.is_fine(task)?;
        self.verb("answer", self.store.answer(task, question, answer)).await
    }

    async fn finish(&self, claim: &ClaimKey, outcome: &Outcome) -> StoreResult<()> {
        self.verb("finish", self.store.finish(claim, outcome)).await
    }

    async fn cancel(&self, task: &TaskId, reason: &str) -> StoreResult<()> {
        self.verb("cancel", self.store.cancel(task, reason)).await
    }

    async fn requeue(&self, claim: &ClaimKey, requeue: &Requeue) -> StoreResult<()> {
        self.verb("requeue", self.store.requeue(claim, requeue)).await
    }

    async fn resume(&self, task: &TaskId) -> StoreResult<()> {
        self.verb("resume", self.store.resume(task)).await
    }

    async fn expire(&self, task: &TaskId) -> StoreResult<()> {
        self.is_fine(task)?;
        self.verb("expire", self.store.expire(task)).await
    }

    async fn prune(&self, task: &TaskId) -> StoreResult<bool> {
        self.is_fine(task)?;
        self.verb("prune", self.store.prune(task)).await
    }

    fn retain(&self, retention: Retention) {
        self.store.retain(retention);
    }

    async fn archived(
        &self,
        filter: &TaskFilter,
        after: Option<&PageCursor>,
        most: usize,
    ) -> StoreResult<ArchivePage> {
        self.verb("archived", self.store.archived(filter, after, most)).await
    }

    async fn archived_task(&self, task: &TaskId) -> StoreResult<Option<ArchivedTask>> {
        self.verb("archived_task", self.store.archived_task(task)).await
    }

    async fn find_archived(&self, prefix: &str, most: usize) -> StoreResult<Vec<TaskId>> {
        self.verb("find_archived", self.store.find_archived(prefix, most)).await
    }

    async fn note(&self, task: &TaskId, claim: Option<&ClaimKey>, note: &str) -> StoreResult<()> {
        self.verb("note", self.store.note(task, claim, note)).await
    }

    async fn enlist(
        &self,
        worker: &WorkerId,
        details: Option<&WorkerDetails>,
        tools: &[ToolSpec],
        lease: Duration,
    ) -> StoreResult<()> {
        self.verb("enlist", self.store.enlist(worker, details, tools, lease)).await
    }

    async fn touch(&self) -> StoreResult<()> {
        self.verb("touch", self.store.touch()).await
    }

    async fn renew(&self, worker: &WorkerId, lease: Duration) -> StoreResult<bool> {
        self.verb("renew", self.store.renew(worker, lease)).await
    }

    async fn dismiss(&self, worker: &WorkerId) -> StoreResult<()> {
        self.verb("dismiss", self.store.dismiss(worker)).await
    }

    async fn attribute(&self, source: &str, tools: &[String]) -> StoreResult<Vec<String>> {
        self.verb("attribute", self.store.attribute(source, tools)).await
    }

    async fn withdraw(&self, tools: &[String], error: &RpcError) -> StoreResult<()> {
        self.verb("withdraw", self.store.withdraw(tools, error)).await
    }

    async fn claims(&self, worker: &WorkerId) -> StoreResult<Vec<ClaimKey>> {
        self.verb("claims", self.store.claims(worker)).await
    }

    async fn get(&self, task: &TaskId) -> StoreResult<Option<Task>> {
        self.verb("get", self.store.get(task)).await
    }

    async fn find(&self, prefix: &str, most: usize) -> StoreResult<Vec<TaskId>> {
        self.verb("find", self.store.find(prefix, most)).await
    }

    async fn list(&self, filter: &TaskFilter, after: Option<&PageCursor>, most: usize) -> StoreResult<Page> {
        self.verb("list", self.store.list(filter, after, most)).await
    }

    async fn tools(&self) -> StoreResult<Rows<ToolSpec>> {
        self.verb("tools", self.store.tools()).await
    }

    async fn workers(&self) -> StoreResult<Rows<WorkerInfo>> {
        self.verb("workers", self.store.workers()).await
    }

    async fn history(&self, filter: &EventFilter, after: Cursor, most: usize) -> StoreResult<History> {
        self.verb("history", self.store.history(filter, after, most)).await
    }

    async fn history_before(
        &self,
        filter: &EventFilter,
        before: Option<Cursor>,
        most: usize,
    ) -> StoreResult<History> {
        self.verb("history_before", self.store.history_before(filter, before, most)).await
    }

    async fn last(&self) -> StoreResult<Cursor> {
        self.verb("last", self.store.last()).await
    }

    fn tail(&self, after: Cursor) -> Box<dyn Tail> {
        self.store.tail(after)
    }

    async fn due(&self) -> StoreResult<Due> {
        self.verb("due", self.store.due()).await
    }

    async fn health(&self) -> StoreResult<Vec<Trouble>> {
        self.verb("health", self.store.health()).await
    }

    fn notifiers(&self) -> &dyn mcptask::store::notifiers::NotifierStore {
        self.store.notifiers()
    }

    fn links(&self) -> &dyn mcptask::store::links::LinkStore {
        self.store.links()
    }

    async fn close(&self) {
        self.store.close().await;
    }
}
