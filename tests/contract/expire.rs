//! expire, and when a task counts as changed.

use std::time::Duration;

use mcptask::store::{EventFilter, Store, StoreError, TaskFilter};
use mcptask::task::{Cursor, Event, NewTask, Outcome, Task, TaskId, TaskStatus};

use crate::support::bench::Bench;
use crate::support::{
    ask, claim, decline, drain, get, key, new_task, nothing_queued, q, running, session, submit, within,
    words_of,
};

contract! {
    a_task_within_its_ttl_stays,
    a_task_without_ttl_stays,
    an_expired_task_is_gone_from_everywhere,
    an_unfinished_task_expires_as_cancelled,
    a_held_task_expires_too,
    expiring_what_is_gone_does_nothing,
    updated_at_changes_only_with_the_task,
}

/// Waits until `task` is due, and lets it expire.
async fn expire(store: &dyn Store, task: &TaskId) {
    let due = async {
        while !store.due().await.expect("reads").tasks.contains(task) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    within("the end of the ttl", due).await;
    store.expire(task).await.expect("expires");
}

/// The whole log. A task's own part of it may go with the task.
async fn log(store: &dyn Store) -> Vec<Event> {
    store.history(&EventFilter::All, Cursor::START, 1000).await.expect("reads").events
}

async fn stays(store: &dyn Store, task: &Task) {
    store.expire(task.id()).await.expect("does nothing");
    assert_eq!(&get(store, task.id()).await, task);
    assert_eq!(words_of(store, task.id()).await, ["submitted"]);
}

async fn a_task_within_its_ttl_stays(bench: Bench) {
    let store = bench.store().await;
    let task = submit(&*store, &NewTask { ttl_ms: Some(3_600_000), ..new_task("dinner") }).await;
    stays(&*store, &task).await;
    let endless = submit(&*store, &NewTask { ttl_ms: Some(u64::MAX), ..new_task("dinner") }).await;
    stays(&*store, &endless).await;
}

async fn a_task_without_ttl_stays(bench: Bench) {
    let store = bench.store().await;
    let task = submit(&*store, &new_task("dinner")).await;
    stays(&*store, &task).await;
}

async fn an_expired_task_is_gone_from_everywhere(bench: Bench) {
    let (here, there) = (bench.store().await, bench.store().await);
    let new = NewTask { ttl_ms: Some(1), session: Some(session("s1")), ..new_task("dinner") };
    submit(&*here, &new).await;
    let claimed = claim(&*here, "dinner").await;
    here.finish(&key(&claimed), &Outcome::text("eaten")).await.expect("finishes");
    expire(&*here, &new.id).await;

    assert_eq!(there.get(&new.id).await.expect("reads"), None);
    assert!(there.find("", 10).await.expect("finds").is_empty());
    for filter in [
        TaskFilter::default(),
        TaskFilter { session: new.session.clone(), ..TaskFilter::default() },
        TaskFilter { scope: Some(new.scope.clone()), ..TaskFilter::default() },
        TaskFilter { status: Some(TaskStatus::Completed), ..TaskFilter::default() },
        TaskFilter { hidden: true, ..TaskFilter::default() },
    ] {
        let page = there.list(&filter, None, 10).await.expect("lists");
        assert_eq!((page.tasks, page.next), (Vec::new(), None), "{filter:?}");
    }
    assert!(there.due().await.expect("reads").tasks.is_empty());
    let last = log(&*there).await.pop().expect("the log remains");
    assert_eq!((last.kind.name(), last.status), ("expired", TaskStatus::Completed));
    // The id is free again, and nothing of its first task comes back.
    let again = submit(&*here, &NewTask { ttl_ms: None, ..new }).await;
    assert_eq!((again.attempt, claim(&*there, "dinner").await.attempt), (0, 1));
}

async fn an_unfinished_task_expires_as_cancelled(bench: Bench) {
    let store = bench.store().await;
    let new = NewTask { ttl_ms: Some(1), hidden: true, ..new_task("dinner") };
    submit(&*store, &new).await;
    expire(&*store, &new.id).await;
    assert_eq!(store.get(&new.id).await.expect("reads"), None);
    let last = log(&*store).await.pop().expect("the log remains");
    assert_eq!((last.kind.name(), last.status, last.hidden), ("expired", TaskStatus::Cancelled, true));
    nothing_queued(&*store, "dinner").await;
    let room = store.submit(&new_task("dinner"), 1).await;
    assert!(room.is_ok(), "an expired task makes room: {room:?}");
}

async fn a_held_task_expires_too(bench: Bench) {
    let store = bench.store().await;
    let new = NewTask { ttl_ms: Some(1), ..new_task("dinner") };
    submit(&*store, &new).await;
    let claim = key(&claim(&*store, "dinner").await);
    let question = [crate::support::form("one")];
    store.ask(&claim, 1, &question, Some(Duration::from_millis(1))).await.expect("asks");
    expire(&*store, &new.id).await;
    let refused = store.finish(&claim, &Outcome::text("late")).await.expect_err("it is gone");
    assert!(matches!(refused, StoreError::NoTask(_)), "{refused}");
    let refused = store.answer(&new.id, &q(1), &decline()).await.expect_err("it is gone");
    assert!(matches!(refused, StoreError::NoTask(_)), "{refused}");
    let due = store.due().await.expect("reads");
    assert_eq!((due.questions, due.tasks, due.claims), (Vec::new(), Vec::new(), Vec::new()));
}

async fn expiring_what_is_gone_does_nothing(bench: Bench) {
    let store = bench.store().await;
    let new = NewTask { ttl_ms: Some(1), ..new_task("dinner") };
    submit(&*store, &new).await;
    expire(&*store, &new.id).await;
    store.expire(&new.id).await.expect("does nothing");
    store.expire(&TaskId::generate()).await.expect("does nothing");
    let words: Vec<_> = log(&*store).await.iter().map(|event| event.kind.name()).collect();
    assert_eq!(words, ["submitted", "expired"]);
}

async fn updated_at_changes_only_with_the_task(bench: Bench) {
    let store = bench.store().await;
    let claimed = running(&*store).await;
    tokio::time::sleep(Duration::from_millis(3)).await;
    store.note(claimed.id(), None, "a remark").await.expect("notes");
    store.enlist(&crate::support::worker("w1"), None, &[], Duration::from_secs(60)).await.expect("enlists");
    assert_eq!(get(&*store, claimed.id()).await, claimed);
    ask(&*store, &key(&claimed), 1, "one").await;
    let asked = get(&*store, claimed.id()).await;
    assert!(asked.updated_at > claimed.updated_at);
    tokio::time::sleep(Duration::from_millis(3)).await;
    ask(&*store, &key(&claimed), 1, "one").await;
    assert_eq!(get(&*store, claimed.id()).await, asked);
    store.answer(claimed.id(), &q(1), &decline()).await.expect("answers");
    let answered = get(&*store, claimed.id()).await;
    assert!(answered.updated_at > asked.updated_at);
    tokio::time::sleep(Duration::from_millis(3)).await;
    store.requeue(&key(&claimed), &drain()).await.expect("requeues");
    assert!(get(&*store, claimed.id()).await.updated_at > answered.updated_at);
}
