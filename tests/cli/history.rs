//! `--keep`: what people and scripts see of tasks whose ttl has ended, in our own store on both engines.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::json_shapes::is_line;
use crate::place::{Background, Place, Ran};
use crate::redis::RedisServer;

/// A tool that asks, and whose tasks end their ttl soon after.
const BRIEF: &str = r#"
[tools.brief]
description = "Asks for a colour."
ttl = "2s"
input = { room = "string" }
steps = [{ ask = "Which colour?", as = "v", form = { colour = "string" } }, { return = "{{ v.content.colour }}" }]
"#;

/// A worker of that tool.
fn worker(place: &Place, options: &[&str]) -> Background {
    let tools = place.file("tools.toml", BRIEF);
    place.background(&[&["worker", "--json", "--config", &tools], options].concat())
}

/// A task that was answered, and whose ttl has ended.
fn expired(place: &Place) -> String {
    let id = place.ok(&["submit", "brief", "--arg", "room=kitchen", "--session", "s1"]);
    place.until(&id, "asked");
    place.ok(&["respond", &id, "--set", "colour=red", "--as", "zoe", "--note", "she likes it"]);
    place.until(&id, "end");
    gone(place, &id);
    id
}

/// Waits until the list has a task no more.
fn gone(place: &Place, id: &str) {
    let begun = Instant::now();
    while place.ok(&["list", "--json"]).contains(id) {
        assert!(begun.elapsed() < Duration::from_secs(60), "{id} does not expire");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn failure(ran: &Ran) -> Value {
    serde_json::from_str(ran.err.lines().last().expect("an error")).expect("JSON")
}

/// Of several that are cancelled, one that has expired has ended: the others are cancelled, wherever it is named.
fn is_no_hindrance(place: &Place) {
    let _worker = worker(place, &["--keep", "30days"]);
    let old = expired(place);
    let live = || place.ok(&["submit", "brief", "--arg", "room=hall", "--ttl", "1h"]);
    let status = |id: &str| place.json(&["show", id])[0]["status"].clone();
    for old_comes_first in [true, false] {
        let new = live();
        let both = if old_comes_first { [&old, &new] } else { [&new, &old] };
        let dry = place.run(&["cancel", both[0], both[1], "--dry-run"]);
        assert_eq!((dry.code, dry.err.trim()), (0, "1 would be cancelled, 1 had ended"), "{dry:?}");
        let done = place.run(&["cancel", both[0], both[1], &old[..8]]);
        assert_eq!((done.code, done.err.trim()), (0, "1 cancelled, 1 had ended"), "{done:?}");
        assert_eq!(status(&new), "cancelled");
    }
    let alone = place.run(&["cancel", &old, "--dry-run"]);
    assert_eq!(alone.code, 8, "as without --dry-run: {alone:?}");
}

#[test]
fn an_expired_task_among_several_is_no_failure_on_sqlite() {
    is_no_hindrance(&Place::new());
}

#[test]
fn an_expired_task_among_several_is_no_failure_on_redis() {
    let server = RedisServer::start();
    is_no_hindrance(&Place::on_redis(&server.url()));
}

/// Who waits for a task while its ttl ends is told that it is in the history.
fn is_told_to_who_waits(place: &Place) {
    let none = place.run(&["list", "--history"]);
    let tools = "[tools.long]\ndescription = \"Takes its time.\"\nttl = \"2s\"\nsteps = [{ sleep = 60 }]\n";
    let tools = place.file("tools.toml", tools);
    let _worker = place.background(&["worker", "--json", "--config", &tools, "--keep", "30days"]);
    for verb in [&["result", "--wait"][..], &["attach"]] {
        let id = place.ok(&["submit", "long"]);
        let ran = place.run(&[verb, &[&id, "--json"]].concat());
        let error = failure(&ran);
        assert_eq!((ran.code, &error["code"]), (8, &Value::from("cancelled")), "{ran:?}");
        let message = error["message"].as_str().expect("words");
        assert!(message.contains("it is in the history") && !message.contains("deleted"), "{message}");
        let show = format!("show {id}");
        assert!(error["hint"].as_str().is_some_and(|hint| hint.contains(&show)), "{error}");
        assert_eq!(place.json(&["show", &id])[0]["status"], "cancelled");
    }
    assert!(!none.err.contains("`mcptask serve --keep"), "{none:?}");
    let none = place.run(&["list", "--history", "--tool", "other"]);
    let said = "the history has no task with --tool other; a task comes there when its ttl ends, where a serve or \
                worker runs with --keep";
    assert_eq!((none.code, none.err.trim()), (0, said), "{none:?}");
}

#[test]
fn who_waits_for_a_task_that_expires_is_told_of_the_history_on_sqlite() {
    is_told_to_who_waits(&Place::new());
}

#[test]
fn who_waits_for_a_task_that_expires_is_told_of_the_history_on_redis() {
    let server = RedisServer::start();
    is_told_to_who_waits(&Place::on_redis(&server.url()));
}

/// What every command says of a task of the archive.
fn is_history(place: &Place) {
    let _worker = worker(place, &["--keep", "30days"]);
    let id = expired(place);

    let listed = place.json(&["list", "--history"]);
    assert_eq!(listed.len(), 1, "{listed:?}");
    let shown = place.json(&["show", &id[..8]]).remove(0);
    for one in [&listed[0], &shown] {
        is_line("task", one);
        assert_eq!((&one["task"], &one["status"]), (&Value::from(id.as_str()), &Value::from("completed")));
        let time =
            |name: &str| one[name].as_str().expect("a time").parse::<jiff::Timestamp>().expect("a time");
        let kept = time("kept_until").duration_since(time("expired_at"));
        assert_eq!(kept.as_secs(), 30 * 24 * 3600, "{one}");
        let answer = &one["questions"][0]["answer"];
        assert_eq!((&answer["content"]["colour"], &answer["who"]["name"]), (&"red".into(), &"zoe".into()));
    }
    let events: Vec<_> = shown["events"].as_array().expect("events").iter().collect();
    assert_eq!(events.last().expect("has some")["event"], "expired");
    assert_eq!(events[0]["event"], "submitted");

    let text = place.ok(&["show", &id]);
    for part in
        ["kept since", "kept until", "in 30 days", "kitchen", "content         colour=red", "she likes it"]
    {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
    let table = place.ok(&["list", "--history", "--session", "s1", "--tool", "brief"]);
    assert!(table.contains(&id[..8]), "{table}");
    let none = place.run(&["list", "--history", "--status", "failed"]);
    assert!((none.code, &*none.out) == (0, "") && none.err.contains("--status failed"), "{none:?}");

    for command in
        [&["result"][..], &["cancel"], &["respond", "--decline"], &["doctor"], &["watch", "--task"]]
    {
        let words: Vec<&str> = match command {
            ["respond", decline] => vec!["respond", &id, decline, "--json"],
            words => [words, &[&id, "--json"]].concat(),
        };
        let ran = place.run(&words);
        assert_eq!(ran.code, 8, "{words:?}: {ran:?}");
        let error = failure(&ran);
        is_line("error", &error);
        assert!(error["hint"].as_str().is_some_and(|hint| hint.contains("show")), "{words:?}: {error}");
    }
    assert_eq!(place.run(&["show", "zzzzzzzz"]).code, 9);
    // It is only read, and its arguments are there.
    let again = place.json(&["retry", &id[..8]]).remove(0);
    is_line("submission", &again);
    let new = &place.json(&["show", again["task"].as_str().expect("an id")])[0];
    assert_eq!((&again["again"], &new["arguments"]["room"]), (&Value::from(id.as_str()), &"kitchen".into()));
}

#[test]
fn an_expired_task_is_listed_and_shown_on_sqlite() {
    is_history(&Place::new());
}

#[test]
fn an_expired_task_is_listed_and_shown_on_redis() {
    let server = RedisServer::start();
    is_history(&Place::on_redis(&server.url()));
}

#[test]
fn without_keep_everything_of_an_expired_task_is_gone() {
    let place = Place::new();
    let _worker = worker(&place, &[]);
    let id = expired(&place);
    assert_eq!(place.json(&["list", "--history"]), Vec::<Value>::new());
    assert_eq!(place.run(&["show", &id]).code, 9);
    let said = place.run(&["list", "--history"]).err;
    assert!(said.contains("where a serve or worker runs with --keep"), "{said}");
}

/// How tasks are kept is the store's: whoever was not told keeps them as another one has said.
fn is_the_stores(place: &Place) {
    let told = worker(place, &["--keep", "30days"]);
    expired(place);
    told.signal("TERM");
    assert_eq!(told.code(), 0);
    let untold = worker(place, &[]);
    let id = expired(place);
    let listed = place.json(&["list", "--history"]);
    assert_eq!((listed.len(), &listed[0]["task"]), (2, &Value::from(id.as_str())), "{listed:?}");
    assert_eq!(place.json(&["export"]).len(), 2, "both are exported");
    assert_eq!(place.run(&["doctor"]).code, 0);
    let other = worker(place, &["--keep", "7days"]);
    let begun = Instant::now();
    let said = loop {
        let ran = place.run(&["doctor", "--json"]);
        if ran.code == 5 {
            break ran.out;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{ran:?}");
        std::thread::sleep(Duration::from_millis(50));
    };
    assert!(
        said.contains("archive_kept_differently") && said.contains("30d") && said.contains("7d"),
        "{said}"
    );
    drop((untold, other));
}

#[test]
fn who_was_not_told_keeps_what_the_store_keeps_on_sqlite() {
    is_the_stores(&Place::new());
}

#[test]
fn who_was_not_told_keeps_what_the_store_keeps_on_redis() {
    let server = RedisServer::start();
    is_the_stores(&Place::on_redis(&server.url()));
}

#[test]
fn clients_find_nothing_of_the_history() {
    let place = Place::new();
    let tools = place.file("tools.toml", BRIEF);
    let server = place.serve(&["--keep", "1h", "--config", &tools]);
    let way = ["--server", server.url(), "--era", "modern"];
    let id = place.json(&[&["submit", "brief", "--arg", "room=hall"][..], &way].concat())[0]["task"].clone();
    let id = id.as_str().expect("an id");
    gone(&place, id);
    assert_eq!(place.run(&[&["show", id][..], &way].concat()).code, 9);
    assert_eq!(place.json(&["show", id])[0]["status"], "cancelled", "operators find it");
    let refused = place.run(&[&["list", "--history"][..], &way].concat());
    assert_eq!(refused.code, 2, "{refused:?}");
}

#[test]
fn a_bound_in_bytes_wants_a_time() {
    let ran = Place::new().run(&["worker", "--keep-bytes", "1000"]);
    assert!(ran.code == 2 && ran.err.contains("--keep"), "{ran:?}");
}
