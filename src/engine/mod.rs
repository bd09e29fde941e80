//! The rules over a store: who may see a task, which arguments, questions and answers are well formed,
//! and how a process waits for what another one does.
//!
//! An [`Engine`] is a cheap handle; clones share one tail of the log ([`hub`]), however many wait.

mod catalog;
mod error;
pub mod hub;
mod patience;
mod time;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

pub use error::{EngineError, EngineResult};
pub use hub::{Follow, Hub, Signal};
pub(crate) use patience::patiently;
pub use watch::Watch;

use crate::store::{EventFilter, Page, PageCursor, Store, StoreError, TaskFilter};
use crate::task::{
    Action, Answer, Ask, AskKind, Cursor, Form, NewTask, Question, QuestionId, Scope, SessionId, Task,
    TaskId, ToolSpec, Violation,
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
    catalog: catalog::Catalog,
}

impl Engine {
    /// An engine over `store`. Its background work, begun when first needed, ends with `stop`.
    pub fn new(store: Arc<dyn Store>, limits: Limits, stop: CancellationToken) -> Self {
        let catalog = catalog::Catalog::default();
        Self { inner: Arc::new(Inner { store, limits, stop, hub: OnceCell::new(), catalog }) }
    }

    /// The store below.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.inner.store
    }

    /// The limits in force.
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// This process's tail of the log. Begun by the first caller; what happens after this returns reaches
    /// every subscriber and follower.
    pub async fn hub(&self) -> EngineResult<&Hub> {
        let inner = &self.inner;
        // Boxed, since all who wait come through here and only one of them begins it.
        let begun = inner.hub.get_or_try_init(|| async {
            let start = self.last().await?;
            let tools = patiently(&inner.stop, || inner.store.tools()).await?.rows;
            let stop = inner.stop.child_token();
            let hub = Hub::start(inner.store.tail(start), stop.clone());
            tokio::spawn(catalog::keep(self.clone(), tools, hub.tools(), stop));
            Ok(hub)
        });
        Box::pin(begun).await
    }

    /// The log's present end. Waits out a store that is away.
    pub async fn last(&self) -> EngineResult<Cursor> {
        Ok(patiently(&self.inner.stop, || self.inner.store.last()).await?)
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
        let tool = self.tool(&submission.tool).await?;
        let arguments = tool.filled_in(submission.arguments);
        let size = serde_json::to_vec(&arguments).map_or(0, |json| json.len());
        let violations = if size > self.limits().argument_bytes {
            let problem = format!("have {size} bytes, more than {}", self.limits().argument_bytes);
            vec![Violation::new("", problem)]
        } else {
            tool.violations(&arguments)
        };
        if !violations.is_empty() {
            return Err(EngineError::Arguments { tool: submission.tool, violations });
        }
        let ttl = submission.ttl_ms.or(tool.ttl_ms).unwrap_or(self.limits().default_ttl_ms);
        let new = NewTask {
            id: TaskId::generate(),
            tool: submission.tool,
            arguments,
            scope: submission.scope,
            session: submission.session,
            hidden: submission.hidden,
            ttl_ms: Some(ttl.clamp(1, self.limits().max_ttl_ms)),
            max_attempts: tool.max_attempts.max(1),
        };
        Ok(self.inner.store.submit(&new, self.limits().open_tasks).await?)
    }

    /// One task.
    pub async fn get(&self, viewer: &Viewer, id: &TaskId) -> EngineResult<Task> {
        let task = self.inner.store.get(id).await?;
        task.filter(|task| viewer.may_see(task)).ok_or_else(|| StoreError::NoTask(id.clone()).into())
    }

    /// [`Engine::get`] for whoever stays with a task: waits out a store that is away.
    pub async fn get_patiently(&self, viewer: &Viewer, id: &TaskId) -> EngineResult<Task> {
        let task = patiently(&self.inner.stop, || self.inner.store.get(id)).await?;
        task.filter(|task| viewer.may_see(task)).ok_or_else(|| StoreError::NoTask(id.clone()).into())
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
    /// everybody shares the anonymous scope.
    pub async fn list(
        &self,
        viewer: &Viewer,
        mut filter: TaskFilter,
        after: Option<&PageCursor>,
        most: usize,
    ) -> EngineResult<Page> {
        if let Viewer::Client { scope, session } = viewer {
            if scope.is_anonymous() {
                let Some(session) = session else { return Ok(Page::default()) };
                filter.session = Some(session.clone());
            }
            filter.scope = Some(scope.clone());
            filter.hidden = false;
        }
        Ok(self.inner.store.list(&filter, after, most).await?)
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
            let answer = Box::new(answer.clone());
            return Err(StoreError::AlreadyAnswered {
                task: task.clone(),
                question: question.clone(),
                answer,
            }
            .into());
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

    /// Cancels a task; its worker is told.
    pub async fn cancel(&self, viewer: &Viewer, task: &TaskId, reason: &str) -> EngineResult<()> {
        self.get(viewer, task).await?;
        Ok(self.inner.store.cancel(task, reason).await?)
    }

    /// Refuses malformed questions, before anybody sees them.
    pub fn check(&self, asks: &[Ask]) -> EngineResult<()> {
        for ask in asks {
            let violations = ask.violations();
            if !violations.is_empty() {
                return Err(EngineError::Question { violations });
            }
        }
        Ok(())
    }

    /// Waits until `reached` holds of the task and returns it. Told by the log; no polling. A store that goes
    /// away meanwhile is waited out.
    pub async fn wait(
        &self,
        viewer: &Viewer,
        id: &TaskId,
        reached: impl Fn(&Task) -> bool + Send,
    ) -> EngineResult<Task> {
        let mut follow = self.hub().await?.follow(id);
        let mut task = self.get(viewer, id).await?;
        while !reached(&task) {
            follow.changed().await;
            task = self.get_patiently(viewer, id).await?;
        }
        Ok(task)
    }

    /// The log from `since` on, then live, without an end.
    pub async fn watch(&self, filter: EventFilter, since: Cursor) -> EngineResult<Watch> {
        let signals = self.hub().await?.subscribe();
        Ok(Watch::new(self.clone(), signals, filter, since))
    }

    /// Does what time brings (question timeouts, ttls, dead workers' tasks) until `stop`. Every server and
    /// worker runs one; several at once are harmless, since each verb checks before it changes.
    pub async fn keep_time(&self, stop: CancellationToken) {
        time::keep(self, stop).await;
    }
}

/// The answer as it may be stored: content only where an accepted form has it, and valid.
fn checked_answer(
    question: &Question,
    mut answer: Answer,
    most_bytes: usize,
) -> Result<Answer, Vec<Violation>> {
    if answer.action != Action::Accept {
        answer.content = None;
        return Ok(answer);
    }
    match &question.ask.kind {
        AskKind::Url { .. } => {
            if answer.content.take().is_some_and(|content| !content.is_empty()) {
                return Err(vec![Violation::new("", "a visited page is accepted without content")]);
            }
        }
        AskKind::Form { schema } => {
            let content = answer.content.get_or_insert_default();
            let size = serde_json::to_vec(content).map_or(0, |json| json.len());
            if size > most_bytes {
                let problem = format!("the content has {size} bytes, more than {most_bytes}");
                return Err(vec![Violation::new("", problem)]);
            }
            let violations = Form::parse(schema)?.violations(content);
            if !violations.is_empty() {
                return Err(violations);
            }
        }
    }
    Ok(answer)
}
