//! prune.

use std::time::Duration;

use mcptask::store::{EventFilter, Retention, StoreError, TaskFilter};
use mcptask::task::{Cursor, NewTask, Outcome, TaskId, TaskStatus};

use crate::support::bench::Bench;
use crate::support::{ask, claim, get, key, new_task, session, submit};

contract! {
    a_pruned_task_is_gone_from_everywhere,
    a_task_that_has_not_ended_is_not_pruned,
    what_is_gone_cannot_be_pruned,
    a_pruned_task_makes_room,
    a_pruned_task_is_not_archived,
}

async fn a_pruned_task_is_gone_from_everywhere(bench: Bench) {
    let (here, there) = (bench.store().await, bench.store().await);
    for ttl_ms in [None, Some(3_600_000)] {
        let new = NewTask { ttl_ms, session: Some(session("s1")), ..new_task("dinner") };
        submit(&*here, &new).await;
        let claimed = claim(&*here, "dinner").await;
        ask(&*here, &key(&claimed), 1, "one").await;
        here.finish(&key(&claimed), &Outcome::text("eaten")).await.expect("finishes");
        assert!(here.prune(&new.id).await.expect("prunes"));
        assert_eq!(there.get(&new.id).await.expect("reads"), None);
        assert!(there.find("", 10).await.expect("finds").is_empty());
        for filter in [
            TaskFilter::default(),
            TaskFilter { session: new.session.clone(), ..TaskFilter::default() },
            TaskFilter { status: Some(TaskStatus::Completed), ..TaskFilter::default() },
            TaskFilter { hidden: true, ..TaskFilter::default() },
        ] {
            let page = there.list(&filter, None, 10).await.expect("lists");
            assert_eq!(
                (page.tasks, page.unreadable, page.next),
                (Vec::new(), Vec::new(), None),
                "{filter:?}"
            );
        }
        let due = there.due().await.expect("reads");
        assert_eq!((due.questions, due.tasks, due.claims), (Vec::new(), Vec::new(), Vec::new()));
        let log = there.history(&EventFilter::All, Cursor::START, 1000).await.expect("reads").events;
        let last = log.last().expect("the log remains");
        assert_eq!((last.kind.name(), last.status, &last.task), ("expired", TaskStatus::Completed, &new.id));
    }
}

async fn a_task_that_has_not_ended_is_not_pruned(bench: Bench) {
    let store = bench.store().await;
    let new = NewTask { ttl_ms: Some(1), ..new_task("dinner") };
    let task = submit(&*store, &new).await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert!(!store.prune(&new.id).await.expect("does nothing"), "its end is a matter of its ttl");
    assert_eq!(get(&*store, &new.id).await, task);
    store.cancel(&new.id, "enough").await.expect("cancels");
    assert!(store.prune(&new.id).await.expect("prunes"));
}

async fn what_is_gone_cannot_be_pruned(bench: Bench) {
    let store = bench.store().await;
    let refused = store.prune(&TaskId::generate()).await.expect_err("there is none");
    assert!(matches!(refused, StoreError::NoTask(_)), "{refused}");
}

async fn a_pruned_task_makes_room(bench: Bench) {
    let store = bench.store().await;
    for _ in 0..3 {
        let new = new_task("dinner");
        store.submit(&new, 1).await.expect("there is room for one");
        store.cancel(&new.id, "enough").await.expect("cancels");
        assert!(store.prune(&new.id).await.expect("prunes"));
    }
}

/// Whoever wants it gone wants no archive of it, on whatever handle.
async fn a_pruned_task_is_not_archived(bench: Bench) {
    let store = bench.store().await;
    store.retain(Retention { time: Duration::from_secs(3600), bytes: 1 << 20 });
    let task = submit(&*store, &new_task("dinner")).await;
    let claimed = claim(&*store, "dinner").await;
    store.finish(&key(&claimed), &Outcome::text("eaten")).await.expect("finishes");
    assert!(store.prune(task.id()).await.expect("prunes"));
    assert_eq!(store.archived_task(task.id()).await.expect("reads"), None);
}
