//! Real processes on one store, killed, stopped and started again in any order. Then the invariants.
//!
//! `MCPTASK_CHAOS_STEPS` says how many steps (default 40, on each engine), `MCPTASK_CHAOS_SEED` repeats a run's choices.

use std::time::Duration;

use mcptask::engine::{Engine, EngineError, Submission, Viewer};
use mcptask::store::{StoreError, TaskFilter};
use mcptask::task::{Action, Answer, Answerer, Scope, Task, TaskId, TaskStatus};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Map, Value};

use crate::invariants::{self, Acknowledged};
use crate::load::{number, runtime};
use crate::place::Background;
use crate::protocol::redis::RedisServer;
use crate::refusing::Trouble;
use crate::stage::Stage;

/// Asks as often as it is told, and returns what it was answered as `killable::told` puts it. Tried again as often
/// as it takes.
const ASKER: &str = r#"
[tools.asker]
description = "Asks."
input = { questions = "integer" }
retries = 100
steps = [
    { set = { i = 0, told = [] } },
    { while = "i < args.questions", at_most = 10, do = [
        { ask = "question {{ i }}", as = "answer", form = { value = "integer" } },
        { set = { told = "{{ told + [answer.action ~ ':' ~ (answer.content.value if answer.accepted else 'null')] }}" } },
        { set = { i = "{{ i + 1 }}" } },
    ] },
    { return = "{{ told | join(' ') }}" },
]
"#;

/// The bound on the wait for all tasks' ends.
const BOUND: Duration = Duration::from_secs(150);

const WORKER: &[&str] = &["worker", "--json", "--lease", "4s", "--config", "asker.toml"];
const SERVER: &[&str] = &[
    "serve",
    "--json",
    "--lease",
    "4s",
    "--listen",
    "127.0.0.1:0",
    "--workers",
    "2",
    "--config",
    "asker.toml",
];

#[test]
fn two_workers_and_a_server_on_redis_keep_the_invariants() {
    let redis = RedisServer::persistent();
    let stage = Stage::on(&redis);
    run(&stage, Some(redis), &[WORKER, WORKER, SERVER]);
}

#[test]
fn four_workers_and_two_servers_on_one_file_keep_the_invariants() {
    run(&Stage::sqlite(), None, &[WORKER, WORKER, WORKER, WORKER, SERVER, SERVER]);
}

#[expect(clippy::print_stderr, reason = "the seed repeats a failed run")]
fn run(stage: &Stage, redis: Option<RedisServer>, commands: &[&'static [&'static str]]) {
    let (seed, steps) = (number("MCPTASK_CHAOS_SEED", rand::random()), number("MCPTASK_CHAOS_STEPS", 40));
    eprintln!("MCPTASK_CHAOS_SEED={seed} MCPTASK_CHAOS_STEPS={steps}");
    stage.file("asker.toml", ASKER);
    let crowd = commands.iter().map(|command| Member::start(stage, command)).collect();
    runtime().block_on(async {
        let mut chaos = Chaos {
            stage,
            redis,
            engine: stage.engine().await,
            choose: StdRng::seed_from_u64(seed),
            crowd,
            tasks: Vec::new(),
            acknowledged: Acknowledged::new(),
        };
        chaos.submit().await;
        let watchers = [0, 1].map(|_| stage.background(&["watch", "--json"]));
        for _ in 0..steps {
            chaos.step().await;
        }
        tokio::time::timeout(BOUND, chaos.settle()).await.expect("all tasks end in time");
        invariants::check(&chaos.engine, &chaos.tasks, &chaos.acknowledged, &[]).await;
        let log = stage.json(&["watch", "--no-follow"]);
        for watcher in watchers {
            assert_eq!(heard(watcher, log.len()), log, "who watched all along saw what the log has");
        }
    });
}

/// The first events that a watcher tells.
fn heard(mut watcher: Background, count: usize) -> Vec<Value> {
    let mut seen = vec![watcher.first.clone()];
    while seen.len() < count {
        seen.push(watcher.next());
    }
    seen
}

/// A process, and how to start another one in its place.
struct Member {
    command: &'static [&'static str],
    process: Background,
    stopped: bool,
}

impl Member {
    fn start(stage: &Stage, command: &'static [&'static str]) -> Self {
        Self { command, process: stage.background_for(2 * BOUND, command), stopped: false }
    }

    fn stop_or_go_on(&mut self) {
        self.process.signal(if self.stopped { "CONT" } else { "STOP" });
        self.stopped = !self.stopped;
    }
}

struct Chaos<'a> {
    stage: &'a Stage,
    redis: Option<RedisServer>,
    engine: Engine,
    choose: StdRng,
    crowd: Vec<Member>,
    tasks: Vec<TaskId>,
    acknowledged: Acknowledged,
}

impl Chaos<'_> {
    async fn step(&mut self) {
        match self.choose.random_range(0..100) {
            0..25 => self.submit().await,
            25..60 => self.answer_some().await,
            60..65 => self.cancel().await,
            65..78 => self.kill(),
            78..86 => self.stop_or_go_on(),
            86..90 => self.restart().await,
            90..92 => self.flush(),
            92..96 => self.refuse(),
            _ => tokio::time::sleep(Duration::from_millis(self.choose.random_range(0..500))).await,
        }
    }

    async fn submit(&mut self) {
        let mut arguments = Map::new();
        arguments.insert("questions".to_owned(), Value::from(self.choose.random_range(0..=3)));
        let (tool, scope) = ("asker".to_owned(), Scope::anonymous());
        let new = Submission { tool, arguments, scope, session: None, hidden: false, ttl_ms: None };
        let task = self.engine.submit(new).await.expect("submits");
        self.tasks.push(task.id().clone());
    }

    async fn answer_some(&mut self) {
        let filter = TaskFilter { status: Some(TaskStatus::InputRequired), ..TaskFilter::default() };
        let asking = self.engine.list(&Viewer::Operator, filter, None, 100).await.expect("lists").tasks;
        if !asking.is_empty() {
            let task = asking[self.choose.random_range(0..asking.len())].clone();
            self.answer(&task).await;
        }
    }

    async fn answer(&mut self, task: &Task) {
        let Some(question) = task.open_questions().next().map(|question| question.id.clone()) else { return };
        let answer = if self.choose.random_range(0..10) == 0 {
            Answer::new(Action::Decline, Answerer::Operator)
        } else {
            let value = Value::from(self.choose.random_range(0..1_000_000));
            Answer::accept(Map::from_iter([("value".to_owned(), value)]), Answerer::Operator)
        };
        let answered = self.engine.answer(&Viewer::Operator, task.id(), &question, answer).await;
        // Nobody else answers or cancels meanwhile, so this one counts.
        let before =
            self.acknowledged.insert((task.id().clone(), question), answered.expect("is the first answer"));
        assert!(before.is_none(), "{task:?} was answered twice");
    }

    async fn cancel(&mut self) {
        let task = &self.tasks[self.choose.random_range(0..self.tasks.len())];
        match self.engine.cancel(&Viewer::Operator, task, "chaos").await {
            Ok(()) | Err(EngineError::Store(StoreError::Ended { .. })) => {}
            Err(error) => panic!("{error}"),
        }
    }

    /// Kills one of the processes, and starts another one. What it held goes on when its lease has ended.
    fn kill(&mut self) {
        let killed = self.crowd.swap_remove(self.choose.random_range(0..self.crowd.len()));
        let command = killed.command;
        killed.process.kill();
        self.crowd.push(Member::start(self.stage, command));
    }

    /// Where processes share a file, one that is stopped may hold its lock, and all others wait for it.
    fn stop_or_go_on(&mut self) {
        let one = self.choose.random_range(0..self.crowd.len());
        if self.redis.is_some() {
            self.crowd[one].stop_or_go_on();
        }
    }

    /// Kills Redis and starts it again.
    async fn restart(&mut self) {
        let Some(redis) = &mut self.redis else { return };
        redis.kill();
        redis.restart();
        // A command that meets the lost connection fails; all others here shall not.
        while self.engine.list(&Viewer::Operator, TaskFilter::default(), None, 1).await.is_err() {}
    }

    /// Redis refuses for less than a lease.
    fn refuse(&mut self) {
        let (which, time) =
            (self.choose.random_range(0..Trouble::ALL.len()), self.choose.random_range(50..1500));
        if let Some(redis) = &self.redis {
            let refusing = Trouble::ALL[which].begin(redis);
            std::thread::sleep(Duration::from_millis(time));
            drop(refusing);
        }
    }

    fn flush(&self) {
        if let Some(redis) = &self.redis {
            redis.ask::<()>(&["SCRIPT", "FLUSH"]).expect("flushes");
        }
    }

    /// Answers until every task has ended.
    async fn settle(&mut self) {
        self.crowd.iter_mut().filter(|member| member.stopped).for_each(Member::stop_or_go_on);
        for id in self.tasks.clone() {
            let next = |task: &Task| task.status.is_final() || task.open_questions().next().is_some();
            loop {
                let task = self.engine.wait(&Viewer::Operator, &id, next).await.expect("waits");
                if task.status.is_final() {
                    break;
                }
                self.answer(&task).await;
            }
        }
    }
}
