//! Text that users choose: no label is another one's key, whatever it looks like, and the gate's bounds.

use mcptask::store::{EventFilter, StoreError, TaskFilter};
use mcptask::task::{Cursor, NewTask, Outcome, Progress, Scope, Task, TaskId};
use serde_json::{Value, json};

use crate::support::bench::Bench;
use crate::support::{LEASE, accept, ask, claim_for, form, get, key, new_task, q, running, session, worker};

contract! {
    no_label_is_another_ones_key,
    every_reader_reads_what_was_stored,
    what_cannot_be_read_again_is_refused,
    odd_names_are_refused,
}

/// Labels that spell parts of keys of some layout, that a query or a pattern could take for something else, and that are
/// the same where they are compared as words of any case or as numbers.
const LABELS: [&str; 18] = [
    "y", "y:log", "log", "a:tasks", "a", "x:y:z", "[y]*", "events", "Y", "*", "%", "_", "1", "01", "1e0",
    "y'--", "'OR''='", "\"y\"",
];

async fn no_label_is_another_ones_key(bench: Bench) {
    let store = bench.store().await;
    let mut tasks = Vec::new();
    for label in LABELS {
        let new = NewTask { session: Some(session(label)), scope: Scope::named(label), ..new_task(label) };
        tasks.push(store.submit(&new, 1).await.unwrap_or_else(|error| panic!("{label}: {error}")));
        let second = NewTask { id: TaskId::generate(), ..new };
        let refused = store.submit(&second, 1).await;
        assert!(matches!(refused, Err(StoreError::TooManyTasks { .. })), "{label}: {refused:?}");
    }
    for label in LABELS {
        let worker = worker(label);
        store.enlist(&worker, None, &[], LEASE).await.expect("enlists");
        let stop = tokio_util::sync::CancellationToken::new();
        let claimed = claim_for(&*store, &worker, &[label.to_owned()], 1, &stop).await.expect("claims");
        assert_eq!(claimed[0].new.tool, label);
        ask(&*store, &key(&claimed[0]), 1, "Really?").await;
        store.answer(claimed[0].id(), &q(1), &accept("Thai")).await.expect("answers");
        store.finish(&key(&claimed[0]), &Outcome::text("eaten")).await.expect("finishes");
    }
    for (label, task) in LABELS.into_iter().zip(&tasks) {
        let seen = |filter: TaskFilter| {
            let store = &store;
            async move {
                let page = store.list(&filter, None, 10).await.expect("lists");
                page.tasks.iter().map(|task| task.id().clone()).collect::<Vec<_>>()
            }
        };
        let of_tool = TaskFilter { tool: Some(label.to_owned()), ..TaskFilter::default() };
        assert_eq!(seen(of_tool).await, [task.id().clone()], "{label}");
        let of_session = TaskFilter { session: Some(session(label)), ..TaskFilter::default() };
        assert_eq!(seen(of_session).await, [task.id().clone()], "{label}");
        let of_scope = TaskFilter { scope: Some(Scope::named(label)), ..TaskFilter::default() };
        assert_eq!(seen(of_scope).await, [task.id().clone()], "{label}");
        let log =
            store.history(&EventFilter::Session(session(label)), Cursor::START, 100).await.expect("reads");
        assert!(log.events.iter().all(|event| &event.task == task.id()), "{label}");
        assert_eq!(log.events.len(), 5, "{label}");
    }
}

fn nested(levels: usize) -> Value {
    (1..levels).fold(json!([]), |inner, _| json!([inner]))
}

fn with_argument(value: &Value) -> NewTask {
    NewTask { arguments: json!({ "x": value }).as_object().expect("an object").clone(), ..new_task("dinner") }
}

/// The deepest values that any verb takes, through every reader.
async fn every_reader_reads_what_was_stored(bench: Bench) {
    let store = bench.store().await;
    let mut deepest = 0;
    for levels in 80..130 {
        let new = with_argument(&nested(levels));
        if store.submit(&new, 1000).await.is_err() {
            continue;
        }
        deepest = levels;
        let stop = tokio_util::sync::CancellationToken::new();
        let tasks =
            claim_for(&*store, &worker("w1"), &["dinner".to_owned()], 1, &stop).await.expect("claims");
        let outcome = Outcome::Result(json!({ "structuredContent": nested(levels - 2) }));
        if store.finish(&key(&tasks[0]), &outcome).await.is_err() {
            store.finish(&key(&tasks[0]), &Outcome::text("too deep")).await.expect("finishes");
        }
        get(&*store, &new.id).await;
    }
    assert!(deepest >= 90, "{deepest} levels are too few");
    let page = store.list(&TaskFilter::default(), None, 1000).await.expect("lists");
    assert_eq!(page.unreadable, []);
    let log = store.history(&EventFilter::All, Cursor::START, 1000).await.expect("reads");
    assert_eq!(log.unreadable, []);
    assert!(store.due().await.expect("looks").unreadable.is_empty());
}

async fn what_cannot_be_read_again_is_refused(bench: Bench) {
    let store = bench.store().await;
    let refused = |what: &str, error: StoreError| {
        assert!(matches!(error, StoreError::Refused { .. }), "{what}: {error}");
    };
    refused("arguments", store.submit(&with_argument(&nested(120)), 10).await.expect_err("too deep"));
    let long = "x".repeat(5_000_000);
    refused("arguments", store.submit(&with_argument(&json!(long)), 10).await.expect_err("too long"));
    assert!(store.list(&TaskFilter::default(), None, 10).await.expect("lists").tasks.is_empty());

    let claim = key(&running(&*store).await);
    let before: Task = get(&*store, &claim.task).await;
    let mut deep = form("Really?");
    deep.message = long.clone();
    refused("a question", store.ask(&claim, 1, &[deep], None).await.expect_err("too long"));
    let progress = Progress { current: 1.0, total: None, message: Some("x".repeat(100_000)) };
    refused("a step", store.report(&claim, &progress).await.expect_err("too long"));
    refused("an outcome", store.finish(&claim, &Outcome::Result(nested(120))).await.expect_err("too deep"));
    refused("an outcome", store.finish(&claim, &Outcome::text(long)).await.expect_err("too long"));
    assert_eq!(get(&*store, &claim.task).await, before);
}

async fn odd_names_are_refused(bench: Bench) {
    let store = bench.store().await;
    for tool in ["", "a\nb", &"x".repeat(300)] {
        let error = store.submit(&new_task(tool), 10).await.expect_err("no name");
        assert!(matches!(error, StoreError::Refused { .. }), "{error}");
    }
    let new = NewTask { scope: Scope::named("a\nb"), ..new_task("dinner") };
    assert!(matches!(store.submit(&new, 10).await, Err(StoreError::Refused { .. })));
}
