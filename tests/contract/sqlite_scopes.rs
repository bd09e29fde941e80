//! What the SQLite engine notes of a scope: it bounds what the scope has, and where it is wrong, nobody loses a task or is
//! refused one.

use std::collections::BTreeSet;

use mcptask::store::{MAX_FINISHED, Store, StoreError, TaskFilter};
use mcptask::task::{NewTask, Outcome, Scope, TaskId};

use crate::sqlite_kitchen::Kitchen;
use crate::support::{events_of, key, new_task, running, submit};

/// How many more finished tasks than its limit a scope has at most, for a while.
const SLACK: i64 = 100;

/// A task of that scope.
fn of(scope: &str) -> NewTask {
    NewTask { scope: Scope::named(scope), ..new_task("lunch") }
}

/// Submits a task and ends it.
async fn end(store: &dyn Store, new: &NewTask) -> TaskId {
    let new = NewTask { id: TaskId::generate(), ..new.clone() };
    store.submit(&new, u32::MAX).await.expect("submits");
    store.cancel(&new.id, "not hungry").await.expect("cancels");
    new.id
}

/// As if the only finished task of the file had `count` older ones before it, the first of them the oldest.
fn copy_finished(kitchen: &Kitchen, count: i64) {
    let copied = kitchen.sql(&format!(
        "WITH RECURSIVE more (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM more WHERE n < {count})
        INSERT INTO task (namespace, id, tool, scope, session, hidden, status, created_ms, updated_ms, finished_ms,
            attempt, failures, max_attempts, asked, open, logged)
        SELECT namespace, 'copy-' || n, tool, scope, session, hidden, status, created_ms, updated_ms, n,
            attempt, failures, max_attempts, asked, open, logged FROM more, task"
    ));
    assert_eq!(i64::try_from(copied), Ok(count));
}

#[tokio::test]
async fn a_scope_keeps_so_many_finished_tasks_and_the_oldest_go_first() {
    let kitchen = Kitchen::new().await;
    let store = &*kitchen.store;
    let most = i64::from(MAX_FINISHED);
    let first = end(store, &of("bob")).await;
    copy_finished(&kitchen, most - 2);
    kitchen.sql(&format!("UPDATE scope SET finished = {most} - 1"));
    let held = running(store).await;
    store.finish(&key(&held), &Outcome::text("eaten")).await.expect("finishes");
    let count = |part: &str| kitchen.number(&format!("SELECT count(*) FROM task WHERE {part}"));
    for ended in 1..=2 * SLACK {
        end(store, &of("bob")).await;
        let there = count("scope = 'bob'");
        assert!(there <= most + SLACK, "{there} after {ended} more");
        assert!(there >= most.min(most - 1 + ended), "{there} after {ended} more: none too many go");
    }
    assert_eq!(count("id IN ('copy-1', 'copy-2', 'copy-100')"), 0, "the oldest go first");
    assert_eq!((count("id = 'copy-300'"), count(&format!("id = '{first}'"))), (1, 1));
    assert_eq!(kitchen.number("SELECT finished FROM scope WHERE name = 'bob'"), count("scope = 'bob'"));
    let told = "SELECT count(*) FROM event WHERE task LIKE 'copy-%' AND record LIKE '%expired%'";
    assert_eq!(kitchen.number(told), most + 2 * SLACK - 1 - count("scope = 'bob'"));
    assert_eq!(events_of(store, held.id()).await.last().map(|event| event.kind.name()), Some("completed"));
}

#[tokio::test]
async fn a_count_that_is_wrong_and_could_be_right_deletes_nothing() {
    for (column, wrong) in [
        ("finished", 999_999),
        ("finished", i64::from(MAX_FINISHED)),
        ("finished", 99_999_999),
        ("finished", 0),
        ("unfinished", 99_999_999),
        ("unfinished", 0),
    ] {
        let kitchen = Kitchen::new().await;
        let store = &*kitchen.store;
        submit(store, &of("bob")).await;
        let mut ended = BTreeSet::from([end(store, &of("bob")).await]);
        for number in 0..2 * SLACK {
            if number % 20 == 0 {
                kitchen.sql(&format!("UPDATE scope SET {column} = {wrong}"));
            }
            ended.insert(end(store, &of("bob")).await);
        }
        let filter = TaskFilter { scope: Some(Scope::named("bob")), ..TaskFilter::default() };
        let tasks = store.list(&filter, None, 1000).await.expect("lists").tasks;
        assert_eq!(tasks.len(), ended.len() + 1, "{column} {wrong}: somebody lost a task");
        // The next looks see what is right.
        for _ in 0..SLACK {
            end(store, &of("bob")).await;
        }
        let noted = "SELECT unfinished * 1000 + finished FROM scope";
        assert_eq!(kitchen.number(noted), 1301, "{column} {wrong}");
    }
}

/// Tasks that somebody made to look finished are none that the limit asks to delete others for.
#[tokio::test]
async fn a_time_of_an_end_that_was_none_deletes_nothing() {
    let kitchen = Kitchen::new().await;
    let store = &*kitchen.store;
    let first = end(store, &of("bob")).await;
    copy_finished(&kitchen, i64::from(MAX_FINISHED));
    kitchen.sql("UPDATE task SET status = 'working' WHERE id LIKE 'copy-%'");
    for _ in 0..SLACK {
        end(store, &of("bob")).await;
    }
    assert_eq!(kitchen.number("SELECT count(*) FROM task"), i64::from(MAX_FINISHED) + SLACK + 1);
    assert!(store.get(&first).await.expect("reads").is_some());
}

#[tokio::test]
async fn a_scope_at_its_limit_keeps_no_other_from_being_counted() {
    let kitchen = Kitchen::new().await;
    let store = &*kitchen.store;
    submit(store, &of("alice")).await;
    submit(store, &of("bob")).await;
    kitchen.sql("UPDATE scope SET unfinished = 1000 WHERE name = 'bob'");
    let full = store.submit(&NewTask { id: TaskId::generate(), ..of("alice") }, 1).await;
    assert!(matches!(full, Err(StoreError::TooManyTasks { limit: 1 })), "{full:?}");
    store.submit(&NewTask { id: TaskId::generate(), ..of("bob") }, 2).await.expect("there is one");
}

#[tokio::test]
async fn a_scope_that_may_have_none_is_refused_as_any_other() {
    let kitchen = Kitchen::new().await;
    for _ in 0..2 {
        let refused = kitchen.store.submit(&of("bob"), 0).await;
        assert!(matches!(refused, Err(StoreError::TooManyTasks { limit: 0 })), "{refused:?}");
    }
    assert_eq!(kitchen.number("SELECT count(*) FROM scope"), 0);
}
