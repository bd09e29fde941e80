//! Servers that close the connections which they keep alive, each at a time of its own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;

use crate::command::at;
use crate::peer::{Peer, Reply, Said, modern};

/// A server whose one task works for so many looks at it, `pause` milliseconds apart, on connections that stay open;
/// `hangs_up` says for which of the looks the connection is closed without a word.
fn keeping(looks: usize, pause: u64, hangs_up: impl Fn(&Said) -> bool + Send + Sync + 'static) -> Peer {
    let seen = AtomicUsize::new(0);
    Peer::start(move |said| match said.method() {
        "tasks/get" if hangs_up(said) => Reply::HangUp,
        "tasks/get" => {
            let is_over = seen.fetch_add(1, Ordering::SeqCst) >= looks;
            let (status, result) = if is_over {
                ("completed", json!({ "content": [{ "type": "text", "text": "baked" }] }))
            } else {
                ("working", json!(null))
            };
            Reply::Kept(json!({
                "resultType": "complete", "taskId": "t1", "status": status, "pollIntervalMs": pause, "ttlMs": null,
                "createdAt": "2026-11-27T08:00:00Z", "lastUpdatedAt": "2026-11-27T08:00:00Z", "result": result,
            }))
        }
        _ => modern(said),
    })
}

#[test]
fn a_look_that_meets_a_closed_connection_is_repeated_without_a_word() {
    let peer = keeping(3, 50, |said| said.earlier > 0);
    for words in [&["result", "t1", "--wait"][..], &["watch", "--task", "t1", "--exit-status"]] {
        let ran = at(&peer, words, "");
        assert_eq!(ran.code, Some(0), "{words:?}: {ran:?}");
        assert!(!ran.err.contains("cannot reach") && !ran.err.contains("is back"), "{words:?}: {ran:?}");
    }
    assert!(peer.said().iter().any(|said| said.earlier > 0), "no connection was used again");
}

#[test]
fn a_connection_that_was_idle_for_seconds_is_not_used_again() {
    let peer = keeping(4, 2500, |_| false);
    let ran = at(&peer, &["result", "t1", "--wait"], "");
    assert!(ran.code == Some(0) && ran.out.contains("baked"), "{ran:?}");
    let longest = peer.said().iter().map(|said| said.idle).max().expect("it was asked");
    assert!(longest < Duration::from_millis(2400), "after {longest:?}");
}
