//! Many questions open at once in one real process: what they take, and that each gets its own answer.
//!
//! `MCPTASK_LOAD_TASKS` says how many tasks wait in one worker (default 500), `MCPTASK_LOAD_SESSIONS` how many legacy
//! sessions are asked by one server (default 50). What a process takes is printed: `--no-capture` shows it.

use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use mcptask::engine::{Engine, Submission, Viewer, Watch};
use mcptask::store::EventFilter;
use mcptask::task::{Answer, Answerer, Cursor, Event, QuestionId, Scope, TaskId, TaskStatus};
use serde_json::{Map, Value, json};

use crate::place::Background;
use crate::protocol::http::{Events, Legacy};
use crate::stage::Stage;
use crate::usage::{cpu, taken};

on_both_engines!(tasks_that_wait_in_one_worker_get_their_own_answers, sessions_of_one_server_are_all_asked);

/// Asks for a number, and returns it beside its own.
pub(crate) const ASKER: &str = r#"
[tools.asker]
description = "Asks for a number."
input = { n = "integer" }
steps = [
    { ask = "Number {{ args.n }}?", as = "answer", form = { value = "integer" } },
    { return = "{{ args.n }}:{{ answer.content.value }}" },
]
"#;

/// The bound on everything: far more than a busy machine needs for the largest loads.
const BOUND: Duration = Duration::from_secs(900);

/// Over which time the CPU at rest is measured.
const REST: Duration = Duration::from_secs(3);

/// Requests in flight.
const AT_ONCE: usize = 16;

pub(crate) fn number(variable: &str, usual: u64) -> u64 {
    let Ok(text) = std::env::var(variable) else { return usual };
    text.parse().unwrap_or_else(|_| panic!("{variable}={text:?} is not a number"))
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().expect("a runtime")
}

/// Task `n` of a caller without a session.
pub(crate) fn submission(n: u64, ttl_ms: Option<u64>) -> Submission {
    let mut arguments = Map::new();
    arguments.insert("n".to_owned(), n.into());
    let (tool, scope) = ("asker".to_owned(), Scope::anonymous());
    Submission { tool, arguments, scope, session: None, hidden: false, ttl_ms }
}

/// The answer that only task `n` gets.
pub(crate) fn own(n: u64) -> Value {
    json!({ "value": 7 * n + 1 })
}

/// What task `n` says with its own answer.
pub(crate) fn told(n: u64) -> String {
    format!("{n}:{}", 7 * n + 1)
}

pub(crate) async fn answer(engine: &Engine, id: &TaskId, n: u64) {
    let content = own(n).as_object().cloned().expect("an object");
    let answer = Answer::accept(content, Answerer::Operator);
    engine.answer(&Viewer::Operator, id, &QuestionId::at(1), answer).await.expect("is the first answer");
}

fn tasks_that_wait_in_one_worker_get_their_own_answers(stage: &Stage) {
    let tools = stage.file("asker.toml", ASKER);
    let worker = stage.background_for(BOUND, &["worker", "--json", "--config", &tools]);
    runtime().block_on(async {
        tokio::time::timeout(BOUND, waiting(stage, &worker)).await.expect("in time");
    });
}

async fn waiting(stage: &Stage, worker: &Background) {
    let count = number("MCPTASK_LOAD_TASKS", 500);
    let engine = stage.engine().await;
    let mut watch = engine.watch(EventFilter::All, Cursor::START).await.expect("watches");
    let first = engine.submit(submission(0, None)).await.expect("submits").id().clone();
    until(&mut watch, 1, |event| event.kind.name() == "asked").await;
    let connections = stage.server().map(connections);
    let more = stream::iter(1..count).map(|n| engine.submit(submission(n, None))).buffered(AT_ONCE);
    let more: Vec<_> = more.map_ok(|task| task.id().clone()).try_collect().await.expect("submits");
    let ids: Vec<TaskId> = std::iter::once(first).chain(more).collect();
    until(&mut watch, count - 1, |event| event.kind.name() == "asked").await;
    rest(&format!("{count} tasks wait"), worker, stage).await;
    if let Some((server, before)) = stage.server().zip(connections) {
        // One that was just closed may still be listed.
        server.until(&["CLIENT", "LIST"], |list: &String| list.lines().count() <= before);
    }
    let numbered: Vec<_> = (0..count).zip(&ids).collect();
    stream::iter(&numbered).for_each_concurrent(AT_ONCE, |(n, id)| answer(&engine, id, *n)).await;
    until(&mut watch, count, |event| event.kind.name() == "completed").await;
    for (n, id) in numbered {
        let task = engine.get(&Viewer::Operator, id).await.expect("is there");
        assert_eq!(task.status, TaskStatus::Completed, "{task:?}");
        assert_eq!(task.outcome.as_ref().and_then(|outcome| outcome.first_text()), Some(told(n).as_str()));
        assert_eq!((task.attempt, task.questions.len()), (1, 1), "{task:?}");
    }
}

/// Reads on until that many more events are such ones.
async fn until(watch: &mut Watch, mut left: u64, such: impl Fn(&Event) -> bool) {
    while left > 0 {
        left -= u64::from(such(&watch.next().await.expect("watches")));
    }
}

/// Connections to a redis-server, with the one that asks.
pub(crate) fn connections(server: &crate::protocol::redis::RedisServer) -> usize {
    server.ask::<String>(&["CLIENT", "LIST"]).expect("answers").lines().count()
}

#[expect(clippy::print_stderr, reason = "the figures are for people")]
async fn rest(what: &str, process: &Background, stage: &Stage) {
    // What was just done may still be tidied up.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let cpu = cpu(process, REST).await;
    let connections = stage.server().map(connections);
    eprintln!("{what}: {:?}, {cpu:.1} % CPU at rest, Redis connections {connections:?}", taken(process));
}

fn sessions_of_one_server_are_all_asked(stage: &Stage) {
    let tools = stage.file("asker.toml", ASKER);
    let server = stage.serve_for(BOUND, &["--config", &tools]);
    runtime().block_on(async {
        tokio::time::timeout(BOUND, asked(stage, &server)).await.expect("in time");
    });
}

/// A session whose task has asked.
struct Session {
    n: u64,
    client: Legacy,
    events: Events,
    task: String,
}

impl Session {
    async fn open(url: &str, n: u64) -> Self {
        let client = Legacy::at(url, json!({ "elicitation": {} }), None).await;
        let events = client.listen(None).await;
        let params = json!({ "name": "asker", "arguments": { "n": n }, "task": { "ttl": 3_600_000 } });
        let created = client.result("tools/call", params).await;
        let task = created["task"]["taskId"].as_str().expect("a task id").to_owned();
        Self { n, client, events, task }
    }

    async fn answer(mut self) {
        let question = self.events.next_of("elicitation/create").await;
        assert_eq!(question["params"]["message"], format!("Number {}?", self.n));
        self.client.answer(&question, json!({ "action": "accept", "content": own(self.n) })).await;
        assert_eq!(self.client.text(&self.task).await, told(self.n));
    }
}

async fn asked(stage: &Stage, server: &Background) {
    let count = number("MCPTASK_LOAD_SESSIONS", 50);
    let engine = stage.engine().await;
    let mut watch = engine.watch(EventFilter::All, Cursor::START).await.expect("watches");
    let opening = (0..count).map(|n| Session::open(server.url(), n));
    let sessions: Vec<_> = stream::iter(opening).buffer_unordered(AT_ONCE).collect().await;
    until(&mut watch, count, |event| event.kind.name() == "asked").await;
    rest(&format!("{count} sessions are asked"), server, stage).await;
    stream::iter(sessions).for_each_concurrent(AT_ONCE, Session::answer).await;
}
