//! A Redis whose clock goes back, and streams that are ahead of it: the ids of a stream never go back, so no time is told
//! by them.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use mcptask::store::{EventFilter, Requeue, StoreError};
use mcptask::task::{Cursor, NewTask, Outcome, ToolSpec};
use tokio_util::sync::CancellationToken;

use crate::redis_keys::{PREFIX, does, server};
use crate::support::bench::Bench;
use crate::support::redis::RedisServer;
use crate::support::{accept, drain, enlisted, form, get, key, new_task, q, session, submit, within, worker};

/// The last of all ids.
const LAST_ID: &str = "18446744073709551615-18446744073709551615";

/// An entry of the log as another process left it there when the clock was ahead.
fn ahead(server: &RedisServer, id: &str) {
    let events = format!("{PREFIX}events");
    let id_of_none = "0".repeat(26);
    let fields =
        ["kind", "noted", "task", &id_of_none, "tool", "dinner", "scope", "anonymous", "status", "working"];
    let detail = ["session", "", "hidden", "0", "detail", "{\"note\":\"x\"}"];
    does(server, &[&["XADD", events.as_str(), id][..], &fields[..], &detail[..]].concat());
}

fn is_now(time: Timestamp) -> bool {
    Timestamp::now().duration_since(time).abs() < SignedDuration::from_secs(20)
}

/// What a worker does with a lease of a few seconds while the log is an hour ahead.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_ahead_of_the_clock_delays_nothing() {
    let bench = Bench::redis();
    let store = bench.store().await;
    let hour_ahead = Timestamp::now().as_millisecond() + 3_600_000;
    ahead(server(&bench), &format!("{hour_ahead}-0"));
    let mut tail = store.tail(store.last().await.expect("reads"));
    let w1 = worker("w1");
    store.enlist(&w1, None, &[], Duration::from_secs(20)).await.expect("enlists");
    let short = NewTask { ttl_ms: Some(1), ..new_task("lunch") };
    let new = NewTask { session: Some(session("s")), ..new_task("dinner") };
    submit(&*store, &short).await;
    submit(&*store, &new).await;
    let (stop, tools) = (CancellationToken::new(), ["dinner".to_owned()]);
    let claimed = within("the claim", store.claim(&w1, &tools, 1, &stop)).await.expect("the lease lives");
    let claim = key(&claimed[0]);
    store.ask(&claim, 1, &[form("Really?")], Some(Duration::from_millis(1))).await.expect("asks");
    let overdue = async {
        loop {
            let due = store.due().await.expect("looks");
            if due.tasks == [short.id.clone()] && due.questions == [(claim.task.clone(), q(1))] {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    within("the ttl and the question", overdue).await;
    store.answer(&claim.task, &q(1), &accept("Thai")).await.expect("answers");
    let requeue = Requeue { delay: Some(Duration::from_millis(1)), ..drain() };
    store.requeue(&claim, &requeue).await.expect("goes back");
    let delayed = async {
        while store.due().await.expect("looks").delayed.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    within("the delay", delayed).await;
    let task = get(&*store, &claim.task).await;
    assert!(
        is_now(task.created_at) && is_now(task.updated_at) && is_now(task.questions[0].asked_at),
        "{task:?}"
    );
    for filter in [EventFilter::Task(claim.task.clone()), EventFilter::Session(session("s"))] {
        let log = store.history(&filter, Cursor::START, 100).await.expect("reads").events;
        assert_eq!(log.len(), 5, "{log:?}");
        assert!(log.iter().all(|event| is_now(event.at)), "{log:?}");
    }
    let mut told = 0;
    while told < 6 {
        told += within("the news", tail.next()).await.expect("goes on").events.len();
    }
}

/// A stream with the last of all ids takes no entry any more: it is moved aside like a key of another type.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_takes_no_entry_begins_anew() {
    for name in ["events", "log:s", "ready:dinner", "tools:changes"] {
        let bench = Bench::redis();
        let store = bench.store().await;
        let w1 = enlisted(&*store, "w1").await;
        let of_session = || NewTask { session: Some(session("s")), ..new_task("dinner") };
        submit(&*store, &of_session()).await;
        let (stop, tools) = (CancellationToken::new(), ["dinner".to_owned()]);
        within("the claim", store.claim(&w1, &tools, 1, &stop)).await.expect("claims");
        let mut tail = store.tail(Cursor::START);
        let key_of = format!("{PREFIX}{name}");
        does(server(&bench), &["XADD", &key_of, LAST_ID, "task", "x"]);
        within("the news", tail.next()).await.expect("goes on");
        let new = submit(&*store, &of_session()).await;
        let tool = ToolSpec::new("brunch", "x", serde_json::json!({}));
        store.enlist(&w1, None, &[tool], Duration::from_secs(60)).await.expect("is enlisted");
        let claimed = within("the claim", store.claim(&w1, &tools, 1, &stop)).await.expect("claims");
        assert_eq!(claimed[0].id(), new.id(), "{name}");
        store.finish(&key(&claimed[0]), &Outcome::text("eaten")).await.expect("ends");
        let (mut tools_told, mut ended) = (false, false);
        while !(tools_told && ended) {
            let news = within("the news", tail.next()).await.expect("goes on");
            tools_told |= news.tools;
            // A log that begins anew is one that nobody knows yet.
            ended |= news.reset || news.events.iter().any(|event| event.kind.is_end());
        }
        let troubles = store.health().await.expect("looks");
        assert!(troubles.iter().any(|one| one.problem.contains(&key_of)), "{name}: {troubles:?}");
    }
}

/// A lease that ends while its worker claims: what the reply says is what the store says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_that_ends_between_two_tasks_keeps_those_that_were_claimed() {
    const TASKS: usize = 1500;
    let bench = Bench::redis();
    let store = bench.store().await;
    let (stop, tools) = (CancellationToken::new(), ["dinner".to_owned()]);
    for _ in 0..TASKS {
        submit(&*store, &new_task("dinner")).await;
    }
    // The scripts are there from now on.
    let first = enlisted(&*store, "first").await;
    store.claim(&first, &tools, 1, &stop).await.expect("claims");
    let mut in_part = false;
    for lease in [2, 4, 6, 8, 10, 15, 20, 30, 40] {
        let id = worker(&format!("w{lease}"));
        store.enlist(&id, None, &[], Duration::from_millis(lease)).await.expect("enlists");
        let claimed = match store.claim(&id, &tools, TASKS, &stop).await {
            Ok(tasks) => tasks.len(),
            Err(StoreError::LeaseEnded { .. }) => 0,
            Err(error) => panic!("{error}"),
        };
        let held = store.claims(&id).await.expect("are told");
        assert_eq!(held.len(), claimed, "a lease of {lease} ms");
        in_part |= (1..TASKS).contains(&claimed);
        for claim in held {
            store.requeue(&claim, &drain()).await.expect("goes back");
        }
    }
    assert!(in_part, "no lease ended while its worker claimed");
}
