//! Numbers that somebody else wrote into the SQLite file and that cannot be: the row that has one is not believed, and
//! everything else goes on.

use std::time::Duration;

use mcptask::store::{Store, StoreError, TaskFilter};
use mcptask::task::{NewTask, Outcome, Scope, TaskStatus, ToolSpec};
use serde_json::json;

use crate::sqlite_kitchen::Kitchen;
use crate::support::{
    LEASE, MANY, accept, ask, claim, enlisted, events_of, form, get, key, new_task, nothing_queued, q,
    running, submit, within, worker,
};

/// The ends of what SQLite can store.
const ENDS: [i64; 2] = [i64::MIN, i64::MAX];

#[tokio::test]
async fn numbers_of_a_held_task_that_cannot_be_are_not_believed() {
    for (damage, problem) in [
        ("open = -1", "its \"open\" is -1"),
        ("open = 9223372036854775807", "its \"open\" is 9223372036854775807"),
        ("open = 2", "2 questions open of the 1"),
        ("open = 0", "it is input_required with 0 questions open"),
        ("asked = 2, open = 2", "it has asked 2 questions, of which some are gone"),
        ("asked = -9223372036854775808", "its \"asked\" is -9223372036854775808"),
        ("asked = 0", "1 questions open of the 0"),
        ("attempt = 0", "it is held, and was never taken"),
        ("attempt = 9223372036854775807", "its \"attempt\" is 9223372036854775807"),
        ("attempt = 4294967295", "its \"attempt\" is 4294967295"),
        ("failures = -1", "its \"failures\" is -1"),
        ("max_attempts = -1", "its \"max_attempts\" is -1"),
        ("created_ms = -1", "its \"created_ms\" is -1"),
        ("updated_ms = 9223372036854775807", "its \"updated_ms\" is 9223372036854775807"),
        ("claimed_ms = -9223372036854775808", "its \"claimed_ms\" is -9223372036854775808"),
        ("finished_ms = 5", "it is input_required and has a time of its end"),
        ("resume_ms = 5", "it is held, queued or delayed at the same time"),
        ("queued = 5", "it is held, queued or delayed at the same time"),
        ("hidden = 7", "its \"hidden\" is 7"),
        ("hidden = -1", "its \"hidden\" is -1"),
        ("status = 'working'", "it is working with 1 questions open"),
        ("ttl_ms = 1000", "it is kept for longer than its ttl"),
    ] {
        let kitchen = Kitchen::new().await;
        let store = &*kitchen.store;
        let bad = running(store).await;
        ask(store, &key(&bad), 1, "one").await;
        kitchen.sql(&format!("UPDATE task SET {damage}"));
        is_named_and_harms_no_other(&kitchen, &bad, (damage, problem)).await;
        store.cancel(bad.id(), "nobody can").await.unwrap_or_else(|error| panic!("{damage}: {error}"));
        let due = store.due().await.expect("reads");
        assert!(due.is_empty(), "{damage}: {due:?}");
        assert_eq!(kitchen.number("SELECT unfinished FROM scope"), 1, "{damage}");
    }
}

/// The bad task is named by every reader, and another one goes its way.
async fn is_named_and_harms_no_other(
    kitchen: &Kitchen,
    bad: &mcptask::task::Task,
    (damage, problem): (&str, &str),
) {
    let store = &*kitchen.store;
    let good = submit(store, &new_task("lunch")).await;
    let found = kitchen.unreadable(bad.id()).await;
    assert!(found.contains(problem), "{damage}: {found}");
    let page = store.list(&TaskFilter::default(), None, 10).await.expect("lists");
    assert_eq!((page.tasks.len(), page.unreadable[0].name.as_str()), (1, bad.id().as_str()), "{damage}");
    assert_eq!(page.unreadable[0].problem, found, "{damage}");
    assert_eq!(claim(store, "lunch").await.id(), good.id(), "{damage}");
    store.due().await.unwrap_or_else(|error| panic!("{damage}: {error}"));
}

#[tokio::test]
async fn numbers_of_a_queued_task_that_cannot_be_are_not_believed() {
    for (damage, problem) in [
        ("open = -1", "its \"open\" is -1"),
        ("open = -9223372036854775808", "its \"open\" is -9223372036854775808"),
        ("open = 1, asked = 1", "it is working with 1 questions open"),
        ("attempt = -1", "its \"attempt\" is -1"),
        ("failures = 9223372036854775807", "its \"failures\" is 9223372036854775807"),
        ("queued = -5", "its \"queued\" is -5"),
        ("queued = 9223372036854775807", "its \"queued\" is 9223372036854775807"),
        ("queued = NULL", "it is in no queue"),
        ("queued = NULL, resume_ms = 9223372036854775807", "its \"resume_ms\" is 9223372036854775807"),
        ("queued = NULL, resume_ms = -1", "its \"resume_ms\" is -1"),
        ("updated_ms = -1", "its \"updated_ms\" is -1"),
        ("expires_ms = NULL", "it is kept for longer than its ttl"),
        ("expires_ms = 9223372036854775807", "it is kept for longer than its ttl"),
        ("expires_ms = expires_ms + 1", "it is kept for longer than its ttl"),
    ] {
        let kitchen = Kitchen::new().await;
        let store = &*kitchen.store;
        let bad = submit(store, &NewTask { ttl_ms: Some(60_000), ..new_task("dinner") }).await;
        let good = submit(store, &new_task("dinner")).await;
        kitchen.sql(&format!("UPDATE task SET {damage} WHERE id = '{}'", bad.id()));
        let found = kitchen.unreadable(bad.id()).await;
        assert!(found.contains(problem), "{damage}: {found}");
        assert_eq!(claim(store, "dinner").await.id(), good.id(), "{damage}");
        nothing_queued(store, "dinner").await;
        kitchen.sql("UPDATE task SET expires_ms = 1 WHERE worker IS NULL");
        let due = store.due().await.expect("reads");
        assert_eq!(due.tasks, [bad.id().clone()], "{damage}");
        store.resume(bad.id()).await.expect("does nothing, or parks it");
        nothing_queued(store, "dinner").await;
        store.expire(bad.id()).await.expect("expires");
        assert_eq!(store.get(bad.id()).await.expect("reads"), None, "{damage}");
        assert_eq!(kitchen.number("SELECT unfinished FROM scope"), 1, "{damage}");
    }
}

#[tokio::test]
async fn whoever_holds_a_task_that_is_not_believed_can_end_it_and_give_it_back() {
    let kitchen = Kitchen::new().await;
    let store = &*kitchen.store;
    let (ends, returns) = (running(store).await, running(store).await);
    kitchen.sql("UPDATE task SET open = -1");
    let refused = store.ask(&key(&ends), 1, &[form("one")], None).await;
    assert!(matches!(refused, Err(StoreError::Unreadable { .. })), "{refused:?}");
    store.finish(&key(&ends), &Outcome::text("eaten")).await.expect("finishes");
    assert_eq!(get(store, ends.id()).await.outcome, Some(Outcome::text("eaten")));
    store.requeue(&key(&returns), &crate::support::drain()).await.expect("requeues");
    assert!(kitchen.unreadable(returns.id()).await.contains("\"open\" is -1"));
    nothing_queued(store, "dinner").await;
    let troubles = store.health().await.expect("says so");
    assert!(troubles[0].problem.contains(returns.id().as_str()), "{troubles:?}");
}

#[tokio::test]
async fn a_count_of_events_that_cannot_be_is_begun_anew() {
    for end in ENDS {
        let kitchen = Kitchen::new().await;
        let store = &*kitchen.store;
        let task = running(store).await;
        kitchen.sql(&format!("UPDATE task SET logged = {end}"));
        ask(store, &key(&task), 1, "one").await;
        store.note(task.id(), None, "on").await.expect("notes");
        assert_eq!(events_of(store, task.id()).await.len(), 4);
        assert_eq!(kitchen.number("SELECT logged FROM task"), 2);
    }
}

#[tokio::test]
async fn what_has_ended_is_never_begun_or_due_again() {
    for damage in ["queued = 1", "worker = 'w9'", "resume_ms = 1"] {
        let kitchen = Kitchen::new().await;
        let store = &*kitchen.store;
        let done = running(store).await;
        store.finish(&key(&done), &Outcome::text("eaten")).await.expect("finishes");
        kitchen.sql(&format!("UPDATE task SET {damage}"));
        assert!(kitchen.unreadable(done.id()).await.contains("held or queued all the same"), "{damage}");
        nothing_queued(store, "dinner").await;
        let due = store.due().await.expect("reads");
        for task in &due.delayed {
            store.resume(task).await.expect("sets it aside");
        }
        assert!(due.claims.is_empty(), "{damage}: {due:?}");
        let due = store.due().await.expect("reads");
        assert!(due.is_empty() && due.unreadable.is_empty(), "{damage}: {due:?}");
        assert_eq!(get(store, done.id()).await.outcome, Some(Outcome::text("eaten")), "{damage}");
    }
}

#[tokio::test]
async fn an_outcome_that_is_gone_is_said() {
    let kitchen = Kitchen::new().await;
    let store = &*kitchen.store;
    let done = running(store).await;
    store.finish(&key(&done), &Outcome::text("eaten")).await.expect("finishes");
    kitchen.sql("DELETE FROM outcome");
    assert!(kitchen.unreadable(done.id()).await.contains("its outcome is gone"));
}

#[tokio::test]
async fn times_of_questions_that_cannot_be_are_not_believed() {
    for (damage, problem) in [
        ("deadline_ms = -1", "-1 is no time that it can have"),
        ("deadline_ms = 9223372036854775807", "9223372036854775807 is no time that it can have"),
        ("asked_ms = -9223372036854775808", "-9223372036854775808 is no time that it can have"),
        ("due_ms = 9223372036854775807", "its question q1 does not end at its deadline"),
        ("due_ms = NULL", "its question q1 does not end at its deadline"),
        ("namespace = 9", "its question q1 does not end at its deadline"),
        ("position = 9223372036854775807", "4294967295"),
        ("position = -1", "4294967295"),
        ("position = 2", "of which some are gone"),
    ] {
        let kitchen = Kitchen::new().await;
        let store = &*kitchen.store;
        let bad = running(store).await;
        let hour = Some(Duration::from_secs(3600));
        store.ask(&key(&bad), 1, &[form("one")], hour).await.expect("asks");
        kitchen.sql(&format!("UPDATE question SET {damage}"));
        let found = kitchen.unreadable(bad.id()).await;
        let is_said = found.contains(problem) || problem == "4294967295" && found.contains("out of range");
        assert!(is_said, "{damage}: {found}");
        let good = running(store).await;
        store.ask(&key(&good), 1, &[form("one")], hour).await.expect("asks");
        store.answer(good.id(), &q(1), &accept("thai")).await.expect("answers");
        store.cancel(bad.id(), "nobody can").await.unwrap_or_else(|error| panic!("{damage}: {error}"));
        assert!(store.due().await.expect("reads").is_empty(), "{damage}");
    }
}

#[tokio::test]
async fn questions_that_wait_for_no_time_are_due_once() {
    let kitchen = Kitchen::new().await;
    let store = &*kitchen.store;
    let (answered, ended, good) = (running(store).await, running(store).await, running(store).await);
    for task in [&answered, &ended, &good] {
        store.ask(&key(task), 1, &[form("late")], Some(Duration::from_millis(1))).await.expect("asks");
    }
    store.answer(answered.id(), &q(1), &accept("thai")).await.expect("answers");
    store.cancel(ended.id(), "not hungry").await.expect("cancels");
    kitchen.sql("UPDATE question SET due_ms = 1");
    for (task, position) in [(1, i64::MAX), (1, i64::MIN), (1, 0), (777, 1)] {
        kitchen.sql(&format!(
            "INSERT INTO question SELECT {task}, {position}, namespace, asked_ms, deadline_ms, 1, fingerprint, record, NULL
            FROM question WHERE task = 3"
        ));
    }
    let due = store.due().await.expect("reads");
    assert_eq!(due.questions, [(good.id().clone(), q(1))]);
    assert_eq!(due.unreadable.len(), 6, "{due:?}");
    store.answer(good.id(), &q(1), &accept("thai")).await.expect("answers");
    let due = store.due().await.expect("reads");
    assert!(due.is_empty() && due.unreadable.is_empty(), "{due:?}");
}

#[tokio::test]
async fn what_lies_beside_a_task_that_never_was_keeps_nobody_from_submitting() {
    let kitchen = Kitchen::new().await;
    let store = &*kitchen.store;
    kitchen.sql("INSERT INTO arguments VALUES (1, '{}')");
    kitchen.sql("INSERT INTO outcome VALUES (1, '{}')");
    kitchen.sql("INSERT INTO question VALUES (1, 1, 1, 1, 1, NULL, 'x', '{}', NULL)");
    let task = running(store).await;
    ask(store, &key(&task), 1, "one").await;
    assert_eq!(get(store, task.id()).await.questions.len(), 1);
    kitchen.sql("INSERT INTO question SELECT 1, 2, 1, 1, 1, NULL, 'x', '{}', NULL");
    let refused = store.ask(&key(&task), 2, &[form("two")], None).await;
    assert!(matches!(refused, Err(StoreError::Unreadable { .. })), "{refused:?}");
    store.cancel(task.id(), "nobody can").await.expect("cancels");
}

#[tokio::test]
async fn counts_of_a_scope_that_cannot_be_are_taken_anew() {
    for column in ["unfinished", "finished"] {
        for bad in [i64::MIN, -1, 100_000_001, i64::MAX] {
            let kitchen = Kitchen::new().await;
            let store = &*kitchen.store;
            let damage = || kitchen.sql(&format!("UPDATE scope SET {column} = {bad}"));
            let (one, two) = (running(store).await, running(store).await);
            damage();
            let troubles = store.health().await.expect("says so");
            assert_eq!(troubles.iter().map(|one| one.cause).collect::<Vec<_>>(), ["scopes_miscounted"]);
            submit(store, &NewTask { ttl_ms: Some(1), ..new_task("lunch") }).await;
            damage();
            store.finish(&key(&one), &Outcome::text("eaten")).await.expect("finishes");
            damage();
            store.cancel(two.id(), "not hungry").await.expect("cancels");
            assert_eq!(kitchen.number("SELECT unfinished * 10 + finished FROM scope"), 12, "{column} {bad}");
            damage();
            tokio::time::sleep(Duration::from_millis(5)).await;
            for task in store.due().await.expect("reads").tasks {
                store.expire(&task).await.expect("expires");
            }
            assert_eq!(kitchen.number("SELECT unfinished * 10 + finished FROM scope"), 2, "{column} {bad}");
            assert_eq!(get(store, one.id()).await.status, TaskStatus::Completed);
        }
    }
}

#[tokio::test]
async fn nobody_is_refused_a_task_by_a_count_that_is_wrong() {
    let kitchen = Kitchen::new().await;
    let store = &*kitchen.store;
    let alice = NewTask { scope: Scope::named("alice"), ..new_task("dinner") };
    submit(store, &alice).await;
    kitchen.sql(&format!("UPDATE scope SET unfinished = {MANY}"));
    let next = NewTask { id: mcptask::task::TaskId::generate(), ..alice.clone() };
    store.submit(&next, MANY).await.expect("there is one");
    assert_eq!(kitchen.number("SELECT unfinished FROM scope"), 2);
    let third = NewTask { id: mcptask::task::TaskId::generate(), ..alice };
    assert!(matches!(store.submit(&third, 2).await, Err(StoreError::TooManyTasks { limit: 2 })));
}

#[tokio::test]
async fn a_lease_that_no_worker_has_holds_nothing() {
    for bad in [i64::MIN, -1, 1_000_000_000_000_000, i64::MAX] {
        let kitchen = Kitchen::new().await;
        let store = &*kitchen.store;
        let held = running(store).await;
        kitchen.sql(&format!("UPDATE worker SET lease_until_ms = {bad}"));
        assert_eq!(store.due().await.expect("reads").claims, [(key(&held), worker("w1"))], "{bad}");
        let workers = store.workers().await.expect("reads");
        assert_eq!(workers.unreadable.len(), usize::from(bad > 0), "{workers:?}");
        let stop = tokio_util::sync::CancellationToken::new();
        let claimed = store.claim(&worker("w1"), &["dinner".into()], 1, &stop).await;
        assert!(matches!(claimed, Err(StoreError::LeaseEnded { .. })), "{bad}: {claimed:?}");
        // Whoever lives renews it, and has what it had.
        assert!(store.renew(&worker("w1"), LEASE).await.expect("renews"));
        assert_eq!(store.due().await.expect("reads").claims, []);
        kitchen.sql(&format!("UPDATE worker SET lease_until_ms = {bad}"));
        store.requeue(&key(&held), &crate::support::drain()).await.expect("requeues");
        store.due().await.expect("forgets");
        assert_eq!(kitchen.number("SELECT count(*) FROM worker"), 0, "{bad}");
    }
}

#[tokio::test]
async fn tools_are_offered_and_told_of_whatever_their_count_is() {
    for end in ENDS {
        let kitchen = Kitchen::new().await;
        let store = &*kitchen.store;
        enlisted(store, "w1").await;
        kitchen.sql(&format!("UPDATE namespace SET tool_changes = {end}"));
        let mut tail = store.tail(mcptask::task::Cursor::START);
        assert!(within("the count", tail.next()).await.expect("reads").tools);
        let tool = |name: &str| ToolSpec::new(name, "cooks", json!({ "type": "object" }));
        for name in ["dinner", "lunch"] {
            store.enlist(&worker("w1"), None, &[tool(name)], LEASE).await.expect("enlists");
            assert!(within("the change", tail.next()).await.expect("reads").tools, "{name}");
        }
        kitchen.sql("UPDATE tool SET record = replace(record, 'lunch', 'dinner')");
        let tools = store.tools().await.expect("reads");
        assert_eq!((tools.rows, tools.unreadable[0].name.as_str()), (vec![tool("dinner")], "lunch"));
    }
}

/// Whatever somebody writes there meanwhile, the next change is another number than any that a tail has seen.
#[tokio::test]
async fn a_count_of_tools_changes_that_was_turned_back_hides_none() {
    for turned in ["0", "tool_changes - 1", "9223372036854775807", "-5", "1"] {
        let kitchen = Kitchen::new().await;
        let store = &*kitchen.store;
        let tool = |name: &str| ToolSpec::new(name, "cooks", json!({ "type": "object" }));
        let mut tail = store.tail(mcptask::task::Cursor::START);
        store.enlist(&worker("w1"), None, &[tool("dinner")], LEASE).await.expect("enlists");
        assert!(within("the change", tail.next()).await.expect("reads").tools);
        // Nobody is told of this one.
        kitchen.sql(&format!("UPDATE namespace SET tool_changes = {turned}"));
        store.dismiss(&worker("w1")).await.expect("dismisses");
        let gone = mcptask::task::RpcError::internal("gone");
        store.withdraw(&["dinner".into()], &gone).await.expect("withdraws");
        assert_eq!(store.tools().await.expect("reads").rows, []);
        assert!(within("the withdrawal", tail.next()).await.expect("reads").tools, "{turned}");
    }
}

/// SQLite keeps other types out of the columns, unless somebody rewrote the schema as well.
#[tokio::test]
async fn values_of_other_types_are_not_believed() {
    let kitchen = Kitchen::new().await;
    let loose = kitchen.number("SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND strict = 0 AND name NOT LIKE 'sqlite_%'");
    assert_eq!(loose, 0, "every table is strict");
    for column in ["open", "attempt", "created_ms", "queued", "max_attempts", "hidden", "expires_ms"] {
        for value in ["'many'", "1.5", "x'00ff'"] {
            let kitchen = Kitchen::new().await;
            kitchen.store.close().await;
            let file = rusqlite::Connection::open(kitchen.path()).expect("opens");
            let loosen = "PRAGMA writable_schema = ON;
                UPDATE sqlite_schema SET sql = replace(sql, ') STRICT', ')') WHERE name = 'task';
                PRAGMA writable_schema = RESET; PRAGMA schema_version = 1000;";
            file.execute_batch(loosen).expect("rewrites the schema");
            drop(file);
            let store =
                mcptask::store::sqlite::SqliteStore::open(&kitchen.path(), "test").await.expect("opens");
            let bad = submit(&*store, &new_task("dinner")).await;
            let good = submit(&*store, &new_task("dinner")).await;
            kitchen.sql(&format!("UPDATE task SET {column} = {value} WHERE id = '{}'", bad.id()));
            let found = store.get(bad.id()).await.expect_err("cannot be read").to_string();
            assert!(found.contains(&format!("its \"{column}\" is of the type")), "{found}");
            assert_eq!(claim(&*store, "dinner").await.id(), good.id(), "{column} {value}");
            store.due().await.expect("reads");
            store.cancel(bad.id(), "nobody can").await.unwrap_or_else(|error| panic!("{column}: {error}"));
        }
    }
}
