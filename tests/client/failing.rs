//! Tasks of the older era that failed, whatever `tasks/result` holds, and the replies to their questions.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use mcptask::client::{Client, Ended, Era};
use rstest::rstest;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::peer::{Peer, Reply, Said, legacy};
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
    let home = TempDir::new().expect("a folder");
    let url = failing(kind, 0).url();
    for words in [vec!["submit", "x", "--wait"], vec!["result", "t1"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mcptask"));
        command.env_clear().env("HOME", home.path()).args(&words).args(["--era", "legacy", "--server", &url]);
        let output = command.stdin(Stdio::null()).output().expect("mcptask runs");
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(5), "{words:?}: {error}");
        assert!(error.contains("the oven is cold"), "{words:?}: {error}");
    }
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
