//! Servers that tell events, each in its own way.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::peer::{Peer, Reply, Said, modern};

fn told(said: &Said, method: &str, mut params: Value) -> String {
    params["_meta"] = json!({ "io.modelcontextprotocol/subscriptionId": said.message["id"] });
    let message =
        json!({ "jsonrpc": "2.0", "method": format!("notifications/events/{method}"), "params": params });
    format!("data: {message}\n\n")
}

fn active(said: &Said, cursor: &str) -> String {
    told(said, "active", json!({ "cursor": cursor, "truncated": false }))
}

fn ended(said: &Said, task: &str, cursor: &str) -> String {
    let data = json!({ "taskId": task, "tool": "x", "status": "completed" });
    told(
        said,
        "event",
        json!({ "eventId": cursor, "name": "task.ended", "data": data, "cursor": cursor,
        "timestamp": "2026-11-26T21:00:00Z" }),
    )
}

fn refusal(said: &Said, code: i64) -> Reply {
    let error = json!({ "code": code, "message": "not so" });
    let body = json!({ "jsonrpc": "2.0", "id": said.message["id"], "error": error });
    Reply::Http(200, "application/json", body.to_string())
}

/// A server that advertises the extension in that place, and whose stream of ends is `reply`, with how many there were.
fn server(key: &'static str, reply: impl Fn(&Said, usize) -> Reply + Send + Sync + 'static) -> Peer {
    let streams = AtomicUsize::new(0);
    Peer::start(move |said| match said.method() {
        "server/discover" => {
            let Reply::Result(mut found) = modern(said) else { panic!("a result") };
            match key {
                "events" => found["capabilities"]["events"] = json!({}),
                key => found["capabilities"]["extensions"][key] = json!({}),
            }
            Reply::Result(found)
        }
        "events/stream" if said.message["params"]["name"] == "task.input_required" => {
            Reply::Stream(active(said, "c0"))
        }
        "events/stream" => reply(said, streams.fetch_add(1, Ordering::SeqCst)),
        _ => modern(said),
    })
}

/// What a watcher did.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

fn watched(peer: &Peer, words: &[&str]) -> Ran {
    let home = TempDir::new().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_mcptask"));
    command.env_clear().env("HOME", home.path()).current_dir(home.path()).stdin(Stdio::null());
    command.args(["watch", "--server", &peer.url()]).args(words);
    let output = command.output().expect("mcptask runs");
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    Ran { code: output.status.code(), out, err }
}

/// The cursors with which the stream of ends was asked for.
fn cursors(peer: &Peer) -> Vec<Value> {
    let asked = peer.said_of("events/stream").into_iter();
    let ends = asked.filter(|said| said.message["params"]["name"] == "task.ended");
    ends.map(|said| said.message["params"]["cursor"].clone()).collect()
}

/// In which place a server advertises it makes no difference, nor whether its stream breaks off.
#[test]
fn a_stream_that_breaks_off_is_taken_up_after_the_last_place() {
    for key in ["events", "io.modelcontextprotocol/events"] {
        let peer = server(key, |said, number| {
            let of_number = match number {
                0 => active(said, "c1") + &ended(said, "t1", "c2"),
                1 => active(said, "c2") + &told(said, "heartbeat", json!({ "cursor": "c3" })),
                _ => active(said, "c3") + &ended(said, "t2", "c4"),
            };
            Reply::Http(200, "text/event-stream", of_number)
        });
        let ran = watched(&peer, &["--timeout", "6s"]);
        let (first, second) = (ran.out.find("t1"), ran.out.find("t2"));
        assert!(first.is_some() && first < second && !ran.err.contains("cannot reach"), "{ran:?}");
        assert_eq!(cursors(&peer)[..3], [json!(null), json!("c2"), json!("c3")], "{ran:?}");
    }
}

#[test]
fn a_place_that_the_server_does_not_take_is_given_up_with_a_word() {
    let peer = server("events", |said, number| match number {
        0 => Reply::Http(200, "text/event-stream", active(said, "c1")),
        1 => refusal(said, -32602),
        _ => Reply::Stream(active(said, "c7") + &ended(said, "t1", "c8")),
    });
    let ran = watched(&peer, &["--until", "end", "--timeout", "10s"]);
    assert!(ran.out.contains("t1") && ran.err.contains("does not tell all that has happened"), "{ran:?}");
    assert_eq!(cursors(&peer), [json!(null), json!("c1"), json!(null)]);
}

/// Both sets of codes mean the same.
#[test]
fn who_is_refused_follows_the_tasks_in_the_other_way() {
    for code in [-32601, -32012, -32024, -32014, -32026] {
        let peer = server("events", move |said, _| refusal(said, code));
        let ran = watched(&peer, &["--timeout", "2s"]);
        assert!(ran.err.contains("the server tells no events: not so"), "{code}: {ran:?}");
        assert!(ran.err.contains("looked at every"), "{code}: {ran:?}");
    }
}

#[test]
fn a_stream_that_is_over_for_good_ends_the_watching_with_the_servers_words() {
    let peer = server("events", |said, _| {
        let error = json!({ "error": { "code": -32024, "message": "your token was withdrawn" } });
        Reply::Stream(active(said, "c1") + &told(said, "terminated", error))
    });
    let ran = watched(&peer, &["--timeout", "20s"]);
    assert!(ran.code != Some(0) && ran.err.contains("your token was withdrawn"), "{ran:?}");
}

/// Two heartbeats are missing: the server may have gone without a word.
#[test]
fn a_silent_stream_is_taken_up_anew() {
    let begun = Instant::now();
    let peer = server("events", |said, number| match number {
        0 => Reply::Stream(active(said, "c1")),
        _ => Reply::Stream(active(said, "c1") + &ended(said, "t1", "c2")),
    });
    let ran = watched(&peer, &["--until", "end", "--timeout", "100s"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(
        (Duration::from_secs(58)..Duration::from_secs(80)).contains(&begun.elapsed()),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(cursors(&peer), [json!(null), json!("c1")]);
}
