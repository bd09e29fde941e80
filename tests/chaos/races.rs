//! Many answerers of one question at once.
//!
//! `MCPTASK_CHAOS_RACES` says how many questions are raced for (default 50).

use std::sync::Arc;

use mcptask::engine::{Engine, EngineError, Limits, Submission, Viewer};
use mcptask::store::StoreError;
use mcptask::task::{Answer, Answerer, QuestionId, Scope, Task, TaskId, TaskStatus};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::killable::{Killable, told};
use crate::protocol::bench::Bench;
use crate::protocol::soon;

/// Answerers of one question.
const ANSWERERS: u32 = 100;

macro_rules! on_both {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(super::Race::on(super::Bench::sqlite()).await).await;
            })+
        }

        mod redis {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(super::Race::on(super::Bench::redis()).await).await;
            })+
        }
    };
}

on_both!(
    one_of_a_hundred_answerers_wins,
    either_the_answer_or_the_cancel_comes_first,
    an_answer_outlives_the_worker_that_dies_meanwhile,
);

fn rounds() -> u32 {
    let given = std::env::var("MCPTASK_CHAOS_RACES").ok();
    given.map_or(50, |text| text.parse().expect("MCPTASK_CHAOS_RACES is a number"))
}

struct Race {
    /// As four processes would have them.
    engines: Vec<Engine>,
    worker: Killable,
    // Its server runs for as long as this lives.
    bench: Arc<Bench>,
}

impl Race {
    async fn on(bench: Bench) -> Self {
        let bench = Arc::new(bench);
        let mut engines = Vec::new();
        for _ in 0..4 {
            engines.push(Engine::new(bench.store().await, Limits::default(), CancellationToken::new()));
        }
        Self { engines, worker: Killable::start(&bench).await, bench }
    }

    async fn asking(&self) -> TaskId {
        let submission = Submission {
            tool: "asker".to_owned(),
            arguments: Map::new(),
            scope: Scope::anonymous(),
            session: None,
            hidden: false,
            ttl_ms: None,
        };
        let id = self.engines[0].submit(submission).await.expect("submits").id().clone();
        self.reached(&id, |task| task.status == TaskStatus::InputRequired).await;
        id
    }

    async fn reached(&self, id: &TaskId, holds: impl Fn(&Task) -> bool + Send) -> Task {
        soon("the task gets there", self.engines[0].wait(&Viewer::Operator, id, holds)).await.expect("waits")
    }

    /// All answer at once; the results.
    async fn answers(&self, id: &TaskId, count: u32) -> Vec<Result<Answer, EngineError>> {
        let one = |number: u32| {
            let engine = self.engines[number as usize % self.engines.len()].clone();
            let by = if number.is_multiple_of(2) { Answerer::Client } else { Answerer::Operator };
            let mut content = Map::new();
            content.insert("value".to_owned(), Value::from(number));
            let (id, answer) = (id.clone(), Answer::accept(content, by));
            tokio::spawn(
                async move { engine.answer(&Viewer::Operator, &id, &QuestionId::at(1), answer).await },
            )
        };
        let begun: Vec<_> = (0..count).map(one).collect();
        let mut results = Vec::new();
        for answerer in begun {
            results.push(soon("an answerer is told", answerer).await.expect("no panic"));
        }
        results
    }
}

async fn one_of_a_hundred_answerers_wins(race: Race) {
    for _ in 0..rounds() {
        let id = race.asking().await;
        let (won, lost): (Vec<_>, Vec<_>) =
            race.answers(&id, ANSWERERS).await.into_iter().partition(Result::is_ok);
        assert_eq!(won.len(), 1, "{won:?}");
        let winner = won.into_iter().next().expect("one").expect("won");
        for told in lost {
            match told.expect_err("lost") {
                EngineError::Store(StoreError::AlreadyAnswered { answer, .. }) => assert_eq!(*answer, winner),
                other => panic!("{other}"),
            }
        }
        let task = race.reached(&id, |task| task.status.is_final()).await;
        assert_eq!(task.outcome.expect("an outcome").first_text(), Some(told(&[winner]).as_str()));
    }
}

async fn either_the_answer_or_the_cancel_comes_first(race: Race) {
    for _ in 0..rounds() {
        let id = race.asking().await;
        let cancel = race.engines[1].cancel(&Viewer::Operator, &id, "no longer wanted");
        let (answers, cancelled) = tokio::join!(race.answers(&id, 4), cancel);
        let won: Vec<_> = answers.into_iter().filter_map(Result::ok).collect();
        assert!(won.len() <= 1, "{won:?}");
        let task = race.reached(&id, |task| task.status.is_final()).await;
        let stands = task.questions[0].answer.clone();
        assert_eq!(stands.as_ref(), won.first(), "{task:?}");
        match cancelled {
            Ok(()) => assert_eq!(task.status, TaskStatus::Cancelled),
            Err(EngineError::Store(StoreError::Ended { .. })) => {
                assert_eq!(task.outcome.expect("an outcome").first_text(), Some(told(&won).as_str()));
            }
            Err(other) => panic!("{other}"),
        }
    }
}

async fn an_answer_outlives_the_worker_that_dies_meanwhile(mut race: Race) {
    for _ in 0..rounds() {
        let id = race.asking().await;
        let next = Killable::start(&race.bench).await;
        let dying = std::mem::replace(&mut race.worker, next);
        let dies = async {
            let name = dying.id.clone();
            drop(dying);
            race.engines[2].store().dismiss(&name).await.expect("dismisses");
        };
        let (answers, ()) = tokio::join!(race.answers(&id, 4), dies);
        let won: Vec<_> = answers.into_iter().filter_map(Result::ok).collect();
        assert_eq!(won.len(), 1, "{won:?}");
        let task = race.reached(&id, |task| task.status.is_final()).await;
        assert_eq!(task.outcome.expect("an outcome").first_text(), Some(told(&won).as_str()));
        assert_eq!(task.questions.len(), 1, "it was not asked again");
    }
}
