//! Anything in any order: submit, answer, cancel, kill a worker. Then the invariants.
//!
//! `MCPTASK_CHAOS_ROUNDS` says how many steps (default 600, on each engine), `MCPTASK_CHAOS_SEED` repeats a run's choices.

use std::sync::Arc;
use std::time::Duration;

use mcptask::engine::{Engine, EngineError, Limits, Submission, Viewer};
use mcptask::store::{EventFilter, StoreError, TaskFilter};
use mcptask::task::{Action, Answer, Answerer, Cursor, QuestionId, Scope, Task, TaskId, TaskStatus};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::invariants::{self, Acknowledged};
use crate::killable::Killable;
use crate::protocol::bench::Bench;

/// The bound on the wait for all tasks' ends.
const BOUND: Duration = Duration::from_secs(120);

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
    let mut watch = chaos.engine.watch(EventFilter::All, Cursor::START).await.expect("watches");
    for _ in 0..rounds {
        chaos.step().await;
    }
    tokio::time::timeout(BOUND, chaos.settle()).await.expect("all tasks end in time");
    invariants::check(&chaos.engine, &chaos.tasks, &chaos.acknowledged).await;
    let log = invariants::log(&chaos.engine, &EventFilter::All).await;
    // A killed worker's waiting tasks all run again, and the more steps there are, the more tasks wait.
    let runs = log.iter().filter(|event| event.kind.name() == "claimed").count();
    eprintln!("{} tasks ran {runs} times", chaos.tasks.len());
    for event in log {
        let heard = tokio::time::timeout(BOUND, watch.next()).await.expect("in time").expect("watches");
        assert_eq!(heard, event, "who watched all along saw what the log has");
    }
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text:?} is not a number")))
}

struct Chaos {
    bench: Arc<Bench>,
    engine: Engine,
    choose: StdRng,
    workers: Vec<Killable>,
    tasks: Vec<TaskId>,
    acknowledged: Acknowledged,
}

impl Chaos {
    async fn start(bench: Bench, choose: StdRng) -> Self {
        let bench = Arc::new(bench);
        let engine = Engine::new(bench.store().await, Limits::default(), CancellationToken::new());
        let workers = vec![Killable::start(&bench).await, Killable::start(&bench).await];
        Self { bench, engine, choose, workers, tasks: Vec::new(), acknowledged: Acknowledged::new() }
    }

    async fn step(&mut self) {
        match self.choose.random_range(0..100) {
            0..30 => self.submit().await,
            30..75 => self.answer_some().await,
            75..82 => self.cancel().await,
            82..92 => self.kill().await,
            _ => tokio::time::sleep(Duration::from_millis(self.choose.random_range(0..50))).await,
        }
    }

    async fn submit(&mut self) {
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
        let task = self.engine.submit(submission).await.expect("submits");
        self.tasks.push(task.id().clone());
    }

    async fn answer_some(&mut self) {
        let asking = self.asking().await;
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
        drop(killed);
        if self.choose.random() {
            self.engine.store().dismiss(&id).await.expect("dismisses");
        }
        self.workers.push(Killable::start(&self.bench).await);
    }

    /// Answers until every task has ended.
    async fn settle(&mut self) {
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
