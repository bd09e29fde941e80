//! The rules over a store: who may see a task, which arguments, questions and answers are well formed,
//! and how a process waits for what another one does.
//!
//! An [`Engine`] is a cheap handle; clones share one tail of the log ([`hub`]), however many wait.

mod archive;
mod catalog;
mod error;
mod extending;
mod feed;
mod follow;
pub mod hub;
mod idle;
mod leases;
mod links;
mod postponed;
mod retry;
mod rules;
mod time;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

pub use error::{EngineError, EngineResult};
pub use extending::LONGEST_EXTENSION;
pub(crate) use feed::bytes;
pub use feed::{Feed, Signal};
pub use follow::Follow;
pub use hub::Hub;
pub(crate) use idle::{Begins, Submitting};
pub(crate) use leases::Living;
pub use links::LinkToken;
pub(crate) use retry::{Failure, Retry, patiently};
pub(crate) use time::RENEWED_AGAIN;
pub use watch::{Watch, Watched};

use rules::{checked_answer, oversize, visible};

use crate::form::{schema_violations, unaskable};
use crate::store::{EventFilter, Page, PageCursor, Store, StoreError, StoreResult, TaskFilter};
use crate::task::{
    Answer, Ask, Cursor, NewTask, Question, QuestionId, Scope, SessionId, Task, TaskId, ToolSpec, WorkerId,
};

/// How much of everything there may be. Each limit's error names it.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Unfinished tasks of one scope.
    pub open_tasks: u32,
    /// How long a task is kept when neither client nor tool says, in milliseconds.
    pub default_ttl_ms: u64,
    /// The longest ttl that a client gets, in milliseconds.
    pub max_ttl_ms: u64,
    /// How long a question waits when its tool does not say.
    pub question_timeout: Duration,
    /// The largest arguments of a task, in bytes of JSON.
    pub argument_bytes: usize,
    /// The largest content of an answer, in bytes of JSON.
    pub answer_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        const DAY_MS: u64 = 24 * 60 * 60 * 1000;
        Self {
            open_tasks: 100_000,
            default_ttl_ms: DAY_MS,
            max_ttl_ms: 7 * DAY_MS,
            question_timeout: Duration::from_secs(60 * 60),
            argument_bytes: 1024 * 1024,
            answer_bytes: 256 * 1024,
        }
    }
}

/// Who looks. What a viewer may not see is "not found" to it, like what never was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Viewer {
    /// Somebody with the store's own credentials: sees everything.
    Operator,
    /// A person who showed the token of that scope: sees all of its tasks, foreground calls too.
    Person(Scope),
    /// An MCP client.
    Client {
        /// Its principal.
        scope: Scope,
        /// Its connection, in the legacy era.
        session: Option<SessionId>,
    },
}

impl Viewer {
    fn may_see(&self, task: &Task) -> bool {
        match self {
            Self::Operator => true,
            Self::Person(scope) => &task.new.scope == scope,
            Self::Client { scope, .. } => !task.new.hidden && &task.new.scope == scope,
        }
    }
}

/// A request for a task.
#[derive(Debug, Clone, PartialEq)]
pub struct Submission {
    /// The tool to run.
    pub tool: String,
    /// Its arguments.
    pub arguments: Map<String, Value>,
    /// Whose it will be.
    pub scope: Scope,
    /// Which connection launches it.
    pub session: Option<SessionId>,
    /// A foreground call.
    pub hidden: bool,
    /// The ttl that the client wishes for, in milliseconds.
    pub ttl_ms: Option<u64>,
}

/// A handle on the rules; see the module.
#[derive(Debug, Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Arc<dyn Store>,
    limits: Limits,
    stop: CancellationToken,
    hub: OnceCell<Hub>,
    /// Why the store does not come back.
    lost: tokio::sync::watch::Sender<Option<StoreError>>,
    catalog: catalog::Catalog,
    leases: leases::Leases,
    idle: idle::Idle,
}

impl Engine {
    /// An engine over `store`. Its background work, begun when first needed, ends with `stop`.
    pub fn new(store: Arc<dyn Store>, limits: Limits, stop: CancellationToken) -> Self {
        let (hub, catalog, leases) =
            (OnceCell::new(), catalog::Catalog::default(), leases::Leases::default());
        let (lost, idle) = (tokio::sync::watch::Sender::default(), idle::Idle::default());
        Self { inner: Arc::new(Inner { store, limits, stop, hub, lost, catalog, leases, idle }) }
    }

    /// The store below.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.inner.store
    }

    /// The limits in force.
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// This process's tail of the log. Begun by the first caller, who waits out a store that is away; rights that
    /// are missing are an error, for the caller to decide on. What happens after this returns reaches every
    /// subscriber and follower.
    pub async fn hub(&self) -> EngineResult<&Hub> {
        let inner = &self.inner;
        // Boxed, since all who wait come through here and only one of them begins it.
        let begun = inner.hub.get_or_try_init(|| async {
            let start = self.last().await?;
            let tools = self.once_back(|| inner.store.tools()).await?.rows;
            let stop = inner.stop.child_token();
            let hub = Hub::start(inner.store.tail(start), inner.lost.clone(), stop.clone());
            tokio::spawn(catalog::keep(self.clone(), tools, hub.tools(), stop));
            Ok(hub)
        });
        Box::pin(begun).await
    }

    /// Waits until the store is found not to come back, as a file that was removed or replaced, and says why. Found by
    /// whoever reads the log, so [`Engine::hub`] has to have been begun.
    pub async fn lost(&self) -> StoreError {
        let mut lost = self.inner.lost.subscribe();
        match lost.wait_for(Option::is_some).await.map(|error| error.clone()) {
            Ok(Some(error)) => error,
            // The engine itself holds the other end.
            _ => std::future::pending().await,
        }
    }

    /// The log's present end. Waits out a store that is away.
    pub async fn last(&self) -> EngineResult<Cursor> {
        Ok(self.once_back(|| self.inner.store.last()).await?)
    }

    /// Reads as soon as the store is there.
    async fn once_back<T, F>(&self, read: impl Fn() -> F + Send) -> StoreResult<T>
    where
        T: Send,
        F: Future<Output = StoreResult<T>> + Send,
    {
        let retry = Retry::new("reading").murmuring().unless_rights_are_missing();
        retry.run(&self.inner.stop, read).await
    }

    /// Notes that a worker lives in this process: its claims are not taken from it by its own time keeper.
    pub(crate) fn living(&self, worker: &WorkerId) -> Living {
        self.inner.leases.begin(worker)
    }

    /// The tools that workers offer, by name.
    pub async fn tools(&self) -> EngineResult<Vec<ToolSpec>> {
        Ok(self.inner.store.tools().await?.rows)
    }

    /// Changes whenever [`Engine::tools`] says something else, whichever process brought it about. Told by the
    /// tail of the log, so [`Engine::hub`] has to have been begun.
    pub fn tool_changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.inner.catalog.changes()
    }

    /// The tool of that name; [`EngineError::UnknownTool`] names those that there are.
    pub async fn tool(&self, name: &str) -> EngineResult<Arc<ToolSpec>> {
        self.inner.catalog.find(&*self.inner.store, name).await
    }

    /// Fills in and checks the arguments and stores the task: when this returns, every process finds it.
    pub async fn submit(&self, submission: Submission) -> EngineResult<Task> {
        let new = self.checked_task(submission).await?;
        Ok(self.store_task(new).await?)
    }

    /// [`Engine::submit`] for whoever waits for the task: the feed has every event of it.
    pub async fn submit_followed(&self, submission: Submission) -> EngineResult<(Task, Feed)> {
        let new = self.checked_task(submission).await?;
        let feed = self.hub().await?.feed(&new.id);
        Ok((self.store_task(new).await?, feed))
    }

    /// The task of a submission, with its arguments filled in and checked.
    async fn checked_task(&self, submission: Submission) -> EngineResult<NewTask> {
        let tool = self.tool(&submission.tool).await?;
        let arguments = tool.filled_in(submission.arguments);
        let violations = match oversize(&arguments, self.limits().argument_bytes) {
            Some(violation) => vec![violation],
            None => schema_violations(&tool.input_schema, &Value::Object(arguments.clone())),
        };
        if !violations.is_empty() {
            return Err(EngineError::Arguments { tool: submission.tool, violations });
        }
        let ttl = submission.ttl_ms.or(tool.ttl_ms).unwrap_or(self.limits().default_ttl_ms);
        Ok(NewTask {
            id: TaskId::generate(),
            tool: submission.tool,
            arguments,
            scope: submission.scope,
            session: submission.session,
            hidden: submission.hidden,
            ttl_ms: Some(ttl.clamp(1, self.limits().max_ttl_ms)),
            max_attempts: tool.max_attempts.max(1),
        })
    }

    /// One task. One that cannot be read is [`StoreError::Unreadable`] to an operator and not found by clients,
    /// since nobody can say whose it is.
    pub async fn get(&self, viewer: &Viewer, id: &TaskId) -> EngineResult<Task> {
        visible(viewer, id, self.inner.store.get(id).await)
    }

    /// [`Engine::get`] for whoever stays with a task: waits out a store that is away.
    pub async fn get_patiently(&self, viewer: &Viewer, id: &TaskId) -> EngineResult<Task> {
        visible(viewer, id, patiently(&self.inner.stop, || self.inner.store.get(id)).await)
    }

    /// The one task whose id begins with `prefix`.
    pub async fn resolve(&self, prefix: &str) -> EngineResult<TaskId> {
        let mut found = self.inner.store.find(prefix, 6).await?;
        match found.len() {
            0 => Err(EngineError::NoPrefix { prefix: prefix.chars().take(60).collect() }),
            1 => Ok(found.remove(0)),
            _ => Err(EngineError::Ambiguous { prefix: prefix.to_owned(), candidates: found }),
        }
    }

    /// A page of tasks. A client sees its scope's; one that brought no token only its session's, since
    /// everybody shares the anonymous scope. What cannot be read is shown to operators only.
    pub async fn list(
        &self,
        viewer: &Viewer,
        mut filter: TaskFilter,
        after: Option<&PageCursor>,
        most: usize,
    ) -> EngineResult<Page> {
        if let Viewer::Person(scope) = viewer {
            filter.scope = Some(scope.clone());
        }
        if let Viewer::Client { scope, session } = viewer {
            if scope.is_anonymous() {
                let Some(session) = session else { return Ok(Page::default()) };
                filter.session = Some(session.clone());
            }
            filter.scope = Some(scope.clone());
            filter.hidden = false;
        }
        let mut page = self.inner.store.list(&filter, after, most).await?;
        if *viewer != Viewer::Operator {
            page.unreadable.clear();
        }
        Ok(page)
    }

    /// Answers a question: checked against its form, then stored if nobody answered before. A question
    /// whose answer was refused stays open.
    pub async fn answer(
        &self,
        viewer: &Viewer,
        task: &TaskId,
        question: &QuestionId,
        answer: Answer,
    ) -> EngineResult<Answer> {
        let found = self.get(viewer, task).await?;
        let Some(known) = found.question(question) else {
            return Err(StoreError::NoQuestion { task: task.clone(), question: question.clone() }.into());
        };
        if let Some(answer) = &known.answer {
            let (task, question, answer) = (task.clone(), question.clone(), Box::new(answer.clone()));
            return Err(StoreError::AlreadyAnswered { task, question, answer }.into());
        }
        self.answer_known(task, known, answer).await
    }

    /// [`Engine::answer`] for a caller that has the question already and may answer it.
    pub async fn answer_known(
        &self,
        task: &TaskId,
        question: &Question,
        answer: Answer,
    ) -> EngineResult<Answer> {
        let answer = checked_answer(question, answer, self.limits().answer_bytes).map_err(|violations| {
            EngineError::Answer { task: task.clone(), question: question.id.clone(), violations }
        })?;
        Ok(self.inner.store.answer(task, &question.id, &answer).await?)
    }

    /// Cancels a task; its worker is told. An operator can cancel even what cannot be read.
    pub async fn cancel(&self, viewer: &Viewer, task: &TaskId, reason: &str) -> EngineResult<()> {
        match self.get(viewer, task).await {
            Ok(_) | Err(EngineError::Store(StoreError::Unreadable { .. })) => {}
            Err(error) => return Err(error),
        }
        Ok(self.inner.store.cancel(task, reason).await?)
    }

    /// Deletes a task that has ended, before its ttl does; false where it has not. For operators.
    pub async fn prune(&self, task: &TaskId) -> EngineResult<bool> {
        Ok(self.inner.store.prune(task).await?)
    }

    /// Refuses malformed questions, before anybody sees them.
    pub fn check(&self, asks: &[Ask]) -> EngineResult<()> {
        for ask in asks {
            let violations = unaskable(ask);
            if !violations.is_empty() {
                return Err(EngineError::Question { violations });
            }
        }
        Ok(())
    }

    /// Waits until `reached` holds of the task and returns it. Told by the log; no polling. A store that is away, now
    /// or later, is waited out; rights that are missing from the beginning are an error. A task that is gone,
    /// with its store's data or by its ttl, is not found.
    pub async fn wait(
        &self,
        viewer: &Viewer,
        id: &TaskId,
        reached: impl Fn(&Task) -> bool + Send,
    ) -> EngineResult<Task> {
        let mut follow = self.hub().await?.follow(id);
        let mut task = visible(viewer, id, self.once_back(|| self.inner.store.get(id)).await)?;
        while !reached(&task) {
            follow.changed().await;
            task = self.get_patiently(viewer, id).await?;
        }
        Ok(task)
    }

    /// The log from `since` on, then live, without an end.
    pub async fn watch(&self, filter: EventFilter, since: Cursor) -> EngineResult<Watch> {
        Ok(Watch::new(self.clone(), self.hub().await?, filter, since))
    }

    /// Does what time brings (question timeouts, ttls, dead workers' tasks) until `stop`. Every server and
    /// worker runs one; several at once are harmless, since each verb checks before it changes.
    pub async fn keep_time(&self, stop: CancellationToken) {
        time::keep(self, stop).await;
    }
}
