//! What a worker has to say is kept until the store takes it.

use std::time::Duration;

use mcptask::engine::Viewer;
use mcptask::store::{Refusal, StoreError};
use mcptask::task::{Outcome, Progress, TaskStatus};
use mcptask::worker::Interrupted;
use serde_json::json;

use crate::setup::{Counter, Setup, question, text, tool, value};
use crate::troubled::{Wrong, refuses};

on_both_engines!(
    an_outcome_waits_until_the_store_takes_it,
    a_question_and_a_report_wait_until_the_store_takes_them,
    a_worker_whose_outcomes_are_not_taken_begins_no_further_tasks,
    a_store_that_breaks_on_one_task_costs_no_other_one_its_slot,
    a_finish_whose_reply_is_lost_is_done_once,
    a_claim_whose_reply_is_lost_is_given_back_and_run,
    an_outcome_that_is_too_deep_becomes_one_that_says_so,
    a_drained_worker_says_what_it_could_not_record,
    a_shortage_does_not_count,
);

/// Counts its runs, and ends at once.
fn counted(runs: &Counter) -> crate::setup::Closure {
    let runs = runs.clone();
    tool("work", move |_| {
        runs.next();
        async { Ok(Outcome::text("done")) }
    })
}

async fn an_outcome_waits_until_the_store_takes_it(setup: Setup) {
    let runs = Counter::default();
    let (worker, store) = setup.troubled_worker("w1", 1, vec![counted(&runs)]).await;
    for (at, refusal) in [Refusal::MemoryFull, Refusal::Busy, Refusal::NotPermitted].into_iter().enumerate() {
        store.trouble("finish", 4, refuses(refusal));
        let task = setup.submit("work").await;
        assert_eq!(text(&setup.ended(&task).await), "done", "{refusal:?}");
        assert_eq!(runs.count(), at + 1, "it was run once: {refusal:?}");
    }
    worker.drain().await;
}

async fn a_question_and_a_report_wait_until_the_store_takes_them(setup: Setup) {
    let runs = Counter::default();
    let counted = runs.clone();
    let talks = tool("talks", move |task| {
        counted.next();
        async move {
            let message = Some("half of it".to_owned());
            task.report(Progress { current: 1.0, total: Some(2.0), message }).await?;
            Ok(Outcome::text(value(&task.ask(question("and the rest?")).await?)))
        }
    });
    let (worker, store) = setup.troubled_worker("w1", 1, vec![talks]).await;
    for verb in ["report", "ask", "answers"] {
        store.trouble(verb, 3, refuses(Refusal::CannotPersist));
    }
    let task = setup.submit("talks").await;
    assert_eq!(setup.asked(&task, 1).await.status_message.as_deref(), Some("half of it"));
    setup.answer(&task, 1, "all of it").await;
    assert_eq!(text(&setup.ended(&task).await), "all of it");
    assert_eq!(runs.count(), 1, "it was run once");
    worker.drain().await;
}

async fn a_worker_whose_outcomes_are_not_taken_begins_no_further_tasks(setup: Setup) {
    let runs = Counter::default();
    let (worker, store) = setup.troubled_worker("w1", 2, vec![counted(&runs)]).await;
    store.trouble("finish", usize::MAX, refuses(Refusal::MemoryFull));
    let mut tasks = Vec::new();
    for _ in 0..6 {
        tasks.push(setup.submit("work").await);
    }
    // Long enough for others to be begun wrongly.
    store.called("finish", 8).await;
    assert_eq!(runs.count(), 2, "as many as there are slots");
    store.recover();
    for task in &tasks {
        assert_eq!(text(&setup.ended(task).await), "done");
    }
    assert_eq!(runs.count(), 6, "each was run once");
    worker.drain().await;
}

async fn a_store_that_breaks_on_one_task_costs_no_other_one_its_slot(setup: Setup) {
    let runs = Counter::default();
    let (worker, store) = setup.troubled_worker("w1", 1, vec![counted(&runs)]).await;
    let broken = StoreError::Backend { location: "here".to_owned(), problem: "a damaged record".to_owned() };
    store.trouble("finish", 1, Wrong::Refused(broken));
    let poisoned = setup.submit("work").await;
    store.called("finish", 1).await;
    let fine = setup.submit("work").await;
    assert_eq!(text(&setup.ended(&fine).await), "done");
    let kept = setup.engine.get(&Viewer::Operator, &poisoned).await.expect("gets");
    assert_eq!((kept.status, kept.attempt), (TaskStatus::Working, 1), "the worker keeps its claim");
    setup.engine.cancel(&Viewer::Operator, &poisoned, "it is damaged").await.expect("cancels");
    assert_eq!(runs.count(), 2, "each was run once");
    worker.drain().await;
}

async fn a_finish_whose_reply_is_lost_is_done_once(setup: Setup) {
    let runs = Counter::default();
    let (worker, store) = setup.troubled_worker("w1", 1, vec![counted(&runs)]).await;
    store.trouble("finish", 1, Wrong::ReplyLost);
    let task = setup.submit("work").await;
    assert_eq!(text(&setup.ended(&task).await), "done");
    store.called("finish", 2).await;
    let next = setup.submit("work").await;
    assert_eq!(text(&setup.ended(&next).await), "done", "the slot is free again");
    assert_eq!(runs.count(), 2, "each was run once");
    worker.drain().await;
}

async fn a_claim_whose_reply_is_lost_is_given_back_and_run(setup: Setup) {
    let runs = Counter::default();
    let (worker, store) = setup.troubled_worker("w1", 1, vec![counted(&runs)]).await;
    // The claim that is under way is begun without the trouble.
    store.called("claim", 1).await;
    store.trouble("claim", 1, Wrong::ReplyLost);
    let first = setup.submit("work").await;
    setup.ended(&first).await;
    let second = setup.submit("work").await;
    let ended = setup.ended(&second).await;
    assert_eq!((text(&ended), ended.attempt), ("done".to_owned(), 2));
    assert_eq!(ended.last_failure, None, "what was given back does not count");
    worker.drain().await;
}

async fn an_outcome_that_is_too_deep_becomes_one_that_says_so(setup: Setup) {
    let deep = tool("deep", |_| async {
        let nested = (0..110).fold(json!([]), |inner, _| json!([inner]));
        Ok(Outcome::Result(json!({ "content": [], "structuredContent": { "nested": nested } })))
    });
    let (worker, store) = setup.troubled_worker("w1", 1, vec![deep]).await;
    // The stores' own gate says the same; this one is there on every engine.
    let what = "the outcome".to_owned();
    let refused =
        StoreError::Refused { what, problem: "is nested 114 levels deep, more than 100".to_owned() };
    store.trouble("finish", 1, Wrong::Refused(refused));
    let task = setup.submit("deep").await;
    let outcome = setup.ended(&task).await.outcome.expect("an outcome");
    assert!(outcome.is_tool_error(), "{outcome:?}");
    let words = outcome.first_text().expect("text");
    assert!(words.contains("cannot be stored") && words.contains("levels deep, more than 100"), "{words}");
    worker.drain().await;
}

async fn a_drained_worker_says_what_it_could_not_record(setup: Setup) {
    let runs = Counter::default();
    let (first, store) = setup.troubled_worker("w1", 1, vec![counted(&runs)]).await;
    store.trouble("finish", usize::MAX, refuses(Refusal::ReadOnly));
    let task = setup.submit("work").await;
    store.called("finish", 2).await;
    // It ends although its outcome was never taken, and another worker runs the task.
    first.drain().await;
    let second = setup.worker("w2", 1, vec![counted(&runs)]).await;
    assert_eq!(text(&setup.ended(&task).await), "done");
    assert_eq!(runs.count(), 2);
    second.drain().await;
}

async fn a_shortage_does_not_count(setup: Setup) {
    let runs = Counter::default();
    let counted = runs.clone();
    let short = tool("short", move |_| {
        let run = counted.next();
        async move {
            if run < 3 {
                return Err(Interrupted::Shortage("too many open files".to_owned()));
            }
            Ok(Outcome::text("there were enough"))
        }
    });
    let worker = setup.worker("w1", 1, vec![short.tried(2)]).await;
    let task = setup.submit("short").await;
    let begun = std::time::Instant::now();
    let ended = setup.ended(&task).await;
    assert_eq!(text(&ended), "there were enough");
    assert_eq!(ended.last_failure, None);
    assert!(begun.elapsed() > Duration::from_millis(250 + 500 + 1000), "each pause is longer");
    worker.drain().await;
}
