//! A worker on a store of its own that runs scripts which a test writes down.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use mcptask::engine::{Engine, Limits, Submission, Viewer};
use mcptask::store::EventFilter;
use mcptask::task::{
    Answer, Answerer, Cursor, Event, EventKind, Outcome, QuestionId, Scope, Task, TaskId, TaskStatus,
    ToolSpec,
};
use mcptask::worker::command::{CommandSpec, CommandTool};
use mcptask::worker::{Tool, Tools, Worker, WorkerConfig};
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::{bench::Bench as State, within, worker};

/// A client for scripts: `ask(**question)` and `send(request)` over the socket.
pub const PYTHON: &str = r#"#!/usr/bin/env python3
import json, os, socket, sys, time
def connect():
    s = socket.socket(socket.AF_UNIX)
    s.connect(os.environ["MCPTASK_SOCKET"])
    return s.makefile("rw", encoding="utf-8", newline="\n")
def send(request, line=None):
    line = line or connect()
    line.write(json.dumps(request) + "\n")
    line.flush()
    return json.loads(line.readline())
def ask(message, **more):
    return send({"ask": {"message": message, **more}})
"#;

/// The store, a worker and its scripts. Dropping it stops the worker.
pub struct Bench {
    pub engine: Engine,
    pub folder: TempDir,
    state: State,
    stop: CancellationToken,
    tools: Tools,
}

/// A worker that runs until it is drained.
pub struct Running {
    stop: CancellationToken,
    handle: JoinHandle<()>,
}

impl Running {
    pub async fn drain(self) {
        self.stop.cancel();
        within("the drain", self.handle).await.expect("the worker ends in order");
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Bench {
    pub async fn new() -> Self {
        let (state, stop) = (State::sqlite(), CancellationToken::new());
        let engine = Engine::new(state.store().await, Limits::default(), stop.clone());
        let clock = engine.clone();
        let ended = stop.clone();
        tokio::spawn(async move { clock.keep_time(ended).await });
        let folder = TempDir::new().expect("a temporary folder");
        Self { engine, folder, state, stop, tools: Tools::new() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes an executable file.
    pub fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).expect("writes the script");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("makes it executable");
        path
    }

    /// A bash script as the tool `tool`.
    pub fn bash(self, text: &str) -> Self {
        let path = self.script("run.sh", &format!("#!/usr/bin/env bash\n{text}\n"));
        self.command(quick(path))
    }

    /// A Python script as the tool `tool`, with [`PYTHON`] above it.
    pub fn python(self, text: &str) -> Self {
        let path = self.script("run.py", &format!("{PYTHON}{text}\n"));
        self.command(quick(path))
    }

    /// A command as the tool `tool`.
    pub fn command(self, command: CommandSpec) -> Self {
        let spec = ToolSpec::new("tool", "A command of a test.", json!({ "type": "object" }));
        self.tool(spec, command)
    }

    pub fn tool(mut self, spec: ToolSpec, command: CommandSpec) -> Self {
        let name = spec.name.clone();
        self.tools.insert(name, Arc::new(CommandTool::new(spec, command)) as Arc<dyn Tool>);
        self
    }

    /// Starts a worker.
    pub async fn start(&self) -> Running {
        self.worker("first").await
    }

    pub async fn worker(&self, name: &str) -> Running {
        let stop = CancellationToken::new();
        let engine = Engine::new(self.state.store().await, Limits::default(), self.stop.clone());
        let mut config = WorkerConfig::new(worker(name), self.tools.clone(), 2);
        config.drain = Duration::from_millis(200);
        let enlisted = Worker::enlist(engine, config).await.expect("enlists");
        let handle = tokio::spawn(enlisted.run(stop.clone()));
        Running { stop, handle }
    }

    pub async fn submit(&self, arguments: Value) -> TaskId {
        self.submit_to("tool", arguments).await
    }

    pub async fn submit_to(&self, tool: &str, arguments: Value) -> TaskId {
        let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
        let submission = Submission {
            tool: tool.to_owned(),
            arguments,
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

    /// Waits until the script said `line` on stderr.
    pub async fn said(&self, task: &TaskId, line: &str) {
        let filter = EventFilter::Task(task.clone());
        let mut watch = self.engine.watch(filter, Cursor::START).await.expect("watches");
        let said = async {
            loop {
                let event = watch.next().await.expect("an event");
                if matches!(&event.kind, EventKind::Progress(step) if step.message.as_deref() == Some(line)) {
                    return;
                }
            }
        };
        within("the line", said).await;
    }

    pub async fn asked(&self, task: &TaskId, position: u32) -> Task {
        let id = QuestionId::at(position);
        self.reached(task, move |task| task.open_questions().any(|question| question.id == id)).await
    }

    pub async fn ended(&self, task: &TaskId) -> Task {
        self.reached(task, |task| task.status.is_final()).await
    }

    pub async fn answer(&self, task: &TaskId, position: u32, answer: Answer) {
        let id = QuestionId::at(position);
        self.engine.answer(&Viewer::Operator, task, &id, answer).await.expect("answers");
    }

    /// Starts a worker, submits once and waits for the end.
    pub async fn once(&self) -> Task {
        let running = self.start().await;
        let task = self.submit(json!({})).await;
        let ended = self.ended(&task).await;
        assert_no_process_of(&task);
        running.drain().await;
        ended
    }

    pub async fn events(&self, task: &TaskId) -> Vec<Event> {
        let filter = EventFilter::Task(task.clone());
        self.engine.store().history(&filter, Cursor::START, 10_000).await.expect("reads the log").events
    }
}

/// A command with short waits.
pub fn quick(program: impl Into<PathBuf>) -> CommandSpec {
    let mut command = CommandSpec::new(program);
    command.grace = Duration::from_millis(500);
    command
}

/// An accepted form.
pub fn accept(content: &Value) -> Answer {
    Answer::accept(content.as_object().cloned().unwrap_or_else(Map::new), Answerer::Operator)
}

pub fn result(task: &Task) -> &Value {
    assert_eq!(task.status, TaskStatus::Completed, "{task:?}");
    let Some(Outcome::Result(result)) = &task.outcome else { panic!("no result: {task:?}") };
    result
}

/// The text of a result that is no error.
pub fn text(task: &Task) -> &str {
    let result = result(task);
    assert_eq!(result["isError"], false, "{result}");
    result["content"][0]["text"].as_str().expect("a text")
}

/// The text of an error result.
pub fn error(task: &Task) -> &str {
    let result = result(task);
    assert_eq!(result["isError"], true, "{result}");
    result["content"][0]["text"].as_str().expect("a text")
}

/// Whether a process is running; the dead that nobody has buried do not count.
pub fn runs(pid: &str) -> bool {
    let state = std::process::Command::new("ps").args(["-o", "stat=", "-p", pid]).output();
    let state = String::from_utf8(state.expect("ps runs; install procps").stdout).expect("text");
    !state.trim().is_empty() && !state.trim().starts_with('Z')
}

/// The process ids that a script wrote to files in `folder` named `*.pid`.
pub fn pids(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).expect("reads the folder").flatten();
    let pids = files.filter(|file| file.path().extension().is_some_and(|extension| extension == "pid"));
    pids.map(|file| fs::read_to_string(file.path()).expect("reads").trim().to_owned()).collect()
}

/// Asserts that none of the processes runs that the scripts wrote down.
pub fn assert_nothing_runs(folder: &Path, at_least: usize) {
    let pids = pids(folder);
    assert!(pids.len() >= at_least, "{pids:?}");
    for pid in pids {
        assert!(!pid.is_empty() && !runs(&pid), "{pid} still runs");
    }
}

/// Asserts that no process of the task runs, whatever group it is in.
#[cfg(target_os = "linux")]
pub fn assert_no_process_of(task: &TaskId) {
    let mark = format!("MCPTASK_TASK={task}");
    for entry in fs::read_dir("/proc").expect("reads /proc").flatten() {
        let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
        let found = environment.split(|byte| *byte == 0).any(|one| one == mark.as_bytes());
        assert!(!found, "{} still runs for {task}", entry.path().display());
    }
}

/// Only Linux shows the environment of processes.
#[cfg(not(target_os = "linux"))]
pub fn assert_no_process_of(_: &TaskId) {}
