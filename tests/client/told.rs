//! What is said of a server's faults, in words that help.

use rstest::rstest;
use serde_json::json;
use tempfile::TempDir;

use crate::command::{at, run_in};
use crate::peer::{Peer, Reply, Said, legacy, modern};

#[test]
fn an_internal_error_of_a_look_is_not_called_out_of_reach() {
    let peer = Peer::start(|said| match said.method() {
        "tasks/get" => {
            let error = json!({ "code": -32603, "message": "inner trouble" });
            let body = json!({ "jsonrpc": "2.0", "id": said.message["id"], "error": error });
            Reply::Http(200, "application/json", body.to_string())
        }
        _ => modern(said),
    });
    let ran = at(&peer, &["show", "t1", "--json"], "");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.err.contains("inner trouble") && !ran.err.contains("reach"), "{ran:?}");
}

#[test]
fn a_list_of_tasks_without_end_shows_what_it_begins_with() {
    let peer = Peer::start(|said| match said.method() {
        "tasks/list" => {
            let page =
                said.message["params"]["cursor"].as_str().unwrap_or("0").parse::<u32>().expect("a number");
            let task = json!({ "taskId": format!("task-{page}"), "status": "working", "pollInterval": 100 });
            Reply::Kept(json!({ "tasks": [task], "nextCursor": (page + 1).to_string() }))
        }
        _ => legacy(said),
    });
    let ran = at(&peer, &["list", "--limit", "3", "--era", "legacy", "--json"], "");
    assert!(ran.code == Some(0) && ran.out.lines().count() == 3, "{ran:?}");
}

/// A server of either era that makes a task of each call and keeps it for half an hour.
fn keeping(said: &Said, other: fn(&Said) -> Reply) -> Reply {
    let task = json!({ "taskId": "t1", "status": "working", "ttl": 1_800_000, "ttlMs": 1_800_000 });
    match said.method() {
        "tools/call" => {
            let mut created = task.clone();
            created["resultType"] = json!("task");
            created["task"] = task;
            Reply::Result(created)
        }
        _ => other(said),
    }
}

#[test]
fn an_option_that_the_server_does_not_heed_is_said() {
    let submit = ["submit", "x", "--ttl", "1h", "--session", "dinner"];
    let newer = at(&Peer::start(|said| keeping(said, modern)), &submit, "");
    let older = at(&Peer::start(|said| keeping(said, legacy)), &submit, "");
    for (ran, words) in [
        (&newer, ["--ttl has no effect here: a modern server decides itself", "keeps a task: 30 min"]),
        (&newer, ["--session has no effect here", "one of mcptask's"]),
        (&older, ["the server keeps the task for 30 min only", ""]),
        (&older, ["--session has no effect here", "its own session's id"]),
    ] {
        let said = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(words.iter().all(|words| said.contains(words)), "{words:?} is not in {said}");
    }
    let shorter = ["submit", "x", "--ttl", "10m"];
    let older = at(&Peer::start(|said| keeping(said, legacy)), &shorter, "");
    assert!(!older.err.contains("keeps the task"), "{older:?}");
}

#[rstest]
#[case("http://me:pl#anted@host.test/mcp", "write # as %23")]
#[case("http://me:pl/anted@host.test/mcp", "write / as %2F")]
#[case("http://me:pl?anted@host.test/mcp", "write ? as %3F")]
fn a_password_that_ends_too_soon_is_told_and_not_shown(#[case] url: &str, #[case] help: &str) {
    let ran = run_in(&TempDir::new().expect("a folder"), &["list", "--server", url], "");
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.contains(help) && !ran.err.contains("anted"), "{ran:?}");
}

#[test]
fn no_time_at_all_is_refused() {
    let ran = std::process::Command::new(env!("CARGO_BIN_EXE_mcptask"))
        .env_clear()
        .args(["list", "--timeout", "0s"])
        .output()
        .expect("runs");
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.code() == Some(2) && said.contains("no time at all"), "{said}");
}
