//! `show --follow` of a task to which something happens, however it ends.

use rstest::rstest;
use serde_json::Value;

use crate::place::{Background, Place};
use crate::redis::RedisServer;

/// A tool whose tasks end their ttl soon.
pub(crate) const BRIEF: &str = r#"[tools.brief]
description = "Is soon gone."
ttl = "6s"
steps = [{ ask = "Still there?", form = { ok = "boolean" } }, { return = "yes" }]
"#;

/// The names of the events that follow, and the exit code.
fn rest(mut follows: Background) -> (Vec<String>, i32) {
    let mut seen = Vec::new();
    while let Some(event) = follows.next_or_end() {
        seen.extend(event["event"].as_str().map(str::to_owned));
    }
    (seen, follows.code())
}

fn follows(place: &Place, id: &str) -> Background {
    let follows = place.background(&["show", "--follow", "--json", id, "--timeout", "50s"]);
    assert_eq!(follows.first["task"], Value::from(id));
    follows
}

#[rstest]
fn one_that_is_cancelled_and_one_that_expires(#[values(false, true)] on_redis: bool) {
    let redis = on_redis.then(RedisServer::start);
    let place = redis.as_ref().map_or_else(Place::new, |redis| Place::on_redis(&redis.url()));
    let tools = place.file("tools.toml", BRIEF);
    let _worker = place.background(&["worker", "--json", "--builtin", "--config", &tools]);
    let id = place.ok(&["submit", "wait", "--arg", "seconds=600"]);
    place.until(&id, "claimed");
    let following = follows(&place, &id);
    place.ok(&["cancel", &id]);
    let (seen, code) = rest(following);
    assert_eq!((seen.last().map(String::as_str), code), (Some("cancelled"), 0), "{seen:?}");
    let id = place.asking("brief");
    let (seen, code) = rest(follows(&place, &id));
    assert_eq!((seen.last().map(String::as_str), code), (Some("expired"), 8), "{seen:?}");
}

/// A Redis that drops a task's record tells nobody.
#[test]
fn one_that_is_evicted() {
    let redis = RedisServer::start();
    let place = Place::on_redis(&redis.url());
    let worker = place.worker();
    let id = place.asking("plan_dinner");
    worker.signal("TERM");
    assert_eq!(worker.code(), 0);
    let key = format!("mcptask:{{default}}:2:task:{id}");
    for command in [
        &["show", "--follow", &id, "--json", "--timeout", "50s"][..],
        &["watch", "--task", &id, "--exit-status", "--json", "--timeout", "50s"],
    ] {
        let following = place.background(command);
        redis.ask::<()>(&["RENAME", &key, "elsewhere"]).expect("is there");
        let (seen, code) = rest(following);
        // What the index has of it is still there, so that it counts as one that cannot be read.
        assert_eq!(code, 1, "{command:?}: {seen:?}");
        place.heard("cannot be read");
        redis.ask::<()>(&["RENAME", "elsewhere", &key]).expect("is there");
    }
}

#[test]
fn one_whose_store_goes_and_comes() {
    let mut redis = RedisServer::persistent();
    let place = Place::on_redis(&redis.url());
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    let following = follows(&place, &id);
    redis.kill();
    redis.restart();
    place.ok(&["respond", &id, "--set", "cuisine=Thai"]);
    place.until_asked(&id, "q2");
    place.ok(&["cancel", &id]);
    let (seen, code) = rest(following);
    assert!(seen.contains(&"answered".to_owned()), "{seen:?}");
    assert_eq!((seen.last().map(String::as_str), code), (Some("cancelled"), 0), "{seen:?}");
}
