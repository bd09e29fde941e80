//! A configuration file, a worker that runs its tools on SQLite, and somebody who answers.

use std::path::Path;
use std::time::Duration;

use mcptask::config::{self, Config};
use mcptask::engine::{Engine, Limits, Submission, Viewer};
use mcptask::store::EventFilter;
use mcptask::task::{
    Action, Answer, Answerer, Cursor, Event, EventKind, Fault, Outcome, QuestionId, RpcError, Scope, Task,
    TaskId, TaskStatus,
};
use mcptask::worker::{ToolsHandle, Worker, WorkerConfig};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::support::bench::Bench;
use crate::support::{events_of, within, worker};

/// The tools of a file's text.
pub fn config(text: &str) -> Config {
    config::parse(Path::new("mcptask.toml"), text).unwrap_or_else(|mistakes| panic!("{mistakes:#?}\n{text}"))
}

/// A worker with the tools of a file.
pub struct Running {
    pub engine: Engine,
    pub tools: ToolsHandle,
    pub stop: CancellationToken,
    _bench: Bench,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Runs the tools of a file's text.
pub async fn run(text: &str) -> Running {
    run_with(text, 4, Vec::new()).await
}

/// Runs so many tasks at once, with faults.
pub async fn run_with(text: &str, concurrency: usize, faults: Vec<Fault>) -> Running {
    let bench = Bench::sqlite();
    let stop = CancellationToken::new();
    let engine = Engine::new(bench.store().await, Limits::default(), stop.clone());
    let (clock, ended) = (engine.clone(), stop.clone());
    tokio::spawn(async move { clock.keep_time(ended).await });
    let mut worker_config = WorkerConfig::new(worker("w1"), config(text).tools(), concurrency);
    worker_config.drain = Duration::from_millis(300);
    worker_config.faults = faults;
    let worker = Worker::enlist(engine.clone(), worker_config).await.expect("enlists");
    let tools = worker.tools();
    tokio::spawn(worker.run(stop.clone()));
    Running { engine, tools, stop, _bench: bench }
}

impl Running {
    pub async fn submit(&self, tool: &str, arguments: Value) -> TaskId {
        let submission = Submission {
            tool: tool.to_owned(),
            arguments: arguments.as_object().expect("an object").clone(),
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

    /// Waits until the task has reported progress.
    pub async fn reported(&self, task: &TaskId) {
        let filter = EventFilter::Task(task.clone());
        let mut watch = self.engine.watch(filter, Cursor::START).await.expect("watches");
        let reported =
            async { while !matches!(watch.next().await.expect("reads").kind, EventKind::Progress(_)) {} };
        within("the report", reported).await;
    }

    pub async fn ended(&self, task: &TaskId) -> Task {
        self.reached(task, |task| task.status.is_final()).await
    }

    /// Waits until that question is open.
    pub async fn asked(&self, task: &TaskId, position: u32) -> Task {
        let id = QuestionId::at(position);
        self.reached(task, move |task| task.open_questions().any(|question| question.id == id)).await
    }

    pub async fn accept(&self, task: &TaskId, position: u32, content: Value) {
        self.asked(task, position).await;
        let content = content.as_object().expect("an object").clone();
        self.give(task, position, Answer::accept(content, Answerer::Operator)).await;
    }

    pub async fn decline(&self, task: &TaskId, position: u32) {
        self.asked(task, position).await;
        self.give(task, position, Answer::new(Action::Decline, Answerer::Operator)).await;
    }

    async fn give(&self, task: &TaskId, position: u32, answer: Answer) {
        let id = QuestionId::at(position);
        self.engine.answer(&Viewer::Operator, task, &id, answer).await.expect("answers");
    }

    pub async fn events(&self, task: &TaskId) -> Vec<Event> {
        events_of(&**self.engine.store(), task).await
    }

    /// Runs a tool that asks nothing, to its end.
    pub async fn call(&self, tool: &str, arguments: Value) -> Task {
        let task = self.submit(tool, arguments).await;
        self.ended(&task).await
    }
}

/// A completed task's result.
pub fn result(task: &Task) -> &Value {
    assert_eq!(task.status, TaskStatus::Completed, "{task:#?}");
    let Some(Outcome::Result(result)) = &task.outcome else { panic!("no result: {task:?}") };
    result
}

/// The text of a completed task's result.
pub fn text(task: &Task) -> &str {
    result(task)["content"][0]["text"].as_str().expect("a text")
}

/// A failed task's error.
pub fn error(task: &Task) -> &RpcError {
    let Some(Outcome::Error(error)) = &task.outcome else { panic!("no error: {task:#?}") };
    error
}
