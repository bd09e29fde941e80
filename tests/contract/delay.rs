//! A delayed requeue and resume; withdraw.

use std::time::Duration;

use mcptask::store::{Requeue, Store};
use mcptask::task::{Outcome, RpcError, TaskStatus, ToolSpec};
use serde_json::json;

use crate::support::bench::Bench;
use crate::support::{
    MANY, ask, claim, crash, decline, get, key, new_task, nothing_queued, q, running, submit, within,
    words_of, worker,
};

contract! {
    a_delayed_task_comes_back_when_its_delay_is_over,
    a_task_is_not_resumed_before_its_time,
    a_parked_task_comes_back_with_its_answer_whatever_the_delay,
    a_cancelled_task_is_not_due_again,
    the_last_attempt_ends_as_the_requeue_says,
    withdrawn_tools_are_forgotten_and_their_waiting_tasks_fail,
    a_tool_that_another_worker_offers_stays,
}

fn delayed(delay: Duration) -> Requeue {
    Requeue { delay: Some(delay), ..crash("no luck") }
}

async fn a_delayed_task_comes_back_when_its_delay_is_over(bench: Bench) {
    let (here, there) = (bench.store().await, bench.store().await);
    let task = running(&*here).await;
    here.requeue(&key(&task), &delayed(Duration::from_millis(50))).await.expect("requeues");
    let due = async {
        while there.due().await.expect("reads").delayed != [task.id().clone()] {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    within("the delay", due).await;
    there.resume(task.id()).await.expect("resumes");
    there.resume(task.id()).await.expect("a second time changes nothing");
    assert_eq!(claim(&*here, "dinner").await.attempt, 2);
    let words = words_of(&*here, task.id()).await;
    assert_eq!(words, ["submitted", "claimed", "requeued", "requeued", "claimed"]);
    assert!(here.due().await.expect("reads").delayed.is_empty());
}

async fn a_task_is_not_resumed_before_its_time(bench: Bench) {
    let store = bench.store().await;
    let task = running(&*store).await;
    store.requeue(&key(&task), &delayed(Duration::from_secs(3600))).await.expect("requeues");
    store.resume(task.id()).await.expect("does nothing");
    nothing_queued(&*store, "dinner").await;
    let due = store.due().await.expect("reads");
    assert!(
        due.delayed.is_empty() && due.next.is_some_and(|next| next <= Duration::from_secs(3600)),
        "{due:?}"
    );
}

async fn a_parked_task_comes_back_with_its_answer_whatever_the_delay(bench: Bench) {
    let store = bench.store().await;
    let held = key(&running(&*store).await);
    ask(&*store, &held, 1, "one").await;
    store.requeue(&held, &delayed(Duration::from_secs(3600))).await.expect("requeues");
    store.answer(&held.task, &q(1), &decline()).await.expect("answers");
    assert_eq!(claim(&*store, "dinner").await.id(), &held.task);
}

async fn a_cancelled_task_is_not_due_again(bench: Bench) {
    let store = bench.store().await;
    let task = running(&*store).await;
    store.requeue(&key(&task), &delayed(Duration::from_secs(3600))).await.expect("requeues");
    store.cancel(task.id(), "enough").await.expect("cancels");
    let next = store.due().await.expect("reads").next;
    assert!(next.is_none_or(|next| next > Duration::from_secs(3600)), "{next:?}");
    nothing_queued(&*store, "dinner").await;
}

async fn the_last_attempt_ends_as_the_requeue_says(bench: Bench) {
    let store = bench.store().await;
    let mut new = new_task("dinner");
    new.max_attempts = 1;
    store.submit(&new, MANY).await.expect("submits");
    let task = claim(&*store, "dinner").await;
    let requeue =
        Requeue { exhausted: Some(Outcome::tool_error("burnt")), ..delayed(Duration::from_secs(1)) };
    store.requeue(&key(&task), &requeue).await.expect("requeues");
    let ended = get(&*store, task.id()).await;
    assert_eq!((ended.status, ended.outcome), (TaskStatus::Completed, requeue.exhausted));
    assert_eq!(words_of(&*store, task.id()).await, ["submitted", "claimed", "completed"]);
}

async fn enlist(store: &dyn Store, name: &str, tools: &[&str]) {
    let spec = |tool: &&str| ToolSpec::new(tool, "A tool.", json!({ "type": "object" }));
    let specs: Vec<_> = tools.iter().map(spec).collect();
    store.enlist(&worker(name), None, &specs, Duration::from_secs(60)).await.expect("enlists");
}

async fn names(store: &dyn Store) -> Vec<String> {
    store.tools().await.expect("reads").rows.into_iter().map(|tool| tool.name).collect()
}

async fn withdrawn_tools_are_forgotten_and_their_waiting_tasks_fail(bench: Bench) {
    let store = bench.store().await;
    enlist(&*store, "w1", &["dinner", "lunch"]).await;
    let held = running(&*store).await;
    let queued = submit(&*store, &new_task("dinner")).await;
    let other = submit(&*store, &new_task("lunch")).await;
    enlist(&*store, "w1", &["lunch"]).await;
    let error = RpcError::internal("gone");
    store.withdraw(&["dinner".into(), "lunch".into()], &error).await.expect("withdraws");
    assert_eq!(names(&*store).await, ["lunch"]);
    let failed = get(&*store, queued.id()).await;
    assert_eq!((failed.status, failed.outcome), (TaskStatus::Failed, Some(Outcome::Error(error))));
    assert_eq!(get(&*store, held.id()).await.status, TaskStatus::Working, "its worker goes on");
    assert_eq!(get(&*store, other.id()).await.status, TaskStatus::Working);
    nothing_queued(&*store, "dinner").await;
}

async fn a_tool_that_another_worker_offers_stays(bench: Bench) {
    let store = bench.store().await;
    enlist(&*store, "w1", &["dinner"]).await;
    enlist(&*store, "w2", &["dinner"]).await;
    let queued = submit(&*store, &new_task("dinner")).await;
    enlist(&*store, "w1", &[]).await;
    store.withdraw(&["dinner".into()], &RpcError::internal("gone")).await.expect("withdraws");
    assert_eq!(names(&*store).await, ["dinner"]);
    assert_eq!(get(&*store, queued.id()).await.status, TaskStatus::Working);
}
