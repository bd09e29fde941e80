//! What the SQLite engine keeps, and what it costs: the log, finished and hidden tasks, pages, counters, writes.

use std::collections::BTreeSet;
use std::time::Duration;

use mcptask::store::{
    EventFilter, HIDDEN_KEPT, MAX_LOG_BYTES, MAX_PAGE_BYTES, MAX_SESSION_EVENTS, MAX_TASK_EVENTS, Requeue,
    Store, StoreError, TaskFilter,
};
use mcptask::task::{Answer, Answerer, Ask, Cursor, NewTask, Outcome, Progress, QuestionId, Scope, ToolSpec};
use serde_json::{Value, json};

use crate::sqlite_kitchen::Kitchen;
use crate::support::{
    LEASE, MANY, accept, ask, claim, enlisted, events_of, form, get, key, new_task, q, running, session,
    submit, worker,
};

fn nested(levels: usize) -> Value {
    (1..levels).fold(json!([]), |inner, _| json!([inner]))
}

#[tokio::test]
async fn what_does_not_pass_the_gate_changes_nothing() {
    let kitchen = Kitchen::new().await;
    let store = &*kitchen.store;
    let held = running(store).await;
    ask(store, &key(&held), 1, "one").await;
    let before = kitchen.dump();
    let deep = json!({ "x": nested(110) }).as_object().expect("an object").clone();
    let progress = |message: &str| Progress { current: 1.0, total: None, message: Some(message.to_owned()) };
    let tool = |name: &str, schema: Value| ToolSpec::new(name, "cooks", schema);
    let exhausted = Requeue { exhausted: Some(Outcome::Result(nested(110))), ..Requeue::failed("x".into()) };
    let refusals = [
        store.submit(&NewTask { arguments: deep.clone(), ..new_task("dinner") }, MANY).await.map(drop),
        store.submit(&new_task("two\nlines"), MANY).await.map(drop),
        store.submit(&new_task(&"x".repeat(300)), MANY).await.map(drop),
        store.submit(&NewTask { scope: Scope::named(""), ..new_task("dinner") }, MANY).await.map(drop),
        store.report(&key(&held), &progress(&"x".repeat(20_000))).await,
        store.report(&key(&held), &Progress { current: f64::NAN, total: None, message: None }).await,
        store.ask(&key(&held), 2, &[Ask::form("deep?", nested(110))], None).await.map(drop),
        store.ask(&key(&held), 2, &[form("two").named(Some("a\tb".into()))], None).await.map(drop),
        store.answer(held.id(), &q(1), &Answer::accept(deep, Answerer::Client)).await.map(drop),
        store.finish(&key(&held), &Outcome::Result(nested(110))).await,
        store.finish(&key(&held), &Outcome::text("x".repeat(5 * 1024 * 1024))).await,
        store.requeue(&key(&held), &exhausted).await,
        store.enlist(&worker("w2"), None, &[tool("dinner", nested(110))], LEASE).await,
        store.enlist(&worker("w2"), None, &[tool("", json!({}))], LEASE).await,
        store.attribute("a.toml", &["two\nlines".to_owned()]).await.map(drop),
    ];
    for (at, refused) in refusals.into_iter().enumerate() {
        let error = refused.expect_err("does not pass the gate");
        assert!(matches!(error, StoreError::Refused { .. }), "{at}: {error}");
    }
    assert_eq!(kitchen.dump(), before);
}

#[tokio::test]
async fn what_passes_the_gate_at_its_limit_is_read_back() {
    let kitchen = Kitchen::new().await;
    let store = &*kitchen.store;
    let object = json!({ "x": nested(97) }).as_object().expect("an object").clone();
    submit(store, &NewTask { arguments: object.clone(), ..new_task("dinner") }).await;
    let task = claim(store, "dinner").await;
    store.ask(&key(&task), 1, &[Ask::form("deep?", nested(99))], None).await.expect("asks");
    store.answer(task.id(), &q(1), &Answer::accept(object, Answerer::Client)).await.expect("answers");
    store.finish(&key(&task), &Outcome::Result(nested(99))).await.expect("finishes");
    let read = get(store, task.id()).await;
    assert_eq!(read.outcome, Some(Outcome::Result(nested(99))));
    assert_eq!(store.list(&TaskFilter::default(), None, 10).await.expect("lists").tasks, [read]);
    assert_eq!(events_of(store, task.id()).await.len(), 5);
}

#[tokio::test]
async fn long_reasons_are_shortened_and_keep_nothing_from_happening() {
    let kitchen = Kitchen::new().await;
    let store = &*kitchen.store;
    let long = "ä".repeat(100_000);
    let (one, two) = (running(store).await, running(store).await);
    store.note(one.id(), None, &long).await.expect("notes");
    store.cancel(one.id(), &long).await.expect("cancels");
    store.requeue(&key(&two), &Requeue::failed(long.clone())).await.expect("requeues");
    assert!(get(store, one.id()).await.status_message.expect("has a reason").len() < 5000);
    assert!(get(store, two.id()).await.last_failure.expect("has a reason").len() < 5000);
    assert!(kitchen.number("SELECT max(length(record)) FROM event") < 5000);
}

#[tokio::test]
async fn the_log_is_bounded_in_bytes() {
    let kitchen = Kitchen::new().await;
    let store = &*kitchen.store;
    let task = submit(store, &new_task("dinner")).await;
    for _ in 0..10 {
        store.note(task.id(), None, "on").await.expect("notes");
    }
    // As if what was written since had 256 MiB.
    kitchen.sql(&format!("UPDATE event SET bytes = bytes + {MAX_LOG_BYTES} WHERE sequence > 5"));
    while store.last().await.expect("reads").sequence % 100 != 0 {
        store.note(task.id(), None, "on").await.expect("notes");
    }
    let kept = store.history(&EventFilter::All, Cursor::START, 1000).await.expect("reads").events;
    // The first ones go, and those after them that are beyond the bound by what was written since.
    assert!(kept[0].cursor.sequence > 5, "{:?}", kept[0].cursor);
    let bytes = kitchen.number("SELECT max(bytes) - min(bytes) FROM event");
    assert!(bytes <= i64::try_from(MAX_LOG_BYTES).expect("small"), "{bytes} bytes");
}

#[tokio::test]
async fn a_task_and_a_session_keep_their_newest_events() {
    let kitchen = Kitchen::new().await;
    let store = &*kitchen.store;
    let new = NewTask { session: Some(session("s1")), ..new_task("dinner") };
    let task = submit(store, &new).await;
    let other = submit(store, &new_task("dinner")).await;
    // As if the task had been telling for long.
    kitchen.sql(&format!(
        "WITH RECURSIVE more (n) AS (SELECT 3 UNION ALL SELECT n + 1 FROM more WHERE n < {MAX_TASK_EVENTS} + 1099)
        INSERT INTO event SELECT namespace, n, at_ms, task, tool, scope, session, hidden, status, record, n * 300, n - 1
        FROM event, more WHERE sequence = 1"
    ));
    kitchen.sql(&format!("UPDATE task SET logged = {MAX_TASK_EVENTS} + 1098 WHERE id = '{}'", task.id()));
    for _ in 0..2 {
        store.note(task.id(), None, "on").await.expect("notes");
    }
    let count = |part: &str| kitchen.number(&format!("SELECT count(*) FROM event WHERE {part}"));
    assert_eq!(count(&format!("task = '{}'", task.id())), i64::try_from(MAX_TASK_EVENTS).expect("small"));
    assert_eq!(events_of(store, other.id()).await.len(), 1, "others keep theirs");
    let last = store.last().await.expect("reads").sequence;
    assert_eq!(last, MAX_TASK_EVENTS + 1101);
    // Of the session, as if another of its tasks had told more.
    kitchen.sql(&format!(
        "UPDATE event SET session_events = {MAX_SESSION_EVENTS} + 999 WHERE sequence = {last}"
    ));
    kitchen.sql("UPDATE event SET task = 'another' WHERE sequence > 5000");
    store.note(task.id(), None, "on").await.expect("notes");
    assert!(count("session = 's1'") <= i64::try_from(MAX_SESSION_EVENTS).expect("small"));
}

/// As many questions as any task may ask, most of them answered long ago.
#[tokio::test]
async fn a_task_with_a_long_journal_is_cancelled_and_expires_at_once() {
    const ASKED: usize = 10_000;
    for verb in ["cancel", "expire", "time out"] {
        let kitchen = Kitchen::new().await;
        let store = &*kitchen.store;
        let task = running(store).await;
        ask(store, &key(&task), 1, "one").await;
        store.answer(task.id(), &q(1), &accept("thai")).await.expect("answers");
        kitchen.sql(&format!(
            "WITH RECURSIVE more (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM more WHERE n < {ASKED})
            INSERT INTO question SELECT task, n, namespace, asked_ms, deadline_ms, due_ms, fingerprint, record, answer
            FROM question, more"
        ));
        kitchen.sql(&format!("UPDATE question SET answer = NULL WHERE position = {ASKED}"));
        kitchen.sql("UPDATE question SET (deadline_ms, due_ms) = (1, 1) WHERE answer IS NULL");
        kitchen.sql(&format!(
            "UPDATE task SET asked = {ASKED}, open = 1, status = 'input_required', expires_ms = 1"
        ));
        assert_eq!(get(store, task.id()).await.open_questions().count(), 1);
        let began = std::time::Instant::now();
        match verb {
            "cancel" => store.cancel(task.id(), "not hungry").await.expect("cancels"),
            "expire" => store.expire(task.id()).await.expect("expires"),
            _ => {
                let due = store.due().await.expect("reads");
                assert_eq!(due.questions, [(task.id().clone(), QuestionId::at(10_000))]);
                store.answer(task.id(), &due.questions[0].1, &accept("none")).await.expect("ends it");
            }
        }
        // Some hundredths of a second; the rest is for a busy machine.
        let took = began.elapsed();
        assert!(took < Duration::from_secs(5), "{verb} took {took:?}");
        assert!(store.due().await.expect("reads").questions.is_empty(), "{verb}");
        store.expire(task.id()).await.expect("expires");
        assert_eq!(kitchen.number("SELECT count(*) FROM question"), 0, "{verb}");
    }
}

#[tokio::test]
async fn hidden_tasks_are_kept_for_minutes_after_their_end() {
    let kitchen = Kitchen::new().await;
    let store = &*kitchen.store;
    for hidden in [true, false] {
        let day = NewTask { hidden, ttl_ms: Some(86_400_000), ..new_task("dinner") };
        submit(store, &day).await;
        let task = claim(store, "dinner").await;
        store.finish(&key(&task), &Outcome::text("eaten")).await.expect("finishes");
        let next = store.due().await.expect("reads").next.expect("its end is foreseen");
        let expected = if hidden { HIDDEN_KEPT } else { Duration::from_secs(86_400) };
        assert!(next <= expected && next + Duration::from_secs(30) >= expected, "{next:?}");
        assert_eq!(get(store, task.id()).await.outcome, Some(Outcome::text("eaten")));
        kitchen.sql("UPDATE task SET expires_ms = 1");
        store.expire(task.id()).await.expect("expires");
    }
    // One whose ttl ends sooner goes sooner.
    let short = NewTask { hidden: true, ttl_ms: Some(60_000), ..new_task("dinner") };
    submit(store, &short).await;
    store.cancel(&short.id, "not hungry").await.expect("cancels");
    assert!(store.due().await.expect("reads").next.is_some_and(|next| next <= Duration::from_secs(60)));
}

#[tokio::test]
async fn pages_are_bounded_in_bytes() {
    let kitchen = Kitchen::new().await;
    let store = &*kitchen.store;
    let arguments = json!({ "text": "x".repeat(1_000_000) }).as_object().expect("an object").clone();
    for _ in 0..20 {
        submit(store, &NewTask { arguments: arguments.clone(), ..new_task("lunch") }).await;
    }
    let (mut seen, mut pages, mut after) = (BTreeSet::new(), 0, None);
    loop {
        let page = store.list(&TaskFilter::default(), after.as_ref(), 1000).await.expect("lists");
        assert!(page.tasks.len() * 1_000_000 <= MAX_PAGE_BYTES + 1_000_000, "{} tasks", page.tasks.len());
        seen.extend(page.tasks.iter().map(|task| task.id().clone()));
        (pages, after) = (pages + 1, page.next);
        if after.is_none() {
            break;
        }
    }
    assert_eq!((seen.len(), pages), (20, 3));
    let task = running(store).await;
    let schema = json!({ "type": "object", "title": "x".repeat(200_000) });
    for position in 1..=60 {
        store.ask(&key(&task), position, &[Ask::form("big", schema.clone())], None).await.expect("asks");
    }
    let history = store.history(&EventFilter::All, Cursor::START, 1000).await.expect("reads");
    let next = history.next.expect("there is more");
    let rest = store.history(&EventFilter::All, next, 1000).await.expect("reads");
    assert_eq!((history.events.len() + rest.events.len(), rest.next), (20 + 2 + 60, None));
}

#[tokio::test]
async fn what_scopes_and_tasks_leave_behind_returns_to_nothing() {
    let kitchen = Kitchen::new().await;
    let store = &*kitchen.store;
    enlisted(store, "w1").await;
    for (number, scope) in ["alice", "bob", "alice"].into_iter().enumerate() {
        let new = NewTask { scope: Scope::named(scope), ttl_ms: Some(1), ..new_task("dinner") };
        submit(store, &new).await;
        if number < 2 {
            let task = claim(store, "dinner").await;
            ask(store, &key(&task), 1, "one").await;
            if number == 0 {
                store.finish(&key(&task), &Outcome::text("eaten")).await.expect("finishes");
            }
        }
    }
    let counted = "SELECT unfinished * 10 + finished FROM scope WHERE name = ";
    assert_eq!(kitchen.number(&format!("{counted}'alice'")), 11);
    assert_eq!(kitchen.number(&format!("{counted}'bob'")), 10);
    tokio::time::sleep(Duration::from_millis(10)).await;
    for task in store.due().await.expect("reads").tasks {
        store.expire(&task).await.expect("expires");
    }
    store.dismiss(&worker("w1")).await.expect("dismisses");
    store.due().await.expect("forgets");
    for table in ["scope", "task", "arguments", "outcome", "question", "worker", "offer"] {
        assert_eq!(kitchen.number(&format!("SELECT count(*) FROM {table}")), 0, "{table}");
    }
}

#[tokio::test]
async fn the_unfinished_tasks_of_a_scope_are_counted_right_through_its_life() {
    let kitchen = Kitchen::new().await;
    let store = &*kitchen.store;
    let unfinished = || kitchen.number("SELECT coalesce(sum(unfinished), 0) FROM scope");
    let (one, two) = (running(store).await, running(store).await);
    assert!(matches!(store.submit(&new_task("x"), 2).await, Err(StoreError::TooManyTasks { limit: 2 })));
    ask(store, &key(&one), 1, "one").await;
    store.requeue(&key(&one), &Requeue::returned("drained".into())).await.expect("requeues");
    assert_eq!(unfinished(), 2);
    store.answer(one.id(), &q(1), &accept("thai")).await.expect("answers");
    store.cancel(two.id(), "not hungry").await.expect("cancels");
    store.cancel(two.id(), "again").await.expect_err("it has ended");
    assert_eq!(unfinished(), 1);
    let again = claim(store, "dinner").await;
    store.finish(&key(&again), &Outcome::text("eaten")).await.expect("finishes");
    store.finish(&key(&again), &Outcome::text("eaten")).await.expect_err("it has ended");
    assert_eq!(unfinished(), 0);
}

/// What one step of a task with large arguments adds to the log of writes, in bytes.
#[tokio::test]
async fn a_report_writes_a_small_row_however_large_the_task() {
    let kitchen = Kitchen::new().await;
    let store = &*kitchen.store;
    let arguments = json!({ "text": "x".repeat(900_000) }).as_object().expect("an object").clone();
    submit(store, &NewTask { arguments, ..new_task("dinner") }).await;
    let claim = key(&claim(store, "dinner").await);
    ask(store, &claim, 1, "one").await;
    kitchen.number("PRAGMA wal_checkpoint(TRUNCATE)");
    let progress = Progress { current: 1.0, total: Some(3.0), message: Some("chopping".into()) };
    for _ in 0..10 {
        store.report(&claim, &progress).await.expect("reports");
    }
    let log = std::fs::metadata(kitchen.directory.path().join("tasks.db-wal")).expect("is there").len();
    // A few pages of 4 KiB each: the task's row, the event, its indexes.
    assert!(log <= 10 * 6 * 4200, "{log} bytes for 10 reports");
}
