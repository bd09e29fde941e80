//! The same work over and over: processes may not grow.
//!
//! `MCPTASK_SOAK` says for how many seconds (default 15, on each engine). What processes take is printed:
//! `--no-capture` shows it.

use std::time::{Duration, Instant};

use futures::{StreamExt as _, stream};
use mcptask::engine::{Engine, Viewer};
use mcptask::store::TaskFilter;
use mcptask::task::{QuestionId, TaskId};
use serde_json::json;

use crate::load::{ASKER, answer, connections, number, own, runtime, submission, told};
use crate::place::Background;
use crate::protocol::http::{Events, Legacy, Modern};
use crate::stage::Stage;
use crate::usage::{Taken, taken};

on_both_engines!(a_long_run_grows_nothing);

/// How much more memory a process may have at the end than after the warm-up: what an allocator may keep.
const GROWTH_KIB: u64 = 24 * 1024;

/// How many more descriptors: an HTTP client may open another connection when one is not yet free again.
const GROWTH_FILES: usize = 8;

/// How long tasks are kept at least: longer than a busy machine needs for one.
const TTL: Duration = Duration::from_secs(8);

/// A figure is printed so often.
const LINE: Duration = Duration::from_secs(30);

fn a_long_run_grows_nothing(stage: &Stage) {
    let time = Duration::from_secs(number("MCPTASK_SOAK", 15));
    let ttl = TTL.max(time / 60);
    let (tools, max_ttl) = (stage.file("asker.toml", ASKER), format!("{}s", ttl.as_secs()));
    let life = time + 2 * ttl + Duration::from_secs(240);
    let server = stage.serve_for(life, &["--workers", "2", "--config", &tools, "--max-ttl", &max_ttl]);
    let worker = stage.background_for(life, &["worker", "--json", "--config", &tools]);
    runtime().block_on(async { Soak::begin(stage, server, worker, ttl).await.run(time).await });
}

struct Soak<'a> {
    stage: &'a Stage,
    server: Background,
    worker: Background,
    engine: Engine,
    legacy: Legacy,
    events: Events,
    modern: Modern,
    ttl: Duration,
    done: u64,
    longest: Duration,
}

/// What all of them take.
#[derive(Debug, PartialEq)]
struct Look {
    server: Taken,
    worker: Taken,
    connections: Option<usize>,
    keys: Option<usize>,
}

impl<'a> Soak<'a> {
    async fn begin(stage: &'a Stage, server: Background, worker: Background, ttl: Duration) -> Self {
        let legacy = Legacy::at(server.url(), json!({ "elicitation": {} }), None).await;
        let events = legacy.listen(None).await;
        let (engine, modern) = (stage.engine().await, Modern::at(server.url()));
        let (done, longest) = (0, Duration::ZERO);
        Self { stage, server, worker, engine, legacy, events, modern, ttl, done, longest }
    }

    async fn run(mut self, time: Duration) {
        let warm_up = (time / 3).min(Duration::from_secs(60));
        self.work(warm_up).await;
        let warm = self.look().await;
        self.work(time.saturating_sub(warm_up)).await;
        let end = self.look().await;
        assert!(end.server.kib <= warm.server.kib + GROWTH_KIB, "the server grew: {warm:?}, {end:?}");
        assert!(end.worker.kib <= warm.worker.kib + GROWTH_KIB, "the worker grew: {warm:?}, {end:?}");
        let files = warm.server.files + GROWTH_FILES;
        assert!(end.server.files <= files, "the server has more open: {warm:?}, {end:?}");
        let files = warm.worker.files + GROWTH_FILES;
        assert!(end.worker.files <= files, "the worker has more open: {warm:?}, {end:?}");
        assert!(end.connections <= warm.connections, "there are more connections: {warm:?}, {end:?}");
        assert!(end.keys <= warm.keys, "finished tasks left keys: {warm:?}, {end:?}");
    }

    #[expect(clippy::print_stderr, reason = "the figures are for people")]
    async fn work(&mut self, time: Duration) {
        let (began, mut line) = (Instant::now(), LINE);
        while began.elapsed() < time {
            let round = Instant::now();
            self.round().await;
            self.longest = self.longest.max(round.elapsed());
            if began.elapsed() >= line {
                line += LINE;
                let (server, worker) = (taken(&self.server), taken(&self.worker));
                eprintln!("{:?}: {} tasks; server {server:?}, worker {worker:?}", began.elapsed(), self.done);
            }
        }
    }

    /// Tasks that an operator, a legacy and a modern client answer.
    async fn round(&mut self) {
        let operators = stream::iter(self.done..self.done + 8);
        operators.for_each_concurrent(None, |n| by_operator(&self.engine, n, self.ttl)).await;
        self.by_legacy(self.done + 8).await;
        self.by_modern(self.done + 9).await;
        self.done += 10;
    }

    async fn by_legacy(&mut self, n: u64) {
        let task = self.legacy.launch("asker", json!({ "n": n })).await;
        let question = self.events.next_of("elicitation/create").await;
        self.legacy.answer(&question, json!({ "action": "accept", "content": own(n) })).await;
        assert_eq!(self.legacy.text(&task).await, told(n));
    }

    async fn by_modern(&self, n: u64) {
        let task = self.modern.launch("asker", json!({ "n": n })).await;
        let asked = self.modern.until(&task, "input_required").await;
        let key = asked["inputRequests"].as_object().and_then(|all| all.keys().next()).expect("a question");
        let mut responses = json!({});
        responses[key] = json!({ "action": "accept", "content": own(n) });
        self.modern.result("tasks/update", json!({ "taskId": task, "inputResponses": responses })).await;
        let ended = self.modern.until(&task, "completed").await;
        assert_eq!(ended["result"]["content"][0]["text"], told(n));
    }

    /// Looks at all of them once every task is gone.
    #[expect(clippy::print_stderr, reason = "the figures are for people")]
    async fn look(&self) -> Look {
        let began = Instant::now();
        let all = TaskFilter { hidden: true, ..TaskFilter::default() };
        while !self
            .engine
            .list(&Viewer::Operator, all.clone(), None, 1)
            .await
            .expect("lists")
            .tasks
            .is_empty()
        {
            assert!(began.elapsed() < self.ttl + Duration::from_secs(60), "tasks stay after their ttl");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let redis = self.stage.server();
        let look = Look {
            server: taken(&self.server),
            worker: taken(&self.worker),
            connections: redis.map(connections),
            keys: redis.map(|redis| redis.ask(&["DBSIZE"]).expect("answers")),
        };
        eprintln!("after {} tasks, the longest round {:?}: {look:?}", self.done, self.longest);
        look
    }
}

async fn by_operator(engine: &Engine, n: u64, ttl: Duration) {
    let ttl_ms = u64::try_from(ttl.as_millis()).ok();
    let id: TaskId = engine.submit(submission(n, ttl_ms)).await.expect("submits").id().clone();
    let asked = |task: &mcptask::task::Task| task.question(&QuestionId::at(1)).is_some();
    engine.wait(&Viewer::Operator, &id, asked).await.expect("is asked");
    answer(engine, &id, n).await;
    let task = engine.wait(&Viewer::Operator, &id, |task| task.status.is_final()).await.expect("ends");
    assert_eq!(task.outcome.as_ref().and_then(|outcome| outcome.first_text()), Some(told(n).as_str()));
}
