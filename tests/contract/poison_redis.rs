//! What is wrong in a Redis harms only itself: lost keys, records that cannot be read, events of a newer version, a store
//! that is emptied.

use std::time::Duration;

use mcptask::store::{EventFilter, News, Store, StoreError, TaskFilter};
use mcptask::task::{Cursor, NewTask, Outcome, TaskId};
use tokio_util::sync::CancellationToken;

use crate::redis_keys::{PREFIX, does, server};
use crate::support::bench::Bench;
use crate::support::redis::RedisServer;
use crate::support::{
    accept, claim, claim_for, crash, enlisted, form, key, new_task, running, submit, within, worker,
};

/// The kinds of a task that cannot be read.
const POISONS: [&str; 14] = [
    "a string",
    "gone",
    "no JSON",
    "too deep",
    "no status",
    "an unknown status",
    "no number",
    "no labels",
    "labels of nobody",
    "a huge number",
    "no attempt",
    "many questions",
    "a broken answer",
    "a broken question",
];

fn poison(server: &RedisServer, task: &TaskId, kind: &str) {
    let key = format!("{PREFIX}task:{task}");
    match kind {
        "a string" => {
            does(server, &["DEL", &key]);
            does(server, &["SET", &key, "poison"]);
        }
        "gone" => does(server, &["DEL", &key]),
        "no JSON" => does(server, &["HSET", &key, "new", "{"]),
        "too deep" => {
            let deep = format!("{{\"id\":\"{task}\",\"x\":{}1{}}}", "[".repeat(300), "]".repeat(300));
            does(server, &["HSET", &key, "new", &deep]);
        }
        "no status" => does(server, &["HDEL", &key, "status"]),
        "an unknown status" => does(server, &["HSET", &key, "status", "paused"]),
        "a huge number" => does(server, &["HSET", &key, "open", "99999999999999999999999"]),
        "no attempt" => does(server, &["HSET", &key, "attempt", "x"]),
        "many questions" => does(server, &["HSET", &key, "asked", "20000000"]),
        "a broken answer" => {
            let question = "{\"message\":\"x\",\"mode\":\"form\",\"requestedSchema\":{}}";
            does(
                server,
                &["HSET", &key, "asked", "1", "q1", question, "q1.at", "1", "q1.sum", "x", "a1", "{"],
            );
        }
        "no labels" => does(server, &["HDEL", &key, "labels"]),
        "labels of nobody" => does(server, &["HSET", &key, "labels", "0dinner\n\n"]),
        "no number" => does(server, &["HSET", &key, "created", "yesterday"]),
        _ => does(server, &["HSET", &key, "asked", "1", "q1", "{", "q1.at", "1", "q1.sum", "x"]),
    }
}

/// A poisoned task among healthy ones: every verb of the healthy ones goes on, and the bad one is named.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_bad_task_harms_only_itself() {
    for kind in POISONS {
        let bench = Bench::redis();
        let store = bench.store().await;
        let bad = NewTask { ttl_ms: Some(1), ..new_task("dinner") };
        submit(&*store, &bad).await;
        let held = submit(&*store, &new_task("lunch")).await;
        let held_bad = submit(&*store, &new_task("supper")).await;
        claim(&*store, "supper").await;
        store
            .ask(
                &mcptask::store::ClaimKey { task: held_bad.id().clone(), attempt: 1 },
                1,
                &[form("x")],
                Some(Duration::from_millis(1)),
            )
            .await
            .expect("asks");
        // A worker that dies holds a bad one and a good one.
        let w0 = enlisted(&*store, "w0").await;
        let (mut of_dead, snack) = (Vec::new(), ["snack".to_owned()]);
        for _ in 0..2 {
            submit(&*store, &new_task("snack")).await;
            of_dead.extend(store.claim(&w0, &snack, 1, &CancellationToken::new()).await.expect("claims"));
        }
        store.dismiss(&w0).await.expect("leaves");
        poison(server(&bench), &bad.id, kind);
        poison(server(&bench), held_bad.id(), kind);
        poison(server(&bench), of_dead[0].id(), kind);

        let good = submit(&*store, &new_task("dinner")).await;
        let stop = CancellationToken::new();
        let tools = ["dinner".to_owned(), "lunch".to_owned()];
        let mut claimed = Vec::new();
        while claimed.len() < 2 {
            let more = within("the claim", claim_for(&*store, &worker("w1"), &tools, 5, &stop))
                .await
                .expect("claims");
            claimed.extend(more.iter().map(|task| task.id().clone()));
        }
        claimed.sort();
        let mut expected = vec![good.id().clone(), held.id().clone()];
        expected.sort();
        assert_eq!(claimed, expected, "{kind}");

        let error = store.get(&bad.id).await.expect_err("cannot be read");
        assert!(matches!(&error, StoreError::Unreadable { task, .. } if *task == bad.id), "{kind}: {error}");
        let page = store.list(&TaskFilter::default(), None, 10).await.expect("lists");
        assert_eq!(page.tasks.len(), 3, "{kind}");
        let mut named: Vec<_> = page.unreadable.iter().map(|bad| bad.name.clone()).collect();
        named.sort();
        let mut expected = vec![bad.id.to_string(), held_bad.id().to_string(), of_dead[0].id().to_string()];
        expected.sort();
        assert_eq!(named, expected, "{kind}");

        settle(&*store, kind).await;
        let taken_over = claim(&*store, "snack").await;
        assert_eq!((taken_over.id(), taken_over.attempt), (of_dead[1].id(), 2), "{kind}");
        for bad in [&bad.id, held_bad.id(), of_dead[0].id()] {
            // Whatever can be cancelled is, and what is left of the others goes.
            match store.cancel(bad, "enough").await {
                Ok(()) | Err(StoreError::NoTask(_) | StoreError::Ended { .. }) => {}
                Err(error) => panic!("{kind}: {error}"),
            }
        }
        assert!(store.history(&EventFilter::All, Cursor::START, 100).await.expect("reads").events.len() > 5);
    }
}

/// Does all that is due, as a time keeper does; nothing may be due for ever.
async fn settle(store: &dyn Store, kind: &str) {
    for round in 0.. {
        let due = store.due().await.expect("looks");
        if due.is_empty() {
            return;
        }
        assert!(round < 20, "{kind}: {due:?} is due for ever");
        for (task, question) in due.questions {
            let _ = store.answer(&task, &question, &accept("Thai")).await;
        }
        for (claim, _) in due.claims {
            let _ = store.requeue(&claim, &crash("gone")).await;
        }
        for task in due.delayed {
            let _ = store.resume(&task).await;
        }
        for task in due.tasks {
            store.expire(&task).await.unwrap_or_else(|error| panic!("{kind}: {error}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_of_a_newer_version_is_passed_over() {
    let bench = Bench::redis();
    let store = bench.store().await;
    let mut tail = store.tail(Cursor::START);
    let first = running(&*store).await;
    let events = format!("{PREFIX}events");
    let newer = [
        "kind",
        "paused",
        "task",
        first.id().as_str(),
        "tool",
        "dinner",
        "scope",
        "anonymous",
        "status",
        "working",
    ];
    does(server(&bench), &[&["XADD", events.as_str(), "*"][..], &newer[..]].concat());
    // Bytes that are no text, too.
    let client = redis::Client::open(server(&bench).url()).expect("an address");
    let mut connection = client.get_connection().expect("connects");
    let mut bytes = redis::cmd("XADD");
    bytes.arg(&events).arg("*").arg("kind").arg(&b"\xff\xfe"[..]);
    for field in &newer[2..] {
        bytes.arg(field);
    }
    bytes.query::<()>(&mut connection).expect("the server takes it");
    store.finish(&key(&first), &Outcome::text("eaten")).await.expect("finishes");
    let log = store.history(&EventFilter::All, Cursor::START, 100).await.expect("reads");
    let words: Vec<_> = log.events.iter().map(|event| event.kind.name()).collect();
    assert_eq!(words, ["submitted", "claimed", "completed"]);
    assert_eq!(log.unreadable.len(), 2);
    assert!(log.unreadable[0].problem.contains("paused"), "{:?}", log.unreadable);
    let mut told = News::default();
    while told.events.len() < 3 {
        let news = within("the news", tail.next()).await.expect("goes on");
        told.events.extend(news.events);
        told.unreadable.extend(news.unreadable);
    }
    assert_eq!(told.unreadable, log.unreadable);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tail_hears_that_the_store_was_emptied() {
    let bench = Bench::redis();
    let store = bench.store().await;
    running(&*store).await;
    let mut tail = store.tail(store.last().await.expect("reads"));
    let look = async {
        loop {
            let news = tail.next().await.expect("goes on");
            if news.reset {
                return;
            }
        }
    };
    let flush = async {
        // The tail has begun to wait by then; it would find an empty store at its first look just as well.
        tokio::time::sleep(Duration::from_millis(50)).await;
        does(server(&bench), &["FLUSHALL"]);
    };
    within("the reset", async { tokio::join!(look, flush) }).await;
    let task = submit(&*store, &new_task("dinner")).await;
    let heard = async {
        loop {
            let news = tail.next().await.expect("goes on");
            if news.events.iter().any(|event| &event.task == task.id()) {
                return;
            }
        }
    };
    within("the next event", heard).await;
}

/// What is written after the store was emptied can lie behind the place of a tail; then only the namespace's new life
/// tells that the log is another one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tail_hears_that_the_store_was_emptied_and_filled_again() {
    let bench = Bench::redis();
    let store = bench.store().await;
    running(&*store).await;
    let mut tail = store.tail(store.last().await.expect("reads"));
    submit(&*store, &new_task("dinner")).await;
    within("the news", tail.next()).await.expect("goes on");
    does(server(&bench), &["FLUSHALL"]);
    // Another process begins the namespace anew, and its log is beyond that place before the tail looks.
    let there = bench.store().await;
    submit(&*there, &new_task("dinner")).await;
    let reset = async { while !tail.next().await.expect("goes on").reset {} };
    within("the reset", reset).await;
    assert!(there.last().await.expect("reads") > Cursor::START);
}
