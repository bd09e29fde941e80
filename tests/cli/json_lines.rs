//! `--json`: what scripts read.

use serde_json::Value;

use crate::place::Place;

#[test]
fn an_error_is_one_line_with_code_message_and_hint() {
    let place = Place::new();
    for (arguments, code, exit) in [(&["show", "zzzz"][..], "not_found", 9), (&["lisst"], "usage", 2)] {
        let ran = place.run(&[arguments, &["--json"]].concat());
        let lines: Vec<&str> = ran.err.lines().collect();
        assert_eq!((ran.code, lines.len(), ran.out.as_str()), (exit, 1, ""), "{ran:?}");
        let error: Value = serde_json::from_str(lines[0]).expect("JSON");
        assert_eq!((error["code"].as_str(), error["exit"].as_i64()), (Some(code), Some(exit.into())));
        assert!(error["message"].is_string() && error["hint"].is_string(), "{error}");
    }
}

#[test]
fn a_refused_command_line_is_told_with_all_its_words() {
    let place = Place::new();
    let told = |arguments: &[&str]| -> Value {
        let ran = place.run(arguments);
        assert_eq!((ran.code, ran.err.lines().count()), (2, 1), "{ran:?}");
        serde_json::from_str(&ran.err).expect("JSON")
    };
    let missing = told(&["submit", "--json"]);
    assert_eq!(missing["message"], "the following required arguments were not provided: <TOOL>");
    assert!(missing["hint"].as_str().is_some_and(|hint| hint.contains("mcptask submit")), "{missing}");
    let alike = told(&["lisst", "--json"]);
    assert!(alike["hint"].as_str().is_some_and(|hint| hint.contains("'list'")), "{alike}");
    let two = told(&["respond", "--json", "--question", "q1", "--wait"]);
    assert!(two["message"].as_str().is_some_and(|message| message.contains("<TASK>")), "{two}");
}

#[test]
fn a_refused_command_line_is_coloured_as_it_says() {
    let place = Place::new();
    for (color, is_coloured) in [("always", true), ("never", false), ("auto", false)] {
        let ran = place.run(&["lisst", "--color", color]);
        assert_eq!((ran.code, ran.err.contains("\u{1b}[")), (2, is_coloured), "{ran:?}");
    }
}

#[test]
fn every_object_is_stamped() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    for arguments in [&["list"][..], &["show", &id], &["tools"], &["watch", "--no-follow"]] {
        for object in place.json(arguments) {
            let at = object["at"].as_str().expect("a stamp");
            assert!(at.parse::<jiff::Timestamp>().is_ok(), "{arguments:?}: {at}");
        }
    }
}

#[test]
fn submit_and_wait_prints_the_id_then_the_result() {
    let place = Place::new();
    let _worker = place.worker();
    let lines = place.json(&["submit", "wait", "--arg", "seconds=0", "--wait"]);
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!(lines[0]["task"], lines[1]["task"]);
    assert_eq!(lines[1]["status"], "completed");
    assert_eq!(lines[1]["result"]["content"][0]["text"], "Waited for 0.0 s.".replace(".0", ""));
}

#[test]
fn a_follower_sees_events_as_they_come() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.ok(&["submit", "plan_dinner"]);
    let mut watch = place.background(&["watch", "--json", "--task", &id]);
    assert_eq!(watch.first["event"], "submitted");
    while watch.next()["event"] != "asked" {}
    place.ok(&["respond", &id, "--decline"]);
    assert_eq!(watch.next()["event"], "answered");
    assert_eq!(watch.next()["event"], "completed");
    assert_eq!(watch.code(), 0);
}
