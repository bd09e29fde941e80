//! `attach`, and what becomes of a task whose waiting command is stopped.

use rstest::rstest;

use crate::following_on::BRIEF;
use crate::json_shapes::is_line;
use crate::place::{Background, Place};
use crate::redis::RedisServer;

const ANSWERS: &str = r#"{"cuisine":"Thai","vegetarian":true}"#;

#[test]
fn a_task_is_taken_up_again_and_its_end_is_told() {
    let redis = RedisServer::start();
    for place in [Place::new(), Place::on_redis(&redis.url())] {
        let _worker = place.worker();
        let answers = place.file("answers.json", ANSWERS);
        let id = place.asking("plan_dinner");
        let out = place.ok(&["attach", &id[..8], "--answers", &answers]);
        assert!(out.starts_with("A vegetarian Thai dinner"), "{out}");
        let again = place.json(&["attach", &id]);
        assert_eq!(again.len(), 1, "one that has ended is told at once: {again:?}");
        is_line("ending", &again[0]);
    }
}

#[test]
fn answers_in_order_count_from_the_tasks_first_question() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    place.ok(&["respond", &id, "--set", "cuisine=Greek"]);
    place.until_asked(&id, "q2");
    let answers = place.file("answers.json", r#"[{"cuisine":"Thai"},{"vegetarian":false}]"#);
    let ran = place.run(&["attach", &id, "--answers", &answers]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("Greek"), "{ran:?}");
}

#[test]
fn where_nobody_can_be_asked_the_question_stays_open() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    let ran = place.run(&["attach", &id]);
    assert_eq!(ran.code, 6, "{ran:?}");
    assert!(ran.err.contains("mcptask respond"), "{ran:?}");
    assert_eq!(place.json(&["show", &id])[0]["status"], "input_required");
}

#[rstest]
#[case("modern")]
#[case("legacy")]
fn a_task_is_taken_up_again_through_a_server(#[case] era: &str) {
    let place = Place::new();
    let server = place.serve(&[]);
    let way = ["--server", server.url(), "--era", era];
    let answers = place.file("answers.json", ANSWERS);
    let id = place.asking("plan_dinner");
    let ran = place.run(&[&["attach", &id, "--answers", &answers][..], &way].concat());
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.starts_with("A vegetarian Thai dinner"), "{ran:?}");
}

/// The status of a task that a waiting command launched, after a signal to the command.
fn after_signal(place: &Place, mut waiting: Background, signal: &str, code: i32) -> String {
    let id = waiting.first["task"].as_str().expect("an id").to_owned();
    place.until(&id, "claimed");
    if signal.is_empty() {
        while waiting.next_or_end().is_some() {}
    } else {
        waiting.signal(signal);
    }
    assert_eq!(waiting.code(), code);
    place.json(&["show", &id])[0]["status"].as_str().expect("a status").to_owned()
}

#[rstest]
fn a_command_that_is_stopped_cancels_its_task_where_it_was_told_to(
    #[values("sqlite", "redis", "modern", "legacy")] way: &str,
    #[values(("INT", 130), ("TERM", 143), ("HUP", 143), ("", 7))] how: (&str, i32),
) {
    let redis = (way == "redis").then(RedisServer::start);
    let place = redis.as_ref().map_or_else(Place::new, |redis| Place::on_redis(&redis.url()));
    let server = place.serve(&[]);
    let mut line = vec!["submit", "wait", "--arg", "seconds=600", "--wait", "--json"];
    if matches!(way, "modern" | "legacy") {
        line.extend(["--server", server.url(), "--era", way]);
    }
    if how.0.is_empty() {
        line.extend(["--timeout", "3s"]);
    }
    let told = [&line[..], &["--cancel-on-exit"]].concat();
    assert_eq!(after_signal(&place, place.background(&told), how.0, how.1), "cancelled");
    if how.0 == "TERM" {
        assert_eq!(after_signal(&place, place.background(&line), how.0, how.1), "working", "it goes on");
    }
}

#[test]
fn whoever_is_attached_may_take_the_task_along() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.ok(&["submit", "wait", "--arg", "seconds=600"]);
    place.until(&id, "claimed");
    let ran = place.run(&["attach", &id, "--cancel-on-exit", "--timeout", "1s"]);
    assert_eq!(ran.code, 7, "{ran:?}");
    assert!(ran.err.contains(&format!("task {id} is cancelled, as --cancel-on-exit says")), "{ran:?}");
    assert_eq!(place.json(&["show", &id])[0]["status"], "cancelled");
    // So does one that ends because nobody can be asked.
    let id = place.asking("plan_dinner");
    let ran = place.run(&["attach", &id, "--cancel-on-exit"]);
    assert_eq!(ran.code, 6, "{ran:?}");
    assert!(!ran.err.contains("mcptask respond"), "what is cancelled cannot be answered: {ran:?}");
    assert_eq!(place.json(&["show", &id])[0]["status"], "cancelled");
}

#[test]
fn a_command_that_is_stopped_says_how_its_task_is_taken_up_again() {
    let place = Place::new();
    let _worker = place.worker();
    let ran = place.run(&["submit", "wait", "--arg", "seconds=600", "--wait", "--timeout", "1s"]);
    assert_eq!(ran.code, 7, "{ran:?}");
    let (_, command) = ran.err.split_once("the task goes on; `mcptask attach ").expect("a hint");
    let (id, rest) = command.split_once("` takes it up again; see it with: ").expect("a command");
    assert_eq!(rest.trim(), format!("mcptask watch --task {id}"));
    let again = place.run(&["attach", id, "--timeout", "1s"]);
    assert!(again.err.contains(&format!("take it up again with: mcptask attach {id}")), "{again:?}");
}

#[rstest]
fn what_can_be_attached_to_no_more_is_told_as_what_it_is(#[values(false, true)] on_redis: bool) {
    let redis = on_redis.then(RedisServer::start);
    let place = redis.as_ref().map_or_else(Place::new, |redis| Place::on_redis(&redis.url()));
    let tools = place.file("tools.toml", BRIEF);
    let _worker = place.background(&["worker", "--json", "--builtin", "--keep", "1h", "--config", &tools]);
    // One that expires while somebody is attached, and the same one after that.
    let id = place.asking("brief");
    let ran = place.run(&["attach", &id, "--timeout", "30s"]);
    assert!(matches!(ran.code, 6 | 8), "{ran:?}");
    let ran = place.run(&["watch", "--task", &id, "--timeout", "30s"]);
    assert_eq!(ran.code, 8, "{ran:?}");
    let ran = place.run(&["attach", &id]);
    assert_eq!(ran.code, 8, "{ran:?}");
    assert!(ran.err.contains("expired") && ran.err.contains("mcptask show"), "{ran:?}");
    // Ended otherwise: as it ended.
    let cancelled = place.ok(&["submit", "wait", "--arg", "seconds=600"]);
    place.ok(&["cancel", &cancelled]);
    assert_eq!(place.run(&["attach", &cancelled]).code, 8);
    assert_eq!(place.run(&["attach", "zzzzzzzz"]).code, 9);
    // One that cannot be read.
    let bad = place.asking("brief");
    crate::unreadable::damage(&place, redis.as_ref(), &bad);
    let ran = place.run(&["attach", &bad, "--timeout", "30s"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("cannot be read"), "{ran:?}");
}

#[rstest]
fn a_task_of_a_server_that_has_ended_is_told_at_once(#[values("modern", "legacy")] era: &str) {
    let place = Place::new();
    let server = place.serve(&[]);
    let way = ["--server", server.url(), "--era", era];
    let attach = |id: &str| place.run(&[&["attach", id, "--timeout", "30s"][..], &way].concat());
    let done = place.ok(&["submit", "wait", "--arg", "seconds=0"]);
    place.until(&done, "end");
    let ran = attach(&done);
    assert_eq!(ran.code, 0, "{ran:?}");
    let cancelled = place.ok(&["submit", "wait", "--arg", "seconds=600"]);
    place.ok(&["cancel", &cancelled]);
    assert_eq!(attach(&cancelled).code, 8);
    assert_eq!(attach("nobodystasknobodystask0000").code, 9);
}
