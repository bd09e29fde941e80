//! A task of an older server whose submitter has gone: its question is left to others.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;

use crate::command::at;
use crate::peer::{Peer, Reply, Said, legacy};

/// A server that asks, in the session that submitted the task, before it has said that there is a task. It asks everybody,
/// as `FastMCP` 3 does.
fn asking() -> Peer {
    let is_called = AtomicBool::new(false);
    Peer::start(move |said| {
        let task = |status: &str| json!({ "taskId": "t1", "status": status, "pollInterval": 50 });
        match (said.method(), legacy(said)) {
            ("initialize", Reply::Result(result)) => Reply::Session(result),
            ("tools/call", _) => {
                is_called.store(true, Ordering::SeqCst);
                // So that a reply, which there may not be, would be here by now.
                std::thread::sleep(Duration::from_millis(500));
                Reply::Result(json!({ "task": task("working") }))
            }
            ("tasks/get", _) => Reply::Result(task("completed")),
            ("tasks/result", _) => Reply::Result(json!({ "content": [{ "type": "text", "text": "done" }] })),
            ("", _) if said.head.starts_with("get") => {
                while !is_called.load(Ordering::SeqCst) {
                    std::thread::sleep(Duration::from_millis(10));
                }
                let params =
                    json!({ "message": "Which?", "requestedSchema": { "type": "object", "properties": {} } });
                let ask =
                    json!({ "jsonrpc": "2.0", "id": 77, "method": "elicitation/create", "params": params });
                Reply::Stream(format!("data: {ask}\n\n"))
            }
            (_, reply) => reply,
        }
    })
}

/// Submits; what was said on stderr.
fn submit(peer: &Peer, more: &[&str]) -> String {
    let ran = at(peer, &[&["submit", "x", "--era", "legacy"], more].concat(), "");
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    ran.err
}

/// A server that names its task only when its question is answered.
#[test]
fn answers_that_do_not_fit_are_told_of_without_waiting_for_a_task_that_is_named_later() {
    let peer = Peer::start(|said| match said.method() {
        "tools/call" => {
            let form =
                json!({ "type": "object", "properties": { "x": { "type": "integer" } }, "required": ["x"] });
            let params = json!({ "message": "Which?", "requestedSchema": form });
            let ask = json!({ "jsonrpc": "2.0", "id": 77, "method": "elicitation/create", "params": params });
            // The stream stays open, without the response to the call.
            Reply::Stream(format!("data: {ask}\n\n"))
        }
        _ => legacy(said),
    });
    let ran =
        at(&peer, &["submit", "x", "--era", "legacy", "--wait", "--answers", "answers.json"], r#"{"x":"q"}"#);
    assert!(ran.code != Some(0) && ran.err.contains("is not a whole number"), "{ran:?}");
    assert!(ran.took < Duration::from_secs(8), "{ran:?}");
}

fn is_reply(said: &Said) -> bool {
    said.message["id"] == 77 && said.method().is_empty()
}

fn ends_session(said: &Said) -> bool {
    said.head.starts_with("delete")
}

#[test]
fn a_detached_task_keeps_its_session_and_its_question() {
    let peer = asking();
    let warned = submit(&peer, &[]);
    assert!(warned.contains("asks only the client that submitted") && warned.contains("--wait"), "{warned}");
    let said = peer.said();
    assert!(said.iter().any(|one| one.head.starts_with("get")), "it had a stream: {said:?}");
    assert!(!said.iter().any(is_reply), "any reply closes the question: {said:?}");
    assert!(!said.iter().any(ends_session), "{said:?}");
}

#[test]
fn who_stays_and_may_ask_nobody_closes_no_question_that_was_asked_all_the_same() {
    for more in [&["--wait", "--no-input"][..], &["--wait"]] {
        let peer = asking();
        let ran = at(&peer, &[&["submit", "x", "--era", "legacy"], more].concat(), "");
        assert_eq!(ran.code, Some(6), "{}", ran.err);
        assert!(ran.err.contains(" asks, and nobody may be asked here: Which?"), "{}", ran.err);
        let said = peer.said();
        assert!(!said.iter().any(|one| is_reply(one) || ends_session(one)), "{said:?}");
    }
}
