//! A submission for an idle worker: it begins the task in the step that stores it.

use std::sync::Arc;
use std::time::Duration;

use mcptask::store::{IdleWorker, Store, StoreError};
use mcptask::task::{NewTask, Outcome, Task, TaskStatus};

use crate::support::bench::Bench;
use crate::support::{
    LEASE, MANY, claim, crash, enlisted, events_of, get, key, new_task, nothing_queued, session, submit,
    within, words_of, worker,
};

contract! {
    an_idle_worker_begins_a_task_as_it_is_stored,
    what_is_queued_is_begun_first,
    what_is_queued_of_another_tool_of_the_worker_is_begun_first,
    what_is_queued_for_others_keeps_nobody_waiting,
    a_task_of_no_tool_of_the_worker_is_queued,
    a_worker_whose_lease_ended_begins_nothing,
    what_a_dead_worker_began_is_taken_over,
    what_was_cancelled_in_between_is_lost,
    what_is_refused_is_begun_by_nobody,
    two_servers_at_once_begin_each_task_once,
}

fn idle(name: &str, tools: &[&str]) -> IdleWorker {
    IdleWorker { worker: worker(name), tools: tools.iter().map(|&tool| tool.to_owned()).collect() }
}

async fn submit_to(store: &dyn Store, new: &NewTask, idle: &IdleWorker) -> Task {
    store.submit_to(new, MANY, Some(idle)).await.expect("submits")
}

async fn an_idle_worker_begins_a_task_as_it_is_stored(bench: Bench) {
    let (here, there) = (bench.store().await, bench.store().await);
    let w1 = enlisted(&*here, "w1").await;
    let new = NewTask { session: Some(session("s1")), ttl_ms: Some(60_000), ..new_task("dinner") };
    let task = submit_to(&*here, &new, &idle("w1", &["dinner", "lunch"])).await;
    assert_eq!((task.status, task.attempt, &task.worker), (TaskStatus::Working, 1, &Some(w1.clone())));
    assert!(task.claimed_at.is_some());
    assert_eq!(get(&*there, &new.id).await, task);
    assert_eq!(words_of(&*there, &new.id).await, ["submitted", "claimed"]);
    let claimed = &events_of(&*there, &new.id).await[1];
    assert_eq!(serde_json::json!(claimed.kind)["worker"], "w1");
    assert_eq!(there.claims(&w1).await.expect("reads"), [key(&task)]);
    nothing_queued(&*there, "dinner").await;
    here.finish(&key(&task), &Outcome::text("eaten")).await.expect("the claim may write");
    assert_eq!(get(&*there, &new.id).await.status, TaskStatus::Completed);
    assert!(there.claims(&w1).await.expect("reads").is_empty());
}

/// Asserts that a task was stored and waits.
async fn is_queued(store: &dyn Store, task: &Task) {
    assert_eq!((task.attempt, &task.worker, task.claimed_at), (0, &None, None));
    assert_eq!(get(store, task.id()).await, *task);
    assert_eq!(words_of(store, task.id()).await, ["submitted"]);
}

async fn what_is_queued_is_begun_first(bench: Bench) {
    let store = bench.store().await;
    enlisted(&*store, "w1").await;
    let older = submit(&*store, &new_task("dinner")).await;
    let task = submit_to(&*store, &new_task("dinner"), &idle("w1", &["dinner"])).await;
    is_queued(&*store, &task).await;
    assert_eq!(claim(&*store, "dinner").await.id(), older.id());
    assert_eq!(claim(&*store, "dinner").await.id(), task.id());
}

async fn what_is_queued_of_another_tool_of_the_worker_is_begun_first(bench: Bench) {
    let store = bench.store().await;
    enlisted(&*store, "w1").await;
    submit(&*store, &new_task("lunch")).await;
    let task = submit_to(&*store, &new_task("dinner"), &idle("w1", &["dinner", "lunch"])).await;
    is_queued(&*store, &task).await;
}

async fn what_is_queued_for_others_keeps_nobody_waiting(bench: Bench) {
    let store = bench.store().await;
    let w1 = enlisted(&*store, "w1").await;
    submit(&*store, &new_task("lunch")).await;
    let task = submit_to(&*store, &new_task("dinner"), &idle("w1", &["dinner"])).await;
    assert_eq!(task.worker, Some(w1));
}

async fn a_task_of_no_tool_of_the_worker_is_queued(bench: Bench) {
    let store = bench.store().await;
    enlisted(&*store, "w1").await;
    for tools in [&["lunch"] as &[&str], &[]] {
        let task = submit_to(&*store, &new_task("dinner"), &idle("w1", tools)).await;
        is_queued(&*store, &task).await;
        claim(&*store, "dinner").await;
    }
}

async fn a_worker_whose_lease_ended_begins_nothing(bench: Bench) {
    let store = bench.store().await;
    let refused = async |why: &str| {
        let task = submit_to(&*store, &new_task("dinner"), &idle("w1", &["dinner"])).await;
        assert_eq!(task.worker, None, "{why}");
        is_queued(&*store, &task).await;
        store.cancel(task.id(), "it waits for nobody").await.expect("cancels");
    };
    refused("it never had one").await;
    store.enlist(&worker("w1"), None, &[], Duration::from_millis(1)).await.expect("enlists");
    let ended = async {
        while store.workers().await.expect("reads").rows.iter().any(|info| info.lease_ms > 0) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    within("the end of the lease", ended).await;
    refused("it has ended").await;
    let w1 = enlisted(&*store, "w1").await;
    store.dismiss(&w1).await.expect("dismisses");
    refused("it left").await;
    enlisted(&*store, "w1").await;
    let task = submit_to(&*store, &new_task("dinner"), &idle("w1", &["dinner"])).await;
    assert_eq!(task.worker, Some(w1), "it is back, and nothing is queued");
}

async fn what_a_dead_worker_began_is_taken_over(bench: Bench) {
    let (here, there) = (bench.store().await, bench.store().await);
    let w1 = enlisted(&*here, "w1").await;
    let task = submit_to(&*here, &new_task("dinner"), &idle("w1", &["dinner"])).await;
    // As one that was killed, but at once.
    here.enlist(&w1, None, &[], Duration::from_millis(1)).await.expect("enlists");
    let due = async {
        loop {
            if let Some(lost) = there.due().await.expect("reads").claims.pop() {
                return lost;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert_eq!(within("the lost claim", due).await, (key(&task), w1));
    there.requeue(&key(&task), &crash("its worker is gone")).await.expect("takes it over");
    let again = claim(&*there, "dinner").await;
    assert_eq!((again.id(), again.attempt), (task.id(), 2));
    let late = here.finish(&key(&task), &Outcome::text("late")).await;
    assert!(matches!(late, Err(StoreError::ClaimLost { .. })), "{late:?}");
}

async fn what_was_cancelled_in_between_is_lost(bench: Bench) {
    let (here, there) = (bench.store().await, bench.store().await);
    let w1 = enlisted(&*here, "w1").await;
    let task = submit_to(&*here, &new_task("dinner"), &idle("w1", &["dinner"])).await;
    there.cancel(task.id(), "enough").await.expect("cancels");
    let late = here.finish(&key(&task), &Outcome::text("eaten")).await;
    assert!(matches!(late, Err(StoreError::ClaimLost { .. })), "{late:?}");
    assert!(there.claims(&w1).await.expect("reads").is_empty());
    assert_eq!(words_of(&*there, task.id()).await, ["submitted", "claimed", "cancelled"]);
}

async fn what_is_refused_is_begun_by_nobody(bench: Bench) {
    let store = bench.store().await;
    let (w1, idle) = (enlisted(&*store, "w1").await, idle("w1", &["dinner"]));
    let first = submit_to(&*store, &new_task("dinner"), &idle).await;
    let full = store.submit_to(&new_task("dinner"), 1, Some(&idle)).await;
    assert!(matches!(full, Err(StoreError::TooManyTasks { limit: 1 })), "{full:?}");
    let second = NewTask { id: first.id().clone(), ..new_task("dinner") };
    store.submit_to(&second, MANY, Some(&idle)).await.expect_err("the id is taken");
    assert_eq!(store.claims(&w1).await.expect("reads"), [key(&first)]);
    assert_eq!(get(&*store, first.id()).await, first);
}

/// Each with a worker of its own, while a third one claims what is queued.
async fn two_servers_at_once_begin_each_task_once(bench: Bench) {
    const TASKS: usize = 40;
    let mut servers = Vec::new();
    for name in ["w1", "w2"] {
        let store: Arc<dyn Store> = bench.store().await;
        store.enlist(&worker(name), None, &[], LEASE).await.expect("enlists");
        servers.push(tokio::spawn(async move {
            let mut tasks = Vec::new();
            for at in 0..TASKS {
                let new = new_task("dinner");
                // Some of them come from somebody who has no worker.
                let idle = (at % 3 > 0).then(|| idle(name, &["dinner"]));
                tasks.push(store.submit_to(&new, MANY, idle.as_ref()).await.expect("submits"));
            }
            tasks
        }));
    }
    let mut tasks = Vec::new();
    for server in servers {
        tasks.extend(server.await.expect("no panic"));
    }
    let store = bench.store().await;
    let queued = tasks.iter().filter(|task| task.worker.is_none()).count();
    assert!(queued > 0, "some are not begun at once");
    for _ in 0..queued {
        claim(&*store, "dinner").await;
    }
    nothing_queued(&*store, "dinner").await;
    for task in &tasks {
        assert_eq!(get(&*store, task.id()).await.attempt, 1);
        assert_eq!(words_of(&*store, task.id()).await, ["submitted", "claimed"]);
    }
}
