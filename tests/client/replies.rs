//! Replies that are none: other statuses, too many bytes, and what is no MCP.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use crate::command::{at, run};
use crate::peer::{Peer, Reply, modern};
use crate::python::python;

const MOST_BYTES: &str = "16777216 bytes";

#[rstest]
#[case(421, "host not allowed\nmore", "it says: host not allowed")]
#[case(500, "out of cheese", "it says: out of cheese")]
#[case(500, "<html>", "it does not say why")]
fn what_a_server_says_beside_a_status_is_shown(
    #[case] status: u16,
    #[case] body: &'static str,
    #[case] words: &str,
) {
    let peer = Peer::start(move |_| Reply::Http(status, "text/plain", body.to_owned()));
    let ran = at(&peer, &["tools"], "");
    assert!(ran.code == Some(4) && ran.err.contains(words) && !ran.err.contains("more"), "{ran:?}");
    let peer = Peer::start(|_| Reply::HangUp);
    let ran = at(&peer, &["tools"], "");
    assert!(ran.code == Some(4) && !ran.err.contains("is the server running"), "{ran:?}");
}

#[rstest]
#[case::no_line_end(b"x")]
#[case::line_feeds(b"data: x\n")]
#[case::returns(b"data: x\r")]
fn an_event_that_is_too_large_is_called_so(
    #[case] piece: &'static [u8],
    #[values("tools/list", "server/discover")] at_method: &'static str,
) {
    let peer = Peer::start(move |said| match said.method() {
        method if method == at_method => Reply::Endless(piece),
        _ => modern(said),
    });
    let ran = at(&peer, &["tools", "--era", "modern"], "");
    assert!(ran.err.contains("too large") && ran.err.contains(MOST_BYTES), "{ran:?}");
    assert!(ran.code == Some(4) && !ran.err.contains("is the server running"), "{ran:?}");
}

#[test]
fn a_line_that_is_too_large_is_called_so() {
    let flood = format!("{} -c 'while True: print(\"x\" * 65536, end=\"\")'", python("mcp-1.30").display());
    let ran = run(&["tools", "--stdio", &flood], "");
    assert!(ran.err.contains("sends a line that is too large") && ran.err.contains(MOST_BYTES), "{ran:?}");
    assert!(ran.code == Some(4) && !ran.err.contains("command line of --stdio"), "{ran:?}");
}

#[test]
fn a_reply_that_is_no_mcp_is_told_in_words() {
    let peer = Peer::start(|said| match said.method() {
        "tools/list" => Reply::Http(200, "text/html", "<html>".into()),
        _ => modern(said),
    });
    let ran = at(&peer, &["tools"], "");
    assert!(ran.code == Some(4) && ran.err.contains("with text/html"), "{ran:?}");
    assert!(!ran.err.contains("Some("), "{ran:?}");
}

#[rstest]
#[case::a_result(json!({ "id": 9999, "result": { "resultType": "complete", "tools": [] } }), "9999")]
#[case::an_error(json!({ "id": 9999, "error": { "code": -32600, "message": "no" } }), "9999")]
#[case::a_notice(json!({ "method": "notifications/message", "params": {} }), "no reply")]
#[case::an_error_without_an_id(json!({ "id": null, "error": { "code": -32600, "message": "not you" } }), "not you")]
fn a_reply_to_something_else_fails_at_once(#[case] mut message: Value, #[case] words: &str) {
    message["jsonrpc"] = json!("2.0");
    let body = message.to_string();
    let peer = Peer::start(move |said| match said.method() {
        "tools/list" => Reply::Http(200, "application/json", body.clone()),
        _ => modern(said),
    });
    let ran = at(&peer, &["tools"], "");
    assert!(ran.err.contains(words) && !ran.err.contains("--era legacy"), "{ran:?}");
    assert!(ran.took < Duration::from_secs(20), "{ran:?}");
}
