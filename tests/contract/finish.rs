//! finish and cancel.

use mcptask::store::{ClaimKey, StoreError};
use mcptask::task::{Outcome, RpcError, TaskId, TaskStatus};
use serde_json::json;

use crate::support::bench::Bench;
use crate::support::{
    ask, crash, events_of, form, get, key, new_task, nothing_queued, q, running, submit, words_of,
};

contract! {
    a_result_completes_the_task,
    a_tool_error_completes_the_task_too,
    an_rpc_error_fails_the_task,
    the_end_closes_open_questions_unanswered,
    an_end_is_the_last_one,
    finishing_a_missing_task_says_so,
    cancel_ends_a_queued_task,
    cancel_takes_the_task_from_its_worker,
    cancel_ends_a_parked_task,
    cancelling_a_missing_task_says_so,
}

async fn a_result_completes_the_task(bench: Bench) {
    let (here, there) = (bench.store().await, bench.store().await);
    let claimed = running(&*here).await;
    let outcome =
        Outcome::Result(json!({ "content": [], "structuredContent": { "b": 1, "a": [2.5, null] } }));
    here.finish(&key(&claimed), &outcome).await.expect("finishes");
    let task = get(&*there, claimed.id()).await;
    assert_eq!(task.status, TaskStatus::Completed);
    assert_eq!((task.outcome, task.worker, task.last_failure), (Some(outcome), None, None));
    assert_eq!(task.claimed_at, None);
    assert!(task.finished_at.is_some_and(|at| at >= claimed.updated_at && at == task.updated_at));
    let event = serde_json::to_value(events_of(&*there, claimed.id()).await.pop()).expect("json");
    assert_eq!((&event["event"], &event["is_error"]), (&"completed".into(), &false.into()));
    assert_eq!(event["status"], "completed");
}

async fn a_tool_error_completes_the_task_too(bench: Bench) {
    let store = bench.store().await;
    let claim = key(&running(&*store).await);
    store.finish(&claim, &Outcome::tool_error("burnt")).await.expect("finishes");
    assert_eq!(get(&*store, &claim.task).await.status, TaskStatus::Completed);
    let event = serde_json::to_value(events_of(&*store, &claim.task).await.pop()).expect("json");
    assert_eq!((&event["event"], &event["is_error"]), (&"completed".into(), &true.into()));
}

async fn an_rpc_error_fails_the_task(bench: Bench) {
    let store = bench.store().await;
    let claim = key(&running(&*store).await);
    let error = RpcError { code: -32602, message: "no such dish".into(), data: Some(json!({ "dish": 1 })) };
    store.finish(&claim, &Outcome::Error(error.clone())).await.expect("finishes");
    let task = get(&*store, &claim.task).await;
    assert_eq!((task.status, task.outcome), (TaskStatus::Failed, Some(Outcome::Error(error))));
    let event = serde_json::to_value(events_of(&*store, &claim.task).await.pop()).expect("json");
    assert_eq!((&event["event"], &event["code"]), (&"failed".into(), &(-32602).into()));
    assert_eq!((&event["message"], &event["status"]), (&"no such dish".into(), &"failed".into()));
}

async fn the_end_closes_open_questions_unanswered(bench: Bench) {
    let store = bench.store().await;
    let claim = key(&running(&*store).await);
    let asked = store.ask(&claim, 1, &[form("one"), form("two")], None).await.expect("asks");
    store.finish(&claim, &Outcome::text("eaten")).await.expect("finishes");
    let task = get(&*store, &claim.task).await;
    assert_eq!(task.status, TaskStatus::Completed);
    assert_eq!(task.questions, asked, "the journal keeps them as they were");
    assert_eq!(task.open_questions().count(), 0);
}

async fn an_end_is_the_last_one(bench: Bench) {
    let store = bench.store().await;
    let claim = key(&running(&*store).await);
    store.finish(&claim, &Outcome::text("eaten")).await.expect("finishes");
    let before = get(&*store, &claim.task).await;
    let lost = store.finish(&claim, &Outcome::text("again")).await.expect_err("it has ended");
    assert!(matches!(&lost, StoreError::ClaimLost { attempt: 1, .. }), "{lost}");
    let lost = store.requeue(&claim, &crash("late")).await.expect_err("it has ended");
    assert!(matches!(&lost, StoreError::ClaimLost { .. }), "{lost}");
    let ended = store.cancel(&claim.task, "late").await.expect_err("it has ended");
    assert!(
        matches!(&ended, StoreError::Ended { task, status: TaskStatus::Completed } if task == &claim.task),
        "{ended}"
    );
    assert_eq!(get(&*store, &claim.task).await, before);
    assert_eq!(words_of(&*store, &claim.task).await, ["submitted", "claimed", "completed"]);
    nothing_queued(&*store, "dinner").await;
}

async fn finishing_a_missing_task_says_so(bench: Bench) {
    let store = bench.store().await;
    let claim = ClaimKey { task: TaskId::generate(), attempt: 1 };
    let refused = store.finish(&claim, &Outcome::text("eaten")).await.expect_err("there is no task");
    assert!(matches!(refused, StoreError::NoTask(task) if task == claim.task));
}

async fn cancel_ends_a_queued_task(bench: Bench) {
    let store = bench.store().await;
    let submitted = submit(&*store, &new_task("dinner")).await;
    store.cancel(submitted.id(), "not hungry").await.expect("cancels");
    let task = get(&*store, submitted.id()).await;
    assert_eq!((task.status, task.status_message.as_deref()), (TaskStatus::Cancelled, Some("not hungry")));
    assert_eq!((&task.outcome, task.finished_at), (&None, Some(task.updated_at)));
    let event = serde_json::to_value(events_of(&*store, task.id()).await.pop()).expect("json");
    assert_eq!((&event["event"], &event["reason"]), (&"cancelled".into(), &"not hungry".into()));
    assert_eq!(event["status"], "cancelled");
    nothing_queued(&*store, "dinner").await;
    let again = store.cancel(task.id(), "again").await.expect_err("it has ended");
    assert!(matches!(&again, StoreError::Ended { status: TaskStatus::Cancelled, .. }), "{again}");
    assert_eq!(get(&*store, task.id()).await, task);
}

async fn cancel_takes_the_task_from_its_worker(bench: Bench) {
    let (here, there) = (bench.store().await, bench.store().await);
    let claim = key(&running(&*here).await);
    ask(&*here, &claim, 1, "one").await;
    there.cancel(&claim.task, "not hungry").await.expect("cancels");
    let cancelled = get(&*here, &claim.task).await;
    assert_eq!((cancelled.status, &cancelled.worker), (TaskStatus::Cancelled, &None));
    let progress = mcptask::task::Progress { current: 1.0, total: None, message: Some("late".into()) };
    for refused in [
        here.report(&claim, &progress).await,
        here.ask(&claim, 2, &[form("two")], None).await.map(drop),
        here.finish(&claim, &Outcome::text("eaten")).await,
        here.requeue(&claim, &crash("killed")).await,
    ] {
        let lost = refused.expect_err("the claim is lost");
        assert!(
            matches!(&lost, StoreError::ClaimLost { task, attempt: 1, now } if task == &claim.task && !now.is_empty()),
            "{lost}"
        );
    }
    assert_eq!(get(&*here, &claim.task).await, cancelled);
}

async fn cancel_ends_a_parked_task(bench: Bench) {
    let store = bench.store().await;
    let claim = key(&running(&*store).await);
    ask(&*store, &claim, 1, "one").await;
    store.requeue(&claim, &crash("killed")).await.expect("requeues");
    store.cancel(&claim.task, "not hungry").await.expect("cancels");
    let answered = store.answer(&claim.task, &q(1), &crate::support::decline()).await;
    assert!(matches!(answered, Err(StoreError::Ended { .. })));
    nothing_queued(&*store, "dinner").await;
}

async fn cancelling_a_missing_task_says_so(bench: Bench) {
    let store = bench.store().await;
    let nobody = TaskId::generate();
    let refused = store.cancel(&nobody, "not hungry").await.expect_err("there is no task");
    assert!(matches!(refused, StoreError::NoTask(task) if task == nobody));
}
