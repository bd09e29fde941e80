//! Misbehaving on purpose.

use mcptask::task::{EventKind, Fault};
use serde_json::json;

use crate::setup::{run, run_with, text};

fn asking(fault: &str) -> String {
    format!(
        "[tools.t]\ndescription = \"Misbehaves.\"\nsteps = [{{ fault = \"{fault}\" }}, \
         {{ ask = \"Name?\", as = \"answer\", form = {{ name = \"text\" }} }}, {{ return = \"{{{{ answer.content.name }}}}\" }}]\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_question_is_asked_twice() {
    let running = run(&asking("same-question-twice")).await;
    let task = running.submit("t", json!({})).await;
    running.accept(&task, 1, json!({ "name": "first" })).await;
    running.accept(&task, 2, json!({ "name": "second" })).await;
    let ended = running.ended(&task).await;
    assert_eq!(ended.questions[0].ask, ended.questions[1].ask);
    assert_eq!(text(&ended), "second");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_question_goes_out() {
    let running = run(&asking("malformed-question")).await;
    let task = running.submit("t", json!({})).await;
    let asked = running.asked(&task, 1).await;
    assert!(!mcptask::form::unaskable(&asked.questions[0].ask).is_empty());
    running.decline(&task, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_while_asking_keeps_the_question_and_its_answer() {
    let running = run(&asking("crash-while-asking")).await;
    let task = running.submit("t", json!({})).await;
    running.reached(&task, |task| task.worker.is_none() && task.open_questions().count() == 1).await;
    running.accept(&task, 1, json!({ "name": "Ada" })).await;
    let ended = running.ended(&task).await;
    assert_eq!((text(&ended), ended.attempt, ended.questions.len()), ("Ada", 2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ttl_ends_while_the_question_is_open() {
    let running = run(&asking("ttl-ends-mid-question")).await;
    let task = running.submit("t", json!({})).await;
    let asked = running.asked(&task, 1).await;
    assert_eq!(asked.new.ttl_ms, Some(3000));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_of_a_server_holds_for_every_tool_and_is_in_the_log_when_a_script_asks_for_it() {
    let plain =
        "[tools.t]\ndescription = \"Asks.\"\nsteps = [{ ask = \"Ready?\" }, { return = \"ready\" }]\n";
    let running = run_with(plain, 4, vec![Fault::SameQuestionTwice]).await;
    let task = running.submit("t", json!({})).await;
    running.accept(&task, 1, json!({})).await;
    running.accept(&task, 2, json!({})).await;
    assert_eq!(text(&running.ended(&task).await), "ready");
    let running = run(&asking("crash-while-asking")).await;
    let task = running.submit("t", json!({})).await;
    running.accept(&task, 1, json!({ "name": "Ada" })).await;
    running.ended(&task).await;
    let noted =
        |kind: &EventKind| matches!(kind, EventKind::Noted { note } if note == "fault: crash-while-asking");
    assert!(running.events(&task).await.iter().any(|event| noted(&event.kind)));
}
