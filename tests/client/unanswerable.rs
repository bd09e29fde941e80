//! Questions that nobody at a terminal can answer: what each verb says of them, and with which exit code.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mcptask::client::{Client, Era};
use rstest::rstest;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::bounded;
use crate::command::{Ran, run_in};
use crate::peer::{Peer, Reply, legacy, modern};
use crate::strangers::task;

fn form() -> Value {
    let schema = json!({ "type": "object", "properties": { "a": { "type": "string" } } });
    json!({ "method": "elicitation/create", "params": { "mode": "form", "message": "Q?", "requestedSchema": schema } })
}

fn sampling() -> Value {
    json!({ "method": "sampling/createMessage", "params": { "messages": [], "maxTokens": 10 } })
}

fn page() -> Value {
    let params =
        json!({ "mode": "url", "message": "Visit", "elicitationId": "e", "url": "javascript:alert(1)" });
    json!({ "method": "elicitation/create", "params": params })
}

/// A server whose one task asks all that until one of it is answered.
fn asking(requests: Value) -> Peer {
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
        "tasks/get" if answered.load(Ordering::SeqCst) => {
            Reply::Result(task("completed", json!({ "result": { "content": [], "isError": false } })))
        }
        "tasks/get" => Reply::Result(task("input_required", json!({ "inputRequests": requests }))),
        _ => modern(said),
    })
}

/// A command of somebody who has launched the task.
fn at(peer: &Peer, words: &[&str]) -> Ran {
    let home = TempDir::new().expect("a folder");
    let server = ["--server", &peer.url()];
    let submitted = run_in(&home, &[&["submit", "x"], &server[..]].concat(), "{}");
    assert_eq!(submitted.code, Some(0), "{submitted:?}");
    run_in(&home, &[words, &server].concat(), r#"{"a":"x"}"#)
}

#[rstest]
#[case(json!({ "s": sampling() }), "sampling/createMessage")]
#[case(json!({ "s": { "method": "roots/list", "params": {} } }), "roots/list")]
fn what_nobody_here_can_answer_is_so_for_every_verb(#[case] requests: Value, #[case] method: &str) {
    let peer = asking(requests);
    let verbs: [&[&str]; 5] = [
        &["respond", "t1", "--set", "a=x"],
        &["respond", "t1", "--decline"],
        &["respond", "--next", "--set", "a=x"],
        &["respond", "--all", "--tool", "x", "--decline"],
        &["submit", "x", "--wait", "--answers", "answers.json"],
    ];
    for verb in verbs {
        let ran = at(&peer, verb);
        assert_eq!(ran.code, Some(6), "{verb:?}: {ran:?}");
        assert!(
            ran.err.contains("cannot be answered here: ") && ran.err.contains(method),
            "{verb:?}: {ran:?}"
        );
    }
    for verb in [&["doctor"][..], &["doctor", "t1"]] {
        let ran = at(&peer, verb);
        assert_eq!(ran.code, Some(5), "{ran:?}");
        assert!(
            ran.out.contains("question s cannot be answered here: ") && ran.out.contains(method),
            "{ran:?}"
        );
        assert!(ran.out.contains("mcptask cancel t1") && !ran.out.contains("mcptask respond"), "{ran:?}");
    }
    assert!(peer.said_of("tasks/update").is_empty());
}

#[rstest]
#[case(&["respond", "t1", "--set", "a=x"])]
#[case(&["respond", "--next", "--set", "a=x"])]
#[case(&["respond", "--all", "--tool", "x", "--set", "a=x"])]
fn a_question_beside_what_nobody_here_can_answer_is_answered(#[case] verb: &[&str]) {
    let peer = asking(json!({ "a-s": sampling(), "f": form() }));
    let found = at(&peer, &["doctor", "t1"]);
    assert!(found.code == Some(5) && found.out.contains("mcptask respond t1"), "{found:?}");
    let ran = at(&peer, verb);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(peer.said_of("tasks/update")[0].message["params"]["inputResponses"]["f"]["content"]["a"], "x");
}

#[rstest]
#[case("--decline", "decline")]
#[case("--cancel", "cancel")]
fn a_page_that_must_not_be_opened_can_be_declined_and_dismissed(#[case] option: &str, #[case] action: &str) {
    let peer = asking(json!({ "u": page() }));
    let found = at(&peer, &["doctor", "t1"]);
    assert!(
        found.code == Some(5) && found.out.contains("mcptask respond t1 --decline --question u"),
        "{found:?}"
    );
    for verb in [&["respond", "t1", "--accept"][..], &["respond", "t1", "--set", "a=x"]] {
        let ran = at(&peer, verb);
        assert_eq!(ran.code, Some(2), "{ran:?}");
    }
    let ran = at(&peer, &["respond", "t1"]);
    assert!(ran.code == Some(6) && ran.err.contains("--decline"), "{ran:?}");
    assert!(peer.said_of("tasks/update").is_empty());
    let ran = at(&peer, &["respond", "t1", option]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(peer.said_of("tasks/update")[0].message["params"]["inputResponses"]["u"]["action"], action);
}

#[rstest]
#[case::each_question(r#"{"action":"decline"}"#, "decline")]
#[case::what_nothing_answers(r#"{"a":"x","otherwise":"cancel"}"#, "cancel")]
#[case::an_entry_for_it(r#"[{"a":"x"},{"action":"decline"}]"#, "decline")]
fn answers_of_a_file_say_no_to_a_page_that_must_not_be_opened(#[case] answers: &str, #[case] action: &str) {
    let peer = asking(json!({ "u": page() }));
    let words = ["submit", "x", "--wait", "--answers", "answers.json", "--server", &peer.url()];
    let ran = run_in(&TempDir::new().expect("a folder"), &words, answers);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(peer.said_of("tasks/update")[0].message["params"]["inputResponses"]["u"]["action"], action);
}

#[test]
fn a_page_that_nobody_says_no_to_keeps_no_other_question_from_its_answer() {
    let peer = asking(json!({ "a-u": page(), "f": form() }));
    let words = ["submit", "x", "--wait", "--answers", "answers.json", "--server", &peer.url()];
    let ran = run_in(&TempDir::new().expect("a folder"), &words, r#"[{"a":"x"}]"#);
    let sent = &peer.said_of("tasks/update")[0].message["params"]["inputResponses"];
    assert!(sent["f"]["content"]["a"] == "x" && sent.get("a-u").is_none(), "{sent}: {ran:?}");
    let alone = asking(json!({ "u": page() }));
    let ran = at(&alone, &["submit", "x", "--wait", "--answers", "answers.json"]);
    assert!(ran.code == Some(6) && ran.err.contains("its page must not be opened"), "{ran:?}");
    assert!(ran.err.contains("--question u --decline"), "{ran:?}");
    assert!(alone.said_of("tasks/update").is_empty());
}

#[test]
fn a_task_that_waits_for_an_answer_and_asks_nothing_is_told() {
    let peer = asking(json!({}));
    for verb in [&["doctor"][..], &["doctor", "t1"]] {
        let ran = at(&peer, verb);
        assert!(ran.code == Some(5) && ran.out.contains("its server shows no question"), "{ran:?}");
    }
    let ran = at(&peer, &["respond", "t1", "--accept"]);
    assert!(ran.code == Some(6) && ran.err.contains("its server shows no question"), "{ran:?}");
}

#[test]
fn where_a_legacy_question_is_answered_is_said_by_show_as_well() {
    let peer = Peer::start(|said| match said.method() {
        "tasks/get" => {
            Reply::Result(json!({ "taskId": "t1", "status": "input_required", "pollInterval": 100 }))
        }
        _ => legacy(said),
    });
    let words = ["show", "t1", "--server", &peer.url(), "--era", "legacy"];
    let ran = run_in(&TempDir::new().expect("a folder"), &words, "{}");
    assert!(ran.code == Some(0) && ran.err.contains("straight at the store that the server uses"), "{ran:?}");
}

/// An empty list would be an answer of a client that has roots.
#[tokio::test]
async fn a_request_for_roots_is_refused_as_one_that_was_not_declared() {
    let peer = Peer::start(|said| match legacy(said) {
        Reply::Result(result) if said.method() == "initialize" => Reply::Session(result),
        _ if said.head.starts_with("get") => Reply::Stream(
            "data: {\"jsonrpc\":\"2.0\",\"id\":\"r1\",\"method\":\"roots/list\"}\n\n".to_owned(),
        ),
        reply => reply,
    });
    let client =
        bounded("connect", Client::connect(&peer.target(), Era::Legacy, None)).await.expect("connects");
    let replied = async {
        loop {
            if let Some(said) = peer.said().into_iter().find(|said| said.message["id"] == "r1") {
                return said.message;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let reply = bounded("the reply", replied).await;
    assert_eq!(reply["error"]["code"], -32601, "{reply}");
    drop(client);
}
