//! Whoever waits, waits out a store that is away, and whoever keeps the time gives each item its turn.

use std::time::Duration;

use mcptask::engine::{Engine, EngineError, Limits, Submission, Viewer};
use mcptask::store::{Refusal, StoreError};
use mcptask::task::{Answerer, Scope, TaskId};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use crate::setup::{Setup, asks, keep_time, text};
use crate::support::within;
use crate::troubled::{Troubled, Wrong, refuses};

on_both_engines!(
    a_wait_that_begins_in_an_outage_goes_on_after_it,
    a_wait_without_the_rights_says_so_at_once,
    a_wait_for_a_task_that_is_gone_ends,
    one_item_that_fails_leaves_the_next_its_turn,
    a_time_keeper_that_settles_nothing_pauses,
    what_cannot_be_read_is_shown_to_operators_only,
    arguments_that_are_too_deep_are_named,
);

/// Another process, whose store may have troubles.
async fn process(setup: &Setup) -> (Engine, std::sync::Arc<Troubled>) {
    let store = Troubled::new(setup.bench.store().await);
    (Engine::new(store.clone(), Limits::default(), setup.stop.clone()), store)
}

async fn a_wait_that_begins_in_an_outage_goes_on_after_it(setup: Setup) {
    let worker = setup.worker("w1", 1, vec![asks("ask", 1)]).await;
    let task = setup.submit("ask").await;
    setup.asked(&task, 1).await;
    let (engine, store) = process(&setup).await;
    let away = StoreError::Unreachable { location: "here".to_owned(), problem: "refused".to_owned() };
    store.trouble("last", 3, Wrong::Refused(away));
    store.trouble("tools", 2, refuses(Refusal::Loading));
    store.trouble("get", 4, refuses(Refusal::Busy));
    let waits =
        tokio::spawn(
            async move { engine.wait(&Viewer::Operator, &task, |task| task.status.is_final()).await },
        );
    store.called("get", 5).await;
    let asked = setup.engine.list(&Viewer::Operator, mcptask::store::TaskFilter::default(), None, 1).await;
    setup.answer(asked.expect("lists").tasks[0].id(), 1, "in time").await;
    let ended = within("the wait", waits).await.expect("no panic").expect("waits");
    assert_eq!(text(&ended), "in time");
    worker.drain().await;
}

async fn a_wait_without_the_rights_says_so_at_once(setup: Setup) {
    let (engine, store) = process(&setup).await;
    store.trouble("last", usize::MAX, refuses(Refusal::NotPermitted));
    let task = TaskId::generate();
    let waits = engine.wait(&Viewer::Operator, &task, |_| true);
    let error = within("the wait", waits).await.expect_err("has not the rights");
    let EngineError::Store(error) = error else { panic!("{error}") };
    assert_eq!(error.refusal(), Some(Refusal::NotPermitted));
}

async fn a_wait_for_a_task_that_is_gone_ends(setup: Setup) {
    let gone = TaskId::generate();
    let waits = setup.engine.wait(&Viewer::Operator, &gone, |_| false);
    let error = within("the wait", waits).await.expect_err("is gone");
    assert!(matches!(error, EngineError::Store(StoreError::NoTask(task)) if task == gone));
}

async fn one_item_that_fails_leaves_the_next_its_turn(setup: Setup) {
    setup.clock.cancel();
    let short = crate::setup::tool("short", |task| async move {
        let limit = Some(Duration::from_millis(20));
        let answers = task.ask_within(vec![crate::setup::question("quick!")], limit).await?;
        Ok(mcptask::task::Outcome::text(answers[0].action.to_string()))
    });
    let worker = setup.worker("w1", 4, vec![short]).await;
    let tasks = [setup.submit("short").await, setup.submit("short").await, setup.submit("short").await];
    for task in &tasks {
        setup.asked(task, 1).await;
    }
    let store = Troubled::new(setup.bench.store().await);
    let engine = Engine::new(store.clone(), Limits::default(), CancellationToken::new());
    // The one whose turn comes first.
    let [damaged, others @ ..] = &tasks;
    store.damage(damaged);
    let stop = CancellationToken::new();
    keep_time(&engine, &stop);
    for task in others {
        assert_eq!(text(&setup.ended(task).await), "cancel");
    }
    store.recover();
    assert_eq!(text(&setup.ended(damaged).await), "cancel", "it gets its turn again and again");
    stop.cancel();
    worker.drain().await;
}

async fn a_time_keeper_that_settles_nothing_pauses(setup: Setup) {
    setup.clock.cancel();
    let short = crate::setup::tool("short", |task| async move {
        let limit = Some(Duration::from_millis(1));
        task.ask_within(vec![crate::setup::question("quick!")], limit).await?;
        Ok(mcptask::task::Outcome::text("answered"))
    });
    let worker = setup.worker("w1", 1, vec![short]).await;
    let task = setup.submit("short").await;
    setup.asked(&task, 1).await;
    let store = Troubled::new(setup.bench.store().await);
    let engine = Engine::new(store.clone(), Limits::default(), CancellationToken::new());
    store.trouble("answer", usize::MAX, Wrong::Refused(StoreError::NoTask(task.clone())));
    let stop = CancellationToken::new();
    keep_time(&engine, &stop);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let looks = store.calls("due");
    assert!((2..20).contains(&looks), "{looks} looks in 2 s at something that cannot be settled");
    store.recover();
    let ended = setup.ended(&task).await;
    assert_eq!(ended.questions[0].answer.as_ref().map(|answer| answer.by), Some(Answerer::Timeout));
    stop.cancel();
    worker.drain().await;
}

async fn what_cannot_be_read_is_shown_to_operators_only(setup: Setup) {
    let (engine, store) = process(&setup).await;
    let task = TaskId::generate();
    let unreadable = StoreError::Unreadable { task: task.clone(), problem: "no JSON".to_owned() };
    store.trouble("get", usize::MAX, Wrong::Refused(unreadable));
    let client = Viewer::Client { scope: Scope::named("somebody"), session: None };
    let told = |error: EngineError| error.to_string();
    assert_eq!(
        engine.get(&Viewer::Operator, &task).await.map_err(told),
        Err(format!("task {task} cannot be read: no JSON"))
    );
    assert_eq!(engine.get(&client, &task).await.map_err(told), Err(format!("there is no task {task}")));
    assert_eq!(
        engine.get_patiently(&client, &task).await.map_err(told),
        Err(format!("there is no task {task}"))
    );
    store.trouble("cancel", 1, Wrong::Refused(StoreError::TooManyTasks { limit: 0 }));
    let cancelled = engine.cancel(&Viewer::Operator, &task, "it is damaged").await;
    assert!(matches!(cancelled, Err(EngineError::Store(StoreError::TooManyTasks { .. }))), "asks the store");
    assert_eq!(
        engine.cancel(&client, &task, "not mine").await.map_err(told),
        Err(format!("there is no task {task}"))
    );
}

async fn arguments_that_are_too_deep_are_named(setup: Setup) {
    let worker = setup.worker("w1", 1, vec![asks("ask", 0)]).await;
    let nested = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!([inner]));
    let submission = |levels| Submission {
        tool: "ask".to_owned(),
        arguments: Map::from_iter([("deep".to_owned(), nested(levels))]),
        scope: Scope::anonymous(),
        session: None,
        hidden: false,
        ttl_ms: None,
    };
    let error = setup.engine.submit(submission(92)).await.expect_err("is too deep");
    let EngineError::Arguments { tool, violations } = error else { panic!("{error}") };
    assert_eq!(tool, "ask");
    assert!(violations[0].to_string().contains("are nested 93 levels deep, more than 92"), "{violations:?}");
    let fits = setup.engine.submit(submission(91)).await.expect("fits");
    setup.ended(fits.id()).await;
    let read = setup.engine.get(&Viewer::Operator, fits.id()).await.expect("can be read");
    assert_eq!(Value::Object(read.new.arguments), json!({ "deep": nested(91) }));
    worker.drain().await;
}
