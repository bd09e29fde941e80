//! How tasks end before their tool does.

use std::sync::Arc;

use mcptask::engine::{EngineError, Viewer};
use mcptask::store::{ClaimKey, EventFilter, Requeue, StoreError};
use mcptask::task::{Cursor, EventKind, Outcome, TaskStatus};
use tokio::sync::{Notify, Semaphore};

use crate::setup::{Counter, Setup, asks, endless, question, tool};
use crate::support::within;

on_both_engines!(
    cancel_stops_a_running_tool,
    cancel_frees_a_waiting_task,
    a_stopping_worker_gives_back_what_does_not_end,
    a_task_cancelled_while_it_waits_for_a_slot_is_never_begun,
    a_run_ends_when_another_fails_its_last_attempt,
    a_run_that_lost_its_task_remarks_nothing,
    another_scopes_task_is_not_found,
);

async fn cancel_stops_a_running_tool(setup: Setup) {
    let (endless, started, dropped) = endless("endless");
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
    let (endless, started, _) = endless("work");
    let first = setup.worker("w1", 1, vec![endless]).await;
    let task = setup.submit("work").await;
    within("the start", started.notified()).await;
    first.drain().await;
    let quick = tool("work", |_| async { Ok(Outcome::text("done by the second")) });
    let second = setup.worker("w2", 1, vec![quick]).await;
    assert_eq!(crate::setup::text(&setup.ended(&task).await), "done by the second");
    second.drain().await;
}

/// The worker's only slot is taken again by a task whose answer came, while a claim is under way.
async fn a_task_cancelled_while_it_waits_for_a_slot_is_never_begun(setup: Setup) {
    let (begun, gate, resumed) = (Counter::default(), Arc::new(Semaphore::new(0)), Arc::new(Notify::new()));
    let (counted, opened, goes_on) = (begun.clone(), gate.clone(), resumed.clone());
    let holds = tool("holds", move |task| {
        let (gate, resumed) = (opened.clone(), goes_on.clone());
        async move {
            task.ask(question("go on?")).await?;
            resumed.notify_one();
            gate.acquire().await.expect("is never closed").forget();
            Ok(Outcome::text("held the slot"))
        }
    });
    let touches = tool("touches", move |_| {
        counted.next();
        async { Ok(Outcome::text("began")) }
    });
    let worker = setup.worker("w1", 1, vec![holds, touches]).await;
    // Without the rule each round begins the task half of the time.
    for _ in 0..8 {
        let holder = setup.submit("holds").await;
        setup.asked(&holder, 1).await;
        setup.answer(&holder, 1, "yes").await;
        within("the holder to go on", resumed.notified()).await;
        let waiting = setup.submit("touches").await;
        setup.engine.cancel(&Viewer::Operator, &waiting, "not now").await.expect("cancels");
        gate.add_permits(1);
        setup.ended(&holder).await;
    }
    let last = setup.submit("touches").await;
    setup.ended(&last).await;
    assert_eq!(begun.count(), 1, "only the one that nobody cancelled was begun");
    worker.drain().await;
}

async fn a_run_ends_when_another_fails_its_last_attempt(setup: Setup) {
    let (endless, started, ended) = endless("endless");
    let worker = setup.worker("w1", 1, vec![endless.tried(1)]).await;
    let task = setup.submit("endless").await;
    within("the start", started.notified()).await;
    let claim = ClaimKey { task: task.clone(), attempt: 1 };
    let failed = Requeue::failed("another process took the worker for dead".to_owned());
    setup.engine.store().requeue(&claim, &failed).await.expect("fails the last attempt");
    within("the end of the tool", ended.notified()).await;
    assert_eq!(setup.ended(&task).await.status, TaskStatus::Failed);
    worker.drain().await;
}

async fn a_run_that_lost_its_task_remarks_nothing(setup: Setup) {
    let engine = setup.engine.clone();
    let loses = tool("loses", move |task| {
        let engine = engine.clone();
        async move {
            if task.attempt() == 1 {
                let claim = ClaimKey { task: task.task().clone(), attempt: 1 };
                let lost = Requeue::failed("another process took the worker for dead".to_owned());
                engine.store().requeue(&claim, &lost).await.expect("takes it away");
                task.note("from a run that is over").await?;
            }
            Ok(Outcome::text("done"))
        }
    });
    let worker = setup.worker("w1", 1, vec![loses]).await;
    let task = setup.submit("loses").await;
    assert_eq!(setup.ended(&task).await.attempt, 2);
    let filter = EventFilter::Task(task);
    let history = setup.engine.store().history(&filter, Cursor::START, 100).await.expect("reads");
    let noted = history.events.iter().filter(|event| matches!(event.kind, EventKind::Noted { .. }));
    assert_eq!(noted.count(), 0, "{:?}", history.events);
    worker.drain().await;
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
