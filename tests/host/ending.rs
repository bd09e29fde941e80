//! The connection: what harms it not, and what ends it.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::peer::Host;
use crate::place::Place;
use crate::stage::Stage;

/// The time in which a server ends at once, also on a busy machine: less than any of its bounds.
const AT_ONCE: Duration = Duration::from_secs(4);

#[test]
fn one_call_holds_up_no_other_and_a_bad_line_harms_none() {
    let stage = Stage::sqlite();
    let long = stage.ok(&["submit", "wait", "--arg", "seconds=600"]);
    let mut host = stage.host();
    let watching = host.begin_call("watch_task", &json!({ "task": long, "timeout_seconds": 600 }));
    host.raw("this is no JSON");
    host.raw(r#"{"jsonrpc":"2.0","id":[1],"method":"tools/list"}"#);
    host.raw(&format!(r#"{{"jsonrpc":"2.0","id":900,"method":"x{}"}}"#, "y".repeat(2 * 1024 * 1024)));
    host.raw("");
    for at in 0..100 {
        let told = host.ok("list_tasks", &json!({ "limit": 1 }));
        assert_eq!(told["tasks"][0]["task"], long, "{at}");
    }
    assert_eq!(host.request("tools/call", json!({ "name": "fly" }))["error"]["code"], -32602);
    assert_eq!(host.request("prompts/get", json!({ "name": "x" }))["error"]["code"], -32601);
    stage.ok(&["cancel", &long]);
    assert_eq!(host.result(watching, "watch_task")["structuredContent"]["task"]["status"], "cancelled");
}

#[test]
fn more_calls_than_it_works_on_are_told_so() {
    let stage = Stage::sqlite();
    let long = stage.ok(&["submit", "wait", "--arg", "seconds=600"]);
    let mut host = stage.host();
    let begun: Vec<_> = (0..100)
        .map(|_| host.begin_call("watch_task", &json!({ "task": long, "timeout_seconds": 600 })))
        .collect();
    let refused = host.result(begun[99], "watch_task")["structuredContent"].clone();
    assert!(refused["message"].as_str().expect("words").contains("too many calls"), "{refused}");
    stage.ok(&["cancel", &long]);
    assert_eq!(host.result(begun[0], "watch_task")["structuredContent"]["reason"], "ended");
}

#[test]
fn the_hosts_end_is_its_end_whatever_waits() {
    let stage = Stage::sqlite();
    let task = stage.asking_deploy();
    let long = stage.ok(&["submit", "wait", "--arg", "seconds=600"]);
    let mut host = stage.host();
    host.begin_call("watch_task", &json!({ "task": long, "timeout_seconds": 600 }));
    host.begin_call("ask_user", &json!({ "task": task, "question": "q1" }));
    host.next_of("elicitation/create");
    let begun = Instant::now();
    host.hang_up();
    assert_eq!(host.ended().code(), Some(0));
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
    assert_eq!(stage.printed(&["show", &task])[0]["status"], "input_required");
    assert_eq!(stage.printed(&["show", &long])[0]["status"], "working");
}

#[test]
fn sigterm_ends_it_at_once() {
    let stage = Stage::sqlite();
    let long = stage.ok(&["submit", "wait", "--arg", "seconds=600"]);
    let mut host = stage.host();
    host.begin_call("watch_task", &json!({ "task": long, "timeout_seconds": 600 }));
    host.ok("list_tasks", &json!({}));
    let begun = Instant::now();
    host.signal("TERM");
    assert_eq!(host.ended().code(), Some(143));
    assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
}

#[test]
fn what_was_asked_before_the_end_is_still_answered() {
    let stage = Stage::sqlite();
    let line = |message: serde_json::Value| message.to_string() + "\n";
    let info = json!({ "name": "pipe", "version": "1" });
    let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": info });
    let lines = [
        json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params }),
        json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
        json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": { "name": "list_tasks" } }),
    ];
    let ran = stage.run_with(&["mcp"], &lines.map(line).concat());
    assert_eq!((ran.code, ran.out.lines().count()), (0, 2), "{ran:?}");
    assert!(ran.out.lines().last().expect("a line").contains("has_more"), "{ran:?}");
    let ran = stage.run_with(&["mcp"], "");
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""));
}

#[test]
fn who_sets_it_up_wrong_is_told_at_once() {
    let place = Place::new();
    for (words, code) in [
        (&["mcp", "--as", "ann"][..], 2),
        (&["mcp", "--allow-answer", "--as", ""], 2),
        (&["mcp", "--server", ""], 2),
        (&["mcp", "--timeout", "5s"], 2),
    ] {
        let ran = place.run(words);
        assert_eq!(ran.code, code, "{ran:?}");
        assert_eq!(ran.out, "", "stdout is the host's: {ran:?}");
    }
}

#[test]
fn who_starts_it_by_hand_is_told_what_it_is_for() {
    let place = Place::new();
    let mut typed = rexpect::session::spawn_command(place.command(&["mcp"]), Some(20_000)).expect("starts");
    typed.exp_string("an MCP host starts this command").expect("it says so");
    typed.send_control('d').expect("typed");
    typed.exp_eof().expect("it ends");
}

#[test]
fn its_examples_begin() {
    let stage = Stage::sqlite();
    let server = stage.serve(&["--workers", "0"]);
    let help = stage.ok(&["mcp", "--help"]);
    let examples: Vec<_> =
        help.lines().map(str::trim).filter(|line| line.starts_with("mcptask mcp")).collect();
    assert_eq!(examples.len(), 3, "{help}");
    for example in examples {
        let line = example.replace("http://127.0.0.1:8737/mcp", server.url());
        let words = shell_words::split(&line).expect("a command line");
        let words: Vec<&str> = words.iter().skip(2).map(String::as_str).collect();
        let mut host = Host::legacy(&stage, &words, &json!({}));
        host.ok("list_tasks", &json!({}));
    }
    let nothing = stage.command(&["mcp"]).stdin(Stdio::null()).output().expect("runs");
    assert!(nothing.status.success() && nothing.stdout.is_empty(), "{nothing:?}");
}
