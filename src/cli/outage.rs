//! A store or a server that is away while a command waits: it is said once, waited for, and said once that it is back.

mod waiting;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::failure::Failure;
use super::failure::store::is_outage;
use super::ui::{Ui, text};
use crate::desk::facts::passed_over;
use crate::engine::{self, Retry};
use crate::store::{
    ArchivePage, ArchivedTask, ClaimKey, Due, EventFilter, History, IdleWorker, News, Page, PageCursor,
    Requeue, Retention, Rows, Store, StoreResult, Tail, TaskFilter, Trouble, Unreadable, WorkerDetails,
    WorkerInfo,
};
use crate::task::{
    Answer, Ask, Cursor, NewTask, Outcome, Progress, Question, QuestionId, RpcError, Task, TaskId, ToolSpec,
    WorkerId,
};

/// What is said of one store or server while a command waits.
pub(crate) struct Outage {
    ui: Ui,
    /// What is away.
    what: String,
    /// Whether it is one of several, so that its name is said.
    is_named: bool,
    state: Mutex<State>,
    retry: Mutex<Retry>,
}

/// Who met the outage: the log's reader has a connection of its own, which can be away alone.
#[derive(Clone, Copy)]
enum Meeting {
    /// A step of the command, whatever it does.
    Step,
    Read,
    /// A store can be read that refuses what is written; that it is over, only a write can tell.
    Write,
    Tail,
}

#[derive(Default)]
struct State {
    /// By who met it.
    away: [bool; 4],
    passed_over: bool,
}

impl State {
    fn is_away(&self) -> bool {
        self.away.contains(&true)
    }

    fn set(&mut self, meeting: Meeting, away: bool) {
        let place = match meeting {
            Meeting::Step => 0,
            Meeting::Read => 1,
            Meeting::Write => 2,
            Meeting::Tail => 3,
        };
        self.away[place] = away;
    }
}

impl engine::Failure for Failure {
    fn is_passing(&self) -> bool {
        self.is_outage()
    }
}

impl Outage {
    /// Of a store; of the place of that name, where it is one of several.
    pub(crate) fn new(ui: &Ui, name: Option<&str>) -> Self {
        Self::of(ui, "the store", name)
    }

    /// Of an MCP server.
    pub(crate) fn of_server(ui: &Ui, name: Option<&str>) -> Self {
        Self::of(ui, "the server", name)
    }

    fn of(ui: &Ui, kind: &str, name: Option<&str>) -> Self {
        // The person at the terminal is told; the log need not be.
        let retry = Mutex::new(Retry::new("what a command waits for").murmuring());
        let what = name.unwrap_or(kind).to_owned();
        Self { ui: ui.clone(), what, is_named: name.is_some(), state: Mutex::default(), retry }
    }

    /// Repeats a step while its failure is an outage. Only a bound from outside ends it otherwise.
    pub(crate) async fn ride_out<T>(
        &self,
        mut step: impl AsyncFnMut() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        loop {
            match step().await {
                Err(failure) if failure.is_outage() => tokio::time::sleep(self.failed(&failure)).await,
                done => {
                    self.worked();
                    return done;
                }
            }
        }
    }

    /// Takes note of an outage, which is said once; the pause before the next attempt.
    pub(crate) fn failed(&self, failure: &Failure) -> Duration {
        self.note(Meeting::Step, Some(&failure.to_string()));
        self.retry.lock().unwrap_or_else(PoisonError::into_inner).failed(failure)
    }

    /// Takes note that what was away has answered.
    pub(crate) fn worked(&self) {
        self.note(Meeting::Step, None);
        self.retry.lock().unwrap_or_else(PoisonError::into_inner).worked();
    }

    fn note(&self, meeting: Meeting, problem: Option<&str>) {
        let (before, after) = {
            let mut state = self.locked();
            let before = state.is_away();
            state.set(meeting, problem.is_some());
            (before, state.is_away())
        };
        match problem {
            Some(problem) if !before => {
                let whose = if self.is_named { format!("{}: ", self.what) } else { String::new() };
                let problem = text::sentence(problem);
                self.ui.stand(
                    &self.what,
                    &format!("{whose}{problem}; waiting until it is back, Ctrl-C ends this"),
                );
            }
            None if before && !after => {
                self.ui.over(&self.what);
                self.ui.talk(&format!("{} is back", self.what));
            }
            _ => {}
        }
    }

    /// Looks at what a verb that reads returned, and passes it on.
    fn read<T>(&self, result: StoreResult<T>) -> StoreResult<T> {
        self.seen_by(Meeting::Read, result)
    }

    /// The same of a verb that writes.
    fn written<T>(&self, result: StoreResult<T>) -> StoreResult<T> {
        self.seen_by(Meeting::Write, result)
    }

    fn seen_by<T>(&self, meeting: Meeting, result: StoreResult<T>) -> StoreResult<T> {
        let problem = result.as_ref().err().filter(|error| is_outage(error)).map(ToString::to_string);
        self.note(meeting, problem.as_deref());
        result
    }

    /// Says once that events are passed over.
    fn passed_over(&self, unreadable: &[Unreadable]) {
        let Some(first) = unreadable.first() else { return };
        let is_new = !std::mem::replace(&mut self.locked().passed_over, true);
        if is_new {
            self.ui.warn(&passed_over(first));
        }
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A store that is listened to: what its verbs return says when it is away and when it is back.
#[derive(Debug)]
pub(crate) struct Announced {
    store: Arc<dyn Store>,
    outage: Arc<Outage>,
}

impl std::fmt::Debug for Outage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outage").finish_non_exhaustive()
    }
}

impl Announced {
    pub(crate) fn new(store: Arc<dyn Store>, outage: Arc<Outage>) -> Self {
        Self { store, outage }
    }
}

struct AnnouncedTail {
    tail: Box<dyn Tail>,
    outage: Arc<Outage>,
}

#[async_trait]
impl Tail for AnnouncedTail {
    async fn next(&mut self) -> StoreResult<News> {
        let news = self.outage.seen_by(Meeting::Tail, self.tail.next().await)?;
        self.outage.passed_over(&news.unreadable);
        Ok(news)
    }
}

#[async_trait]
impl Store for Announced {
    fn location(&self) -> String {
        self.store.location()
    }

    async fn submit_to(&self, new: &NewTask, most_open: u32, idle: Option<&IdleWorker>) -> StoreResult<Task> {
        self.outage.written(self.store.submit_to(new, most_open, idle).await)
    }

    async fn claim(
        &self,
        worker: &WorkerId,
        tools: &[String],
        most: usize,
        stop: &CancellationToken,
    ) -> StoreResult<Vec<Task>> {
        self.outage.written(self.store.claim(worker, tools, most, stop).await)
    }

    async fn report(&self, claim: &ClaimKey, progress: &Progress) -> StoreResult<()> {
        self.outage.written(self.store.report(claim, progress).await)
    }

    async fn ask(
        &self,
        claim: &ClaimKey,
        first: u32,
        asks: &[Ask],
        timeout: Option<Duration>,
    ) -> StoreResult<Vec<Question>> {
        self.outage.written(self.store.ask(claim, first, asks, timeout).await)
    }

    async fn answers(&self, claim: &ClaimKey, first: u32, count: u32) -> StoreResult<Option<Vec<Answer>>> {
        self.outage.read(self.store.answers(claim, first, count).await)
    }

    async fn answer(&self, task: &TaskId, question: &QuestionId, answer: &Answer) -> StoreResult<Answer> {
        self.outage.written(self.store.answer(task, question, answer).await)
    }

    async fn finish(&self, claim: &ClaimKey, outcome: &Outcome) -> StoreResult<()> {
        self.outage.written(self.store.finish(claim, outcome).await)
    }

    async fn cancel(&self, task: &TaskId, reason: &str) -> StoreResult<()> {
        self.outage.written(self.store.cancel(task, reason).await)
    }

    async fn requeue(&self, claim: &ClaimKey, requeue: &Requeue) -> StoreResult<()> {
        self.outage.written(self.store.requeue(claim, requeue).await)
    }

    async fn resume(&self, task: &TaskId) -> StoreResult<()> {
        self.outage.written(self.store.resume(task).await)
    }

    async fn expire(&self, task: &TaskId) -> StoreResult<()> {
        self.outage.written(self.store.expire(task).await)
    }

    async fn prune(&self, task: &TaskId) -> StoreResult<bool> {
        self.outage.written(self.store.prune(task).await)
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
        self.outage.read(self.store.archived(filter, after, most).await)
    }

    async fn archived_task(&self, task: &TaskId) -> StoreResult<Option<ArchivedTask>> {
        self.outage.read(self.store.archived_task(task).await)
    }

    async fn find_archived(&self, prefix: &str, most: usize) -> StoreResult<Vec<TaskId>> {
        self.outage.read(self.store.find_archived(prefix, most).await)
    }

    async fn note(&self, task: &TaskId, claim: Option<&ClaimKey>, note: &str) -> StoreResult<()> {
        self.outage.written(self.store.note(task, claim, note).await)
    }

    async fn enlist(
        &self,
        worker: &WorkerId,
        details: Option<&WorkerDetails>,
        tools: &[ToolSpec],
        lease: Duration,
    ) -> StoreResult<()> {
        self.outage.written(self.store.enlist(worker, details, tools, lease).await)
    }

    async fn renew(&self, worker: &WorkerId, lease: Duration) -> StoreResult<bool> {
        self.outage.written(self.store.renew(worker, lease).await)
    }

    async fn touch(&self) -> StoreResult<()> {
        self.outage.written(self.store.touch().await)
    }

    async fn dismiss(&self, worker: &WorkerId) -> StoreResult<()> {
        self.outage.written(self.store.dismiss(worker).await)
    }

    async fn attribute(&self, source: &str, tools: &[String]) -> StoreResult<Vec<String>> {
        self.outage.written(self.store.attribute(source, tools).await)
    }

    async fn withdraw(&self, tools: &[String], error: &RpcError) -> StoreResult<()> {
        self.outage.written(self.store.withdraw(tools, error).await)
    }

    async fn claims(&self, worker: &WorkerId) -> StoreResult<Vec<ClaimKey>> {
        self.outage.read(self.store.claims(worker).await)
    }

    async fn get(&self, task: &TaskId) -> StoreResult<Option<Task>> {
        self.outage.read(self.store.get(task).await)
    }

    async fn find(&self, prefix: &str, most: usize) -> StoreResult<Vec<TaskId>> {
        self.outage.read(self.store.find(prefix, most).await)
    }

    async fn list(&self, filter: &TaskFilter, after: Option<&PageCursor>, most: usize) -> StoreResult<Page> {
        self.outage.read(self.store.list(filter, after, most).await)
    }

    async fn tools(&self) -> StoreResult<Rows<ToolSpec>> {
        self.outage.read(self.store.tools().await)
    }

    async fn workers(&self) -> StoreResult<Rows<WorkerInfo>> {
        self.outage.read(self.store.workers().await)
    }

    async fn history(&self, filter: &EventFilter, after: Cursor, most: usize) -> StoreResult<History> {
        let history = self.outage.read(self.store.history(filter, after, most).await)?;
        self.outage.passed_over(&history.unreadable);
        Ok(history)
    }

    async fn history_before(
        &self,
        filter: &EventFilter,
        before: Option<Cursor>,
        most: usize,
    ) -> StoreResult<History> {
        let history = self.outage.read(self.store.history_before(filter, before, most).await)?;
        self.outage.passed_over(&history.unreadable);
        Ok(history)
    }

    async fn last(&self) -> StoreResult<Cursor> {
        self.outage.read(self.store.last().await)
    }

    fn tail(&self, after: Cursor) -> Box<dyn Tail> {
        Box::new(AnnouncedTail { tail: self.store.tail(after), outage: self.outage.clone() })
    }

    async fn due(&self) -> StoreResult<Due> {
        self.outage.read(self.store.due().await)
    }

    async fn health(&self) -> StoreResult<Vec<Trouble>> {
        self.outage.read(self.store.health().await)
    }

    fn notifiers(&self) -> &dyn crate::store::notifiers::NotifierStore {
        self.store.notifiers()
    }

    fn links(&self) -> &dyn crate::store::links::LinkStore {
        self.store.links()
    }

    async fn close(&self) {
        self.store.close().await;
    }
}
