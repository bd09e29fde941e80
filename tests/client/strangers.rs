//! Commands at servers that do what the protocol has no word for.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::command::{at, run};
use crate::peer::{Peer, Reply, Said, legacy, modern};
use crate::python::python;

pub(crate) const SUBMIT: [&str; 5] = ["submit", "x", "--wait", "--answers", "answers.json"];

/// A task of the newer era, with more members.
pub(crate) fn task(status: &str, more: Value) -> Value {
    let mut task = json!({
        "resultType": "complete", "taskId": "t1", "status": status, "createdAt": "2026-11-26T21:00:00Z",
        "lastUpdatedAt": "2026-11-26T21:00:00Z", "ttlMs": 60000, "pollIntervalMs": 100,
    });
    let Value::Object(more) = more else { panic!("no members: {more}") };
    task.as_object_mut().expect("an object").extend(more);
    task
}

fn question() -> Value {
    let schema = json!({ "type": "object", "properties": { "a": { "type": "string" } }, "required": ["a"] });
    json!({ "method": "elicitation/create", "params": { "mode": "form", "message": "Q?", "requestedSchema": schema } })
}

pub(crate) fn asking() -> Value {
    task("input_required", json!({ "inputRequests": { "q": question() } }))
}

/// A server of the newer era whose one task is shown so.
fn showing(shown: Value) -> Peer {
    answering(shown, modern)
}

/// The same, with what it says to a `tasks/update`.
fn answering(shown: Value, update: fn(&Said) -> Reply) -> Peer {
    Peer::start(move |said| match said.method() {
        "tools/call" => {
            let mut created = task("working", json!({}));
            created["resultType"] = json!("task");
            Reply::Result(created)
        }
        "tasks/get" => Reply::Result(shown.clone()),
        "tasks/update" => update(said),
        _ => modern(said),
    })
}

fn error(said: &Said, code: i64, message: &str) -> Reply {
    let error = json!({ "code": code, "message": message });
    let body = json!({ "jsonrpc": "2.0", "id": said.message["id"], "error": error });
    Reply::Http(200, "application/json", body.to_string())
}

#[rstest]
#[case::with_a_message(json!({ "statusMessage": "the disk is full" }), "the disk is full")]
#[case::without(json!({}), "does not say why")]
fn a_task_that_failed_without_an_error_has_failed(#[case] more: Value, #[case] words: &str) {
    let peer = showing(task("failed", more));
    for verb in [&SUBMIT[..], &["result", "t1"], &["result", "t1", "--wait"]] {
        let ran = at(&peer, verb, "{}");
        assert!(ran.code == Some(5) && ran.err.contains(words), "{verb:?}: {ran:?}");
    }
    let ran = at(&peer, &["result", "t1", "--json"], "");
    assert!(ran.code == Some(5) && ran.out.contains(words), "{ran:?}");
    assert_eq!(at(&peer, &["doctor", "t1"], "").code, Some(0), "as for any other task that has failed");
}

#[rstest]
#[case(modern)]
#[case(legacy)]
fn a_tool_that_cannot_be_read_hides_no_other(#[case] rest: fn(&Said) -> Reply) {
    let peer = Peer::start(move |said| match said.method() {
        "tools/list" => {
            let good = |name: &str| json!({ "name": name, "inputSchema": { "type": "object" } });
            let tools = json!([good("x"), { "name": 5 }, { "inputSchema": {} }, null, good("y")]);
            Reply::Result(
                json!({ "resultType": "complete", "ttlMs": 0, "cacheScope": "private", "tools": tools }),
            )
        }
        _ => rest(said),
    });
    let ran = at(&peer, &["tools"], "");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let names: Vec<&str> =
        ran.out.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, ["x", "y"], "{ran:?}");
    assert!(ran.err.matches("not read as a tool").count() == 3 && ran.err.contains("\"name\":5"), "{ran:?}");
}

#[rstest]
#[case(-32603)]
#[case(-32000)]
fn an_answer_that_meets_an_error_is_refused_and_its_server_is_not_away(#[case] code: i64) {
    let peer = match code {
        -32603 => answering(asking(), |said| error(said, -32603, "bad value")),
        _ => answering(asking(), |said| error(said, -32000, "bad value")),
    };
    for verb in [&SUBMIT[..], &["respond", "t1", "--set", "a=x"]] {
        let ran = at(&peer, verb, r#"{"a":"x"}"#);
        assert_eq!(ran.code, Some(1), "{verb:?}: {ran:?}");
        assert!(ran.err.contains("bad value") && ran.err.contains("still open"), "{ran:?}");
        assert!(
            !ran.err.contains("waiting until it is back") && ran.took < Duration::from_secs(30),
            "{ran:?}"
        );
    }
    assert!(peer.said_of("tasks/update").len() <= 6, "{:?}", peer.said_of("tasks/update").len());
}

#[test]
fn an_internal_error_that_passes_costs_no_answer() {
    let (updates, looks) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let peer = Peer::start(move |said| match said.method() {
        "tools/call" => {
            let mut created = task("working", json!({}));
            created["resultType"] = json!("task");
            Reply::Result(created)
        }
        // It is away while the answer is on its way, and cannot look then, either.
        "tasks/update" if updates.fetch_add(1, Ordering::SeqCst) == 0 => error(said, -32603, "no store"),
        "tasks/update" => Reply::Result(json!({ "resultType": "complete" })),
        "tasks/get" => match updates.load(Ordering::SeqCst) {
            1 if looks.fetch_add(1, Ordering::SeqCst) == 0 => error(said, -32603, "no store"),
            0 | 1 => Reply::Result(asking()),
            _ => {
                let result = json!({ "content": [{ "type": "text", "text": "done" }] });
                Reply::Result(task("completed", json!({ "result": result })))
            }
        },
        _ => modern(said),
    });
    let ran = at(&peer, &SUBMIT, r#"{"a":"x"}"#);
    assert!(ran.code == Some(0) && ran.out.contains("done"), "{ran:?}");
    assert_eq!(peer.said_of("tasks/update").len(), 2);
}

/// A server that acknowledges whatever comes, and says of no answer whether it counts.
#[test]
fn an_answer_of_which_a_server_does_not_say_that_it_counts_is_not_called_so() {
    let answered = std::sync::atomic::AtomicBool::new(false);
    let peer = Peer::start(move |said| match said.method() {
        "tasks/get" if answered.load(Ordering::SeqCst) => Reply::Result(task("working", json!({}))),
        "tasks/get" => Reply::Result(asking()),
        "tasks/update" => {
            answered.store(true, Ordering::SeqCst);
            Reply::Result(json!({ "resultType": "complete" }))
        }
        _ => modern(said),
    });
    let ran = at(&peer, &["respond", "t1", "--set", "a=x"], "");
    assert!(ran.code == Some(0) && ran.err.contains("another one may have come first"), "{ran:?}");
}

#[test]
fn a_task_that_goes_on_is_not_called_cancelled() {
    let peer = Peer::start(move |said| match said.method() {
        "tasks/get" => Reply::Result(task("working", json!({}))),
        "tasks/cancel" => Reply::Result(json!({ "resultType": "complete" })),
        _ => modern(said),
    });
    let ran = at(&peer, &["cancel", "t1"], "");
    assert!(ran.code == Some(10) && ran.err.contains("which goes on: it is working"), "{ran:?}");
}

#[test]
fn a_server_without_tasks_is_called_so_by_each_verb() {
    let peer = Peer::start(move |said| match said.method() {
        "tasks/get" | "tasks/cancel" | "tasks/update" => error(said, -32601, "Method not found"),
        _ => modern(said),
    });
    for verb in [
        &["show", "nobodys0"][..],
        &["cancel", "nobodys0"],
        &["respond", "nobodys0", "--decline"],
        &["result", "nobodys0"],
        &["watch", "--task", "nobodys0"],
    ] {
        let ran = at(&peer, verb, "");
        assert!(ran.code == Some(2) && ran.err.contains("runs no tool as a task"), "{verb:?}: {ran:?}");
        assert!(ran.err.contains("mcptask tools"), "{verb:?}: {ran:?}");
    }
}

/// A time of the last change that moves with each look is no time of asking.
#[test]
fn a_time_that_moves_with_each_look_is_not_taken_for_the_time_of_asking() {
    let looks = AtomicUsize::new(0);
    let peer = Peer::start(move |said| match said.method() {
        "tasks/get" => {
            let mut shown = asking();
            shown["createdAt"] = json!("2026-01-01T00:00:00Z");
            let look = looks.fetch_add(1, Ordering::SeqCst);
            shown["lastUpdatedAt"] = json!(format!("2026-05-01T00:00:{look:02}Z"));
            Reply::Result(shown)
        }
        _ => modern(said),
    });
    let ran = at(&peer, &["show", "t1", "--json"], "");
    let shown: Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!(shown["waiting_since"], "2026-01-01T00:00:00Z", "{shown}");
    assert_eq!(shown["waiting_since_at_earliest"], true, "{shown}");
}

/// A task that was there, and whose ttl ends while it is waited for, has expired.
#[test]
fn a_task_that_expires_while_it_is_waited_for_is_called_expired() {
    for verb in [&["result", "t1", "--wait"][..], &["watch", "--task", "t1"]] {
        let looks = AtomicUsize::new(0);
        let peer = Peer::start(move |said| match said.method() {
            "tasks/get" if looks.fetch_add(1, Ordering::SeqCst) > 1 => error(said, -32602, "no such task"),
            "tasks/get" => {
                let mut shown = task("working", json!({ "pollIntervalMs": 50, "ttlMs": 1000 }));
                shown["createdAt"] = json!("2026-01-01T00:00:00Z");
                Reply::Result(shown)
            }
            _ => modern(said),
        });
        let ran = at(&peer, verb, "");
        assert!(ran.code == Some(8) && ran.err.contains("expired: its ttl ended"), "{verb:?}: {ran:?}");
    }
}

#[test]
fn a_call_that_goes_in_a_circle_ends() {
    let round = AtomicUsize::new(0);
    let peer = Peer::start(move |said| match said.method() {
        "tools/call" => {
            let state = round.fetch_add(1, Ordering::SeqCst).to_string();
            Reply::Result(
                json!({ "resultType": "input_required", "requestState": state, "inputRequests": { "q": question() } }),
            )
        }
        _ => modern(said),
    });
    let ran = at(&peer, &SUBMIT, r#"{"a":"x"}"#);
    assert!(ran.code == Some(1) && ran.err.contains("the same again and again"), "{ran:?}");
    assert_eq!(peer.said_of("tools/call").len(), 10);
}

#[test]
fn a_call_that_only_hands_out_the_same_state_ends() {
    let peer = Peer::start(|said| match said.method() {
        "tools/call" => Reply::Result(json!({ "resultType": "input_required", "requestState": "z" })),
        _ => modern(said),
    });
    let ran = at(&peer, &SUBMIT, r#"{"a":"x"}"#);
    assert!(ran.code == Some(1) && ran.err.contains("with the same state"), "{ran:?}");
    assert!(!ran.err.contains("all the same"), "{ran:?}");
    assert_eq!(peer.said_of("tools/call").len(), 10);
}

#[rstest]
#[case(modern)]
#[case(legacy)]
fn an_empty_cursor_is_the_end(#[case] rest: fn(&Said) -> Reply) {
    let peer = Peer::start(move |said| match said.method() {
        "tools/list" => {
            let tools = json!([{ "name": "x", "inputSchema": { "type": "object" } }]);
            Reply::Result(json!({
                "resultType": "complete", "ttlMs": 0, "cacheScope": "private", "tools": tools, "nextCursor": "",
            }))
        }
        _ => rest(said),
    });
    let ran = at(&peer, &["tools"], "");
    assert!(ran.code == Some(0) && ran.out.contains('x'), "{ran:?}");
    assert_eq!(peer.said_of("tools/list").len(), 1);
}

#[test]
fn a_reply_about_another_task_is_not_taken_for_this_one() {
    let mut other = task("completed", json!({ "result": { "content": [] } }));
    other["taskId"] = json!("t2");
    let ran = at(&showing(other), &["result", "t1"], "");
    assert!(ran.code == Some(1) && ran.err.contains("another task") && ran.err.contains("t2"), "{ran:?}");
}

/// One request of a server that comes twice has one reply.
#[test]
fn a_question_that_comes_twice_under_one_id_is_asked_once() {
    let folder = TempDir::new().expect("a folder");
    let script = folder.path().join("twice.py");
    let source = r#"
import json, sys
def say(**message): print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)
replies = 0
for line in sys.stdin:
    message = json.loads(line)
    method, id = message.get("method"), message.get("id")
    if method == "initialize":
        say(id=id, result={"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": {"name": "x", "version": "1"}})
    elif method == "tools/list":
        say(id=id, result={"tools": [{"name": "x", "inputSchema": {"type": "object"}}]})
    elif method == "tools/call":
        call, schema = id, {"type": "object", "properties": {"a": {"type": "string"}}}
        for time in range(2):
            say(id="s1", method="elicitation/create", params={"message": "A?", "requestedSchema": schema})
        # A request of its own follows both, so its reply comes behind what the client says to the second one.
        say(id="s2", method="elicitation/create", params={"message": "B?", "requestedSchema": schema})
    elif method is None and id == "s1":
        replies += 1
    elif method is None and id == "s2":
        say(id=call, result={"content": [{"type": "text", "text": "replies: %d" % replies}]})
"#;
    std::fs::write(&script, source).expect("written");
    let words = format!("{} {}", python("mcp-1.30").display(), script.display());
    let ran = run(&[&SUBMIT[..], &["--era", "legacy", "--stdio", &words]].concat(), r#"{"a":"x"}"#);
    assert!(ran.code == Some(0) && ran.out.contains("replies: 1"), "{ran:?}");
    assert!(ran.err.matches("A?").count() <= 1, "{ran:?}");
}

#[test]
fn a_question_whose_key_is_empty_can_be_answered_by_it() {
    let shown = task("input_required", json!({ "inputRequests": { "q": question(), "": question() } }));
    let answered = AtomicUsize::new(0);
    let peer = Peer::start(move |said| match said.method() {
        "tasks/update" => {
            assert!(said.message["params"]["inputResponses"].get("").is_some(), "{said:?}");
            answered.fetch_add(1, Ordering::SeqCst);
            Reply::Result(json!({ "resultType": "complete" }))
        }
        "tasks/get" if answered.load(Ordering::SeqCst) > 0 => Reply::Result(asking()),
        "tasks/get" => Reply::Result(shown.clone()),
        _ => modern(said),
    });
    let words = ["respond", "t1", "--question", "", "--set", "a=x"];
    let ran = at(&peer, &words, "");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let ran = at(&showing(asking()), &words, "");
    assert!(ran.code == Some(2) && ran.err.contains("is a variable unset?"), "{ran:?}");
}

/// Who stays with a task hears that an answer of theirs is not the one that counts.
#[test]
fn who_stays_hears_that_somebody_else_was_faster() {
    let answered = AtomicUsize::new(0);
    let peer = Peer::start(move |said| match said.method() {
        "tools/call" => {
            let mut created = task("working", json!({}));
            created["resultType"] = json!("task");
            Reply::Result(created)
        }
        "tasks/get" if answered.load(Ordering::SeqCst) > 0 => {
            Reply::Result(task("completed", json!({ "result": { "content": [] } })))
        }
        "tasks/get" => Reply::Result(asking()),
        "tasks/update" => {
            answered.fetch_add(1, Ordering::SeqCst);
            // As our own servers say that no answer counts.
            Reply::Result(json!({ "resultType": "complete", "_meta": { "mcptask/counted": [] } }))
        }
        _ => modern(said),
    });
    let ran = at(&peer, &SUBMIT, r#"{"a":"x"}"#);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.err.contains("somebody else has answered question q of task t1"), "{ran:?}");
}

/// A proxy is named where nobody answers, without its password.
#[test]
fn a_proxy_that_is_not_there_is_named() {
    for (variable, url) in
        [("HTTPS_PROXY", "https://mcp.invalid/mcp"), ("HTTP_PROXY", "http://mcp.invalid/mcp")]
    {
        let home = TempDir::new().expect("a folder");
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_mcptask"));
        command.env_clear().env("HOME", home.path()).env(variable, "http://me:planted@127.0.0.1:9");
        let ran = command.args(["tools", "--server", url]).output().expect("runs");
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert_eq!(ran.status.code(), Some(4), "{said}");
        assert!(said.contains(&format!("through the proxy 127.0.0.1:9 ({variable})")), "{said}");
        assert!(said.contains("NO_PROXY") && !said.contains("planted"), "{said}");
    }
}
