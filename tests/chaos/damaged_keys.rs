//! Keys of a Redis that somebody overwrites or an eviction takes while a real worker and a real watcher use them: tasks
//! that wait, that are queued and that come go on, and `doctor` and the log name the key.

use crate::protocol::redis::RedisServer;
use crate::stage::{Stage, Views as _, saw_everything};

/// What keys begin with.
const PREFIX: &str = "mcptask:{default}:2:";

/// The keys that a worker, a watcher and a command use again and again, with what mcptask has there. An end of `*` is
/// the worker's name.
const KEYS: [(&str, &str); 6] = [
    ("held:*", "set"),
    ("worker:*", "string"),
    ("leases", "zset"),
    ("tools", "hash"),
    ("tools:changes", "stream"),
    ("ready:plan_dinner", "stream"),
];

#[test]
fn a_worker_goes_on_whichever_of_its_keys_is_overwritten() {
    let redis = RedisServer::start();
    let stage = Stage::on(&redis);
    let _worker = stage.background(&["worker", "--json", "--lease", "2s"]);
    for (name, kind) in KEYS {
        let key = goes_on(&stage, &redis, name, |key| {
            redis.ask::<()>(&["DEL", key]).expect("deletes");
            redis.ask::<()>(&["RPUSH", key, "poison"]).expect("overwrites");
            let is_named = |out: &str| out.contains("store_damaged") && out.contains(key);
            let doctor = stage.run(&["doctor", "--json"]);
            assert!(doctor.code == 5 && is_named(&doctor.out), "{key}: {doctor:?}");
            if name == "tools" {
                // Nothing can be submitted until the worker has told its tools again.
                redis.until(&["TYPE", key], |found: &String| found == kind);
            }
        });
        if ["held:*", "worker:*", "leases", "tools"].contains(&name) {
            // The worker is who makes these anew.
            let said = stage.heard(&key);
            assert_eq!(said.matches(&format!("{key}\"")).count(), 1, "{key} is named once: {said}");
        }
        redis.ask::<()>(&["DEL", &key.replace(PREFIX, &format!("{PREFIX}damaged:"))]).expect("deletes");
        if name == "tools:changes" {
            redis.ask::<()>(&["DEL", &key]).expect("deletes");
        }
    }
    assert_eq!(stage.run(&["doctor"]).code, 0);
}

#[test]
fn a_worker_goes_on_whichever_of_its_keys_is_evicted() {
    let redis = RedisServer::start();
    let stage = Stage::on(&redis);
    let _worker = stage.background(&["worker", "--json", "--lease", "2s"]);
    for (name, _) in KEYS {
        goes_on(&stage, &redis, name, |key| {
            redis.ask::<()>(&["DEL", key]).expect("deletes");
            // After the first renewal the worker compares what it holds with what the store has of that.
            for _ in 0..2 {
                renewed(&redis);
            }
        });
    }
}

/// Waits until the worker renews its lease.
fn renewed(redis: &RedisServer) {
    let leases = format!("{PREFIX}leases");
    let words = ["ZRANGE", &leases, "0", "-1", "WITHSCORES"];
    let before: Vec<String> = redis.ask(&words).expect("lists");
    redis.until(&words, |now: &Vec<String>| !now.is_empty() && *now != before);
}

fn full(redis: &RedisServer, name: &str) -> String {
    if !name.ends_with('*') {
        return format!("{PREFIX}{name}");
    }
    let keys: Vec<String> = redis.ask(&["KEYS", &format!("{PREFIX}{name}")]).expect("lists");
    let [key] = &keys[..] else { panic!("one key {name}: {keys:?}") };
    key.clone()
}

/// A task that waits when something happens to the key, and one that comes after it, end at their first attempt, and a
/// watcher sees it. Returns the key.
fn goes_on(stage: &Stage, redis: &RedisServer, name: &str, happens: impl FnOnce(&str)) -> String {
    let waits = stage.asking("plan_dinner");
    let watch = stage.background(&["watch", "--json", "--task", &waits]);
    let key = full(redis, name);
    happens(&key);
    let comes = stage.asking("plan_dinner");
    for task in [&waits, &comes] {
        stage.answer_cuisine(task);
        stage.until_asked(task, "q2");
        stage.answer_vegetarian(task);
        stage.menu(task);
        let claims = stage.events(task).iter().filter(|event| event["event"] == "claimed").count();
        assert_eq!(claims, 1, "{task} was run once: {:?}", stage.events(task));
    }
    saw_everything(stage, watch, &waits);
    key
}
