//! submit, get and find.

use mcptask::store::StoreError;
use mcptask::task::{NewTask, Outcome, Scope, TaskStatus};

use crate::support::bench::Bench;
use crate::support::{MANY, claim, events_of, get, key, new_task, session, submit, words_of};

contract! {
    submitted_task_is_found_by_every_process,
    submitted_task_works_and_is_untouched,
    submission_is_logged,
    an_id_is_taken_only_once,
    a_full_scope_refuses_another_task,
    hidden_tasks_count_for_the_limit,
    find_completes_a_prefix,
    an_unknown_id_finds_nothing,
    namespaces_know_nothing_of_each_other,
}

async fn submitted_task_is_found_by_every_process(bench: Bench) {
    let (here, there) = (bench.store().await, bench.store().await);
    let new = NewTask { session: Some(session("s1")), ttl_ms: Some(60_000), ..new_task("dinner") };
    let task = submit(&*here, &new).await;
    assert_eq!(get(&*there, &new.id).await, task);
    assert_eq!(task.new, new);
}

async fn submitted_task_works_and_is_untouched(bench: Bench) {
    let store = bench.store().await;
    let task = submit(&*store, &new_task("dinner")).await;
    assert_eq!(task.status, TaskStatus::Working);
    assert_eq!((task.attempt, task.worker, task.claimed_at), (0, None, None));
    assert_eq!(task.created_at, task.updated_at);
    assert_eq!((task.finished_at, task.outcome, task.questions.len()), (None, None, 0));
}

async fn submission_is_logged(bench: Bench) {
    let store = bench.store().await;
    let new = NewTask { session: Some(session("s1")), hidden: true, ..new_task("dinner") };
    let task = submit(&*store, &new).await;
    let events = events_of(&*store, task.id()).await;
    assert_eq!(events.len(), 1);
    let event = &events[0];
    assert_eq!(event.kind.name(), "submitted");
    assert_eq!((&event.tool, &event.session, &event.scope), (&new.tool, &new.session, &new.scope));
    assert_eq!((event.hidden, event.status), (true, TaskStatus::Working));
    assert_eq!(event.at, task.created_at);
}

async fn an_id_is_taken_only_once(bench: Bench) {
    let store = bench.store().await;
    let first = submit(&*store, &new_task("dinner")).await;
    let second = NewTask { id: first.id().clone(), ..new_task("lunch") };
    let refused = store.submit(&second, MANY).await.expect_err("the id is taken");
    assert!(matches!(refused, StoreError::Backend { .. }), "{refused}");
    assert_eq!(get(&*store, first.id()).await, first);
    assert_eq!(words_of(&*store, first.id()).await, ["submitted"]);
}

async fn a_full_scope_refuses_another_task(bench: Bench) {
    let store = bench.store().await;
    for _ in 0..2 {
        store.submit(&new_task("dinner"), 2).await.expect("there is room");
    }
    let third = new_task("dinner");
    let refused = store.submit(&third, 2).await.expect_err("the scope is full");
    assert!(matches!(refused, StoreError::TooManyTasks { limit: 2 }), "{refused}");
    assert_eq!(store.get(&third.id).await.expect("reads"), None);
    assert!(words_of(&*store, &third.id).await.is_empty());

    let other = NewTask { scope: Scope::named("alice"), ..new_task("dinner") };
    store.submit(&other, 2).await.expect("another scope has room");
    let task = claim(&*store, "dinner").await;
    store.finish(&key(&task), &Outcome::text("eaten")).await.expect("finishes");
    store.submit(&third, 2).await.expect("a finished task makes room");
}

async fn hidden_tasks_count_for_the_limit(bench: Bench) {
    let store = bench.store().await;
    let hidden = NewTask { hidden: true, ..new_task("dinner") };
    store.submit(&hidden, 1).await.expect("there is room");
    let refused = store.submit(&new_task("dinner"), 1).await.expect_err("the scope is full");
    assert!(matches!(refused, StoreError::TooManyTasks { limit: 1 }), "{refused}");
}

async fn find_completes_a_prefix(bench: Bench) {
    let store = bench.store().await;
    for id in ["abc1", "abc2", "abd1", "b"] {
        let new = NewTask { id: id.parse().expect("an id"), hidden: id == "abc2", ..new_task("dinner") };
        submit(&*store, &new).await;
    }
    let find = async |prefix: &str, most| {
        let mut ids: Vec<String> =
            store.find(prefix, most).await.expect("finds").into_iter().map(String::from).collect();
        ids.sort();
        ids
    };
    assert_eq!(find("abc", 10).await, ["abc1", "abc2"]);
    assert_eq!(find("ab", 10).await, ["abc1", "abc2", "abd1"]);
    assert_eq!(find("ab", 2).await.len(), 2);
    assert_eq!(find("b", 10).await, ["b"]);
    assert_eq!(find("", 10).await.len(), 4);
    assert!(find("x", 10).await.is_empty());
    // Wildcards of either engine are only characters.
    assert!(find("ab*", 10).await.is_empty());
    assert!(find("ab%", 10).await.is_empty());
    assert!(find("ab[c]", 10).await.is_empty());
}

async fn an_unknown_id_finds_nothing(bench: Bench) {
    let store = bench.store().await;
    assert_eq!(store.get(&new_task("dinner").id).await.expect("reads"), None);
}

async fn namespaces_know_nothing_of_each_other(bench: Bench) {
    let (one, two) = (bench.namespace("one").await, bench.namespace("two").await);
    let new = NewTask { session: Some(session("s1")), ..new_task("dinner") };
    submit(&*one, &new).await;
    assert_eq!(two.get(&new.id).await.expect("reads"), None);
    assert!(two.find("", 10).await.expect("finds").is_empty());
    assert!(words_of(&*two, &new.id).await.is_empty());
    assert_eq!(two.last().await.expect("reads"), mcptask::task::Cursor::START);
    crate::support::nothing_queued(&*two, "dinner").await;
    // The same id is free in the other namespace, and its own task there.
    submit(&*two, &new).await;
    two.cancel(&new.id, "not here").await.expect("cancels");
    assert_eq!(get(&*one, &new.id).await.status, TaskStatus::Working);
}
