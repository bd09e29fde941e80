//! `retry`.

use serde_json::json;

use crate::json_shapes::is_line;
use crate::place::Place;
use crate::redis::RedisServer;

const ANSWERS: &str = r#"{"cuisine":"Thai","vegetarian":true}"#;

/// A task that has ended.
fn ended(place: &Place, arguments: &[&str]) -> String {
    let lines = place.json(&[&["submit"], arguments, &["--wait"]].concat());
    lines[0]["task"].as_str().expect("an id").to_owned()
}

#[test]
fn an_ended_task_is_started_again_as_it_was() {
    let redis = RedisServer::start();
    for place in [Place::new(), Place::on_redis(&redis.url())] {
        let _worker = place.worker();
        let id = ended(&place, &["wait", "--arg", "seconds=0", "--session", "s1", "--ttl", "2h"]);
        let told = place.json(&["retry", &id[..8]]);
        is_line("submission", &told[0]);
        assert_eq!(told[0]["again"], id.as_str());
        let new = told[0]["task"].as_str().expect("an id");
        assert_ne!(new, id);
        place.until(new, "completed");
        let task = &place.json(&["show", new])[0];
        assert_eq!((&task["tool"], &task["session"]), (&json!("wait"), &json!("s1")));
        assert_eq!((&task["arguments"]["seconds"], &task["ttl_ms"]), (&json!(0), &json!(7_200_000)));
        let plain = place.ok(&["retry", &id]);
        assert_eq!(plain.len(), 26, "the id alone is the data: {plain}");
        let other = place.ok(&["retry", &id, "--arg", "seconds=600", "--session", "s2", "--ttl", "1h"]);
        let task = &place.json(&["show", &other])[0];
        assert_eq!((&task["arguments"]["seconds"], &task["session"]), (&json!(600), &json!("s2")));
        assert_eq!(task["ttl_ms"], 3_600_000);
        let refused = place.run(&["retry", &other]);
        assert_eq!(refused.code, 10, "{refused:?}");
        assert!(
            refused.err.contains("has not ended") && refused.err.contains("mcptask attach"),
            "{refused:?}"
        );
        assert_eq!(place.run(&["retry", &id, "--arg", "seconds=soon"]).code, 2);
        assert_eq!(place.run(&["retry", "nobodys0"]).code, 9);
    }
}

#[test]
fn an_argument_stands_in_the_place_of_the_earlier_one() {
    let place = Place::new();
    let tools = "[tools.tags]\ndescription = \"Takes tags.\"\ninput = { tags = \"texts\" }\nsteps = [{ return = \"{{ args.tags }}\" }]\n";
    let _worker = place.background(&["worker", "--json", "--config", &place.file("tools.toml", tools)]);
    let id = ended(&place, &["tags", "--arg", "tags=a,b"]);
    let new = place.json(&["retry", &id, "--arg", "tags=c", "--wait"])[0]["task"].clone();
    let task = &place.json(&["show", new.as_str().expect("an id")])[0];
    assert_eq!(task["arguments"]["tags"], json!(["c"]));
}

#[test]
fn questions_are_answered_as_people_answered_them_before() {
    let place = Place::new();
    let _worker = place.worker();
    let answers = place.file("answers.json", ANSWERS);
    let id = ended(&place, &["plan_dinner", "--answers", &answers]);
    let ran = place.run(&["retry", &id, "--wait", "--from-journal", "--json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("A vegetarian Thai dinner"), "{ran:?}");
    let asked = place.run(&["retry", &id, "--wait"]);
    assert_eq!(asked.code, 6, "without it somebody has to answer: {asked:?}");
    // What nobody answered before, somebody has to answer now.
    let cut = place.asking("plan_dinner");
    place.ok(&["respond", &cut, "--set", "cuisine=Greek"]);
    place.until_asked(&cut, "q2");
    place.ok(&["cancel", &cut]);
    let open = place.run(&["retry", &cut, "--wait", "--from-journal"]);
    assert_eq!(open.code, 6, "{open:?}");
    assert!(open.err.contains("the earlier task has no answer of a person to question 2"), "{open:?}");
    assert_eq!(place.run(&["retry", &id, "--from-journal"]).code, 2, "somebody has to stay and answer");
}

#[test]
fn a_new_task_belongs_to_whom_the_earlier_one_did() {
    let place = Place::new();
    let tokens = place.file("tokens", "anna 0123456789abcdef0123456789abcdef\n");
    let server = place.serve(&["--token-file", &tokens]);
    let way = ["--server", server.url(), "--token", "0123456789abcdef0123456789abcdef", "--era", "modern"];
    let id = place.json(&[&["submit", "wait", "--arg", "seconds=0"][..], &way].concat())[0]["task"].clone();
    let id = id.as_str().expect("an id");
    place.until(id, "completed");
    let new = place.ok(&["retry", id]);
    assert_eq!(place.json(&["show", &new])[0]["scope"], "anna", "nobody else sees it");
    let refused = place.run(&[&["retry", id][..], &way].concat());
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.err.contains("does not show the arguments"), "{refused:?}");
    assert!(refused.err.contains("mcptask submit wait"), "{refused:?}");
}

#[test]
fn who_waits_for_it_may_take_it_along() {
    let place = Place::new();
    let _worker = place.worker();
    let id = ended(&place, &["wait", "--arg", "seconds=0"]);
    let line =
        ["retry", &id, "--arg", "seconds=600", "--wait", "--cancel-on-exit", "--timeout", "1s", "--json"];
    let ran = place.run(&line);
    assert_eq!(ran.code, 7, "{ran:?}");
    let told: serde_json::Value =
        serde_json::from_str(ran.out.lines().next().expect("a line")).expect("JSON");
    let new = told["task"].as_str().expect("an id");
    assert_eq!(place.json(&["show", new])[0]["status"], "cancelled");
}

/// A tool whose first question is the same whatever its arguments are, and whose second one is not.
const ROOMS: &str = r#"[tools.book]
description = "Books a room."
input = { room = "string" }
steps = [
  { ask = "For how many?", form = { guests = "integer" } },
  { ask = "Is {{ args.room }} right?", form = { ok = "boolean" } },
  { return = "booked {{ args.room }}" },
]
"#;

#[test]
fn an_answer_to_another_question_is_not_taken_from_the_journal() {
    let redis = RedisServer::start();
    for place in [Place::new(), Place::on_redis(&redis.url())] {
        let _worker = place.background(&["worker", "--json", "--config", &place.file("tools.toml", ROOMS)]);
        let answers = place.file("answers.json", r#"{"guests":4,"ok":true}"#);
        let id = ended(&place, &["book", "--arg", "room=hall", "--answers", &answers]);
        let same = place.run(&["retry", &id, "--wait", "--from-journal"]);
        assert_eq!((same.code, same.out.trim()), (0, "booked hall"), "{same:?}");
        let line = ["retry", &id, "--arg", "room=kitchen", "--wait", "--from-journal", "--json"];
        let other = place.run(&line);
        assert_eq!(other.code, 6, "{other:?}");
        assert!(other.err.contains("no answer of a person to question 2"), "{other:?}");
        let told: serde_json::Value =
            serde_json::from_str(other.out.lines().next().expect("a line")).expect("JSON");
        let task = &place.json(&["show", told["task"].as_str().expect("an id")])[0];
        let questions = task["questions"].as_array().expect("questions");
        assert_eq!(
            questions[0]["answer"]["content"]["guests"], 4,
            "what is asked the same is answered the same"
        );
        assert_eq!(questions[1]["message"], "Is kitchen right?");
        assert!(questions[1]["answer"].is_null(), "that was asked of another room");
    }
}
