//! How tasks end before their tool does.

use std::sync::Arc;

use mcptask::engine::{EngineError, Viewer};
use mcptask::store::StoreError;
use mcptask::task::{Outcome, TaskStatus};
use tokio::sync::Notify;

use crate::setup::{Setup, asks, tool};
use crate::support::within;

on_both_engines!(
    cancel_stops_a_running_tool,
    cancel_frees_a_waiting_task,
    a_stopping_worker_gives_back_what_does_not_end,
    another_scopes_task_is_not_found,
);

/// Notifies when it is dropped.
struct OnDrop(Arc<Notify>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

async fn cancel_stops_a_running_tool(setup: Setup) {
    let (started, dropped) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let signals = (started.clone(), dropped.clone());
    let endless = tool("endless", move |_| {
        let (started, dropped) = signals.clone();
        async move {
            let _dropped = OnDrop(dropped);
            started.notify_one();
            std::future::pending().await
        }
    });
    let worker = setup.worker("w1", 1, vec![endless]).await;
    let task = setup.submit("endless").await;
    within("the start", started.notified()).await;
    setup.engine.cancel(&Viewer::Operator, &task, "no longer wanted").await.expect("cancels");
    within("the end of the tool", dropped.notified()).await;
    let ended = setup.ended(&task).await;
    assert_eq!(ended.status, TaskStatus::Cancelled);
    assert_eq!(ended.status_message.as_deref(), Some("no longer wanted"));
    worker.drain().await;
}

async fn cancel_frees_a_waiting_task(setup: Setup) {
    let worker = setup.worker("w1", 1, vec![asks("ask", 1)]).await;
    let task = setup.submit("ask").await;
    setup.asked(&task, 1).await;
    setup.engine.cancel(&Viewer::Operator, &task, "enough").await.expect("cancels");
    let ended = setup.ended(&task).await;
    assert_eq!(ended.open_questions().count(), 0);
    let again = setup.engine.cancel(&Viewer::Operator, &task, "again").await;
    assert!(matches!(again, Err(EngineError::Store(StoreError::Ended { .. }))), "{again:?}");
    worker.drain().await;
}

async fn a_stopping_worker_gives_back_what_does_not_end(setup: Setup) {
    let started = Arc::new(Notify::new());
    let signal = started.clone();
    let endless = tool("work", move |_| {
        let started = signal.clone();
        async move {
            started.notify_one();
            std::future::pending().await
        }
    });
    let first = setup.worker("w1", 1, vec![endless]).await;
    let task = setup.submit("work").await;
    within("the start", started.notified()).await;
    first.drain().await;
    let quick = tool("work", |_| async { Ok(Outcome::text("done by the second")) });
    let second = setup.worker("w2", 1, vec![quick]).await;
    assert_eq!(crate::setup::text(&setup.ended(&task).await), "done by the second");
    second.drain().await;
}

async fn another_scopes_task_is_not_found(setup: Setup) {
    use mcptask::task::{Answer, Answerer, QuestionId, Scope, TaskId};
    let worker = setup.worker("w1", 1, vec![asks("ask", 1)]).await;
    let task = setup.submit("ask").await;
    setup.asked(&task, 1).await;
    let stranger = Viewer::Client { scope: Scope::named("somebody else"), session: None };
    let never = TaskId::generate();
    let engine = &setup.engine;
    for id in [&task, &never] {
        let answer = Answer::cancel(Answerer::Client, "not mine");
        let errors = [
            engine.get(&stranger, id).await.expect_err("hidden").to_string(),
            engine.cancel(&stranger, id, "not mine").await.expect_err("hidden").to_string(),
            engine.answer(&stranger, id, &QuestionId::at(1), answer).await.expect_err("hidden").to_string(),
        ];
        for error in errors {
            assert_eq!(error, format!("there is no task {id}"));
        }
    }
    worker.drain().await;
}
