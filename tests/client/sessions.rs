//! Servers with sessions: what ends one, what does not, and what is begun anew.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mcptask::client::{Client, ClientError, Era};
use rstest::rstest;
use serde_json::{Value, json};

use crate::bounded;
use crate::command::at;
use crate::peer::{Peer, Reply, Said, legacy, modern};

/// A legacy server with sessions.
fn in_session(said: &Said) -> Reply {
    match (said.method(), legacy(said)) {
        ("initialize", Reply::Result(result)) => Reply::Session(result),
        ("tools/call", _) => Reply::Result(json!({ "content": [{ "type": "text", "text": "baked" }] })),
        (_, reply) => reply,
    }
}

fn is_get(said: &Said) -> bool {
    said.head.starts_with("get")
}

fn gone() -> Reply {
    Reply::Http(404, "text/plain", "not found".to_owned())
}

/// As servers in Express or Hono do that have a route for POST alone.
#[rstest]
fn a_server_that_knows_no_get_keeps_its_session(#[values("auto", "legacy")] era: &str) {
    let peer = Peer::start(|said| if is_get(said) { gone() } else { in_session(said) });
    for words in [&["tools"][..], &["submit", "x", "--wait"]] {
        let ran = at(&peer, &[words, &["--era", era]].concat(), "");
        assert!(ran.code == Some(0) && !ran.err.contains("session"), "{words:?}: {ran:?}");
    }
    assert!(peer.said().iter().any(is_get), "it was asked for a stream");
    assert_eq!(peer.said_of("initialize").len(), 2, "one session for each command");
}

#[tokio::test]
async fn a_stream_that_was_there_and_is_not_found_any_more_tells_of_the_end_of_its_session() {
    let streams = AtomicUsize::new(0);
    let peer = Peer::start(move |said| match is_get(said) {
        true if streams.fetch_add(1, Ordering::SeqCst) > 0 => gone(),
        true => Reply::Http(200, "text/event-stream", String::new()),
        false => in_session(said),
    });
    let client =
        bounded("connect", Client::connect(&peer.target(), Era::Legacy, None)).await.expect("connects");
    let lost = async {
        // The server has no such method, which ends no session either.
        while !matches!(client.list().await, Err(ClientError::SessionEnded { .. })) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    bounded("the end of the session", lost).await;
}

#[tokio::test]
async fn an_unknown_method_ends_no_session_where_it_is_not_found_by_http() {
    let peer = Peer::start(in_session);
    let client =
        bounded("connect", Client::connect(&peer.target(), Era::Legacy, None)).await.expect("connects");
    for _ in 0..2 {
        let error = client.cancel("t1").await.expect_err("it has no tasks/cancel");
        assert!(error.is_unknown_method(), "{error:?}");
    }
    assert_eq!(client.tools().await.expect("the session goes on").len(), 1);
}

#[test]
fn a_call_that_ends_two_sessions_is_not_sent_a_third_time() {
    let peer = Peer::start(|said| if said.method() == "tools/call" { gone() } else { in_session(said) });
    let ran = at(&peer, &["submit", "x", "--wait"], "");
    assert!(ran.code == Some(4) && ran.err.contains("the call is not sent again"), "{ran:?}");
    let counts = ["initialize", "tools/call"].map(|method| peer.said_of(method).len());
    assert_eq!(counts, [2, 2], "{ran:?}");
}

#[test]
fn sessions_that_do_not_last_are_begun_with_pauses() {
    let peer = Peer::start(|said| match said.method() {
        "tasks/get" | "tasks/result" => gone(),
        "tools/call" => {
            Reply::Result(json!({ "task": { "taskId": "t1", "status": "working", "pollInterval": 50,
            "createdAt": "2026-11-27T18:00:00Z", "lastUpdatedAt": "2026-11-27T18:00:00Z", "ttl": 60000 } }))
        }
        _ => in_session(said),
    });
    let home = tempfile::TempDir::new().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_mcptask"));
    command.env_clear().env("HOME", home.path()).stdin(Stdio::null());
    command.args(["submit", "x", "--wait", "--timeout", "8s", "--server", &peer.url()]);
    let ran = command.output().expect("mcptask runs");
    let begun = peer.said_of("initialize").len();
    // Pauses of 50 ms, 100 ms, and so on up to 2 s.
    assert!((2..=12).contains(&begun), "{begun} sessions in 8 s: {ran:?}");
}

/// What stands in a stream before the reply to the first request, as other clients pass it over.
#[rstest]
#[case::a_ping("event: ping\ndata: {}\n\n")]
#[case::a_time("event: heartbeat\ndata: 2026-11-27T18:00:00Z\n\n")]
#[case::a_number("id: 7\nevent: tick\ndata: 7\n\n")]
#[case::no_json("data: keepalive\n\n")]
#[case::no_message("data: {}\n\n")]
#[case::nothing("data:\n\n")]
#[case::a_message_of_another_kind(
    "event: log\ndata: {\"jsonrpc\":\"2.0\",\"id\":0,\"error\":{\"code\":1,\"message\":\"x\"}}\n\n"
)]
#[case::several("event: ping\ndata: {}\n\n: comment\n\ndata: x\n\nevent: ping\ndata: {}\n\n")]
fn events_before_the_reply_to_the_handshake_are_passed_over(
    #[case] before: &'static str,
    #[values("auto", "legacy", "modern")] era: &str,
) {
    let is_modern = era != "legacy";
    let peer = Peer::start(move |said| {
        let reply = if is_modern { modern(said) } else { in_session(said) };
        match reply {
            Reply::Result(result) | Reply::Session(result)
                if matches!(said.method(), "server/discover" | "initialize") =>
            {
                let message: Value = json!({ "jsonrpc": "2.0", "id": said.message["id"], "result": result });
                Reply::Http(200, "text/event-stream", format!("{before}event: message\ndata: {message}\n\n"))
            }
            reply => reply,
        }
    });
    let ran = at(&peer, &["tools", "--era", era, "--json"], "");
    assert!(ran.code == Some(0) && ran.out.contains("\"x\""), "{ran:?}");
    assert_eq!(peer.said_of("initialize").len(), usize::from(!is_modern), "{ran:?}");
}
