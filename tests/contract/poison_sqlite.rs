//! Something that cannot be read among healthy things, in each table of the SQLite engine: the healthy ones go on, and
//! the bad one is named, can be cancelled and expires.

use std::time::Duration;

use mcptask::store::{EventFilter, Store, StoreError, TaskFilter};
use mcptask::task::{Cursor, NewTask, Outcome, RpcError, TaskId, TaskStatus, ToolSpec};
use serde_json::json;

use crate::sqlite_kitchen::Kitchen;
use crate::support::{
    LEASE, ask, claim, crash, decline, enlisted, form, get, key, new_task, nothing_queued, q, running,
    submit, within, worker,
};

#[tokio::test]
async fn claim_parks_the_bad_task_and_takes_the_next() {
    let kitchen = Kitchen::new().await;
    let store = &*kitchen.store;
    let bad = submit(store, &new_task("dinner")).await;
    let good = submit(store, &new_task("dinner")).await;
    kitchen.poison(bad.id());
    assert_eq!(claim(store, "dinner").await.id(), good.id());
    nothing_queued(store, "dinner").await;
    assert!(kitchen.unreadable(bad.id()).await.contains("its arguments cannot be read"));
    let troubles = store.health().await.expect("says so");
    assert_eq!(troubles.iter().map(|trouble| trouble.cause).collect::<Vec<_>>(), ["tasks_unreadable"]);
    assert!(troubles[0].problem.contains(bad.id().as_str()), "{troubles:?}");
}

#[tokio::test]
async fn a_queue_of_bad_tasks_does_not_keep_a_worker_from_the_good_one() {
    let kitchen = Kitchen::new().await;
    let store = &*kitchen.store;
    for _ in 0..150 {
        kitchen.poison(submit(store, &new_task("dinner")).await.id());
    }
    let good = submit(store, &new_task("dinner")).await;
    assert_eq!(claim(store, "dinner").await.id(), good.id());
}

#[tokio::test]
async fn lists_name_the_bad_task_and_pages_go_on_behind_it() {
    let kitchen = Kitchen::new().await;
    let store = &*kitchen.store;
    let mut made = Vec::new();
    for number in 0..9 {
        made.push(submit(store, &new_task("dinner")).await.id().clone());
        if number % 3 == 1 {
            kitchen.poison(&made[number]);
        }
    }
    for most in [1, 2, 3, 100] {
        let (mut good, mut bad, mut after) = (Vec::new(), Vec::new(), None);
        loop {
            let page = store.list(&TaskFilter::default(), after.as_ref(), most).await.expect("lists");
            assert!(page.tasks.len() + page.unreadable.len() <= most);
            good.extend(page.tasks.iter().map(|task| task.id().clone()));
            bad.extend(page.unreadable.into_iter().map(|one| one.name));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let (mut expected_good, mut expected_bad) = (Vec::new(), Vec::new());
        for (number, id) in made.iter().enumerate() {
            if number % 3 == 1 { expected_bad.push(id.to_string()) } else { expected_good.push(id.clone()) }
        }
        for ids in [&mut good, &mut expected_good] {
            ids.sort();
        }
        for names in [&mut bad, &mut expected_bad] {
            names.sort();
        }
        assert_eq!((good, bad), (expected_good, expected_bad), "pages of {most}");
    }
    assert_eq!(store.find("", 100).await.expect("finds").len(), 9);
}

#[tokio::test]
async fn a_bad_task_is_cancelled_and_expires() {
    let kitchen = Kitchen::new().await;
    let store = &*kitchen.store;
    let held = running(store).await;
    let queued = submit(store, &NewTask { ttl_ms: Some(1), ..new_task("dinner") }).await;
    for id in [queued.id(), held.id()] {
        kitchen.poison(id);
        store.cancel(id, "nobody can").await.expect("cancels");
        assert!(matches!(
            store.cancel(id, "").await,
            Err(StoreError::Ended { status: TaskStatus::Cancelled, .. })
        ));
        kitchen.unreadable(id).await;
    }
    let due = store.due().await.expect("reads");
    assert_eq!((due.tasks, due.claims.len(), due.questions.len()), (vec![queued.id().clone()], 0, 0));
    store.expire(queued.id()).await.expect("expires");
    assert_eq!(store.get(queued.id()).await.expect("reads"), None);
    nothing_queued(store, "dinner").await;
}

#[tokio::test]
async fn a_question_of_a_bad_task_times_out_among_good_ones() {
    let kitchen = Kitchen::new().await;
    let store = &*kitchen.store;
    let (bad, good) = (running(store).await, running(store).await);
    for task in [&bad, &good] {
        store.ask(&key(task), 1, &[form("late")], Some(Duration::from_millis(1))).await.expect("asks");
    }
    kitchen.poison(bad.id());
    kitchen.sql("UPDATE question SET record = 'no JSON' WHERE task = 1");
    tokio::time::sleep(Duration::from_millis(20)).await;
    let due = store.due().await.expect("reads");
    assert_eq!(due.questions, [(bad.id().clone(), q(1)), (good.id().clone(), q(1))]);
    for (task, question) in &due.questions {
        store.answer(task, question, &decline()).await.expect("answers");
    }
    assert!(store.due().await.expect("reads").questions.is_empty());
    assert_eq!(get(store, good.id()).await.status, TaskStatus::Working);
    // Whoever holds it can still end it.
    store.finish(&key(&bad), &Outcome::text("eaten")).await.expect("finishes");
    assert!(kitchen.unreadable(bad.id()).await.contains("its question 1 cannot be read"));
}

#[tokio::test]
async fn each_part_of_a_task_is_named_where_it_is_the_bad_one() {
    for (damage, problem) in [
        ("UPDATE question SET record = '[]'", "its question 1 cannot be read"),
        ("UPDATE question SET answer = '{}'", "its answer 1 cannot be read"),
        ("DELETE FROM question", "it has asked 1 questions, of which some are gone"),
        ("UPDATE question SET asked_ms = 9223372036854775807", "is no time that it can have"),
        ("UPDATE task SET progress = 'x'", "its progress cannot be read"),
        ("UPDATE task SET status = 'frozen'", "\"frozen\" is not a status"),
        ("UPDATE task SET worker = 'two words'", "two words"),
        ("UPDATE task SET attempt = -1", "its \"attempt\" is -1"),
        ("DELETE FROM arguments", "its arguments are gone"),
        ("UPDATE task SET created_ms = 9223372036854775807", "its \"created_ms\" is 9223372036854775807"),
    ] {
        let kitchen = Kitchen::new().await;
        let store = &*kitchen.store;
        let bad = running(store).await;
        ask(store, &key(&bad), 1, "one").await;
        kitchen.sql(damage);
        let good = submit(store, &new_task("lunch")).await;
        let found = kitchen.unreadable(bad.id()).await;
        assert!(found.contains(problem), "{damage}: {found}");
        let page = store.list(&TaskFilter::default(), None, 10).await.expect("lists");
        assert_eq!((page.tasks.len(), page.unreadable[0].name.as_str()), (1, bad.id().as_str()), "{damage}");
        assert_eq!(claim(store, "lunch").await.id(), good.id(), "{damage}");
        store.due().await.expect("reads");
        store.cancel(bad.id(), "nobody can").await.unwrap_or_else(|error| panic!("{damage}: {error}"));
        let due = store.due().await.expect("reads");
        assert!(due.is_empty(), "{damage}: {due:?}");
    }
}

#[tokio::test]
async fn what_no_verb_can_name_is_due_once() {
    let kitchen = Kitchen::new().await;
    let store = &*kitchen.store;
    let mut new = NewTask { ttl_ms: Some(1), ..new_task("dinner") };
    let held = running(store).await;
    submit(store, &new).await;
    ask(store, &key(&held), 1, "one").await;
    kitchen.sql("UPDATE task SET id = 'no id' WHERE worker IS NULL");
    new.id = TaskId::generate();
    kitchen.sql("UPDATE task SET id = 'none either' WHERE worker IS NOT NULL");
    kitchen.sql("UPDATE question SET due_ms = 1");
    kitchen.sql("UPDATE worker SET lease_until_ms = 1");
    submit(store, &new).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    let due = store.due().await.expect("reads");
    assert_eq!((due.tasks, due.claims.len(), due.questions.len()), (vec![new.id.clone()], 0, 0));
    let mut named: Vec<_> = due.unreadable.into_iter().map(|one| one.name).collect();
    named.sort();
    assert_eq!(named, ["no id", "none either", "none either"]);
    store.expire(&new.id).await.expect("expires");
    let due = store.due().await.expect("reads");
    assert!(due.is_empty() && due.unreadable.is_empty(), "{due:?}");
}

#[tokio::test]
async fn claims_of_a_worker_that_is_on_no_list_are_due() {
    let kitchen = Kitchen::new().await;
    let store = &*kitchen.store;
    let held = running(store).await;
    kitchen.sql("DELETE FROM worker");
    assert_eq!(store.due().await.expect("reads").claims, [(key(&held), worker("w1"))]);
    store.requeue(&key(&held), &crash("gone")).await.expect("requeues");
    assert_eq!(claim(store, "dinner").await.id(), held.id());
}

#[tokio::test]
async fn events_that_nobody_knows_are_passed_over() {
    let kitchen = Kitchen::new().await;
    let store = &*kitchen.store;
    let task = submit(store, &new_task("dinner")).await;
    let mut tail = store.tail(Cursor::START);
    store.note(task.id(), None, "one").await.expect("notes");
    store.note(task.id(), None, "two").await.expect("notes");
    store.note(task.id(), None, "three").await.expect("notes");
    kitchen.sql("UPDATE event SET record = '{\"event\":\"teleported\"}' WHERE sequence = 2");
    kitchen.sql("UPDATE event SET task = 'no id' WHERE sequence = 3");
    let history = store.history(&EventFilter::All, Cursor::START, 10).await.expect("reads");
    assert_eq!(
        history.events.iter().map(|event| event.kind.name()).collect::<Vec<_>>(),
        ["submitted", "noted"]
    );
    assert_eq!(history.unreadable.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["0-2", "0-3"]);
    assert!(history.unreadable[0].problem.contains("teleported"), "{history:?}");
    let news = within("the news", tail.next()).await.expect("reads");
    assert_eq!((news.events, news.unreadable), (history.events, history.unreadable));
    let short = store.history(&EventFilter::All, Cursor::START, 2).await.expect("reads");
    assert_eq!(short.next.map(|next| next.sequence), Some(2), "reading goes on behind a bad one");
    // With nothing but bad ones behind its place, a tail still goes past them.
    kitchen.sql("UPDATE event SET record = 'x' WHERE sequence = 4");
    let mut tail = store.tail(Cursor { millis: 0, sequence: 3 });
    assert_eq!(within("the news", tail.next()).await.expect("reads").unreadable.len(), 1);
    store.note(task.id(), None, "four").await.expect("notes");
    assert_eq!(within("the news", tail.next()).await.expect("reads").events.len(), 1);
}

#[tokio::test]
async fn a_log_that_came_back_older_is_another_one() {
    let kitchen = Kitchen::new().await;
    let store = &*kitchen.store;
    let task = submit(store, &new_task("dinner")).await;
    for _ in 0..5 {
        store.note(task.id(), None, "on").await.expect("notes");
    }
    let mut tail = store.tail(store.last().await.expect("reads"));
    kitchen.sql("DELETE FROM event WHERE sequence > 2");
    let news = within("the news", tail.next()).await.expect("reads");
    assert!(news.reset && news.events.is_empty(), "{news:?}");
    store.note(task.id(), None, "anew").await.expect("notes");
    let news = within("the news", tail.next()).await.expect("reads");
    assert_eq!((news.reset, news.events[0].cursor.sequence), (false, 3));
}

#[tokio::test]
async fn tools_and_workers_name_the_bad_one() {
    let kitchen = Kitchen::new().await;
    let store = &*kitchen.store;
    let tool = |name: &str| ToolSpec::new(name, "cooks", json!({ "type": "object" }));
    store.enlist(&worker("w1"), None, &[tool("dinner"), tool("lunch")], LEASE).await.expect("enlists");
    enlisted(store, "w2").await;
    kitchen.sql("UPDATE tool SET record = '{}' WHERE name = 'dinner'");
    kitchen.sql("UPDATE worker SET id = 'two words' WHERE id = 'w2'");
    let tools = store.tools().await.expect("reads");
    assert_eq!((tools.rows, tools.unreadable[0].name.as_str()), (vec![tool("lunch")], "dinner"));
    let workers = store.workers().await.expect("reads");
    assert_eq!((workers.rows.len(), workers.unreadable[0].name.as_str()), (1, "two words"));
    assert_eq!(workers.rows[0].tools, ["dinner", "lunch"]);
    // The next offer of the tool mends it, and a bad one can be withdrawn.
    store.dismiss(&worker("w1")).await.expect("dismisses");
    store.withdraw(&["dinner".into()], &RpcError::internal("gone")).await.expect("withdraws");
    assert_eq!(store.tools().await.expect("reads").unreadable, []);
}

#[tokio::test]
async fn a_withdrawal_ends_bad_tasks_as_well() {
    let kitchen = Kitchen::new().await;
    let store = &*kitchen.store;
    let (bad, good) = (submit(store, &new_task("dinner")).await, submit(store, &new_task("dinner")).await);
    kitchen.poison(bad.id());
    store.withdraw(&["dinner".into()], &RpcError::internal("gone")).await.expect("withdraws");
    assert_eq!(get(store, good.id()).await.status, TaskStatus::Failed);
    assert!(matches!(
        store.cancel(bad.id(), "").await,
        Err(StoreError::Ended { status: TaskStatus::Failed, .. })
    ));
}
