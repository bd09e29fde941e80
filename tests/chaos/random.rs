//! Anything in any order: submit, answer, cancel, kill a worker, pause one beyond its lease; a store that refuses, holds
//! damaged records, is emptied, and is read by somebody with few rights. Then the invariants.
//!
//! `MCPTASK_CHAOS_ROUNDS` says how many steps (default 600, on each engine), `MCPTASK_CHAOS_SEED` repeats a run's choices.

use std::collections::BTreeSet;
use std::time::Duration;

use mcptask::engine::{Engine, EngineError, Limits, Submission, Viewer, Watch};
use mcptask::store::{EventFilter, StoreError, TaskFilter};
use mcptask::task::{Action, Answer, Answerer, Cursor, QuestionId, Scope, Task, TaskId, TaskStatus};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::harm;
use crate::invariants::{self, Acknowledged};
use crate::killable::LEASE;
use crate::pausable::Pausable;
use crate::protocol::bench::Bench;

/// The bound on the wait for all tasks' ends.
const BOUND: Duration = Duration::from_secs(120);

/// The longest pause: well beyond a lease, so that what the worker ran goes on elsewhere. One that is paused while it
/// writes to a SQLite file keeps all others waiting, which they do for ten seconds.
const LONGEST_PAUSE: Duration = LEASE.saturating_mul(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_order_keeps_the_invariants_on_sqlite() {
    run(Bench::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_order_keeps_the_invariants_on_redis() {
    run(Bench::redis()).await;
}

#[expect(clippy::print_stderr, reason = "the seed repeats a failed run, the count explains its time")]
async fn run(bench: Bench) {
    let seed = number("MCPTASK_CHAOS_SEED").unwrap_or_else(rand::random);
    let rounds = number("MCPTASK_CHAOS_ROUNDS").unwrap_or(600);
    eprintln!("MCPTASK_CHAOS_SEED={seed} MCPTASK_CHAOS_ROUNDS={rounds}");
    let mut chaos = Chaos::start(bench, StdRng::seed_from_u64(seed)).await;
    for _ in 0..rounds {
        chaos.step().await;
    }
    tokio::time::timeout(BOUND, chaos.settle()).await.expect("all tasks end in time");
    invariants::check(&chaos.engine, &chaos.tasks, &chaos.acknowledged, &chaos.damaged).await;
    let log = invariants::log(&chaos.engine, &EventFilter::All).await;
    // A killed worker's waiting tasks all run again, and the more steps there are, the more tasks wait.
    let runs = log.iter().filter(|event| event.kind.name() == "claimed").count();
    eprintln!("{} tasks ran {runs} times", chaos.tasks.len());
    for event in log {
        let heard = tokio::time::timeout(BOUND, chaos.watch.next()).await.expect("in time").expect("watches");
        assert_eq!(heard, event, "who watched all along saw what the log has");
    }
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text:?} is not a number")))
}

struct Chaos {
    bench: Bench,
    engine: Engine,
    choose: StdRng,
    workers: Vec<Pausable>,
    /// Of the present store's life, as all that follows.
    tasks: Vec<TaskId>,
    acknowledged: Acknowledged,
    damaged: Vec<TaskId>,
    watch: Watch,
    reader: Engine,
}

impl Chaos {
    async fn start(bench: Bench, choose: StdRng) -> Self {
        let engine = Engine::new(bench.store().await, Limits::default(), CancellationToken::new());
        let mut workers = Vec::new();
        for _ in 0..2 {
            workers.push(Pausable::start(&harm::place(&bench), &**engine.store()).await);
        }
        let watch = engine.watch(EventFilter::All, Cursor::START).await.expect("watches");
        let reader = harm::reader(&bench).await;
        let (tasks, acknowledged, damaged) = (Vec::new(), Acknowledged::new(), Vec::new());
        Self { bench, engine, choose, workers, tasks, acknowledged, damaged, watch, reader }
    }

    async fn step(&mut self) {
        match self.choose.random_range(0..1000) {
            0..300 => self.submit().await,
            300..700 => self.answer_some().await,
            700..770 => self.cancel().await,
            770..870 => self.kill().await,
            870..900 => self.damage().await,
            900..930 => self.refuse(),
            930..933 => self.empty().await,
            933..960 => self.read().await,
            960..975 => self.pause(),
            _ => tokio::time::sleep(Duration::from_millis(self.choose.random_range(0..50))).await,
        }
    }

    async fn submit(&mut self) {
        let task = self.submitted().await;
        self.tasks.push(task);
    }

    async fn submitted(&mut self) -> TaskId {
        let mut arguments = Map::new();
        arguments.insert("questions".to_owned(), Value::from(self.choose.random_range(0..=4)));
        let submission = Submission {
            tool: "asker".to_owned(),
            arguments,
            scope: Scope::anonymous(),
            session: None,
            hidden: false,
            ttl_ms: None,
        };
        self.engine.submit(submission).await.expect("submits").id().clone()
    }

    /// One task's record is damaged, whatever it is doing.
    async fn damage(&mut self) {
        let task = self.submitted().await;
        tokio::time::sleep(Duration::from_millis(self.choose.random_range(0..10))).await;
        tokio::task::block_in_place(|| harm::poison(&self.bench, &task));
        self.damaged.push(task);
    }

    /// The store refuses for less than a lease.
    fn refuse(&mut self) {
        let (which, time) = (self.choose.random_range(0..100), self.choose.random_range(10..300));
        tokio::task::block_in_place(|| harm::refuse(&self.bench, which, Duration::from_millis(time)));
    }

    /// All is lost, and what is submitted afterwards is not harmed by it.
    async fn empty(&mut self) {
        if !tokio::task::block_in_place(|| harm::empty(&self.bench)) {
            return;
        }
        self.tasks.clear();
        self.acknowledged.clear();
        self.damaged.clear();
        // The workers offer their tools again by themselves.
        let offered = async {
            while self.engine.tools().await.expect("reads").is_empty() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            // What is remembered of the tools is older than that.
            tokio::time::sleep(Duration::from_millis(1100)).await;
        };
        tokio::time::timeout(BOUND, offered).await.expect("the tools are offered again in time");
        self.watch = self.engine.watch(EventFilter::All, Cursor::START).await.expect("watches");
    }

    /// Somebody who may only read sees what operators see.
    async fn read(&mut self) {
        let mut seen = BTreeSet::new();
        let mut after = None;
        loop {
            let filter = TaskFilter::default();
            let page = self.reader.list(&Viewer::Operator, filter, after.as_ref(), 100).await.expect("lists");
            seen.extend(page.tasks.iter().map(|task| task.id().to_string()));
            seen.extend(page.unreadable.into_iter().map(|one| one.name));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let known: BTreeSet<_> = self.tasks.iter().chain(&self.damaged).map(ToString::to_string).collect();
        assert_eq!(seen, known, "a reader sees every task; damaged are {:?}", self.damaged);
    }

    async fn answer_some(&mut self) {
        let mut asking = self.asking().await;
        asking.retain(|task| !self.damaged.contains(task.id()));
        if !asking.is_empty() {
            let task = asking[self.choose.random_range(0..asking.len())].clone();
            self.answer(&task).await;
        }
    }

    /// Tasks with an open question.
    async fn asking(&self) -> Vec<Task> {
        let filter = TaskFilter { status: Some(TaskStatus::InputRequired), ..TaskFilter::default() };
        self.engine.list(&Viewer::Operator, filter, None, 100).await.expect("lists").tasks
    }

    /// A client and an operator answer at once, and perhaps somebody cancels.
    async fn answer(&mut self, task: &Task) {
        let Some(question) = task.open_questions().next().map(|question| question.id.clone()) else { return };
        let (one, other) = (self.decide(Answerer::Client), self.decide(Answerer::Operator));
        let cancels = self.choose.random_range(0..20) == 0;
        let (engine, id) = (&self.engine, task.id());
        let (one, other, ()) = tokio::join!(
            engine.answer(&Viewer::Operator, id, &question, one),
            engine.answer(&Viewer::Operator, id, &question, other),
            async {
                if cancels {
                    ended(engine.cancel(&Viewer::Operator, id, "chaos").await);
                }
            },
        );
        for answered in [one, other] {
            match answered {
                Ok(answer) => self.acknowledge(id, &question, answer),
                Err(EngineError::Store(StoreError::AlreadyAnswered { .. } | StoreError::Ended { .. })) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    fn acknowledge(&mut self, task: &TaskId, question: &QuestionId, answer: Answer) {
        let before = self.acknowledged.insert((task.clone(), question.clone()), answer);
        assert!(before.is_none(), "{task} {question} was answered twice: before by {before:?}");
    }

    fn decide(&mut self, by: Answerer) -> Answer {
        match self.choose.random_range(0..10) {
            0 => Answer::new(Action::Decline, by),
            1 => Answer::new(Action::Cancel, by),
            _ => {
                let mut content = Map::new();
                content.insert("value".to_owned(), Value::from(self.choose.random_range(0..1_000_000)));
                Answer::accept(content, by)
            }
        }
    }

    async fn cancel(&mut self) {
        if !self.tasks.is_empty() {
            let task = &self.tasks[self.choose.random_range(0..self.tasks.len())];
            ended(self.engine.cancel(&Viewer::Operator, task, "chaos").await);
        }
    }

    /// Kills one of the workers, and starts another one. Half of the time its lease has to end by itself.
    async fn kill(&mut self) {
        let killed = self.workers.swap_remove(self.choose.random_range(0..self.workers.len()));
        let id = killed.id.clone();
        tokio::task::block_in_place(|| drop(killed));
        if self.choose.random() {
            self.engine.store().dismiss(&id).await.expect("dismisses");
        }
        self.workers.push(Pausable::start(&harm::place(&self.bench), &**self.engine.store()).await);
    }

    /// Pauses one of the workers, mostly beyond its lease. It may be killed or paused anew meanwhile.
    fn pause(&mut self) {
        let worker = &self.workers[self.choose.random_range(0..self.workers.len())];
        worker.pause(self.choose.random_range(Duration::ZERO..LONGEST_PAUSE));
    }

    /// Answers until every task has ended; those that cannot be read are cancelled.
    async fn settle(&mut self) {
        for task in &self.damaged {
            ended(self.engine.cancel(&Viewer::Operator, task, "it is damaged").await);
        }
        for id in self.tasks.clone() {
            loop {
                let next = |task: &Task| task.status.is_final() || task.open_questions().next().is_some();
                let task = self.engine.wait(&Viewer::Operator, &id, next).await.expect("waits");
                if task.status.is_final() {
                    break;
                }
                self.answer(&task).await;
            }
        }
    }
}

/// A cancel that came too late changes nothing.
fn ended(cancelled: Result<(), EngineError>) {
    match cancelled {
        Ok(()) | Err(EngineError::Store(StoreError::Ended { .. })) => {}
        Err(error) => panic!("{error}"),
    }
}
