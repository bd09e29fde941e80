//! What scripts leave in a Redis: nothing when they end in an error, nothing of tasks that are gone; and whom they wake.

use std::collections::BTreeMap;
use std::time::Duration;

use mcptask::store::links::{Link, LinkDigest};
use mcptask::store::{Extension, IdleWorker, Store, StoreResult};
use mcptask::task::{Answerer, NewTask, Outcome, Progress, QuestionId, Task};
use tokio_util::sync::CancellationToken;

use crate::support::bench::Bench;
use crate::support::redis::RedisServer;
use crate::support::{
    LEASE, accept, ask, claim, claim_for, crash, drain, form, get, key, new_task, q, session, submit, within,
    worker,
};

/// What the keys of the tests' namespace begin with.
pub(crate) const PREFIX: &str = "mcptask:{test}:2:";

pub(crate) fn server(bench: &Bench) -> &RedisServer {
    let Bench::Redis(server) = bench else { panic!("this is about Redis") };
    server
}

pub(crate) fn does(server: &RedisServer, words: &[&str]) {
    let _: redis::Value = server.ask(words).expect("the server does it");
}

/// Every key of a namespace with what it holds. A stream that has nothing is like none.
fn dump(server: &RedisServer) -> BTreeMap<String, redis::Value> {
    let keys: Vec<String> = server.ask(&["KEYS", "mcptask:*"]).expect("lists");
    let mut all = BTreeMap::new();
    for key in keys {
        let kind: String = server.ask(&["TYPE", &key]).expect("says");
        let words = match kind.as_str() {
            "hash" => vec!["HGETALL", &key],
            "set" => vec!["SMEMBERS", &key],
            "zset" => vec!["ZRANGE", &key, "0", "-1", "WITHSCORES"],
            "stream" => vec!["XRANGE", &key, "-", "+"],
            "list" => vec!["LRANGE", &key, "0", "-1"],
            _ => vec!["GET", &key],
        };
        let value: redis::Value = server.ask(&words).expect("reads");
        let value = match value {
            redis::Value::Array(items) if kind == "hash" => sorted(&items, 2),
            redis::Value::Array(items) if kind == "set" => sorted(&items, 1),
            other => other,
        };
        if value != redis::Value::Array(Vec::new()) {
            all.insert(key, value);
        }
    }
    all
}

fn sorted(items: &[redis::Value], each: usize) -> redis::Value {
    let mut parts: Vec<Vec<redis::Value>> = items.chunks(each).map(<[_]>::to_vec).collect();
    parts.sort_by_key(|part| format!("{part:?}"));
    redis::Value::Array(parts.concat())
}

/// The keys in the server's own form.
fn save(server: &RedisServer, keys: &[String]) -> Vec<(String, Vec<u8>)> {
    keys.iter().map(|key| (key.clone(), server.ask(&["DUMP", key]).expect("dumps"))).collect()
}

fn restore(server: &RedisServer, saved: &[(String, Vec<u8>)]) {
    let client = redis::Client::open(server.url()).expect("an address");
    let mut connection = client.get_connection().expect("connects");
    let mut pipeline = redis::pipe();
    pipeline.cmd("FLUSHDB").ignore();
    for (key, payload) in saved {
        pipeline.cmd("RESTORE").arg(key).arg(0).arg(payload).ignore();
    }
    pipeline.query::<()>(&mut connection).expect("restores");
}

/// The task that a claim is tried on; the others are held, asked, delayed and queued.
struct Scene {
    held: Task,
    asking: Task,
    delayed: Task,
    queued: Task,
    ended: Task,
}

async fn scene(store: &dyn Store) -> Scene {
    let labelled = || NewTask { session: Some(session("s")), ttl_ms: Some(1), ..new_task("dinner") };
    submit(store, &labelled()).await;
    let ended = claim(store, "dinner").await;
    store.finish(&key(&ended), &Outcome::text("eaten")).await.expect("finishes");
    submit(store, &labelled()).await;
    let asking = claim(store, "dinner").await;
    let reminding = form("one").remind_after(Some(Duration::from_millis(1)));
    store
        .ask(&key(&asking), 1, &[reminding, form("two")], Some(Duration::from_secs(60)))
        .await
        .expect("asks");
    store.links().keep_link(&digest(1), &link(&asking)).await.expect("keeps a link");
    submit(store, &labelled()).await;
    let delayed = claim(store, "dinner").await;
    let requeue = mcptask::store::Requeue { delay: Some(Duration::from_millis(1)), ..drain() };
    store.requeue(&key(&delayed), &requeue).await.expect("requeues");
    submit(store, &labelled()).await;
    let held = claim(store, "dinner").await;
    let queued = submit(store, &labelled()).await;
    Scene { held, asking, delayed, queued, ended }
}

fn extension() -> Extension {
    Extension { lasts: Duration::from_secs(900), by: Answerer::Operator, who: None }
}

fn digest(byte: u8) -> LinkDigest {
    LinkDigest::new(&[byte; 32])
}

fn link(task: &Task) -> Link {
    let made_by = "ada".to_owned();
    Link {
        task: task.id().clone(),
        question: q(1),
        holder: None,
        made_by,
        made_at: jiff::Timestamp::UNIX_EPOCH,
    }
}

/// Each verb that changes something, on the scene.
async fn verb(store: &dyn Store, scene: &Scene, at: usize) -> Option<StoreResult<()>> {
    let (claim, w1) = (key(&scene.held), worker("w1"));
    let progress = Progress { current: 1.0, total: None, message: Some("chopping".into()) };
    let new = NewTask { session: Some(session("s")), ttl_ms: Some(60_000), ..new_task("dinner") };
    Some(match at {
        0 => store.submit(&new, 100).await.map(drop),
        1 => {
            let stop = CancellationToken::new();
            let tools = ["dinner".to_owned()];
            let bounded = store.claim(&w1, &tools, 1, &stop);
            tokio::time::timeout(Duration::from_millis(300), bounded)
                .await
                .unwrap_or(Ok(Vec::new()))
                .map(drop)
        }
        2 => store.report(&claim, &progress).await,
        3 => store.ask(&claim, 1, &[form("Really?")], Some(Duration::from_secs(9))).await.map(drop),
        4 => store.answer(scene.asking.id(), &q(2), &accept("Thai")).await.map(drop),
        5 => store.finish(&claim, &Outcome::text("eaten")).await,
        6 => store.cancel(scene.queued.id(), "enough").await,
        7 => store.requeue(&claim, &drain()).await,
        8 => store.requeue(&claim, &crash("killed")).await,
        9 => store.resume(scene.delayed.id()).await,
        10 => store.expire(scene.ended.id()).await,
        11 => store.note(scene.held.id(), None, "a remark").await,
        12 => {
            store
                .enlist(
                    &worker("w2"),
                    None,
                    &[mcptask::task::ToolSpec::new("lunch", "x", serde_json::json!({}))],
                    LEASE,
                )
                .await
        }
        13 => store.renew(&w1, LEASE).await.map(drop),
        14 => store.dismiss(&w1).await,
        15 => store.attribute("a.toml", &["dinner".to_owned()]).await.map(drop),
        16 => store.expire(scene.queued.id()).await,
        17 => store.cancel(scene.asking.id(), "enough").await,
        18 => {
            let idle = IdleWorker { worker: w1, tools: vec!["lunch".to_owned()] };
            store.submit_to(&NewTask { tool: "lunch".to_owned(), ..new }, 100, Some(&idle)).await.map(drop)
        }
        19 => store.links().keep_link(&digest(2), &link(&scene.asking)).await,
        20 => store.extend(scene.asking.id(), &q(1), &extension()).await.map(drop),
        21 => store.remind(scene.asking.id(), &q(1)).await,
        22 => store.leave(scene.asking.id(), &q(1), "it cannot be asked").await,
        23 => store.links().withdraw_links(scene.asking.id(), None).await.map(drop),
        _ => return None,
    })
}

/// Leaves something else in the place of a key.
fn overwrite(server: &RedisServer, key: &str, kind: &str) {
    does(server, &["DEL", key]);
    match kind {
        "string" => does(server, &["SET", key, "poison"]),
        "set" => does(server, &["SADD", key, "poison"]),
        "zset" => does(server, &["ZADD", key, "1", "poison"]),
        "hash" => does(server, &["HSET", key, "poison", "poison"]),
        "stream" => does(server, &["XADD", key, "*", "poison", "poison"]),
        _ => does(server, &["RPUSH", key, "poison"]),
    }
}

/// Writes what cannot be into a key of the right type: values that are no numbers, the last of all ids.
fn damage(server: &RedisServer, key: &str, kind: &str) {
    if kind == "stream" {
        does(server, &["XADD", key, "18446744073709551615-18446744073709551615", "poison", "poison"]);
        return;
    }
    let fields: Vec<String> = server.ask(&["HKEYS", key]).expect("lists");
    for field in fields {
        does(server, &["HSET", key, &field, "poison"]);
    }
}

/// A verb that ends in an error has changed nothing, whichever key is of a wrong type or has what cannot be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_script_that_ends_in_an_error_has_changed_nothing() {
    let bench = Bench::redis();
    let store = bench.store().await;
    let server = server(&bench);
    let scene = scene(&*store).await;
    // The ttl of one millisecond is over for all of them, and the delay too.
    tokio::time::sleep(Duration::from_millis(5)).await;
    let keys: Vec<String> = dump(server).into_keys().collect();
    assert!(keys.len() >= 12, "{keys:?}");
    let saved = save(server, &keys);
    let mut refused = 0;
    for key in &keys {
        for wrong in ["string", "set", "zset", "list", "hash", "stream", "damaged"] {
            let kind: String = server.ask(&["TYPE", key]).expect("says");
            if kind == wrong || (wrong == "damaged" && !["hash", "stream"].contains(&kind.as_str())) {
                continue;
            }
            for at in 0.. {
                if wrong == "damaged" {
                    damage(server, key, &kind);
                } else {
                    overwrite(server, key, wrong);
                }
                let before = dump(server);
                let done = within("the verb", verb(&*store, &scene, at)).await;
                if let Some(Err(error)) = &done {
                    refused += 1;
                    let after = dump(server);
                    let changed: Vec<_> =
                        after.iter().filter(|(name, value)| before.get(*name) != Some(value)).collect();
                    assert!(
                        changed.is_empty(),
                        "verb {at} with {key} a {wrong}: {error} changed {changed:?}"
                    );
                    assert_eq!(after.len(), before.len(), "verb {at} with {key} a {wrong}: {error}");
                }
                restore(server, &saved);
                if done.is_none() {
                    break;
                }
            }
        }
    }
    assert!(refused > 80, "only {refused} were refused");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_task_wakes_one_of_those_who_wait() {
    let bench = Bench::redis();
    let stop = CancellationToken::new();
    let mut waiting = Vec::new();
    for name in ["w1", "w2", "w3", "w4"] {
        let (store, stop) = (bench.store().await, stop.clone());
        waiting.push(tokio::spawn(async move {
            let tools = ["dinner".to_owned()];
            claim_for(&*store, &worker(name), &tools, 1, &stop).await.expect("claims").len()
        }));
    }
    let server = server(&bench);
    let blocked = |text: &String| text.contains("blocked_clients:4\r\n");
    server.until(&["INFO", "clients"], blocked);
    let store = bench.store().await;
    // The scripts are there from now on.
    submit(&*store, &new_task("lunch")).await;
    does(server, &["CONFIG", "RESETSTAT"]);
    submit(&*store, &new_task("dinner")).await;
    server.until(&["INFO", "clients"], |text: &String| text.contains("blocked_clients:3\r\n"));
    let stats: String = server.ask(&["INFO", "commandstats"]).expect("tells");
    let scripts =
        stats.lines().find_map(|line| line.strip_prefix("cmdstat_evalsha:calls=")).expect("some ran");
    let scripts = scripts.split(',').next().expect("a number");
    assert_eq!(scripts, "2", "one submission, and one claim of who was woken");
    stop.cancel();
    let mut claimed = 0;
    for one in waiting {
        claimed += within("the end", one).await.expect("no panic");
    }
    assert_eq!(claimed, 1);
}

/// Redis wakes who has waited longest: a worker that is called off goes on waiting, and passes on what it cannot take.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_wakes_a_worker_that_was_called_off_or_left_wakes_another_at_once() {
    // Less than what a waiting worker waits before it looks by itself.
    let soon = Duration::from_secs(8);
    for leaves in [false, true] {
        let bench = Bench::redis();
        let blocked = |count: u32| {
            let waiting = format!("blocked_clients:{count}\r\n");
            server(&bench).until(&["INFO", "clients"], move |text: &String| text.contains(&waiting));
        };
        let claims = async |name: &'static str, stop: &CancellationToken| {
            let (store, stop) = (bench.store().await, stop.clone());
            let tools = ["dinner".to_owned()];
            let waits = tokio::spawn({
                let store = store.clone();
                async move { claim_for(&*store, &worker(name), &tools, 1, &stop).await.expect("claims").len() }
            });
            (store, waits)
        };
        let (called_off, stop) = (CancellationToken::new(), CancellationToken::new());
        let (first, waits) = claims("w1", &called_off).await;
        blocked(1);
        called_off.cancel();
        assert_eq!(within("the claim that is called off", waits).await.expect("no panic"), 0);
        if leaves {
            first.dismiss(&worker("w1")).await.expect("leaves");
            blocked(0);
        }
        let (second, waits) = claims("w2", &stop).await;
        blocked(if leaves { 1 } else { 2 });
        submit(&*second, &new_task("dinner")).await;
        let claimed = tokio::time::timeout(soon, waits).await.expect("is woken").expect("no panic");
        assert_eq!(claimed, 1, "left first: {leaves}");
    }
}

#[tokio::test]
async fn touching_changes_nothing_and_fails_where_writes_are_refused() {
    let bench = Bench::redis();
    let store = bench.store().await;
    submit(&*store, &new_task("dinner")).await;
    let before = dump(server(&bench));
    store.touch().await.expect("writes are taken");
    assert_eq!(dump(server(&bench)), before);
    does(server(&bench), &["CONFIG", "SET", "maxmemory", "1"]);
    let refused = store.touch().await.expect_err("no writes are taken");
    assert_eq!(refused.refusal(), Some(mcptask::store::Refusal::MemoryFull), "{refused}");
    does(server(&bench), &["CONFIG", "SET", "maxmemory", "0"]);
    overwrite(server(&bench), &format!("{PREFIX}index"), "string");
    store.touch().await.expect("writes are taken, whatever that key is");
}

/// Whatever a scope leaves behind goes with its last task.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_left_of_tasks_that_expired() {
    let bench = Bench::redis();
    let store = bench.store().await;
    for hidden in [false, true] {
        let new = NewTask {
            session: Some(session("s")),
            scope: mcptask::task::Scope::named("alice"),
            ttl_ms: Some(1),
            hidden,
            ..new_task("dinner")
        };
        submit(&*store, &new).await;
        let task = claim(&*store, "dinner").await;
        ask(&*store, &key(&task), 1, "Really?").await;
        store.answer(task.id(), &QuestionId::at(1), &accept("Thai")).await.expect("answers");
        store.finish(&key(&task), &Outcome::text("eaten")).await.expect("finishes");
        let expired = async {
            while store.get(task.id()).await.expect("reads").is_some() {
                store.expire(task.id()).await.expect("expires");
            }
        };
        within("the end of the ttl", expired).await;
    }
    store.dismiss(&worker("w1")).await.expect("leaves");
    let mut left: Vec<String> = dump(server(&bench)).into_keys().collect();
    left.retain(|key| !["events", "index", "meta", "tools:changes"].iter().any(|name| key.ends_with(name)));
    assert_eq!(left, [format!("{PREFIX}log:s")], "the session's log ends by itself");
    let index: Vec<String> =
        server(&bench).ask(&["ZRANGE", &format!("{PREFIX}index"), "0", "-1"]).expect("reads");
    assert_eq!(index, ["w"], "what tells an empty index from one that was lost");
    let ttl: i64 = server(&bench).ask(&["PTTL", &format!("{PREFIX}log:s")]).expect("tells");
    assert!(ttl > 0, "{ttl}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreground_call_is_kept_for_minutes() {
    let bench = Bench::redis();
    let store = bench.store().await;
    let new = NewTask { hidden: true, ttl_ms: Some(86_400_000), ..new_task("dinner") };
    submit(&*store, &new).await;
    let task = claim(&*store, "dinner").await;
    store.finish(&key(&task), &Outcome::text("eaten")).await.expect("finishes");
    let left =
        get(&*store, task.id()).await.expires_at().expect("it ends").duration_since(jiff::Timestamp::now());
    assert!(left <= jiff::SignedDuration::from_mins(5), "{left:?}");
}
