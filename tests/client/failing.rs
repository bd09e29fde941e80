//! Tasks of the older era that failed, whatever `tasks/result` holds, and the replies to their questions.

use std::sync::atomic::{AtomicUsize, Ordering};

use mcptask::client::{Client, Ended, Era};
use rstest::rstest;
use serde_json::{Value, json};

use crate::command::at;
use crate::peer::{Peer, Reply, Said, legacy, modern};
use crate::{bounded, call, none, run};

/// What `tasks/result` says of the task.
fn outcome(said: &Said, kind: &str) -> Reply {
    let error = |code: i64| {
        let error = json!({ "code": code, "message": "no result" });
        let message = json!({ "jsonrpc": "2.0", "id": said.message["id"], "error": error });
        Reply::Http(200, "application/json", message.to_string())
    };
    match kind {
        "nothing" => Reply::Result(json!({})),
        "null" => Reply::Result(Value::Null),
        "a result" => {
            Reply::Result(json!({ "content": [{ "type": "text", "text": "half done" }], "isError": false }))
        }
        "a tool error" => {
            Reply::Result(json!({ "content": [{ "type": "text", "text": "half done" }], "isError": true }))
        }
        "a list" => Reply::Result(json!([1, 2])),
        "an error" => error(-32603),
        "gone" => error(-32602),
        "a hang-up" => Reply::HangUp,
        "no JSON" => Reply::Http(200, "application/json", "{".to_owned()),
        _ => Reply::Http(202, "text/plain", String::new()),
    }
}

/// A server whose one task fails after `looks` looks at it.
fn failing(kind: &'static str, looks: usize) -> Peer {
    let seen = AtomicUsize::new(0);
    Peer::start(move |said| {
        let is_over = seen.load(Ordering::SeqCst) >= looks;
        let (status, words) = if is_over { ("failed", "the oven is cold") } else { ("working", "baking") };
        let task = json!({ "taskId": "t1", "status": status, "statusMessage": words, "pollInterval": 50 });
        match said.method() {
            "tools/call" => Reply::Result(json!({ "task": task })),
            "tasks/get" => {
                seen.fetch_add(1, Ordering::SeqCst);
                Reply::Result(task)
            }
            "tasks/result" => outcome(said, kind),
            _ => legacy(said),
        }
    })
}

#[rstest]
#[tokio::test]
async fn a_legacy_task_that_failed_is_a_failure_whatever_its_result_holds(
    #[values(
        "nothing",
        "null",
        "a result",
        "a tool error",
        "a list",
        "an error",
        "gone",
        "no JSON",
        "a hang-up",
        "nothing at all"
    )]
    kind: &'static str,
    #[values(0, 2)] looks: usize,
) {
    let peer = failing(kind, looks);
    let client = Client::connect(&peer.target(), Era::Legacy, None).await.expect("connects");
    let id = crate::task(&client, call("x", none())).await;
    let ended = bounded("ended", client.ended(&id)).await.expect("it ended");
    let Ended::Failed { message, .. } = &ended else { panic!("{kind}: {ended:?}") };
    assert_eq!(message.as_deref(), Some("the oven is cold"));
    let followed = bounded("follow", client.follow(&id, &|_| ())).await.expect("it ended");
    assert!(
        matches!(&followed, Ended::Failed { message: Some(words), .. } if words == "the oven is cold"),
        "{followed:?}"
    );
}

#[rstest]
fn the_commands_say_why_it_failed(
    #[values("nothing", "a result", "a tool error", "an error")] kind: &'static str,
) {
    let peer = failing(kind, 0);
    for words in [&["submit", "x", "--wait"][..], &["result", "t1"]] {
        let (code, _, err) = printed(&peer, words);
        assert_eq!(code, Some(5), "{words:?}: {err}");
        assert!(err.contains("the oven is cold"), "{words:?}: {err}");
    }
}

/// What a command prints on stdout, with its code.
fn printed(peer: &Peer, words: &[&str]) -> (Option<i32>, String, String) {
    let ran = at(peer, &[words, &["--era", "legacy"]].concat(), "");
    (ran.code, ran.out, ran.err)
}

#[test]
fn the_json_of_a_task_that_failed_does_not_say_that_all_went_well() {
    let peer = failing("a result", 0);
    let (code, out, err) = printed(&peer, &["result", "t1"]);
    assert!(code == Some(5) && err.contains("the oven is cold"), "{out} {err}");
    let (code, out, err) = printed(&peer, &["result", "t1", "--json"]);
    let object: Value = serde_json::from_str(&out).expect("one object");
    assert_eq!((code, &object["status"]), (Some(5), &json!("failed")), "{err}");
    assert!(object["result"].is_object() && object["result"].get("isError").is_none(), "{out}");
    assert_eq!(object["error"]["message"], "the oven is cold");
}

/// A server whose one task is over from its second look on, and whose `tasks/result` never says anything.
fn keeping_its_result(status: &'static str) -> Peer {
    let seen = AtomicUsize::new(0);
    Peer::start(move |said| {
        let is_over = seen.load(Ordering::SeqCst) >= 1;
        let status = if is_over { status } else { "working" };
        let task = json!({ "taskId": "t1", "status": status, "statusMessage": "the oven is cold", "pollInterval": 50 });
        match said.method() {
            "tools/call" => Reply::Result(json!({ "task": task })),
            "tasks/get" => {
                seen.fetch_add(1, Ordering::SeqCst);
                Reply::Result(task)
            }
            "tasks/result" => Reply::Stream(": nothing\n\n".to_owned()),
            _ => legacy(said),
        }
    })
}

#[test]
fn a_task_that_failed_has_failed_also_where_its_result_stays_out() {
    for words in [&["submit", "x", "--wait"][..], &["result", "t1", "--wait"]] {
        let (code, _, err) = printed(&keeping_its_result("failed"), words);
        assert!(code == Some(5) && err.contains("the oven is cold"), "{words:?} {code:?}: {err}");
    }
}

#[test]
fn a_task_that_was_cancelled_is_not_asked_for_its_result() {
    let peer = keeping_its_result("cancelled");
    let (code, _, err) = printed(&peer, &["result", "t1", "--wait"]);
    assert!(code == Some(8) && err.contains("the oven is cold"), "{code:?}: {err}");
    assert!(peer.said_of("tasks/result").is_empty());
}

#[test]
fn a_completed_task_whose_result_stays_out_is_no_wait_without_end() {
    let (code, _, err) = printed(&keeping_its_result("completed"), &["submit", "x", "--wait"]);
    let words = "is completed, and its result could not be had";
    assert!(code == Some(4) && err.contains(words), "{code:?}: {err}");
    let hangs_up = Peer::start(|said| match said.method() {
        "tasks/get" => Reply::Result(json!({ "taskId": "t1", "status": "completed" })),
        "tasks/result" => Reply::HangUp,
        _ => legacy(said),
    });
    let (code, _, err) = printed(&hangs_up, &["result", "t1", "--wait"]);
    assert!(code == Some(4) && err.contains(words), "{code:?}: {err}");
    assert_eq!(hangs_up.said_of("tasks/result").len(), 3);
}

#[tokio::test]
async fn a_moment_without_the_status_makes_no_failure_a_success() {
    let looks = AtomicUsize::new(0);
    let peer = Peer::start(move |said| {
        let task =
            |status: &str| json!({ "taskId": "t1", "status": status, "statusMessage": "the oven is cold" });
        match said.method() {
            "tools/call" => Reply::Result(json!({ "task": task("working") })),
            "tasks/result" => Reply::Result(json!({})),
            "tasks/get" if looks.fetch_add(1, Ordering::SeqCst) < 2 => {
                Reply::Http(503, "text/plain", String::new())
            }
            "tasks/get" => Reply::Result(task("failed")),
            _ => legacy(said),
        }
    });
    let client = Client::connect(&peer.target(), Era::Legacy, None).await.expect("connects");
    let id = crate::task(&client, call("x", none())).await;
    let ended = bounded("follow", client.follow(&id, &|_| ())).await;
    // The look that failed may as well be the one that follows the task, which then ends with that.
    assert!(!matches!(ended, Ok(Ended::Finished(_))), "{ended:?}");
}

#[tokio::test]
async fn the_reply_to_a_tasks_question_names_the_task() {
    let bare = crate::bare::Bare::legacy();
    let answers = crate::answers::Answers::new([
        crate::answers::accept(json!({ "name": "Ada" })),
        crate::answers::plain(mcptask::task::Action::Decline),
    ]);
    let client = bare.connect(Some(&answers)).await;
    run(&client, call("ask", none())).await.expect("ends");
    assert_eq!(
        bare.reply(901)["result"]["_meta"],
        json!({ "io.modelcontextprotocol/related-task": { "taskId": "t1" } })
    );
    assert!(bare.reply(903)["result"].get("_meta").is_none(), "what names no task is answered without one");
}

/// Servers that send what is no error object say something all the same.
#[rstest]
#[case(json!("kaput"), "kaput")]
#[case(json!({ "code": "E1", "message": 5 }), "5")]
#[case(json!({ "code": 7 }), "no message")]
fn an_odd_error_of_a_failed_task_is_shown(#[case] error: Value, #[case] words: &str) {
    let peer = Peer::start(move |said| match said.method() {
        "tasks/get" => Reply::Result(
            json!({ "resultType": "complete", "taskId": "t1", "status": "failed", "error": error,
            "createdAt": "2026-11-27T18:00:00Z", "lastUpdatedAt": "2026-11-27T18:00:00Z", "ttlMs": null }),
        ),
        _ => modern(said),
    });
    let ran = at(&peer, &["result", "t1"], "");
    assert!(ran.err.contains(words) && ran.err.contains("failed"), "{ran:?}");
}
