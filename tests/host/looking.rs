//! What a host's model is told: the same as the command line tells.

use serde_json::{Value, json};

use crate::peer::Host;
use crate::place::Place;
use crate::stage::Stage;

on_both_engines!(
    what_waits_is_told_as_the_command_line_tells_it,
    a_task_is_launched_watched_and_shown,
    what_cannot_be_done_is_told_in_the_words_of_the_command_line,
);

fn ids(told: &Value) -> Vec<&str> {
    told["tasks"]
        .as_array()
        .expect("tasks")
        .iter()
        .map(|task| task["task"].as_str().expect("an id"))
        .collect()
}

fn what_waits_is_told_as_the_command_line_tells_it(stage: &Stage) {
    let first = stage.ok(&["submit", "deploy", "--arg", "version=1.2", "--session", "night"]);
    stage.until(&first, "asked");
    let second = stage.asking("twice");
    let mut host = Host::legacy(stage, &[], &json!({}));
    let told = host.ok("list_waiting", &json!({}));
    assert_eq!(ids(&told), [&first, &second]);
    assert_eq!(told["tasks"], json!(stage.printed(&["list", "--waiting"])));
    assert_eq!(told["has_more"], false);
    let of = |host: &mut Host, filters: Value| ids(&host.ok("list_waiting", &filters)).join(" ");
    assert_eq!(of(&mut host, json!({ "tool": "twice" })), second);
    assert_eq!(of(&mut host, json!({ "session": "night" })), first);
    assert_eq!(of(&mut host, json!({ "place": "mcptask", "limit": 1 })), first);
    assert_eq!(of(&mut host, json!({ "place": "server" })), "");
    assert_eq!(host.ok("list_waiting", &json!({ "limit": 1 }))["has_more"], true);
    let said =
        host.call("list_waiting", &json!({}))["content"][0]["text"].as_str().expect("a text").to_owned();
    assert!(said.starts_with("2 tasks wait for an answer.\n"), "{said}");
    assert!(
        said.contains(&format!("task {first}, input_required, tool deploy, session night, open question q1")),
        "{said}"
    );
    let done = stage.ok(&["submit", "wait", "--arg", "seconds=0"]);
    stage.until(&done, "completed");
    let ended = host.ok("list_tasks", &json!({ "status": ["completed"] }));
    assert_eq!(ended["tasks"], json!(stage.printed(&["list", "--status", "completed"])));
    assert_eq!(ids(&host.ok("list_tasks", &json!({}))), [&done, &second, &first]);
}

fn a_task_is_launched_watched_and_shown(stage: &Stage) {
    let mut host = Host::legacy(stage, &[], &json!({}));
    let launched = host.ok("submit_task", &json!({ "tool": "twice", "session": "day" }));
    let id = launched["task"].as_str().expect("an id").to_owned();
    assert_eq!(
        [&launched["source"], &launched["tool"], &launched["session"], &launched["status"]],
        ["mcptask", "twice", "day", "working"]
    );
    let asked = host.ok("watch_task", &json!({ "task": id, "timeout_seconds": 30 }));
    assert_eq!(
        (asked["reason"].as_str(), &asked["task"]["questions"][0]["message"]),
        (Some("asked"), &json!("One?"))
    );
    // What happens meanwhile is told to who asked to hear of it.
    stage.ok(&["respond", &id, "--question", "q1", "--set", "v=a"]);
    stage.until_asked(&id, "q2");
    let watch =
        json!({ "name": "watch_task", "arguments": { "task": id }, "_meta": { "progressToken": "mine" } });
    stage.ok(&["respond", &id, "--question", "q2", "--decline"]);
    let watching = host.begin("tools/call", watch);
    let ended = host.result(watching, "watch_task")["structuredContent"].clone();
    assert_eq!((&ended["reason"], &ended["task"]["status"]), (&json!("ended"), &json!("completed")));
    assert_eq!(ended["task"]["outcome"]["result"]["content"][0]["text"], "done");
    let shown = host.ok("show_task", &json!({ "task": id }));
    let printed = stage.printed(&["show", &id]).remove(0);
    for name in ["task", "status", "questions", "events", "outcome", "arguments"] {
        assert_eq!(shown[name], printed[name], "{name}");
    }
}

#[test]
fn each_step_is_told_to_who_gave_a_token() {
    let stage = Stage::sqlite();
    let mut host = Host::legacy(&stage, &[], &json!({}));
    let id = stage.ok(&["submit", "wait", "--arg", "seconds=2"]);
    stage.until(&id, "claimed");
    let watch =
        json!({ "name": "watch_task", "arguments": { "task": id }, "_meta": { "progressToken": "mine" } });
    let watching = host.begin("tools/call", watch);
    let step = host.next_of("notifications/progress");
    assert_eq!(
        (&step["params"]["progressToken"], &step["params"]["progress"]),
        (&json!("mine"), &json!(1.0))
    );
    assert_eq!(host.result(watching, "watch_task")["structuredContent"]["reason"], "ended");
    let id = stage.ok(&["submit", "wait", "--arg", "seconds=600"]);
    let told = host.ok("watch_task", &json!({ "task": id, "timeout_seconds": 1 }));
    assert_eq!((&told["reason"], &told["task"]["status"]), (&json!("timed_out"), &json!("working")));
}

fn what_cannot_be_done_is_told_in_the_words_of_the_command_line(stage: &Stage) {
    let mut host = Host::legacy(stage, &[], &json!({}));
    let missing = host.fails("show_task", &json!({ "task": "nobodys0" }));
    let printed = stage.refused(&["show", "nobodys0"]);
    for name in ["code", "exit", "message", "hint"] {
        assert_eq!(missing[name], printed[name], "{name}");
    }
    let untyped = host.fails("submit_task", &json!({ "tool": "wait", "arguments": { "seconds": "soon" } }));
    assert_eq!((&untyped["code"], &untyped["exit"]), (&json!("usage"), &json!(2)));
    let unknown = host.fails("submit_task", &json!({ "tool": "fly" }));
    assert_eq!(unknown["message"], stage.refused(&["submit", "fly"])["message"]);
    for (tool, arguments, named) in [
        ("show_task", json!({}), "task"),
        ("show_task", json!({ "task": 7 }), "string"),
        ("show_task", json!({ "task": "nobodys0", "colour": "red" }), "colour"),
        ("list_tasks", json!({ "limit": 0 }), "limit is 0"),
        ("list_tasks", json!({ "place": "moon" }), "\"moon\""),
        (
            "watch_task",
            json!({ "task": "nobodys0", "timeout_seconds": 100_000 }),
            "timeout_seconds is 100000",
        ),
        ("submit_task", json!({ "tool": "wait", "session": "\u{1b}" }), "session"),
    ] {
        let told = host.fails(tool, &arguments);
        assert_eq!(told["code"], "usage", "{told}");
        assert!(told["message"].as_str().expect("words").contains(named), "{told}");
    }
}

#[test]
fn where_nobody_has_begun_a_store_it_says_so_and_finds_it_later() {
    let place = Place::new();
    let mut host = Host::legacy(&place, &[], &json!({}));
    assert_eq!(host.ok("list_waiting", &json!({}))["tasks"], json!([]));
    let told = host.fails("submit_task", &json!({ "tool": "wait" }));
    assert!(told["hint"].as_str().expect("words").contains("nobody has begun a store"), "{told}");
    assert!(!place.database().exists(), "who only looks begins none");
    let _worker = place.worker();
    let launched = host.ok("submit_task", &json!({ "tool": "wait", "arguments": { "seconds": 0 } }));
    let ended = host.ok("watch_task", &json!({ "task": launched["task"] }));
    assert_eq!(ended["reason"], "ended");
}

#[test]
fn a_server_of_the_stateless_era_is_a_place_as_well() {
    let stage = Stage::sqlite();
    let server = stage.serve(&["--workers", "0"]);
    let way = ["--server", server.url(), "--era", "modern", "--allow-answer", "--as", "ann"];
    let mut host = Host::legacy(&stage, &way, &json!({}));
    let launched = host.ok("submit_task", &json!({ "tool": "deploy", "arguments": { "version": "3" } }));
    assert_eq!(launched["source"], "server");
    let asked = host.ok("watch_task", &json!({ "task": launched["task"] }));
    assert_eq!(asked["reason"], "asked");
    let waiting = host.ok("list_waiting", &json!({ "place": "server" }));
    assert_eq!(ids(&waiting), [launched["task"].as_str().expect("an id")]);
    assert_eq!(host.fails("list_tasks", &json!({ "session": "night" }))["code"], "usage");
    let question = waiting["tasks"][0]["questions"][0]["id"].clone();
    let content = json!({ "sure": true, "words": "go" });
    let answer =
        json!({ "task": launched["task"], "question": question, "action": "accept", "content": content });
    assert_eq!(host.ok("answer_question", &answer)["counts"], true);
    let ended = host.ok("watch_task", &json!({ "task": launched["task"] }));
    assert_eq!(ended["task"]["outcome"]["result"]["content"][0]["text"], "accept: go");
}

#[test]
fn a_server_that_was_started_again_is_reached_again() {
    let stage = Stage::sqlite();
    let server = stage.serve(&["--workers", "0"]);
    let listen = server.url().trim_start_matches("http://").trim_end_matches("/mcp").to_owned();
    let mut host = Host::legacy(&stage, &["--server", server.url(), "--era", "legacy"], &json!({}));
    let launched = host.ok("submit_task", &json!({ "tool": "wait", "arguments": { "seconds": 0 } }));
    server.kill();
    assert_eq!(host.fails("show_task", &json!({ "task": launched["task"] }))["code"], "unreachable");
    let _server = stage.background(&["serve", "--json", "--listen", &listen, "--workers", "0"]);
    assert_eq!(host.ok("show_task", &json!({ "task": launched["task"] }))["task"], launched["task"]);
}

#[test]
fn a_store_that_goes_away_fails_calls_and_is_found_again() {
    let mut stage = Stage::persistent();
    let task = stage.asking_deploy();
    let mut host = stage.host();
    assert_eq!(ids(&host.ok("list_waiting", &json!({}))), [&task]);
    stage.redis_mut().kill();
    for (tool, arguments) in [
        ("list_waiting", json!({})),
        ("watch_task", json!({ "task": task, "timeout_seconds": 1 })),
        ("answer_question", json!({ "task": task, "question": "q1", "action": "decline" })),
    ] {
        assert_eq!(host.fails(tool, &arguments)["code"], "unreachable", "{tool}");
    }
    stage.redis_mut().restart();
    let begun = std::time::Instant::now();
    while host.call("list_waiting", &json!({}))["isError"] == true {
        assert!(begun.elapsed() < crate::place::BOUND, "it is not found again");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    host.ok("answer_question", &json!({ "task": task, "question": "q1", "action": "decline" }));
}
