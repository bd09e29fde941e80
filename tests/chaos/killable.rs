//! Workers in this process that can be killed: each has a runtime of its own, and nothing of it goes on after.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mcptask::engine::{Engine, Limits};
use mcptask::store::Store;
use mcptask::task::{Answer, Ask, Outcome, ToolSpec, WorkerId};
use mcptask::worker::{TaskContext, Tool, ToolOutcome, Worker, WorkerConfig};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::protocol::bench::Bench;

/// How long such a worker may be silent before others take its tasks over.
pub(crate) const LEASE: Duration = Duration::from_secs(2);

/// A worker of the tool [`Asker`].
pub(crate) struct Killable {
    runtime: Option<Runtime>,
    pub(crate) id: WorkerId,
}

impl Killable {
    /// A worker with a store handle of its own, as another process would have it.
    pub(crate) async fn start(bench: &Arc<Bench>) -> Self {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).enable_all().build().expect("a runtime");
        let (bench, id) = (bench.clone(), WorkerId::generate("chaos"));
        let name = id.clone();
        let started = runtime.spawn(async move { begin(bench.store().await, name).await });
        started.await.expect("the worker starts");
        Self { runtime: Some(runtime), id }
    }
}

/// Begins a worker of the tool [`Asker`] and a time keeper, which go on for as long as the runtime.
pub(crate) async fn begin(store: Arc<dyn Store>, id: WorkerId) {
    let engine = Engine::new(store, Limits::default(), CancellationToken::new());
    let asker: Arc<dyn Tool> = Arc::new(Asker::new());
    let mut config = WorkerConfig::new(id, [("asker".to_owned(), asker)].into(), 8);
    config.lease = LEASE;
    let worker = Worker::enlist(engine.clone(), config).await.expect("enlists");
    tokio::spawn(async move { engine.keep_time(CancellationToken::new()).await });
    tokio::spawn(worker.run(CancellationToken::new()));
}

impl Drop for Killable {
    fn drop(&mut self) {
        // Whatever it awaits is dropped at once, and it writes nothing more.
        self.runtime.take().expect("dropped once").shutdown_background();
    }
}

/// Asks as many questions as its argument says, one after the other, and returns the answers.
struct Asker {
    spec: ToolSpec,
}

impl Asker {
    fn new() -> Self {
        let schema = json!({ "type": "object", "properties": { "questions": { "type": "integer" } } });
        Self { spec: ToolSpec::new("asker", "Asks.", schema) }
    }
}

#[async_trait]
impl Tool for Asker {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn run(&self, task: TaskContext) -> ToolOutcome {
        let count = task.arguments().get("questions").and_then(Value::as_u64).unwrap_or(1);
        let mut answers = Vec::new();
        for at in 1..=count {
            let schema = json!({ "type": "object", "properties": { "value": { "type": "integer" } } });
            answers.push(task.ask(Ask::form(format!("question {at}"), schema)).await?);
        }
        Ok(Outcome::text(told(&answers)))
    }
}

/// What the tool says that it was answered.
pub(crate) fn told(answers: &[Answer]) -> String {
    let one = |answer: &Answer| {
        let value = answer.content.as_ref().and_then(|content| content.get("value")).cloned();
        format!("{}:{}", answer.action, value.unwrap_or_default())
    };
    answers.iter().map(one).collect::<Vec<_>>().join(" ")
}
