//! An engine, workers on it, and tools that are written as closures.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use mcptask::engine::{Engine, Limits, Submission, Viewer};
use mcptask::task::{Answer, Answerer, Ask, Outcome, QuestionId, Scope, Task, TaskId, TaskStatus, ToolSpec};
use mcptask::worker::{RunSettings, TaskContext, Tool, ToolOutcome, Worker, WorkerConfig};
use serde_json::{Map, Value, json};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::bench::Bench;
use crate::support::{within, worker};
use crate::troubled::Troubled;

type Run = Arc<dyn Fn(TaskContext) -> BoxFuture<'static, ToolOutcome> + Send + Sync>;

/// A tool that runs a closure.
pub struct Closure {
    spec: ToolSpec,
    run: Run,
    settings: RunSettings,
}

#[async_trait]
impl Tool for Closure {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn settings(&self) -> RunSettings {
        self.settings.clone()
    }

    async fn run(&self, task: TaskContext) -> ToolOutcome {
        (self.run)(task).await
    }
}

/// A tool of that name.
pub fn tool<F>(name: &str, run: impl Fn(TaskContext) -> F + Send + Sync + 'static) -> Closure
where
    F: Future<Output = ToolOutcome> + Send + 'static,
{
    let spec = ToolSpec::new(name, "A tool of a test.", json!({ "type": "object" }));
    Closure { spec, run: Arc::new(move |task| Box::pin(run(task))), settings: RunSettings::default() }
}

impl Closure {
    /// At most so many run at once.
    pub fn at_most(mut self, slots: usize) -> Self {
        self.settings.concurrency = Some(slots);
        self
    }

    /// Begun at most so often.
    pub fn tried(mut self, attempts: u32) -> Self {
        self.spec.max_attempts = attempts;
        self
    }
}

/// Notifies when it is dropped.
pub struct OnDrop(pub Arc<Notify>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

/// A tool that runs until it is ended, with what tells that it began and that it was ended.
pub fn endless(name: &str) -> (Closure, Arc<Notify>, Arc<Notify>) {
    let (began, ended) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let signals = (began.clone(), ended.clone());
    let tool = tool(name, move |_| {
        let (began, ended) = signals.clone();
        async move {
            let _ended = OnDrop(ended);
            began.notify_one();
            std::future::pending().await
        }
    });
    (tool, began, ended)
}

/// A question for one string, `value`.
pub fn question(message: &str) -> Ask {
    let schema =
        json!({ "type": "object", "required": ["value"], "properties": { "value": { "type": "string" } } });
    Ask::form(message, schema)
}

/// The `value` of an accepted answer.
pub fn value(answer: &Answer) -> String {
    let content = answer.content.as_ref().expect("an accepted answer");
    content["value"].as_str().expect("a string").to_owned()
}

/// A tool that asks `count` questions and returns the answers, joined.
pub fn asks(name: &str, count: usize) -> Closure {
    tool(name, move |task| async move {
        let mut given = Vec::new();
        for at in 0..count {
            given.push(value(&task.ask(question(&format!("question {at}"))).await?));
        }
        Ok(Outcome::text(given.join(" ")))
    })
}

/// Counts runs.
#[derive(Clone, Default)]
pub struct Counter(Arc<AtomicUsize>);

impl Counter {
    /// Counts one and returns how many there were before.
    pub fn next(&self) -> usize {
        self.0.fetch_add(1, Ordering::SeqCst)
    }

    /// How many there were.
    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// How long the workers of these tests may be silent.
pub const LEASE: Duration = Duration::from_millis(900);

/// State on one engine, and what works on it.
pub struct Setup {
    pub engine: Engine,
    pub bench: Bench,
    pub stop: CancellationToken,
    /// Ends the time keeper that each setup has; the rest goes on.
    pub clock: CancellationToken,
}

/// A worker that runs until it is stopped or killed.
pub struct Running {
    pub stop: CancellationToken,
    pub handle: JoinHandle<()>,
}

impl Running {
    /// Drains it.
    pub async fn drain(self) {
        self.stop.cancel();
        within("the drain", self.handle).await.expect("the worker ends in order");
    }
}

impl Setup {
    pub async fn on(bench: Bench) -> Self {
        let stop = CancellationToken::new();
        let engine = Engine::new(bench.store().await, Limits::default(), stop.clone());
        let clock = stop.child_token();
        keep_time(&engine, &clock);
        Self { engine, bench, stop, clock }
    }

    /// A worker with a store handle of its own, as another process would have it.
    pub async fn worker(&self, name: &str, concurrency: usize, tools: Vec<Closure>) -> Running {
        let engine = Engine::new(self.bench.store().await, Limits::default(), self.stop.clone());
        run_worker(engine, name, concurrency, tools).await
    }

    /// The same with a store that may have troubles.
    pub async fn troubled_worker(
        &self,
        name: &str,
        concurrency: usize,
        tools: Vec<Closure>,
    ) -> (Running, Arc<Troubled>) {
        let store = Troubled::new(self.bench.store().await);
        let engine = Engine::new(store.clone(), Limits::default(), self.stop.clone());
        (run_worker(engine, name, concurrency, tools).await, store)
    }

    pub async fn submit(&self, tool: &str) -> TaskId {
        let submission = Submission {
            tool: tool.to_owned(),
            arguments: Map::new(),
            scope: Scope::anonymous(),
            session: None,
            hidden: false,
            ttl_ms: None,
        };
        self.engine.submit(submission).await.expect("submits").id().clone()
    }

    pub async fn reached(&self, task: &TaskId, holds: impl Fn(&Task) -> bool + Send) -> Task {
        within("the task", self.engine.wait(&Viewer::Operator, task, holds)).await.expect("waits")
    }

    pub async fn asked(&self, task: &TaskId, position: u32) -> Task {
        let id = QuestionId::at(position);
        self.reached(task, move |task| task.open_questions().any(|question| question.id == id)).await
    }

    pub async fn ended(&self, task: &TaskId) -> Task {
        self.reached(task, |task| task.status.is_final()).await
    }

    pub async fn answer(&self, task: &TaskId, position: u32, value: &str) {
        let mut content = Map::new();
        content.insert("value".to_owned(), Value::from(value));
        let answer = Answer::accept(content, Answerer::Operator);
        let id = QuestionId::at(position);
        self.engine.answer(&Viewer::Operator, task, &id, answer).await.expect("answers");
    }
}

/// Keeps the time of that engine's process.
pub fn keep_time(engine: &Engine, stop: &CancellationToken) {
    let (engine, stop) = (engine.clone(), stop.clone());
    tokio::spawn(async move { engine.keep_time(stop).await });
}

/// A worker of that engine.
pub async fn run_worker(engine: Engine, name: &str, concurrency: usize, tools: Vec<Closure>) -> Running {
    let tools: BTreeMap<String, Arc<dyn Tool>> =
        tools.into_iter().map(|tool| (tool.spec.name.clone(), Arc::new(tool) as Arc<dyn Tool>)).collect();
    let stop = CancellationToken::new();
    let mut config = WorkerConfig::new(worker(name), tools, concurrency);
    config.lease = LEASE;
    config.drain = Duration::from_millis(300);
    let worker = Worker::enlist(engine, config).await.expect("enlists");
    let handle = tokio::spawn(worker.run(stop.clone()));
    Running { stop, handle }
}

/// The text of a completed task's result.
pub fn text(task: &Task) -> String {
    assert_eq!(task.status, TaskStatus::Completed, "{task:?}");
    let Some(Outcome::Result(result)) = &task.outcome else { panic!("no result: {task:?}") };
    result["content"][0]["text"].as_str().expect("a text").to_owned()
}
