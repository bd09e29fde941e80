//! claim and report.

use std::collections::BTreeSet;

use mcptask::store::StoreError;
use mcptask::task::{Outcome, Progress, TaskId, TaskStatus};
use tokio_util::sync::CancellationToken;

use crate::support::bench::Bench;
use crate::support::{
    claim, claim_for, drain, events_of, get, key, new_task, nothing_queued, running, still_waits, submit,
    within, worker,
};

contract! {
    claimed_task_names_its_worker,
    claims_come_in_the_order_of_queueing,
    claims_of_several_tools_come_in_the_order_of_queueing,
    claim_takes_only_named_tools,
    claim_takes_at_most_what_it_asked_for,
    claim_of_no_tools_waits_for_the_stop,
    claim_waits_for_work_from_another_process,
    claim_waits_for_work_from_its_own_process,
    stop_ends_a_waiting_claim,
    a_stopped_claim_takes_nothing,
    eight_claimers_never_share_a_task,
    ended_tasks_are_not_claimed,
    attempts_only_grow,
    report_becomes_the_status_message,
    report_without_message_keeps_the_last_one,
    a_report_of_no_numbers_is_refused_and_harms_nothing,
    report_on_a_missing_task_says_so,
}

async fn claimed_task_names_its_worker(bench: Bench) {
    let store = bench.store().await;
    let submitted = submit(&*store, &new_task("dinner")).await;
    let task = claim(&*store, "dinner").await;
    assert_eq!(task, get(&*store, submitted.id()).await);
    assert_eq!((task.status, task.attempt), (TaskStatus::Working, 1));
    assert_eq!(task.worker, Some(worker("w1")));
    assert!(task.claimed_at.is_some_and(|at| at >= task.created_at));
    assert_eq!(task.created_at, submitted.created_at);
    let event = serde_json::to_value(&events_of(&*store, task.id()).await[1]).expect("serialises");
    assert_eq!(
        (&event["event"], &event["worker"], &event["attempt"]),
        (&"claimed".into(), &"w1".into(), &1.into())
    );
}

async fn claims_come_in_the_order_of_queueing(bench: Bench) {
    let store = bench.store().await;
    let mut queued = Vec::new();
    for _ in 0..5 {
        queued.push(submit(&*store, &new_task("dinner")).await.id().clone());
    }
    let first = claim(&*store, "dinner").await;
    store.requeue(&key(&first), &drain()).await.expect("requeues");
    queued.rotate_left(1);
    let mut claimed = Vec::new();
    for _ in 0..5 {
        claimed.push(claim(&*store, "dinner").await.id().clone());
    }
    assert_eq!(claimed, queued);
}

async fn claims_of_several_tools_come_in_the_order_of_queueing(bench: Bench) {
    let store = bench.store().await;
    let mut queued = Vec::new();
    for tool in ["dinner", "lunch", "lunch", "dinner"] {
        queued.push(submit(&*store, &new_task(tool)).await.id().clone());
    }
    let (tools, stop) = (["lunch".to_owned(), "dinner".to_owned()], CancellationToken::new());
    let mut claimed: Vec<TaskId> = Vec::new();
    while claimed.len() < 4 {
        let most = 4 - claimed.len();
        let tasks = within("the claim", claim_for(&*store, &worker("w1"), &tools, most, &stop))
            .await
            .expect("claims");
        claimed.extend(tasks.iter().map(|task| task.id().clone()));
    }
    // Two tools may have a queue each; within a tool the order holds.
    let of = |ids: &[TaskId], places: [usize; 2]| -> Vec<usize> {
        places.iter().map(|place| ids.iter().position(|id| id == &queued[*place]).expect("claimed")).collect()
    };
    assert!(
        of(&claimed, [0, 3]).is_sorted() && of(&claimed, [1, 2]).is_sorted(),
        "{claimed:?} of {queued:?}"
    );
}

async fn claim_takes_only_named_tools(bench: Bench) {
    let store = bench.store().await;
    let dinner = submit(&*store, &new_task("dinner")).await;
    let lunch = submit(&*store, &new_task("lunch")).await;
    assert_eq!(claim(&*store, "lunch").await.id(), lunch.id());
    nothing_queued(&*store, "lunch").await;
    assert_eq!(get(&*store, dinner.id()).await, dinner);
}

async fn claim_takes_at_most_what_it_asked_for(bench: Bench) {
    let store = bench.store().await;
    for _ in 0..5 {
        submit(&*store, &new_task("dinner")).await;
    }
    let (tools, stop) = (["dinner".to_owned()], CancellationToken::new());
    let mut left = 5;
    while left > 0 {
        let tasks =
            within("the claim", claim_for(&*store, &worker("w1"), &tools, 2, &stop)).await.expect("claims");
        assert!((1..=2).contains(&tasks.len()), "{} tasks", tasks.len());
        left -= tasks.len();
    }
    nothing_queued(&*store, "dinner").await;
}

async fn claim_of_no_tools_waits_for_the_stop(bench: Bench) {
    let store = bench.store().await;
    submit(&*store, &new_task("dinner")).await;
    let (stop, nobody) = (CancellationToken::new(), worker("w1"));
    let mut waits = Box::pin(claim_for(&*store, &nobody, &[], 1, &stop));
    still_waits("the claim", &mut waits).await;
    stop.cancel();
    assert!(within("the stopped claim", waits).await.expect("stops").is_empty());
}

async fn claim_waits_for_work_from_another_process(bench: Bench) {
    let (here, there) = (bench.store().await, bench.store().await);
    for _ in 0..5 {
        let mut waits = Box::pin(claim(&*here, "dinner"));
        still_waits("the claim", &mut waits).await;
        let task = submit(&*there, &new_task("dinner")).await;
        assert_eq!(waits.await.id(), task.id());
    }
}

async fn claim_waits_for_work_from_its_own_process(bench: Bench) {
    let store = bench.store().await;
    let mut waits = Box::pin(claim(&*store, "dinner"));
    still_waits("the claim", &mut waits).await;
    let task = submit(&*store, &new_task("dinner")).await;
    assert_eq!(waits.await.id(), task.id());
}

async fn stop_ends_a_waiting_claim(bench: Bench) {
    let store = bench.store().await;
    let (tools, stop, waiting) = (["dinner".to_owned()], CancellationToken::new(), worker("w1"));
    let mut waits = Box::pin(claim_for(&*store, &waiting, &tools, 1, &stop));
    still_waits("the claim", &mut waits).await;
    stop.cancel();
    assert!(within("the stopped claim", waits).await.expect("stops").is_empty());
    let task = submit(&*store, &new_task("dinner")).await;
    assert_eq!(claim(&*store, "dinner").await.id(), task.id(), "the stopped claim still takes tasks");
}

async fn a_stopped_claim_takes_nothing(bench: Bench) {
    let store = bench.store().await;
    let task = submit(&*store, &new_task("dinner")).await;
    let stop = CancellationToken::new();
    stop.cancel();
    let claimed =
        within("the claim", claim_for(&*store, &worker("w1"), &["dinner".to_owned()], 1, &stop)).await;
    assert!(claimed.expect("stops").is_empty());
    assert_eq!(get(&*store, task.id()).await, task);
}

async fn eight_claimers_never_share_a_task(bench: Bench) {
    const TASKS: usize = 200;
    let stop = CancellationToken::new();
    let (claimed, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let mut claimers = tokio::task::JoinSet::new();
    for number in 0..8 {
        let (store, stop, claimed) = (bench.store().await, stop.clone(), claimed.clone());
        let most = 1 + number % 3;
        claimers.spawn(async move {
            let (me, tools) = (worker(&format!("w{number}")), ["dinner".to_owned()]);
            loop {
                let tasks = claim_for(&*store, &me, &tools, most, &stop).await.expect("claims");
                if tasks.is_empty() {
                    return;
                }
                for task in tasks {
                    assert_eq!((task.attempt, task.worker.as_ref()), (1, Some(&me)));
                    store.finish(&key(&task), &Outcome::text("eaten")).await.expect("holds the claim");
                    claimed.send(task.id().clone()).expect("the test listens");
                }
            }
        });
    }
    let store = bench.store().await;
    let mut submitted = BTreeSet::new();
    for _ in 0..TASKS {
        submitted.insert(submit(&*store, &new_task("dinner")).await.id().clone());
    }
    let mut finished = Vec::new();
    while finished.len() < TASKS {
        finished.push(within("the next claim", seen.recv()).await.expect("claimers run"));
    }
    stop.cancel();
    within("the claimers", claimers.join_all()).await;
    assert!(seen.try_recv().is_err(), "a task was claimed twice");
    assert_eq!(finished.into_iter().collect::<BTreeSet<_>>(), submitted);
}

async fn ended_tasks_are_not_claimed(bench: Bench) {
    let store = bench.store().await;
    let cancelled = submit(&*store, &new_task("dinner")).await;
    let queued = submit(&*store, &new_task("dinner")).await;
    store.cancel(cancelled.id(), "not hungry").await.expect("cancels");
    assert_eq!(claim(&*store, "dinner").await.id(), queued.id());
    nothing_queued(&*store, "dinner").await;
}

async fn attempts_only_grow(bench: Bench) {
    let store = bench.store().await;
    let mut task = running(&*store).await;
    for attempt in 2..6 {
        store.requeue(&key(&task), &drain()).await.expect("requeues");
        assert_eq!(get(&*store, task.id()).await.attempt, attempt - 1);
        task = claim(&*store, "dinner").await;
        assert_eq!(task.attempt, attempt);
    }
}

async fn report_becomes_the_status_message(bench: Bench) {
    let store = bench.store().await;
    let claimed = running(&*store).await;
    let progress = Progress { current: 0.5, total: Some(3.0), message: Some("chopping".into()) };
    store.report(&key(&claimed), &progress).await.expect("reports");
    let task = get(&*store, claimed.id()).await;
    assert_eq!(task.status_message.as_deref(), Some("chopping"));
    assert_eq!(task.progress.as_ref(), Some(&progress));
    assert_eq!(task.status, TaskStatus::Working);
    assert!(task.updated_at >= claimed.updated_at);
    let event = serde_json::to_value(&events_of(&*store, task.id()).await[2]).expect("serialises");
    assert_eq!((&event["event"], &event["message"]), (&"progress".into(), &"chopping".into()));
    assert_eq!((event["current"].as_f64(), event["total"].as_f64()), (Some(0.5), Some(3.0)));
}

async fn report_without_message_keeps_the_last_one(bench: Bench) {
    let store = bench.store().await;
    let claim = key(&running(&*store).await);
    let progress = Progress { current: 1.0, total: None, message: Some("chopping".into()) };
    store.report(&claim, &progress).await.expect("reports");
    let silent = Progress { current: 2.0, total: None, message: None };
    store.report(&claim, &silent).await.expect("reports");
    let task = get(&*store, &claim.task).await;
    assert_eq!((task.status_message.as_deref(), task.progress), (Some("chopping"), Some(silent)));
}

async fn a_report_of_no_numbers_is_refused_and_harms_nothing(bench: Bench) {
    let store = bench.store().await;
    let claimed = running(&*store).await;
    for (current, total) in [(f64::NAN, None), (f64::INFINITY, None), (1.0, Some(f64::NEG_INFINITY))] {
        let progress = Progress { current, total, message: Some("chopping".into()) };
        let refused = store.report(&key(&claimed), &progress).await.expect_err("JSON has no such number");
        assert!(matches!(refused, StoreError::Refused { .. } | StoreError::Backend { .. }), "{refused}");
    }
    assert_eq!(get(&*store, claimed.id()).await, claimed);
}

async fn report_on_a_missing_task_says_so(bench: Bench) {
    let store = bench.store().await;
    let claim = mcptask::store::ClaimKey { task: TaskId::generate(), attempt: 1 };
    let progress = Progress { current: 1.0, total: None, message: None };
    let refused = store.report(&claim, &progress).await.expect_err("there is no task");
    assert!(matches!(refused, StoreError::NoTask(task) if task == claim.task));
}
