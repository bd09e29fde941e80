//! A machine that is short of something when a command is to start: the task waits, and no attempt is lost.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use mcptask::task::EventKind;
use serde_json::json;

use crate::setup::{Running, run, text};
use crate::support::within;

/// Waits until the task was given back.
async fn given_back(running: &Running, task: &mcptask::task::TaskId, words: &str) {
    let seen = async {
        loop {
            let events = running.events(task).await;
            let back =
                |kind: &EventKind| matches!(kind, EventKind::Requeued { reason } if reason.contains(words));
            if events.iter().any(|event| back(&event.kind)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    within("the task's return", seen).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_being_written_is_started_when_it_is_done() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("program");
    std::fs::copy("/bin/echo", &program).expect("copies");
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).expect("ours");
    let tool = format!("[tools.t]\ndescription = \"d\"\nretries = 0\ncommand = [{program:?}, \"hi\"]\n");
    let running = run(&tool).await;
    let writer = std::fs::OpenOptions::new().append(true).open(&program).expect("ours");
    let task = running.submit("t", json!({})).await;
    given_back(&running, &task, "busy").await;
    drop(writer);
    let ended = running.ended(&task).await;
    assert_eq!(text(&ended), "hi", "though the tool has one attempt");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_not_there_is_not_tried_again() {
    let tool = "[tools.t]\ndescription = \"d\"\nretries = { most = 3, pause = \"1ms\" }\ncommand = [\"no-such-program-here\"]\n";
    let running = run(tool).await;
    let task = running.submit("t", json!({})).await;
    let ended = running.ended(&task).await;
    assert!(text(&ended).contains("there is no executable"), "{ended:?}");
    assert_eq!(ended.attempt, 1, "nothing is there at the next attempt either");
}
