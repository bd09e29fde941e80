//! A namespace that the last version of layout 1 wrote, with tasks in every state: each goes on.

use std::collections::HashMap;
use std::time::{Duration, UNIX_EPOCH};

use mcptask::store::redis::RedisStore;
use mcptask::store::{EventFilter, Store, StoreError, TaskFilter};
use mcptask::task::{Cursor, Outcome, Task, TaskId, TaskStatus};
use tokio_util::sync::CancellationToken;

use crate::support::redis::RedisServer;
use crate::support::{accept, claim_for, crash, form, get, key, new_task, q, session, within, worker};

/// Made by `tests/fixtures/layout1/make_redis.py`.
const FIXTURE: &str = include_str!("../fixtures/layout1/redis.jsonl");

/// When the fixture was made, in ms.
const MADE: u64 = 1_795_702_750_200;

/// A word of the fixture with its times later by so many ms.
fn later(word: &str, by: u64) -> String {
    let moved = |digits: &str| match digits.parse::<u64>() {
        Ok(time) if digits.len() == 13 && digits.starts_with("1795") => (time + by).to_string(),
        _ => digits.to_owned(),
    };
    let mut rest = word;
    let mut text = String::new();
    while !rest.is_empty() {
        let digits = rest.find(|one: char| !one.is_ascii_digit()).unwrap_or(rest.len());
        text.push_str(&moved(&rest[..digits]));
        rest = &rest[digits..];
        let others = rest.find(|one: char| one.is_ascii_digit()).unwrap_or(rest.len());
        text.push_str(&rest[..others]);
        rest = &rest[others..];
    }
    text
}

/// A server with the old namespace, and its tasks by their state.
fn old_namespace() -> (RedisServer, HashMap<String, TaskId>) {
    let server = RedisServer::start();
    let mut lines = FIXTURE.lines();
    let head: (String, HashMap<String, TaskId>) =
        serde_json::from_str(lines.next().expect("a first line")).expect("is the tasks");
    // As if it had been made ten minutes ago: its tasks live for a day, its questions for an hour.
    let now = UNIX_EPOCH.elapsed().expect("the clock is right").as_millis();
    let by = u64::try_from(now).expect("fits") - 600_000 - MADE;
    for line in lines {
        let words: Vec<String> = serde_json::from_str(line).expect("is a command");
        let words: Vec<String> = words.iter().map(|word| later(word, by)).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let _: redis::Value = server.ask(&words).expect("the server takes it");
    }
    (server, head.1)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_create_leaves_it_alone() {
    let (server, _) = old_namespace();
    let before: Vec<String> = server.ask(&["KEYS", "*"]).expect("lists");
    let error = RedisStore::open_existing(&server.url(), "default").await.expect_err("it is older");
    assert!(matches!(error, StoreError::OlderLayout { found: 1, .. }), "{error}");
    let after: Vec<String> = server.ask(&["KEYS", "*"]).expect("lists");
    assert_eq!(after.len(), before.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_left_alone_while_an_old_worker_lives() {
    let (server, _) = old_namespace();
    let _: u64 = server.ask(&["ZADD", "mcptask:{default}:workers", "99999999999999", "old-1"]).expect("adds");
    let error = RedisStore::open(&server.url(), "default").await.expect_err("it is in use");
    assert!(error.to_string().contains("worker old-1"), "{error}");
    assert!(error.to_string().contains("Stop all older processes"), "{error}");
    let layout: String = server.ask(&["HGET", "mcptask:{default}:meta", "layout"]).expect("reads");
    assert_eq!(layout, "1");
    // Who only reads is told of the same worker.
    let error = RedisStore::open_existing(&server.url(), "default").await.expect_err("it is older");
    let StoreError::OlderLayout { worker, .. } = error else { panic!("{error}") };
    assert_eq!(worker.as_deref(), Some("old-1"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_task_is_there_as_it_was() {
    let (server, ids) = old_namespace();
    let store = RedisStore::open(&server.url(), "default").await.expect("brings it along");
    let page =
        store.list(&TaskFilter { hidden: true, ..TaskFilter::default() }, None, 100).await.expect("lists");
    assert_eq!(page.unreadable, []);
    assert_eq!(page.tasks.len(), ids.len());
    let statuses = [
        ("completed", TaskStatus::Completed),
        ("failed", TaskStatus::Failed),
        ("cancelled", TaskStatus::Cancelled),
        ("delayed", TaskStatus::Working),
        ("running", TaskStatus::Working),
        ("asking", TaskStatus::InputRequired),
        ("parked", TaskStatus::InputRequired),
        ("hidden", TaskStatus::InputRequired),
        ("queued", TaskStatus::Working),
    ];
    for (name, status) in statuses {
        let task = get(&*store, &ids[name]).await;
        assert_eq!(task.status, status, "{name}");
        let log =
            store.history(&EventFilter::Task(ids[name].clone()), Cursor::START, 100).await.expect("reads");
        assert_eq!(log.unreadable, [], "{name}");
        assert_eq!(log.events.first().map(|event| event.kind.name()), Some("submitted"), "{name}");
        let filter = TaskFilter { status: Some(status), hidden: true, ..TaskFilter::default() };
        let listed = store.list(&filter, None, 100).await.expect("lists").tasks;
        assert!(listed.iter().any(|task| task.id() == &ids[name]), "{name} is listed by its status");
        assert_eq!(store.find(&ids[name].as_str()[..8], 2).await.expect("finds"), [ids[name].clone()]);
    }
    let of_session = TaskFilter { session: Some(session("dinner")), ..TaskFilter::default() };
    assert_eq!(store.list(&of_session, None, 100).await.expect("lists").tasks.len(), 4);
    let log =
        store.history(&EventFilter::Session(session("lunch")), Cursor::START, 100).await.expect("reads");
    assert_eq!(log.events.len(), 6);
    assert_eq!(store.tools().await.expect("reads").rows.len(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_live_task_goes_on() {
    let (server, ids) = old_namespace();
    let store = RedisStore::open(&server.url(), "default").await.expect("brings it along");
    let due = store.due().await.expect("looks");
    let mut lost: Vec<_> = due.claims.iter().map(|(claim, _)| claim.task.clone()).collect();
    lost.sort();
    let mut expected = vec![ids["asking"].clone(), ids["running"].clone(), ids["hidden"].clone()];
    expected.sort();
    assert_eq!(lost, expected, "what the dead worker held");
    for (claim, _) in due.claims {
        store.requeue(&claim, &crash("the worker died")).await.expect("requeues");
    }
    for name in ["asking", "parked"] {
        store.answer(&ids[name], &q(2), &accept("two")).await.expect("answers");
    }
    store.answer(&ids["hidden"], &q(1), &accept("one")).await.expect("answers");
    let stop = CancellationToken::new();
    let tools = ["quick", "twice", "flaky", "long", "broken"].map(str::to_owned);
    let mut claimed = Vec::new();
    while claimed.len() < 5 {
        let more =
            within("the claim", claim_for(&*store, &worker("w1"), &tools, 10, &stop)).await.expect("claims");
        claimed.extend(more);
    }
    for task in &claimed {
        if task.new.tool == "twice" {
            let answered = task.questions.first().and_then(|first| first.answer.as_ref());
            assert!(answered.is_some(), "the journal came along");
        }
        store.ask(&key(task), task.questions.len() as u32 + 1, &[form("More?")], None).await.expect("asks");
        store.finish(&key(task), &Outcome::text("eaten")).await.expect("finishes");
        assert_eq!(get(&*store, task.id()).await.status, TaskStatus::Completed);
    }
    let mut names: Vec<_> = claimed.iter().map(|task| task.id().clone()).collect();
    names.sort();
    let mut expected: Vec<_> =
        ["queued", "running", "asking", "parked", "hidden"].map(|name| ids[name].clone()).into();
    expected.sort();
    assert_eq!(names, expected);
    let delayed = store.due().await.expect("looks").next.expect("the delay of an hour is foreseen");
    assert!(delayed <= Duration::from_secs(24 * 3600));
    store.cancel(&ids["delayed"], "enough").await.expect("cancels");
}

/// The first command of each verb of an old process that still runs, on keys that were there and on those that were not.
fn first_commands(ids: &HashMap<String, TaskId>) -> Vec<Vec<String>> {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let mut all: Vec<_> = [
        "HGET unfinished anonymous",
        "ZADD workers 1 old-1",
        "ZSCORE workers old-1",
        "ZRANGEBYSCORE workers (0 +inf WITHSCORES",
        "HGETALL tools",
        "HGET tools quick",
        "XREAD COUNT 10 STREAMS ready:quick 0",
        "XRANGE ready:quick - + COUNT 1",
        "XRANGE session:dinner:log (0-0 + COUNT 10",
        "ZRANGEBYSCORE deadlines -inf 1 LIMIT 0 10",
        "ZRANGEBYLEX ids [46 (46z LIMIT 0 2",
        "ZREVRANGEBYSCORE tasks +inf -inf",
        "ZREVRANGEBYSCORE scope:anonymous +inf -inf",
        "ZREVRANGEBYSCORE session:dinner +inf -inf",
        "ZREVRANGEBYSCORE status:working +inf -inf",
        "ZREVRANGEBYSCORE status:input_required +inf -inf",
        "ZREVRANGEBYSCORE status:completed +inf -inf",
        "ZREVRANGEBYSCORE status:failed +inf -inf",
        "ZREVRANGEBYSCORE status:cancelled +inf -inf",
    ]
    .map(words)
    .into();
    for id in ids.values() {
        all.push(words(&format!("HGETALL task:{id}")));
        all.push(words(&format!("HMGET task:{id} status worker")));
    }
    all
}

/// An old process that lives through it, which has no lease where it is a server, is refused whatever it does: nothing
/// looks to it like an empty namespace.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_processes_are_refused_afterwards() {
    let (server, ids) = old_namespace();
    let store = RedisStore::open(&server.url(), "default").await.expect("brings it along");
    for mut words in first_commands(&ids) {
        let place = words.iter().position(|word| word == "STREAMS").map_or(1, |at| at + 1);
        words[place] = format!("mcptask:{{default}}:{}", words[place]);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let error = server.ask::<redis::Value>(&words).expect_err(&words.join(" "));
        assert_eq!(error.code(), Some("WRONGTYPE"), "{words:?}: {error}");
    }
    let layout: String = server.ask(&["HGET", "mcptask:{default}:meta", "layout"]).expect("reads");
    assert_eq!(layout, "2", "so that an old one that opens it says that it is newer");
    store.submit(&new_task("quick"), 10).await.expect("the new one goes on");
}

/// An old process that waits for news goes on to wait whatever it is answered. It is told of each task that lives, and of
/// the tools, so that it looks at them and is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_processes_that_wait_are_woken() {
    let (server, ids) = old_namespace();
    let last: Vec<(String, Vec<String>)> =
        server.ask(&["XREVRANGE", "mcptask:{default}:events", "+", "-", "COUNT", "1"]).expect("reads");
    RedisStore::open(&server.url(), "default").await.expect("brings it along");
    let after = format!("({}", last[0].0);
    let told: Vec<(String, HashMap<String, String>)> =
        server.ask(&["XRANGE", "mcptask:{default}:events", &after, "+"]).expect("reads");
    let mut tasks: Vec<_> = told.iter().map(|(_, fields)| fields["task"].as_str()).collect();
    tasks.sort_unstable();
    let live = ["queued", "running", "asking", "parked", "hidden", "delayed"];
    let mut expected: Vec<_> = live.iter().map(|name| ids[*name].as_str()).collect();
    expected.sort_unstable();
    assert_eq!(tasks, expected);
    assert!(told.iter().all(|(_, fields)| fields["detail"].contains("upgrade mcptask")), "{told:?}");
    let tools: u64 = server.ask(&["XLEN", "mcptask:{default}:tools:changes"]).expect("reads");
    assert_eq!(tools, 1);
}

/// What is left of the old layout says what happened and goes by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_left_of_it_ends_within_seven_days() {
    let (server, ids) = old_namespace();
    let record = |name: &str| format!("mcptask:{{default}}:task:{}", ids[name]);
    // One that cannot be read, and one whose life of three hours began half an hour ago.
    let _: u64 = server.ask(&["DEL", &record("failed")]).expect("deletes");
    let (seconds, _): (u64, u64) = server.ask(&["TIME"]).expect("says");
    let created = ((seconds - 1800) * 1000).to_string();
    let _: redis::Value =
        server.ask(&["HSET", &record("queued"), "created", &created, "ttl", "10800000"]).expect("writes");
    RedisStore::open(&server.url(), "default").await.expect("brings it along");
    let of = |name: &str| -> i64 { server.ask(&["TTL", &record(name)]).expect("says") };
    assert!((8900..=9000).contains(&of("queued")), "as long as the task lives: {}", of("queued"));
    assert!(of("failed") > 600_000);
    let keys: Vec<String> = server.ask(&["KEYS", "mcptask:{default}:*"]).expect("lists");
    let is_old = |key: &&String| !key.starts_with("mcptask:{default}:2:") && !key.ends_with(":meta");
    for key in keys.iter().filter(is_old) {
        if !key.ends_with(":events") && !key.ends_with(":tools:changes") {
            let said: String = server.ask(&["GET", key]).expect("is a string");
            assert!(said.contains("upgrade mcptask"), "{key}: {said}");
        }
        let seconds: i64 = server.ask(&["TTL", key]).expect("says");
        assert!((1..=604_800).contains(&seconds), "{key}: {seconds}");
    }
}

/// An old server that takes an answer while the tasks are brought along cannot queue the task any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_was_answered_meanwhile_is_queued() {
    let (server, ids) = old_namespace();
    let record = format!("mcptask:{{default}}:task:{}", ids["parked"]);
    let answer = r#"{"action":"accept","content":{"name":"two"},"by":"client","at":"2026-11-26T00:00:00Z"}"#;
    let answered = ["a2", answer, "a2.at", "1795702750000", "open", "0", "status", "working"];
    let words = [&["HSET", &record][..], &answered[..]].concat();
    let _: redis::Value = server.ask(&words).expect("writes");
    let store = RedisStore::open(&server.url(), "default").await.expect("brings it along");
    let (first, tools, stop) = (worker("w1"), ["twice".to_owned()], CancellationToken::new());
    let claimed = within("the claim", claim_for(&*store, &first, &tools, 10, &stop)).await.expect("claims");
    assert_eq!(claimed.iter().map(Task::id).collect::<Vec<_>>(), [&ids["parked"]]);
}
