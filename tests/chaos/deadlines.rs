//! Answers that come just when the time is over: the question's, or the task's.
//!
//! `MCPTASK_CHAOS_RACES` says how many answers are tried (default 40, on each engine).

use std::time::Duration;

use jiff::Timestamp;
use mcptask::engine::{Engine, EngineError, Viewer};
use mcptask::store::{EventFilter, StoreError};
use mcptask::task::{Answer, Answerer, EventKind, Outcome, QuestionId, Task, TaskId};
use tokio::task::JoinSet;

use crate::invariants::log;
use crate::load::{number, own, runtime, submission};
use crate::protocol::soon;
use crate::stage::Stage;

on_both_engines!(
    either_the_answer_or_the_timeout_comes_first,
    an_answer_at_the_end_of_the_ttl_counts_or_is_refused
);

/// Asks for a number, not for long.
const HASTY: &str = r#"
[tools.asker]
description = "Asks for a number."
input = { n = "integer" }
steps = [
    { ask = "Number {{ args.n }}?", as = "answer", form = { value = "integer" }, timeout = "2s" },
    { return = "{{ answer.action }}" },
]
"#;

/// Asks for a number, and works on with it for longer than the test takes.
const SLOW: &str = r#"
[tools.asker]
description = "Asks for a number."
input = { n = "integer" }
steps = [{ ask = "Number {{ args.n }}?", as = "answer", form = { value = "integer" } }, { sleep = 600 }]
"#;

/// Answers come within this time before and after the end, in milliseconds. Processes look a little late.
const AROUND: std::ops::Range<i64> = -30..90;

/// Starts a worker of that tool, and has a number of tasks tried at once; which of them, and whether its answer won.
fn race<Trial>(stage: &Stage, tool: &str, trial: impl Fn(Engine, u64, i64) -> Trial) -> Vec<(TaskId, bool)>
where
    Trial: Future<Output = (TaskId, bool)> + Send + 'static,
{
    let tools = stage.file("asker.toml", tool);
    let _worker = stage.background(&["worker", "--json", "--concurrency", "1000", "--config", &tools]);
    runtime().block_on(async {
        let engine = stage.engine().await;
        let (mut trials, count) = (JoinSet::new(), number("MCPTASK_CHAOS_RACES", 40));
        for n in 0..count {
            let width = AROUND.end - AROUND.start;
            let offset = AROUND.start + width * n.cast_signed() / count.cast_signed();
            trials.spawn(trial(engine.clone(), n, offset));
        }
        let tried = trials.join_all().await;
        assert_eq!(tried.len() as u64, count);
        shown(&tried);
        tried
    })
}

#[expect(clippy::print_stderr, reason = "how close the race was is for people")]
fn shown(tried: &[(TaskId, bool)]) {
    eprintln!("{} of {} answers came in time", tried.iter().filter(|(_, won)| *won).count(), tried.len());
}

/// Answers that long after `end`.
async fn answer_about(
    engine: &Engine,
    id: &TaskId,
    end: Timestamp,
    offset: i64,
) -> Result<Answer, EngineError> {
    let wait = end.as_millisecond() + offset - Timestamp::now().as_millisecond();
    tokio::time::sleep(Duration::from_millis(u64::try_from(wait).unwrap_or_default())).await;
    let content = own(0).as_object().cloned().expect("an object");
    let answer = Answer::accept(content, Answerer::Operator);
    engine.answer(&Viewer::Operator, id, &QuestionId::at(1), answer).await
}

async fn asked(engine: &Engine, n: u64, ttl_ms: Option<u64>) -> Task {
    let id = engine.submit(submission(n, ttl_ms)).await.expect("submits").id().clone();
    let asks = |task: &Task| !task.questions.is_empty();
    soon("it asks", engine.wait(&Viewer::Operator, &id, asks)).await.expect("waits")
}

fn either_the_answer_or_the_timeout_comes_first(stage: &Stage) {
    race(stage, HASTY, async |engine, n, offset| {
        let task = asked(&engine, n, None).await;
        let (id, deadline) = (task.id(), task.questions[0].deadline.expect("a deadline"));
        let answered = answer_about(&engine, id, deadline, offset).await;
        let ended = engine.wait(&Viewer::Operator, id, |task| task.status.is_final());
        let task = soon("it ends", ended).await.expect("waits");
        let stands = task.questions[0].answer.clone().expect("an answer");
        let won = answered.is_ok();
        match answered {
            Ok(answer) => assert_eq!(answer, stands),
            Err(EngineError::Store(StoreError::AlreadyAnswered { answer, .. })) => {
                assert_eq!(*answer, stands);
            }
            Err(error) => panic!("{error}"),
        }
        assert_eq!(stands.by, if won { Answerer::Operator } else { Answerer::Timeout });
        let told = task.outcome.as_ref().and_then(Outcome::first_text);
        assert_eq!(told, Some(if won { "accept" } else { "cancel" }), "{task:?}");
        (id.clone(), won)
    });
}

fn an_answer_at_the_end_of_the_ttl_counts_or_is_refused(stage: &Stage) {
    let tried = race(stage, SLOW, async |engine, n, offset| {
        let task = asked(&engine, n, Some(5000)).await;
        let (id, end) = (task.id(), task.expires_at().expect("an end"));
        let answered = answer_about(&engine, id, end, offset).await;
        soon("it is gone", gone(&engine, id)).await;
        let won = answered.is_ok();
        if let Err(error) = answered {
            let gone = matches!(error, EngineError::Store(StoreError::NoTask(_) | StoreError::Ended { .. }));
            assert!(gone, "{error}");
        }
        (id.clone(), won)
    });
    // Once for all of them, since it has all of them.
    let log = runtime().block_on(async { log(&stage.engine().await, &EventFilter::All).await });
    for (id, won) in tried {
        let happened: Vec<_> = log
            .iter()
            .filter(|event| event.task == id)
            .filter(|event| !matches!(event.kind, EventKind::Submitted {} | EventKind::Claimed { .. }))
            .map(|event| event.kind.name())
            .collect();
        assert_eq!(happened, [&["asked"][..], &["answered"][..usize::from(won)], &["expired"]].concat());
    }
}

/// Waits until a task's ttl has ended.
async fn gone(engine: &Engine, id: &TaskId) {
    let gone = engine.wait(&Viewer::Operator, id, |_| false).await.expect_err("there is nothing more to see");
    assert!(matches!(gone, EngineError::Store(StoreError::NoTask(_))), "{gone}");
}
