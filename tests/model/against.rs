//! The stores, driven by the model's verbs and compared with it after each.

use std::collections::HashSet;
use std::marker::PhantomData;
use std::sync::{Arc, LazyLock};

use mcptask::store::{ClaimKey, EventFilter, Requeue, Store, StoreError};
use mcptask::task::{Cursor, EventKind, Outcome, TaskId};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::reference::{Came, MOST_ATTEMPTS, Model, Verb};
use crate::support::bench::Bench;
use crate::support::{accept, claim_for, form, new_task, q, worker};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));
/// Which engine a case runs on.
pub(crate) trait Place {
    fn bench() -> Bench;
}

pub(crate) struct Redis;

impl Place for Redis {
    fn bench() -> Bench {
        Bench::redis()
    }
}

pub(crate) struct Sqlite;

impl Place for Sqlite {
    fn bench() -> Bench {
        Bench::sqlite()
    }
}

pub(crate) struct Against<P>(PhantomData<P>);
pub(crate) type OnRedis = Against<Redis>;
pub(crate) type OnSqlite = Against<Sqlite>;

/// One case's store, and the place that it is in.
pub(crate) struct Real {
    store: Arc<dyn Store>,
    tasks: Vec<TaskId>,
    _bench: Bench,
}

fn came<T: std::fmt::Debug>(result: Result<T, StoreError>) -> Came {
    match result {
        Ok(_) => Came::Done,
        Err(StoreError::ClaimLost { .. }) => Came::Lost,
        Err(StoreError::Ended { .. }) => Came::Ended,
        Err(StoreError::AlreadyAnswered { .. }) => Came::AlreadyAnswered,
        Err(StoreError::NoQuestion { .. }) => Came::NoQuestion,
        Err(StoreError::JournalDiffers { .. }) => Came::Differs,
        Err(error) => panic!("the model knows no such error: {error}"),
    }
}

impl Real {
    fn claim_key(&self, task: usize, attempt: u32) -> ClaimKey {
        ClaimKey { task: self.tasks[task].clone(), attempt }
    }

    async fn do_verb(&mut self, model: &Model, verb: &Verb) -> Came {
        let store = self.store.clone();
        match *verb {
            Verb::Submit => {
                let new = mcptask::task::NewTask { max_attempts: MOST_ATTEMPTS, ..new_task("model") };
                self.tasks.push(new.id.clone());
                came(store.submit(&new, 100).await)
            }
            Verb::Claim => {
                let stop = CancellationToken::new();
                let claimed =
                    claim_for(&*store, &worker("w"), &["model".to_owned()], 1, &stop).await.expect("claims");
                let expected = model.claimed.expect("the model claimed");
                assert_eq!(claimed[0].id(), &self.tasks[expected], "the oldest is claimed first");
                Came::Done
            }
            Verb::Ask { task, attempt, message } => {
                // After the verb the model has one question more, unless the claim was lost.
                let asked = model.tasks[task].questions.len() as u32;
                let position = if model.came == Some(Came::Done) { asked } else { asked + 1 };
                self.ask(task, attempt, position, message).await
            }
            Verb::AskAgain { task, attempt, position, same } => {
                let (message, _) = model.tasks[task].questions[position];
                let message = if same { message } else { message + 100 };
                self.ask(task, attempt, position as u32 + 1, message).await
            }
            Verb::Answer { task, position } => {
                came(store.answer(&self.tasks[task], &q(position as u32 + 1), &accept("thai")).await)
            }
            Verb::Finish { task, attempt } => {
                came(store.finish(&self.claim_key(task, attempt), &Outcome::text("done")).await)
            }
            Verb::Cancel { task } => came(store.cancel(&self.tasks[task], "cancelled").await),
            Verb::Requeue { task, attempt, counts } => {
                let requeue =
                    Requeue { reason: "given back".to_owned(), counts, delay: None, exhausted: None };
                came(store.requeue(&self.claim_key(task, attempt), &requeue).await)
            }
        }
    }

    async fn ask(&self, task: usize, attempt: u32, position: u32, message: u8) -> Came {
        let ask = form(&format!("message {message}"));
        came(self.store.ask(&self.claim_key(task, attempt), position, &[ask], None).await)
    }

    async fn compare(&self, model: &Model) {
        for (id, expected) in self.tasks.iter().zip(&model.tasks) {
            let task = self.store.get(id).await.expect("reads").expect("exists");
            assert_eq!(task.status, expected.status, "{task:?}");
            assert_eq!(task.attempt, expected.attempt);
            assert_eq!(task.worker.is_some(), expected.claimed);
            let answered: Vec<_> = task.questions.iter().map(|question| !question.is_open()).collect();
            let expected: Vec<_> = expected.questions.iter().map(|(_, answered)| *answered).collect();
            assert_eq!(answered, expected);
        }
    }

    /// The log alone tells the same story: in order, one end for each task, one answer for each question.
    async fn check_log(&self, model: &Model) {
        let events =
            self.store.history(&EventFilter::All, Cursor::START, 10_000).await.expect("reads").events;
        let (mut ended, mut answered) = (HashSet::new(), HashSet::new());
        let mut last = Cursor::START;
        for event in &events {
            assert!(event.cursor > last, "events are in order");
            last = event.cursor;
            assert!(!ended.contains(&event.task), "nothing follows the end: {event:?}");
            if event.kind.is_end() {
                ended.insert(event.task.clone());
            }
            if let EventKind::Answered { question, .. } = &event.kind {
                assert!(answered.insert((event.task.clone(), question.clone())), "answered twice: {event:?}");
            }
        }
        let final_ones = model.tasks.iter().filter(|task| task.status.is_final()).count();
        assert_eq!(ended.len(), final_ones, "each ended task has its event");
    }
}

impl<P: Place> StateMachineTest for Against<P> {
    type SystemUnderTest = Real;
    type Reference = Model;

    fn init_test(_: &<Self::Reference as ReferenceStateMachine>::State) -> Real {
        let bench = P::bench();
        let store = RUNTIME.block_on(bench.store());
        Real { store, tasks: Vec::new(), _bench: bench }
    }

    fn apply(mut real: Real, model: &Model, verb: Verb) -> Real {
        RUNTIME.block_on(async {
            let came = real.do_verb(model, &verb).await;
            assert_eq!(Some(came), model.came, "{verb:?}");
            real.compare(model).await;
        });
        real
    }

    fn teardown(real: Real, model: Model) {
        RUNTIME.block_on(real.check_log(&model));
    }
}
