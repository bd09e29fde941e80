//! What is due in a SQLite file and cannot be settled, or not yet: everything else has its turn, and nobody looks without
//! end.

use std::time::Duration;

use mcptask::store::{Due, Requeue, Store};
use mcptask::task::{NewTask, TaskId};

use crate::sqlite_kitchen::Kitchen;
use crate::support::{LEASE, MANY, claim, claim_for, decline, form, key, new_task, submit, worker};

/// More than two calls return of one list.
const BAD: usize = 250;

/// The most looks in which everybody has had a turn.
const LOOKS: usize = 5;

/// Tasks of that tool of which a worker that is gone holds all.
async fn held(store: &dyn Store, tool: &str, count: usize) -> Vec<TaskId> {
    for _ in 0..count {
        submit(store, &new_task(tool)).await;
    }
    let (gone, stop) = (worker(tool), tokio_util::sync::CancellationToken::new());
    let mut claimed = Vec::new();
    while claimed.len() < count {
        claimed.extend(claim_for(store, &gone, &[tool.to_owned()], count, &stop).await.expect("claims"));
    }
    claimed.iter().map(|task| task.id().clone()).collect()
}

/// Somebody has no task of the tool `bad` changed any more, for whatever reason.
fn refuse(kitchen: &Kitchen) {
    for change in ["UPDATE", "DELETE"] {
        kitchen.sql(&format!(
            "CREATE TRIGGER no_{change} BEFORE {change} ON task WHEN old.tool = 'bad'
            BEGIN SELECT RAISE(ABORT, 'no'); END"
        ));
    }
}

/// Does what is due as the time keeper does it; how much of it worked.
async fn settle(store: &dyn Store, due: &Due) -> usize {
    let mut settled = 0;
    for (task, question) in &due.questions {
        settled += usize::from(store.answer(task, question, &decline()).await.is_ok());
    }
    for (claim, _) in &due.claims {
        settled += usize::from(store.requeue(claim, &Requeue::failed("gone".into())).await.is_ok());
    }
    for task in &due.delayed {
        settled += usize::from(store.resume(task).await.is_ok());
    }
    for task in &due.tasks {
        settled += usize::from(store.expire(task).await.is_ok());
    }
    settled
}

/// Looks until something was settled, which has to be soon; nothing that cannot be settled is looked at again at once.
async fn something_has_its_turn(store: &dyn Store, what: &str) {
    for _ in 0..LOOKS {
        let due = store.due().await.expect("reads");
        assert!(due.next.is_some_and(|next| next >= Duration::from_millis(100)), "{what}: {:?}", due.next);
        if settle(store, &due).await > 0 {
            return;
        }
    }
    panic!("{what}: {BAD} that cannot be settled keep the other one from its turn");
}

#[tokio::test]
async fn questions_that_cannot_be_ended_keep_no_other_from_its_end() {
    let kitchen = Kitchen::new().await;
    let store = &*kitchen.store;
    let soon = Some(Duration::from_millis(1));
    for tool in ["bad", "good"] {
        for _ in 0..if tool == "bad" { BAD } else { 1 } {
            submit(store, &new_task(tool)).await;
            let task = claim(store, tool).await;
            store.ask(&key(&task), 1, &[form("late")], soon).await.expect("asks");
        }
    }
    kitchen.sql("UPDATE question SET due_ms = task");
    refuse(&kitchen);
    something_has_its_turn(store, "questions").await;
}

#[tokio::test]
async fn tasks_that_cannot_be_deleted_or_queued_keep_no_other_from_it() {
    for (what, damage) in [("ttls", "expires_ms = number"), ("delays", "queued = NULL, resume_ms = number")] {
        let kitchen = Kitchen::new().await;
        let store = &*kitchen.store;
        for _ in 0..BAD {
            submit(store, &new_task("bad")).await;
        }
        submit(store, &new_task("good")).await;
        kitchen.sql(&format!("UPDATE task SET {damage}"));
        refuse(&kitchen);
        something_has_its_turn(store, what).await;
    }
}

#[tokio::test]
async fn claims_that_cannot_be_taken_over_keep_no_other_from_it() {
    // Of the same worker, and of the next one.
    for other in ["bad", "good"] {
        let kitchen = Kitchen::new().await;
        let store = &*kitchen.store;
        held(store, "bad", BAD).await;
        held(store, "good", 1).await;
        kitchen.sql(&format!("UPDATE task SET worker = '{other}' WHERE tool = 'good'"));
        kitchen.sql("UPDATE worker SET lease_until_ms = 1");
        refuse(&kitchen);
        something_has_its_turn(store, other).await;
    }
}

/// Who takes claims over waits a moment first, for each worker; so each of them is in every look.
#[tokio::test]
async fn each_worker_that_is_gone_has_a_part_in_every_look() {
    let kitchen = Kitchen::new().await;
    let store = &*kitchen.store;
    for tool in ["a", "b", "c"] {
        held(store, tool, if tool == "b" { 1 } else { 120 }).await;
    }
    kitchen.sql("UPDATE worker SET lease_until_ms = 1");
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..4 {
        let due = store.due().await.expect("reads");
        assert!(due.claims.len() <= 100, "{} at once", due.claims.len());
        for tool in ["a", "b", "c"] {
            assert!(due.claims.iter().any(|(_, holder)| holder == &worker(tool)), "{tool}");
        }
        seen.extend(due.claims.into_iter().map(|(claim, _)| claim.task));
    }
    assert_eq!(seen.len(), 241, "every claim has its turn");
}

#[tokio::test]
async fn what_had_its_turn_is_due_again_after_all_others() {
    let kitchen = Kitchen::new().await;
    let store = &*kitchen.store;
    for _ in 0..150 {
        submit(store, &NewTask { ttl_ms: Some(1), ..new_task("bad") }).await;
    }
    kitchen.sql("UPDATE task SET expires_ms = number");
    let mut looks = Vec::new();
    for _ in 0..4 {
        looks.push(store.due().await.expect("reads"));
    }
    let counts: Vec<_> = looks.iter().map(|due| due.tasks.len()).collect();
    assert_eq!(counts, [100, 50, 100, 50]);
    assert_eq!((&looks[0].tasks, &looks[1].tasks), (&looks[2].tasks, &looks[3].tasks));
    let pause = looks[1].next.expect("they are left");
    assert!(pause > Duration::from_secs(1) && pause <= Duration::from_secs(30), "{pause:?}");
    // What comes before the place where the next look begins does not wait for it to come round.
    let first = store.due().await.expect("reads");
    kitchen.sql("UPDATE task SET expires_ms = NULL WHERE number > 100");
    assert_eq!(store.due().await.expect("reads").tasks, first.tasks);
}

#[tokio::test]
async fn what_is_set_aside_takes_no_room_from_what_can_be_named() {
    let kitchen = Kitchen::new().await;
    let store = &*kitchen.store;
    held(store, "bad", 150).await;
    kitchen.sql("UPDATE task SET status = 'completed', finished_ms = 1 WHERE tool = 'bad'");
    let good = held(store, "good", 1).await;
    let expires = NewTask { ttl_ms: Some(1), ..new_task("lunch") };
    for number in 0..450 {
        store.submit(&NewTask { id: TaskId::generate(), ..expires.clone() }, MANY).await.expect("submits");
        kitchen.sql(&format!(
            "UPDATE task SET id = 'no id {number}', expires_ms = 1 WHERE tool = 'lunch'
            AND id NOT LIKE 'no id%'"
        ));
    }
    kitchen.sql("UPDATE worker SET lease_until_ms = 1");
    let (mut claims, mut named) = (Vec::new(), 0);
    for _ in 0..2 {
        let due = store.due().await.expect("reads");
        named += due.unreadable.len();
        claims.extend(due.claims.into_iter().map(|(claim, _)| claim.task));
    }
    assert_eq!((claims.first(), named), (good.first(), 600));
    assert_eq!(kitchen.number("SELECT count(*) FROM task WHERE tool = 'lunch'"), 0);
    assert_eq!(store.due().await.expect("reads").unreadable, []);
}

#[tokio::test]
async fn a_holder_whose_name_is_no_text_holds_nothing_for_ever() {
    let kitchen = Kitchen::new().await;
    let store = &*kitchen.store;
    let bad = held(store, "bad", 1).await;
    kitchen.sql("UPDATE task SET worker = CAST(x'ff' AS TEXT)");
    store.enlist(&worker("w1"), None, &[], LEASE).await.expect("enlists");
    assert_eq!(store.due().await.expect("reads").unreadable.len(), 1);
    assert_eq!(kitchen.number("SELECT count(*) FROM task WHERE worker IS NOT NULL"), 0);
    assert!(!kitchen.unreadable(&bad[0]).await.is_empty());
}
