//! Watching a store that is emptied, or comes back without its data.

use crate::json_shapes::is_line;
use crate::place::{Background, Place};
use crate::redis::RedisServer;

/// Reads on until that event.
fn until(watch: &mut Background, event: &str) -> serde_json::Value {
    let mut line = watch.first.clone();
    while line["event"] != event {
        line = watch.next();
    }
    line
}

#[test]
fn who_watches_is_told_that_the_store_was_emptied_and_goes_on() {
    let server = RedisServer::start();
    let place = Place::on_redis(&server.url());
    let worker = place.worker();
    place.asking("plan_dinner");
    let mut watch = place.background(&["watch", "--json"]);
    until(&mut watch, "asked");
    server.ask::<()>(&["FLUSHALL"]).expect("empties it");
    let reset = until(&mut watch, "reset");
    is_line("reset", &reset);
    drop(worker);
    let _worker = place.worker();
    let id = place.ok(&["submit", "wait", "--arg", "seconds=0"]);
    let mut line = watch.next();
    // The new store is no other one again.
    while line["event"] != "completed" {
        assert!(line["task"] == id.as_str(), "{line}");
        line = watch.next();
    }
}

#[test]
fn who_waits_for_the_end_of_tasks_that_are_gone_is_told() {
    let server = RedisServer::start();
    let place = Place::on_redis(&server.url());
    let _worker = place.worker();
    let id = place.ok(&["submit", "plan_dinner", "--session", "dinner"]);
    place.until(&id, "asked");
    let mut waiting: Vec<_> = [
        &["watch", "dinner", "--json", "--until", "end"][..],
        &["watch", "--json", "--until", "end"],
        &["watch", "--json", "--until", "completed"],
    ]
    .into_iter()
    .map(|command| place.background(command))
    .collect();
    for watch in &mut waiting {
        until(watch, "asked");
    }
    server.ask::<()>(&["FLUSHALL"]).expect("empties it");
    for mut watch in waiting {
        until(&mut watch, "reset");
        assert_eq!(watch.code(), 9, "{}", place.heard(""));
    }
    assert_eq!(place.heard("").matches("is not there any more").count(), 3, "{}", place.heard(""));
}

#[test]
fn who_watches_is_told_that_the_store_came_back_without_its_data() {
    let mut server = RedisServer::start();
    let place = Place::on_redis(&server.url());
    let worker = place.worker();
    place.asking("plan_dinner");
    let mut watch = place.background(&["watch", "--json", "--until", "end"]);
    until(&mut watch, "asked");
    drop(worker);
    server.kill();
    server.restart();
    until(&mut watch, "reset");
    assert_eq!(watch.code(), 9, "{}", place.heard(""));
}

#[test]
fn a_namespace_that_another_process_has_just_begun_has_lost_nothing() {
    let server = RedisServer::start();
    let place = Place::on_redis(&server.url());
    // As the other one leaves it between its first step and the next.
    server.ask::<()>(&["HSET", "mcptask:{default}:meta", "layout", "2", "epoch", "1"]).expect("writes");
    let _worker = place.worker();
    let id = place.ok(&["submit", "wait", "--arg", "seconds=0", "--wait"]);
    assert!(!id.is_empty());
    let said = place.heard("");
    assert!(!said.contains("lost"), "{said}");
}

#[test]
fn an_unfinished_migration_is_told_as_what_it_is() {
    let server = RedisServer::start();
    let place = Place::on_redis(&server.url());
    let meta = "mcptask:{default}:meta";
    server.ask::<()>(&["HSET", meta, "layout", "2", "epoch", "1", "migrating", "1"]).expect("writes");
    let ran = place.run(&["list"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("has layout 1, older") && ran.err.contains("brought along yet"), "{ran:?}");
}
