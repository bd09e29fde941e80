//! Workers and tools that fall over.

use mcptask::task::{Outcome, TaskStatus};
use mcptask::worker::Interrupted;

use crate::setup::{Counter, Setup, asks, question, text, tool, value};

on_both_engines!(
    answered_questions_are_not_asked_again_after_a_crash,
    a_tool_that_asks_something_else_is_stopped,
    attempts_are_bounded_and_the_last_failure_is_kept,
    a_panic_is_that_tasks_failure,
    a_draining_worker_gives_waiting_tasks_back,
    an_answer_while_no_worker_is_there_is_kept,
);

async fn answered_questions_are_not_asked_again_after_a_crash(setup: Setup) {
    // A worker that is aborted is as good as killed: it writes nothing more and its lease ends.
    let first = setup.worker("w1", 1, vec![asks("ask", 3)]).await;
    let task = setup.submit("ask").await;
    setup.asked(&task, 1).await;
    setup.answer(&task, 1, "one").await;
    setup.asked(&task, 2).await;
    setup.answer(&task, 2, "two").await;
    setup.asked(&task, 3).await;
    first.handle.abort();
    setup.engine.store().dismiss(&crate::support::worker("w1")).await.expect("its lease ends");
    let second = setup.worker("w2", 1, vec![asks("ask", 3)]).await;
    setup.answer(&task, 3, "three").await;
    let ended = setup.ended(&task).await;
    assert_eq!(text(&ended), "one two three");
    assert_eq!(ended.questions.len(), 3, "each was asked once");
    second.drain().await;
}

async fn a_tool_that_asks_something_else_is_stopped(setup: Setup) {
    let runs = Counter::default();
    let counted = runs.clone();
    let fickle = tool("fickle", move |task| {
        let run = counted.next();
        async move {
            let answer = task.ask(question(&format!("question of run {run}"))).await?;
            if run == 0 {
                return Err(Interrupted::Retry("fell over".to_owned()));
            }
            Ok(Outcome::text(value(&answer)))
        }
    });
    let worker = setup.worker("w1", 1, vec![fickle]).await;
    let task = setup.submit("fickle").await;
    setup.asked(&task, 1).await;
    setup.answer(&task, 1, "for run 0").await;
    let ended = setup.ended(&task).await;
    assert_eq!(ended.status, TaskStatus::Failed);
    let Some(Outcome::Error(error)) = ended.outcome else { panic!("an error") };
    assert!(
        error.message.contains("asks something else") && error.message.contains("q1"),
        "{}",
        error.message
    );
    worker.drain().await;
}

async fn attempts_are_bounded_and_the_last_failure_is_kept(setup: Setup) {
    let runs = Counter::default();
    let counted = runs.clone();
    let failing = tool("failing", move |_| {
        let run = counted.next();
        async move { Err(Interrupted::Retry(format!("failure {run}"))) }
    });
    let worker = setup.worker("w1", 1, vec![failing]).await;
    let task = setup.submit("failing").await;
    let ended = setup.ended(&task).await;
    assert_eq!(ended.status, TaskStatus::Failed);
    assert_eq!(runs.count(), 3);
    assert_eq!(ended.last_failure.as_deref(), Some("failure 2"));
    worker.drain().await;
}

async fn a_panic_is_that_tasks_failure(setup: Setup) {
    let panics = tool("panics", |_| async { panic!("a tool of a test panics on purpose") });
    let worker = setup.worker("w1", 1, vec![panics, asks("ask", 1)]).await;
    let failing = setup.submit("panics").await;
    assert_eq!(setup.ended(&failing).await.status, TaskStatus::Failed);
    let fine = setup.submit("ask").await;
    setup.asked(&fine, 1).await;
    setup.answer(&fine, 1, "still here").await;
    assert_eq!(text(&setup.ended(&fine).await), "still here");
    worker.drain().await;
}

async fn a_draining_worker_gives_waiting_tasks_back(setup: Setup) {
    let first = setup.worker("w1", 1, vec![asks("ask", 1)]).await;
    let task = setup.submit("ask").await;
    setup.asked(&task, 1).await;
    first.drain().await;
    let parked = setup.asked(&task, 1).await;
    assert!(parked.worker.is_none(), "nobody holds it");
    assert_eq!(parked.last_failure, None, "draining is no failure");
    let second = setup.worker("w2", 1, vec![asks("ask", 1)]).await;
    setup.answer(&task, 1, "to the second").await;
    assert_eq!(text(&setup.ended(&task).await), "to the second");
    second.drain().await;
}

async fn an_answer_while_no_worker_is_there_is_kept(setup: Setup) {
    let first = setup.worker("w1", 1, vec![asks("ask", 1)]).await;
    let task = setup.submit("ask").await;
    setup.asked(&task, 1).await;
    first.drain().await;
    setup.answer(&task, 1, "kept").await;
    let second = setup.worker("w2", 1, vec![asks("ask", 1)]).await;
    assert_eq!(text(&setup.ended(&task).await), "kept");
    second.drain().await;
}
