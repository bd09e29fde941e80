//! due: deadlines and ttls. Lost claims are in `workers.rs`.

use std::collections::BTreeSet;
use std::time::Duration;

use mcptask::store::{Due, Store};
use mcptask::task::NewTask;

use crate::support::bench::Bench;
use crate::support::{
    LEASE, ask, claim, crash, decline, form, key, new_task, q, running, submit, within, worker,
};

contract! {
    nothing_is_due_in_an_empty_store,
    a_question_past_its_deadline_is_due,
    answered_questions_are_not_due,
    questions_of_ended_tasks_are_not_due,
    questions_of_parked_tasks_are_due,
    tasks_past_their_ttl_are_due_hidden_ones_too,
    next_is_the_earliest_of_all,
    many_come_in_turns,
}

/// What is due, once `enough` says so.
async fn due_when(store: &dyn Store, enough: impl Fn(&Due) -> bool) -> Due {
    let due = async {
        loop {
            let due = store.due().await.expect("reads");
            if enough(&due) {
                return due;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    within("what is due", due).await
}

/// Nothing is due, and nothing will be before its worker's lease ends.
async fn nothing_due(store: &dyn Store) {
    let due = store.due().await.expect("reads");
    assert_eq!(due.questions, []);
    about(&due, LEASE);
}

fn about(due: &Due, expected: Duration) {
    let next = due.next.expect("something is foreseen");
    assert!(next <= expected && next + Duration::from_secs(30) >= expected, "{next:?} is not {expected:?}");
}

async fn nothing_is_due_in_an_empty_store(bench: Bench) {
    let store = bench.store().await;
    assert_eq!(store.due().await.expect("reads"), Due::default());
    submit(&*store, &new_task("dinner")).await;
    assert_eq!(store.due().await.expect("reads"), Due::default());
}

async fn a_question_past_its_deadline_is_due(bench: Bench) {
    let (here, there) = (bench.store().await, bench.store().await);
    let claim = key(&running(&*here).await);
    here.ask(&claim, 1, &[form("late")], Some(Duration::from_millis(1))).await.expect("asks");
    here.ask(&claim, 2, &[form("early")], Some(Duration::from_secs(3600))).await.expect("asks");
    ask(&*here, &claim, 3, "endless").await;
    let due = due_when(&*there, |due| !due.questions.is_empty()).await;
    assert_eq!(due.questions, [(claim.task.clone(), q(1))]);
    let again = there.due().await.expect("reads");
    assert_eq!(again.questions, due.questions, "looking changes nothing");
    there.answer(&claim.task, &q(1), &decline()).await.expect("answers");
    let due = there.due().await.expect("reads");
    assert!(due.questions.is_empty());
    about(&due, Duration::from_secs(3600));
}

async fn answered_questions_are_not_due(bench: Bench) {
    let store = bench.store().await;
    let claim = key(&running(&*store).await);
    store.ask(&claim, 1, &[form("one")], Some(Duration::from_secs(3600))).await.expect("asks");
    about(&store.due().await.expect("reads"), Duration::from_secs(3600));
    store.answer(&claim.task, &q(1), &decline()).await.expect("answers");
    nothing_due(&*store).await;
}

async fn questions_of_ended_tasks_are_not_due(bench: Bench) {
    let store = bench.store().await;
    let claim = key(&running(&*store).await);
    store.ask(&claim, 1, &[form("one")], Some(Duration::from_secs(3600))).await.expect("asks");
    store.cancel(&claim.task, "not hungry").await.expect("cancels");
    nothing_due(&*store).await;
}

async fn questions_of_parked_tasks_are_due(bench: Bench) {
    let store = bench.store().await;
    let first = key(&running(&*store).await);
    store.ask(&first, 1, &[form("one")], Some(Duration::from_millis(1))).await.expect("asks");
    store.requeue(&first, &crash("killed")).await.expect("requeues");
    let due = due_when(&*store, |due| !due.questions.is_empty()).await;
    assert_eq!(due.questions, [(first.task.clone(), q(1))]);
    store.answer(&first.task, &q(1), &decline()).await.expect("answers");
    assert_eq!(claim(&*store, "dinner").await.attempt, 2);
}

async fn tasks_past_their_ttl_are_due_hidden_ones_too(bench: Bench) {
    let store = bench.store().await;
    let short = NewTask { ttl_ms: Some(1), ..new_task("dinner") };
    let hidden = NewTask { ttl_ms: Some(1), hidden: true, ..new_task("dinner") };
    let long = NewTask { ttl_ms: Some(3_600_000), ..new_task("dinner") };
    for new in [&short, &hidden, &long] {
        submit(&*store, new).await;
    }
    let due = due_when(&*store, |due| due.tasks.len() >= 2).await;
    assert_eq!(BTreeSet::from_iter(due.tasks), BTreeSet::from([short.id.clone(), hidden.id.clone()]));
    for id in [&short.id, &hidden.id] {
        store.expire(id).await.expect("expires");
    }
    let due = store.due().await.expect("reads");
    assert!(due.tasks.is_empty());
    about(&due, Duration::from_secs(3600));
}

async fn next_is_the_earliest_of_all(bench: Bench) {
    let store = bench.store().await;
    store.enlist(&worker("w1"), None, &[], Duration::from_secs(3000)).await.expect("enlists");
    about(&store.due().await.expect("reads"), Duration::from_secs(3000));
    submit(&*store, &NewTask { ttl_ms: Some(2_000_000), ..new_task("lunch") }).await;
    about(&store.due().await.expect("reads"), Duration::from_secs(2000));
    let claim = key(&running(&*store).await);
    store.ask(&claim, 1, &[form("one")], Some(Duration::from_secs(1000))).await.expect("asks");
    about(&store.due().await.expect("reads"), Duration::from_secs(1000));
    store.renew(&worker("w1"), Duration::from_secs(500)).await.expect("renews");
    about(&store.due().await.expect("reads"), Duration::from_secs(500));
}

async fn many_come_in_turns(bench: Bench) {
    const TASKS: usize = 250;
    let store = bench.store().await;
    for _ in 0..TASKS {
        submit(&*store, &NewTask { ttl_ms: Some(1), ..new_task("dinner") }).await;
    }
    let mut expired = BTreeSet::new();
    while expired.len() < TASKS {
        let due = due_when(&*store, |due| !due.tasks.is_empty()).await;
        assert!(due.tasks.len() <= 200, "{} at once", due.tasks.len());
        for task in due.tasks {
            store.expire(&task).await.expect("expires");
            assert!(expired.insert(task), "came back after it expired");
        }
    }
    assert_eq!(store.due().await.expect("reads"), Due::default());
}
