//! Answers that a server has taken, and of which nobody can tell yet what comes of them.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::json;

use crate::command::at;
use crate::peer::{Peer, Reply, modern};
use crate::strangers::{SUBMIT, asking, task};

/// A server that takes an answer at once and has the task go on so many looks later.
fn slow(looks: usize) -> Peer {
    let looked = AtomicUsize::new(0);
    let answered = AtomicBool::new(false);
    Peer::start(move |said| match said.method() {
        "tools/call" => {
            let mut created = task("working", json!({}));
            created["resultType"] = json!("task");
            Reply::Result(created)
        }
        "tasks/update" => {
            answered.store(true, Ordering::SeqCst);
            Reply::Result(json!({ "resultType": "complete" }))
        }
        "tasks/get" if answered.load(Ordering::SeqCst) && looked.fetch_add(1, Ordering::SeqCst) >= looks => {
            let result = json!({ "content": [{ "type": "text", "text": "done" }] });
            Reply::Result(task("completed", json!({ "result": result })))
        }
        "tasks/get" => Reply::Result(asking()),
        _ => modern(said),
    })
}

#[test]
fn an_answer_that_a_slow_server_took_is_waited_for_and_not_called_lost() {
    let peer = slow(70);
    let ran = at(&peer, &SUBMIT, r#"{"a":"x"}"#);
    assert!(ran.code == Some(0) && ran.out.contains("done"), "{ran:?}");
    let told = "the server took the answer; question q of task t1 is still open 5 s later";
    assert_eq!(ran.err.matches(told).count(), 1, "{ran:?}");
    let peer = slow(usize::MAX);
    let ran = at(&peer, &["respond", "t1", "--set", "a=x"], "");
    assert_eq!(ran.code, Some(0), "nobody can tell yet: {ran:?}");
    assert!(
        ran.err.contains("the server took the answer; question q of task t1 is still open 3 s later"),
        "{ran:?}"
    );
    assert!(ran.err.contains("mcptask show t1") && !ran.err.contains("did not count"), "{ran:?}");
    assert_eq!(peer.said_of("tasks/update").len(), 1);
}

#[test]
fn who_answered_a_question_that_is_gone_is_said_only_where_it_is_known() {
    let looked = AtomicUsize::new(0);
    let peer = Peer::start(move |said| match said.method() {
        "tasks/get" if looked.fetch_add(1, Ordering::SeqCst) > 1 => Reply::Result(task("working", json!({}))),
        "tasks/get" => Reply::Result(asking()),
        _ => modern(said),
    });
    let ran = at(&peer, &["respond", "t1", "--set", "a=x"], "");
    assert!(ran.code == Some(10) && !ran.err.contains("somebody else"), "{ran:?}");
}
