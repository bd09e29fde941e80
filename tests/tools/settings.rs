//! Time limits, retries and concurrency of single tools.

use std::time::Duration;

use mcptask::engine::Viewer;
use mcptask::task::EventKind;
use serde_json::json;

use crate::setup::{error, result, run, run_with, text};

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_takes_too_long_is_ended() {
    let running = run(r#"
        [tools.slow]
        description = "Sleeps."
        timeout = "100ms"
        steps = [{ sleep = 600 }]
    "#)
    .await;
    let task = running.call("slow", json!({})).await;
    assert!(text(&task).contains("time limit of 100ms"), "{task:?}");
    assert_eq!(result(&task)["isError"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_for_a_person_does_not_count() {
    let running = run(r#"
        [tools.asks]
        description = "Asks."
        timeout = "250ms"
        steps = [{ ask = "Ready?" }, { return = "ready" }]
    "#)
    .await;
    let task = running.submit("asks", json!({})).await;
    running.asked(&task, 1).await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    running.accept(&task, 1, json!({})).await;
    assert_eq!(text(&running.ended(&task).await), "ready");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_run_is_tried_again_after_a_pause() {
    let running = run(r#"
        [tools.third]
        description = "Works the third time."
        retries = { most = 2, pause = "50ms", factor = 2 }
        steps = [
            { if = "task.attempt < 3", then = [{ error = "attempt {{ task.attempt }}" }] },
            { return = "done" },
        ]
        [tools.never]
        description = "Never works."
        retries = { most = 1, pause = "10ms" }
        steps = [{ error = "attempt {{ task.attempt }}" }]
        [tools.once]
        description = "Is not tried again."
        steps = [{ error = "attempt {{ task.attempt }}" }]
    "#)
    .await;
    let third = running.call("third", json!({})).await;
    assert_eq!((text(&third), third.attempt), ("done", 3));
    let pauses = running.events(third.id()).await;
    let pauses = pauses
        .iter()
        .filter(|event| matches!(&event.kind, EventKind::Requeued { reason } if reason.contains("pause")));
    assert_eq!(pauses.count(), 2);
    let never = running.call("never", json!({})).await;
    assert_eq!(text(&never), "attempt 2", "the last result is the task's");
    assert_eq!(text(&running.call("once", json!({})).await), "attempt 1");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_outlive_a_failed_run() {
    let running = run(r#"
        [tools.t]
        description = "Asks, then fails once."
        retries = { most = 1, pause = "10ms" }
        steps = [
            { ask = "Name?", as = "answer", form = { name = "text" } },
            { if = "task.attempt == 1", then = [{ error = "once" }] },
            { return = "{{ answer.content.name }}" },
        ]
    "#)
    .await;
    let task = running.submit("t", json!({})).await;
    running.accept(&task, 1, json!({ "name": "Ada" })).await;
    let ended = running.ended(&task).await;
    assert_eq!((text(&ended), ended.questions.len()), ("Ada", 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tools_own_limit_holds_back_only_that_tool() {
    let running = run_with(
        r#"
        [tools.one]
        description = "One at a time."
        concurrency = 1
        steps = [{ report = "running" }, { sleep = 600 }]
        [tools.other]
        description = "As many as there are slots."
        steps = [{ return = "other" }]
        "#,
        4,
        Vec::new(),
    )
    .await;
    let first = running.submit("one", json!({})).await;
    running.reported(&first).await;
    let second = running.submit("one", json!({})).await;
    let other = running.call("other", json!({})).await;
    assert_eq!(text(&other), "other");
    let waiting = running.reached(&second, |_| true).await;
    assert_eq!(waiting.attempt, 0, "claimed while the first one ran");
    running.engine.cancel(&Viewer::Operator, &first, "enough").await.expect("cancels");
    running.reported(&second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_task_gives_its_tools_slot_back() {
    let running = run(r#"
        [tools.asks]
        description = "Asks, one at a time."
        concurrency = 1
        steps = [{ ask = "Ready?" }, { return = "ready" }]
    "#)
    .await;
    let (first, second) = (running.submit("asks", json!({})).await, running.submit("asks", json!({})).await);
    running.asked(&first, 1).await;
    running.asked(&second, 1).await;
    running.accept(&second, 1, json!({})).await;
    running.accept(&first, 1, json!({})).await;
    assert_eq!(text(&running.ended(&first).await), "ready");
    assert_eq!(text(&running.ended(&second).await), "ready");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_is_an_error_when_no_attempt_is_left() {
    let running = run(r#"
        [tools.crash]
        description = "Crashes while it asks."
        retries = 0
        steps = [{ fault = "crash-while-asking" }, { ask = "Ready?" }]
    "#)
    .await;
    let task = running.call("crash", json!({})).await;
    assert!(error(&task).message.contains("crashed while its question was open"), "{task:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_or_its_tool_says_when_people_are_told_once_more() {
    let running = run(r#"
        [tools.asks]
        description = "Asks."
        remind_after = "10m"
        unanswerable = "notify"
        steps = [
            { ask_all = [{ ask = "One?" }, { ask = "Two?", remind_after = "90s" }] },
            { return = "done" },
        ]
    "#)
    .await;
    let task = running.submit("asks", json!({})).await;
    running.asked(&task, 2).await;
    let found = running.engine.get(&Viewer::Operator, &task).await.expect("is there");
    let after: Vec<_> = found.questions.iter().map(|question| question.ask.remind_after_ms).collect();
    assert_eq!(after, [Some(600_000), Some(90_000)]);
    // What a server of another process goes by.
    let spec = running.engine.tool("asks").await.expect("is known");
    assert_eq!(spec.unanswerable, Some(mcptask::task::Unanswerable::Notify));
    running.engine.cancel(&Viewer::Operator, &task, "enough").await.expect("cancels");
}
