//! `extend`: more time for a question, by whoever is asked for it, and everybody goes by it.

use std::time::Duration;

use jiff::Timestamp;
use rstest::rstest;
use serde_json::{Value, json};

use crate::json_shapes::is_line;
use crate::place::Place;
use crate::redis::RedisServer;
use crate::suggesting::{paste, suggested};

/// A question that would soon decline itself, of a task that would soon be gone.
const BRIEF: &str = r#"[tools.brief]
description = "Is soon over."
ttl = "30s"
question_timeout = "10s"
steps = [
  { ask = "Still there?", as = "a", on_timeout = "decline", form = { ok = "boolean" } },
  { return = "{{ a.action }}" },
]
"#;

fn time(value: &Value) -> Timestamp {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{value} is no time"))
}

#[rstest]
fn a_question_that_would_end_is_answered_later(#[values(false, true)] on_redis: bool) {
    let redis = on_redis.then(RedisServer::start);
    let place = redis.as_ref().map_or_else(Place::new, |redis| Place::on_redis(&redis.url()));
    let tools = place.file("tools.toml", BRIEF);
    let _worker = place.background(&["worker", "--json", "--config", &tools]);
    let (id, other) = (place.asking("brief"), place.asking("brief"));
    let done = &place.json(&["extend", &id[..8], "60s", "--as", "ada", "--note", "asleep"])[0];
    is_line("extension", done);
    let who = json!({ "name": "ada", "known": "given", "note": "asleep" });
    assert_eq!((&done["task"], &done["question"], &done["who"]), (&json!(id), &json!("q1"), &who));
    let left = time(&done["deadline"]).duration_since(Timestamp::now());
    assert!((45..=60).contains(&left.as_secs()), "{done}");
    assert!(time(&done["expires_at"]) > time(&done["deadline"]), "{done}");
    // The other one declines itself, and so would this one have.
    place.until(&other, "end");
    std::thread::sleep(Duration::from_millis(500));
    let shown = &place.json(&["show", &id])[0];
    assert_eq!(shown["status"], "input_required", "{shown}");
    assert_eq!(shown["questions"][0]["deadline"], done["deadline"]);
    is_line("task", shown);
    let event = &place.json(&["watch", "--task", &id, "--event", "extended", "--no-follow"])[0];
    is_line("event", event);
    assert_eq!(
        (&event["event"], &event["deadline"], &event["by"], &event["who"]),
        (&json!("extended"), &done["deadline"], &json!("operator"), &who)
    );
    let words = place.ok(&["watch", "--task", &id, "--event", "extended", "--no-follow"]);
    assert!(
        words.contains("extended q1 until ") && words.ends_with(" by operator ada, noting: asleep"),
        "{words}"
    );
    assert_eq!(place.json(&["export", "--tool", "brief"])[0]["deadline"], done["deadline"]);
    place.ok(&["respond", &id, "--set", "ok=yes"]);
    assert_eq!(place.ok(&["result", &id, "--wait"]), "accept");
    assert_eq!(place.ok(&["result", &other]), "decline");
}

#[rstest]
fn what_cannot_be_extended_has_its_exit_code(#[values(false, true)] on_redis: bool) {
    let redis = on_redis.then(RedisServer::start);
    let place = redis.as_ref().map_or_else(Place::new, |redis| Place::on_redis(&redis.url()));
    let _worker = place.worker();
    let (id, ended) = (place.asking("plan_dinner"), place.asking("plan_dinner"));
    place.ok(&["cancel", &ended]);
    let answered = place.asking("plan_dinner");
    place.ok(&["respond", &answered, "--decline"]);
    place.until(&answered, "end");
    for (words, code) in [
        (&["extend", "zzzzzzzz", "2h"][..], 9),
        (&["extend", &id, "2h", "--question", "q7"], 9),
        (&["extend", &ended, "2h"], 10),
        (&["extend", &answered, "2h", "--question", "q1"], 10),
        (&["extend", &id, "5m"], 10),
        (&["extend", &id, "8d"], 2),
        (&["extend", &id, "0"], 2),
        (&["extend", &id, "soon"], 2),
        (&["extend", &id], 2),
        (&["extend", &id, "2h", "--as", ""], 2),
    ] {
        let ran = place.run(words);
        assert_eq!((ran.code, ran.out.as_str()), (code, ""), "{words:?}: {ran:?}");
    }
    let events = place.json(&["watch", "--no-follow", "--event", "extended"]);
    assert_eq!(events, [] as [Value; 0]);
}

/// Whoever meant it to be added is told the command that does so.
#[test]
fn a_time_that_is_too_short_is_refused_with_one_that_is_not() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    let refused = place.run(&["extend", &id, "30m"]);
    assert_eq!(refused.code, 10, "{refused:?}");
    assert!(refused.err.contains("counted from now on"), "{}", refused.err);
    let lines = suggested(&refused.err);
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!(line, &format!("mcptask extend {} 90m --question q1", &id[..8]));
    let done = paste(&place, line, &[]);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.err.contains("question q1 of task ") && done.err.contains(" waits until "), "{done:?}");
}

#[test]
fn a_server_takes_no_more_time_for_a_question() {
    let refused = Place::new().run(&["extend", "7w3k9q2m", "2h", "--server", "http://127.0.0.1:9/mcp"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.err.contains("mcptask --redis URL extend TASK DURATION"), "{}", refused.err);
}
