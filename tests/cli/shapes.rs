//! What `--json` prints is what docs/JSON.md says, in our own store and through a server of each era.

use serde_json::Value;

use crate::json_shapes::is_line;
use crate::kitchen::Kitchen;
use crate::place::{Place, Ran};

/// The lines on stdout, and the error.
fn printed(ran: &Ran) -> (Vec<Value>, Option<Value>) {
    let read = |text: &str| text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let lines: Vec<Value> = read(&ran.out);
    let mut errors: Vec<Value> = read(&ran.err);
    (lines, errors.pop())
}

/// Runs commands at a place; each line is of its kind, and there is one.
fn all_fit(place: &Place, way: &[&str], commands: &[(&[&str], &str)]) {
    for (command, kind) in commands {
        let ran = place.run(&[command, way, &["--json"]].concat());
        let (lines, error) = printed(&ran);
        assert!(!lines.is_empty() || *kind == "error", "{command:?} {way:?}: {ran:?}");
        for line in &lines {
            is_line(kind, line);
        }
        assert_eq!(error.is_some(), ran.code != 0, "{command:?}: {ran:?}");
        if let Some(error) = error {
            is_line("error", &error);
        }
    }
}

#[test]
fn every_line_of_every_place_is_as_documented() {
    let place = Place::new();
    let server = place.serve(&[]);
    is_line("beginning", &server.first);
    let (modern, legacy) =
        (["--server", server.url(), "--era", "modern"], ["--server", server.url(), "--era", "legacy"]);
    for way in [&[][..], &modern, &legacy] {
        // A modern server's list has what was launched through it.
        let launched = |arguments: &[&str], event: &str| {
            let way = if way == modern { way } else { &[] };
            let id = place.json(&[&["submit"], arguments, way].concat())[0]["task"].clone();
            let id = id.as_str().expect("an id").to_owned();
            place.until(&id, event);
            id
        };
        let ended = launched(&["wait", "--arg", "seconds=0"], "end");
        let (asking, other) = (launched(&["plan_dinner"], "asked"), launched(&["fill_form"], "asked"));
        let commands: &[(&[&str], &str)] = &[
            (&["list"], "task"),
            (&["show", &asking], "task"),
            (&["show", &ended], "task"),
            (&["show", "zzzzzzzz"], "error"),
            (&["tools"], "tool"),
            (&["doctor"], "finding"),
            (&["result", &ended], "ending"),
            (&["respond", &asking, "--set", "cuisine=Thai"], "receipt"),
            (&["respond", &asking, "--set", "colour=red", "--no-input"], "error"),
            (&["cancel", &other], "cancellation"),
            (&["cancel", &other], "error"),
            (&["submit", "wait", "--arg", "seconds=0"], "submission"),
        ];
        // A legacy server shows a task only to the client that launched it, so these are not about its tasks.
        let commands = if way == legacy { &commands[4..5] } else { commands };
        all_fit(&place, way, commands);
    }
    let own: &[(&[&str], &str)] = &[
        (&["watch", "--no-follow"], "event"),
        (&["list"], "task"),
        (&["workers"], "worker"),
        (&["export"], "exported question"),
    ];
    all_fit(&place, &[], own);
}

#[test]
fn events_of_a_server_are_as_documented() {
    let place = Place::new();
    let server = place.serve(&[]);
    let way = ["--server", server.url(), "--era", "modern"];
    let id = place.json(&[&["submit", "plan_dinner"][..], &way].concat())[0]["task"].clone();
    let id = id.as_str().expect("an id");
    place.until(id, "asked");
    let mut watch = place.background(&[&["watch", "--json", "--task", id][..], &way].concat());
    place.ok(&["respond", id, "--decline"]);
    let mut event = watch.first.clone();
    is_line("event", &event);
    while event["event"] != "completed" {
        event = watch.next();
        is_line("event", &event);
    }
    assert_eq!(watch.code(), 0);
}

#[test]
fn a_worker_says_so_when_it_has_begun() {
    is_line("beginning", &Place::new().worker().first);
}

#[test]
fn endings_of_every_kind_are_as_documented() {
    let place = Place::new();
    place.ok(&["list"]);
    let _kitchen = Kitchen::open(&place.database());
    for tool in ["refuses", "fails"] {
        let ran = place.run(&["submit", tool, "--wait", "--json"]);
        let (lines, error) = printed(&ran);
        is_line("submission", &lines[0]);
        is_line("ending", &lines[1]);
        let error = error.expect("it fails");
        is_line("error", &error);
        assert_eq!(error["task"], lines[0]["task"]);
    }
}

#[test]
fn an_error_names_the_task_and_the_question_that_it_is_about() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    let error =
        |arguments: &[&str]| printed(&place.run(&[arguments, &["--json"]].concat())).1.expect("it fails");
    let refused = error(&["respond", &id[..8], "--set", "cuisine="]);
    assert_eq!((&refused["task"], &refused["question"]), (&Value::from(id.as_str()), &Value::from("q1")));
    let unknown = error(&["respond", &id, "--question", "q7", "--decline"]);
    assert_eq!((&unknown["task"], &unknown["question"]), (&Value::from(id.as_str()), &Value::from("q7")));
    assert_eq!(error(&["result", &id])["task"], id.as_str());
    assert!(error(&["show", "zzzzzzzz"])["task"].is_null());
}
