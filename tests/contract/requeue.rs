//! requeue, and what a lost claim may still do.

use mcptask::store::{ClaimKey, StoreError};
use mcptask::task::{NewTask, Outcome, Progress, RpcError, TaskId, TaskStatus};

use crate::support::bench::Bench;
use crate::support::{
    ask, claim, crash, decline, drain, events_of, form, get, key, new_task, nothing_queued, q, running,
    submit, words_of,
};

contract! {
    a_task_given_back_is_claimed_again,
    a_task_with_open_questions_is_parked,
    a_drained_attempt_counts_for_nothing,
    attempts_that_count_are_told,
    the_last_counted_attempt_fails_the_task,
    giving_up_closes_open_questions,
    writes_under_an_older_attempt_are_refused,
    writes_of_a_task_that_was_given_back_are_refused,
    requeue_of_a_missing_task_says_so,
}

async fn a_task_given_back_is_claimed_again(bench: Bench) {
    let (here, there) = (bench.store().await, bench.store().await);
    let first = running(&*here).await;
    here.requeue(&key(&first), &crash("killed by SIGKILL")).await.expect("requeues");
    let task = get(&*there, first.id()).await;
    assert_eq!((task.status, &task.worker, task.claimed_at), (TaskStatus::Working, &None, None));
    assert_eq!(task.last_failure.as_deref(), Some("killed by SIGKILL"));
    let event = serde_json::to_value(events_of(&*there, first.id()).await.pop()).expect("json");
    assert_eq!((&event["event"], &event["reason"]), (&"requeued".into(), &"killed by SIGKILL".into()));
    let again = claim(&*there, "dinner").await;
    assert_eq!((again.id(), again.attempt), (first.id(), 2));
}

async fn a_task_with_open_questions_is_parked(bench: Bench) {
    let store = bench.store().await;
    let first = key(&running(&*store).await);
    ask(&*store, &first, 1, "one").await;
    store.requeue(&first, &crash("killed")).await.expect("requeues");
    let task = get(&*store, &first.task).await;
    assert_eq!((task.status, task.worker), (TaskStatus::InputRequired, None));
    let event = events_of(&*store, &first.task).await.pop().expect("an event");
    assert_eq!((event.kind.name(), event.status), ("requeued", TaskStatus::InputRequired));
    nothing_queued(&*store, "dinner").await;
    store.answer(&first.task, &q(1), &decline()).await.expect("answers");
    assert_eq!(claim(&*store, "dinner").await.attempt, 2);
}

async fn a_drained_attempt_counts_for_nothing(bench: Bench) {
    let store = bench.store().await;
    submit(&*store, &NewTask { max_attempts: 1, ..new_task("dinner") }).await;
    for attempt in 1..=4 {
        let task = claim(&*store, "dinner").await;
        assert_eq!((task.attempt, &task.last_failure), (attempt, &None));
        assert_eq!((task.failures, task.counted_attempt()), (0, 1));
        store.requeue(&key(&task), &drain()).await.expect("requeues");
    }
}

async fn attempts_that_count_are_told(bench: Bench) {
    let store = bench.store().await;
    let new = NewTask { max_attempts: 3, ..new_task("dinner") };
    assert_eq!(submit(&*store, &new).await.counted_attempt(), 0, "nobody has taken it");
    for (requeue, during, after) in
        [(drain(), 1, 1), (crash("killed"), 1, 2), (drain(), 2, 2), (crash("killed"), 2, 3), (drain(), 3, 3)]
    {
        let task = claim(&*store, "dinner").await;
        assert_eq!(task.counted_attempt(), during, "{task:?}");
        assert_eq!(get(&*store, task.id()).await.counted_attempt(), during);
        store.requeue(&key(&task), &requeue).await.expect("requeues");
        let task = get(&*store, task.id()).await;
        assert_eq!(task.counted_attempt(), after, "{task:?}");
    }
    let last = claim(&*store, "dinner").await;
    store.requeue(&key(&last), &crash("killed")).await.expect("fails it");
    let failed = get(&*store, last.id()).await;
    assert_eq!((failed.status, failed.attempt, failed.counted_attempt()), (TaskStatus::Failed, 6, 3));
}

async fn the_last_counted_attempt_fails_the_task(bench: Bench) {
    let store = bench.store().await;
    submit(&*store, &NewTask { max_attempts: 2, ..new_task("dinner") }).await;
    let first = claim(&*store, "dinner").await;
    store.requeue(&key(&first), &crash("out of memory")).await.expect("requeues");
    let second = claim(&*store, "dinner").await;
    store.requeue(&key(&second), &crash("out of disk")).await.expect("requeues");
    let task = get(&*store, first.id()).await;
    let gave_up = RpcError::gave_up("out of disk");
    assert_eq!(task.outcome, Some(Outcome::Error(gave_up.clone())));
    assert_eq!((task.status, task.worker), (TaskStatus::Failed, None));
    assert_eq!(task.last_failure.as_deref(), Some("out of disk"));
    assert!(task.finished_at.is_some());
    let words = words_of(&*store, first.id()).await;
    assert_eq!(words, ["submitted", "claimed", "requeued", "claimed", "failed"]);
    let event = serde_json::to_value(events_of(&*store, first.id()).await.pop()).expect("json");
    assert_eq!((&event["code"], &event["message"]), (&gave_up.code.into(), &gave_up.message.into()));
    nothing_queued(&*store, "dinner").await;
}

async fn giving_up_closes_open_questions(bench: Bench) {
    let store = bench.store().await;
    submit(&*store, &NewTask { max_attempts: 1, ..new_task("dinner") }).await;
    let claim = key(&claim(&*store, "dinner").await);
    ask(&*store, &claim, 1, "one").await;
    store.requeue(&claim, &crash("killed")).await.expect("requeues");
    assert_eq!(get(&*store, &claim.task).await.status, TaskStatus::Failed);
    let answered = store.answer(&claim.task, &q(1), &decline()).await;
    assert!(matches!(answered, Err(StoreError::Ended { status: TaskStatus::Failed, .. })));
    assert!(store.due().await.expect("reads").questions.is_empty());
}

/// Every verb that needs a claim is refused under this one, and changes nothing.
async fn all_refused(store: &dyn mcptask::store::Store, claim: &ClaimKey) {
    let (before, end) = (get(store, &claim.task).await, store.last().await.expect("reads"));
    let progress = Progress { current: 1.0, total: None, message: Some("late".into()) };
    for refused in [
        store.report(claim, &progress).await,
        store.ask(claim, 1, &[form("one")], None).await.map(drop),
        store.ask(claim, 9, &[form("nine")], None).await.map(drop),
        store.finish(claim, &Outcome::text("late")).await,
        store.requeue(claim, &crash("late")).await,
    ] {
        let lost = refused.expect_err("the claim is lost");
        assert!(
            matches!(&lost, StoreError::ClaimLost { task, attempt, now }
                if task == &claim.task && *attempt == claim.attempt && !now.is_empty()),
            "{lost}"
        );
    }
    assert_eq!(get(store, &claim.task).await, before);
    assert_eq!(store.last().await.expect("reads"), end);
}

async fn writes_under_an_older_attempt_are_refused(bench: Bench) {
    let (here, there) = (bench.store().await, bench.store().await);
    let first = key(&running(&*here).await);
    ask(&*here, &first, 1, "one").await;
    there.answer(&first.task, &q(1), &decline()).await.expect("answers");
    there.requeue(&first, &crash("the lease ended")).await.expect("requeues");
    let second = key(&claim(&*there, "dinner").await);
    all_refused(&*here, &first).await;
    // An attempt that never was is no better.
    all_refused(&*here, &ClaimKey { attempt: 3, ..first.clone() }).await;
    there.finish(&second, &Outcome::text("eaten")).await.expect("the present holder writes");
    all_refused(&*here, &first).await;
}

async fn writes_of_a_task_that_was_given_back_are_refused(bench: Bench) {
    let store = bench.store().await;
    let first = key(&running(&*store).await);
    store.requeue(&first, &drain()).await.expect("requeues");
    all_refused(&*store, &first).await;
    let never_claimed = submit(&*store, &new_task("lunch")).await;
    all_refused(&*store, &key(&never_claimed)).await;
}

async fn requeue_of_a_missing_task_says_so(bench: Bench) {
    let store = bench.store().await;
    let claim = ClaimKey { task: TaskId::generate(), attempt: 1 };
    let refused = store.requeue(&claim, &drain()).await.expect_err("there is no task");
    assert!(matches!(refused, StoreError::NoTask(task) if task == claim.task));
}
