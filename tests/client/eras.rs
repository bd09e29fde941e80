//! Which era and version the client agrees on with servers that answer in odd ways.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mcptask::client::{Client, ClientError, Era, Submitted, Target};
use rstest::rstest;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::command::at;
use crate::peer::{Peer, Reply, Said, legacy, modern};
use crate::python::python;
use crate::{bounded, call, none, outcome_text};

async fn connect(target: &Target, era: Era) -> Result<Client, ClientError> {
    bounded("connect", Client::connect(target, era, None)).await
}

/// The version that an `initialize` offers.
fn offered(said: &Said) -> String {
    said.message["params"]["protocolVersion"].as_str().unwrap_or_default().to_owned()
}

/// A server of the older era that says this in place of its version.
fn of_version(version: &'static str) -> Peer {
    Peer::start(move |said| match (said.method(), legacy(said)) {
        ("initialize", Reply::Result(mut result)) => {
            result["protocolVersion"] = if version == "echo" { offered(said).into() } else { version.into() };
            Reply::Result(result)
        }
        (_, reply) => reply,
    })
}

#[rstest]
#[tokio::test]
async fn initialize_offers_the_last_version_that_has_it(#[values(Era::Auto, Era::Legacy)] era: Era) {
    let peer = of_version("echo");
    let client = connect(&peer.target(), era).await.expect("connects");
    assert_eq!(client.era(), Era::Legacy, "an echo makes nobody modern");
    client.tools().await.expect("lists");
    client.close().await;
    assert_eq!(offered(&peer.said_of("initialize")[0]), "2025-11-25");
    let list = &peer.said_of("tools/list")[0];
    let version = &list.message["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"];
    assert!(version.is_null(), "{list:?}");
    assert!(list.head.contains("mcp-protocol-version: 2025-11-25"), "{list:?}");
}

#[rstest]
#[tokio::test]
async fn a_version_that_was_not_offered_is_refused(
    #[values("2026-07-28", "2099-01-01", "1.0", "")] version: &'static str,
    #[values(Era::Auto, Era::Legacy)] era: Era,
) {
    let peer = of_version(version);
    let error = connect(&peer.target(), era).await.err().expect("no such version is spoken");
    assert!(
        matches!(&error, ClientError::Protocol { problem, .. } if problem.contains(version)),
        "{error:?}"
    );
}

#[rstest]
#[tokio::test]
async fn older_versions_are_spoken(
    #[values("2024-11-05", "2025-03-26", "2025-06-18")] version: &'static str,
) {
    let peer = of_version(version);
    let client = connect(&peer.target(), Era::Auto).await.expect("connects");
    assert_eq!((client.era(), client.tools().await.expect("lists").len()), (Era::Legacy, 1));
}

fn no_reply(status: u16) -> Reply {
    Reply::Http(status, "text/plain", "what?".to_owned())
}

#[rstest]
#[case::internal_error(|| no_reply(500))]
#[case::not_implemented(|| no_reply(501))]
#[case::bad_gateway(|| no_reply(502))]
#[case::unavailable(|| no_reply(503))]
#[case::not_found(|| no_reply(404))]
#[case::accepted(|| no_reply(202))]
#[case::no_content(|| Reply::Http(204, "text/plain", String::new()))]
#[case::nothing_in_it(|| Reply::Result(json!({})))]
#[case::another_result(|| Reply::Result(json!({ "tools": [] })))]
#[case::null(|| Reply::Result(Value::Null))]
#[case::older_versions(|| Reply::Result(json!({ "resultType": "complete", "supportedVersions": ["2025-11-25"],
    "capabilities": {}, "serverInfo": { "name": "x", "version": "1" }, "ttlMs": 0, "cacheScope": "private" })))]
#[case::no_message(|| Reply::Http(200, "application/json", "{}".to_owned()))]
#[case::an_empty_body(|| Reply::Http(200, "application/json", String::new()))]
#[case::a_page(|| Reply::Http(200, "text/html", "<html>".to_owned()))]
#[case::another_id(|| Reply::Http(200, "application/json", r#"{"jsonrpc":"2.0","id":"x","result":{}}"#.to_owned()))]
#[case::hung_up(|| Reply::HangUp)]
#[tokio::test]
async fn a_server_that_cannot_be_discovered_is_initialized(#[case] reply: fn() -> Reply) {
    let peer = Peer::start(move |said| match said.method() {
        "server/discover" => reply(),
        _ => legacy(said),
    });
    let client = connect(&peer.target(), Era::Auto).await.expect("connects");
    assert_eq!((client.era(), client.tools().await.expect("lists").len()), (Era::Legacy, 1));
}

/// Its hints are about caching, and a capability may be newer than this client.
#[rstest]
#[case::no_hints(json!({}), &["ttlMs", "cacheScope"])]
#[case::odd_hints(json!({ "ttlMs": -1.5, "cacheScope": "family" }), &[])]
#[case::no_type(json!({}), &["resultType"])]
#[case::odd_capabilities(json!({ "capabilities": { "tools": true, "extensions": { "io.modelcontextprotocol/tasks": {} } } }), &[])]
#[tokio::test]
async fn what_a_discovery_leaves_out_makes_no_era(
    #[case] odd: Value,
    #[case] missing: &'static [&'static str],
) {
    let peer = Peer::start(move |said| match (said.method(), modern(said)) {
        ("server/discover", Reply::Result(Value::Object(mut result))) => {
            result.extend(odd.as_object().cloned().expect("an object"));
            result.retain(|name, _| !missing.contains(&name.as_str()));
            Reply::Result(Value::Object(result))
        }
        (_, reply) => reply,
    });
    let client = connect(&peer.target(), Era::Auto).await.expect("connects");
    assert_eq!((client.era(), client.tools().await.expect("lists").len()), (Era::Modern, 1));
    assert!(client.runs_tasks() && peer.said_of("initialize").is_empty());
}

#[rstest]
#[case::null(json!({ "protocolVersion": null, "capabilities": {}, "serverInfo": { "name": "x", "version": "1" } }),
    "the protocolVersion null, which is no version")]
#[case::a_number(json!({ "protocolVersion": 5 }), "the protocolVersion 5, which is no version")]
#[case::nothing(json!({}), "its reply to the handshake is none: {}")]
fn a_handshake_that_cannot_be_read_is_told_in_words(#[case] result: Value, #[case] words: &str) {
    let peer = Peer::start(move |said| match said.method() {
        "initialize" => Reply::Result(result.clone()),
        _ => legacy(said),
    });
    let ran = at(&peer, &["tools"], "");
    let said = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(ran.code == Some(1) && said.contains(words), "{ran:?}");
    assert!(!said.contains("Some(") && !said.contains("CustomResult"), "{ran:?}");
}

#[tokio::test]
async fn a_server_that_fails_at_everything_is_named_by_its_status() {
    let peer = Peer::start(|_| no_reply(503));
    let error = connect(&peer.target(), Era::Auto).await.err().expect("nobody is there");
    assert!(error.to_string().contains("HTTP 503") && error.is_passing(), "{error:?}");
}

#[tokio::test]
async fn where_both_first_requests_fail_both_are_named() {
    let peer = Peer::start(|said| match said.method() {
        "server/discover" => Reply::Http(200, "text/html", "<html>".to_owned()),
        _ => no_reply(500),
    });
    let error = connect(&peer.target(), Era::Auto).await.err().expect("nobody is there").to_string();
    assert!(
        error.contains("HTTP 500") && error.contains("server/discover") && error.contains("text/html"),
        "{error}"
    );
    let page = Peer::start(|_| Reply::Http(200, "text/html", "<html>".to_owned()));
    let error = connect(&page.target(), Era::Auto).await.err().expect("nobody is there").to_string();
    assert!(error.contains("text/html") && !error.contains("server/discover"), "{error}");
}

#[tokio::test]
async fn a_modern_server_that_was_away_for_a_moment_is_not_taken_for_a_legacy_one() {
    // It answers `initialize` as a modern server does.
    let refuses = Peer::start(|said| match said.method() {
        "server/discover" => no_reply(503),
        "initialize" => Reply::Http(
            400,
            "application/json",
            json!({ "jsonrpc": "2.0", "id": said.message["id"],
            "error": { "code": -32022, "message": "no", "data": { "supported": ["2026-07-28"] } } })
            .to_string(),
        ),
        _ => modern(said),
    });
    let error = connect(&refuses.target(), Era::Auto).await.err().expect("it is away");
    assert!(error.is_passing(), "{error:?}");
}

#[tokio::test]
async fn a_program_that_ends_at_what_it_does_not_know_is_started_again() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("server.py");
    let source = r#"
import json, sys
for line in sys.stdin:
    message = json.loads(line)
    results = {"initialize": {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": {"name": "x", "version": "1"}},
               "tools/list": {"tools": []}}
    if message["method"] == "server/discover":
        raise SystemExit("unknown method " + message["method"])
    if "id" in message:
        print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": results[message["method"]]}), flush=True)
"#;
    std::fs::write(&path, source).expect("written");
    let line = format!("{} {}", python("mcp-1.30").display(), path.display());
    let client = connect(&Target::stdio(&line).expect("a command"), Era::Auto).await.expect("connects");
    assert_eq!((client.era(), client.tools().await.expect("lists").len()), (Era::Legacy, 0));
    bounded("close", client.close()).await;
}

#[rstest]
#[case::of_the_call("tools/call", json!({ "resultType": "wish", "content": [] }))]
#[case::no_text("tools/call", json!({ "resultType": 5, "content": [] }))]
#[case::of_a_list("tools/list", json!({ "resultType": "wish", "tools": [] }))]
#[tokio::test]
async fn a_result_of_an_unknown_type_is_refused(#[case] method: &'static str, #[case] result: Value) {
    let peer =
        Peer::start(
            move |said| {
                if said.method() == method { Reply::Result(result.clone()) } else { modern(said) }
            },
        );
    let client = connect(&peer.target(), Era::Auto).await.expect("connects");
    assert_eq!(client.era(), Era::Modern);
    let error =
        bounded("submit", client.submit(call("x", none()))).await.expect_err("nobody knows what it is");
    assert!(matches!(&error, ClientError::Protocol { .. }), "{error:?}");
}

/// Whoever took a task, or what it does not know, for a result would call that finished which is not.
#[rstest]
#[case::unknown(json!({ "resultType": "wish", "content": [] }), "wish")]
#[case::a_task_of_the_newer_era(json!({ "resultType": "task", "taskId": "t1", "status": "working" }), "2026-07-28")]
#[case::a_task_without_an_id(json!({ "resultType": "task", "taskId": "", "status": "working" }), "2026-07-28")]
#[case::a_task_without_its_name(json!({ "taskId": "t1", "status": "working" }), "neither a task nor a call's result")]
#[case::empty(json!({}), "neither a task nor a call's result")]
#[case::a_number(json!(5), "5, which is no result")]
#[case::nothing(Value::Null, "null, which is no result")]
fn a_legacy_result_that_is_none_is_refused(#[case] result: Value, #[case] words: &str) {
    let peer = Peer::start(move |said| match said.method() {
        "tools/call" => Reply::Result(result.clone()),
        _ => legacy(said),
    });
    let ran = at(&peer, &["submit", "x", "--wait"], "");
    assert!(ran.code == Some(1) && ran.out.is_empty() && ran.err.contains(words), "{ran:?}");
}

#[rstest]
fn a_task_result_that_is_no_object_is_no_result(#[values(json!(5), json!("done"), json!([]))] result: Value) {
    let task = json!({ "taskId": "t1", "status": "completed", "createdAt": "2026-01-01T00:00:00Z" });
    let peer = Peer::start(move |said| match said.method() {
        "tools/call" => Reply::Result(json!({ "task": task })),
        "tasks/get" => Reply::Result(task.clone()),
        "tasks/result" => Reply::Result(result.clone()),
        _ => legacy(said),
    });
    for words in [&["submit", "x", "--wait"][..], &["result", "t1"]] {
        let ran = at(&peer, words, "");
        assert!(ran.code != Some(0) && ran.out.is_empty(), "{words:?}: {ran:?}");
        assert!(ran.err.contains("which is no result"), "{words:?}: {ran:?}");
    }
}

#[tokio::test]
async fn a_result_without_a_type_is_complete_and_a_legacy_one_has_none() {
    for (era, server) in [(Era::Modern, modern as fn(&Said) -> Reply), (Era::Legacy, legacy)] {
        let kind = if era == Era::Legacy { json!("input_required") } else { Value::Null };
        let peer = Peer::start(move |said| match said.method() {
            "tools/call" => {
                let mut result = json!({ "content": [{ "type": "text", "text": "done" }], "isError": false });
                if !kind.is_null() {
                    result["resultType"] = kind.clone();
                }
                Reply::Result(result)
            }
            _ => server(said),
        });
        let client = connect(&peer.target(), Era::Auto).await.expect("connects");
        assert_eq!(client.era(), era);
        let submitted = bounded("submit", client.submit(call("x", none()))).await.expect("submits");
        let Submitted::Done(outcome) = submitted else { panic!("{submitted:?}") };
        assert_eq!(outcome_text(&outcome), ("done".to_owned(), false));
    }
}

#[rstest]
#[tokio::test]
async fn a_task_with_an_empty_id_is_refused(#[values(Era::Legacy, Era::Modern)] era: Era) {
    let task = json!({ "taskId": "", "status": "working", "createdAt": "2026-01-01T00:00:00Z" });
    let peer = Peer::start(move |said| match (said.method(), era) {
        ("tools/call", Era::Legacy) => Reply::Result(json!({ "task": task })),
        ("tools/call", _) => {
            let mut task = task.clone();
            task["resultType"] = "task".into();
            Reply::Result(task)
        }
        (_, Era::Legacy) => legacy(said),
        _ => modern(said),
    });
    let client = connect(&peer.target(), Era::Auto).await.expect("connects");
    let error = bounded("submit", client.submit(call("x", none()))).await.expect_err("it has no id");
    assert!(matches!(&error, ClientError::Protocol { .. }), "{error:?}");
}

/// A server whose tool asks in the middle of a call, and cannot.
fn asks_in_a_call(otherwise: fn(&Said) -> Reply) -> Peer {
    let words = "Cannot send 'elicitation/create': this transport context has no back-channel for server-initiated requests";
    Peer::start(move |said| match said.method() {
        "tools/call" => {
            let error = json!({ "code": -32600, "message": words });
            let message = json!({ "jsonrpc": "2.0", "id": said.message["id"], "error": error });
            Reply::Http(200, "application/json", message.to_string())
        }
        _ => otherwise(said),
    })
}

/// As one in the Python SDK does that was started with `stateless_http` or `json_response`.
#[rstest]
fn no_era_is_named_that_was_tried(#[values("auto", "legacy")] era: &str) {
    let ran = at(&asks_in_a_call(legacy), &["submit", "x", "--wait", "--era", era], "");
    let said = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        ran.code == Some(1) && said.contains("its server runs in a way in which it cannot ask"),
        "{ran:?}"
    );
    assert!(!said.contains("--era legacy"), "{ran:?}");
}

#[test]
fn a_tool_that_asks_as_in_sessions_gets_the_command_that_lets_it() {
    let peer = asks_in_a_call(modern);
    let given = ["submit", "x", "--arg", "note=two words", "--wait", "--session", "s1"];
    let ran = at(&peer, &given, "");
    let hint = format!(
        "`mcptask submit x --arg 'note=two words' --session s1 --wait --era legacy --server {}`",
        peer.url()
    );
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.err.split_whitespace().collect::<Vec<_>>().join(" ").contains(&hint), "{ran:?}");
    assert_eq!(peer.said_of("tools/call").len(), 1, "what may have had effects is not repeated");
    let chosen = at(&peer, &[&given[..], &["--era", "modern"]].concat(), "");
    assert!(chosen.err.contains("with --era legacy it can ask"), "{chosen:?}");
}

/// As over stdio: whether a server that is silent does not know the request or has only begun slowly, its next reply tells.
#[rstest]
#[case::of_the_older_era(Era::Legacy)]
#[case::slow(Era::Modern)]
#[tokio::test]
async fn a_server_that_is_silent_to_the_first_request_is_found_out_over_http(#[case] era: Era) {
    let is_first = AtomicBool::new(true);
    let peer = Peer::start(move |said| match said.method() {
        "server/discover" if is_first.swap(false, Ordering::SeqCst) => {
            std::thread::sleep(Duration::from_secs(30));
            Reply::HangUp
        }
        "initialize" if era == Era::Modern => {
            let error = json!({ "code": -32601, "message": "no such method" });
            let body = json!({ "jsonrpc": "2.0", "id": said.message["id"], "error": error });
            Reply::Http(404, "application/json", body.to_string())
        }
        _ if era == Era::Modern => modern(said),
        _ => legacy(said),
    });
    let begun = Instant::now();
    let client = connect(&peer.target(), Era::Auto).await.expect("connects");
    assert_eq!(client.era(), era);
    assert!(begun.elapsed() < Duration::from_secs(25), "{:?}", begun.elapsed());
}
