//! Tasks that a worker's own process submits: an idle worker begins them in the step that stores them.

use std::sync::Arc;
use std::time::Duration;

use mcptask::engine::{Engine, Limits, Submission, Viewer};
use mcptask::store::TaskFilter;
use mcptask::task::{Outcome, Scope, Task, TaskStatus};
use serde_json::Map;
use tokio::sync::Semaphore;

use crate::setup::{Closure, Counter, Running, Setup, keep_time, run_worker, text, tool};
use crate::support::{within, words_of, worker};
use crate::troubled::{Troubled, Wrong};

on_both_engines! {
    an_idle_worker_begins_what_its_own_process_submits,
    who_has_no_slot_free_begins_it_later_and_once,
    a_tool_without_a_slot_of_its_own_is_begun_later,
    a_submission_whose_reply_is_lost_is_run_all_the_same,
    a_submission_that_nobody_waits_for_is_run_all_the_same,
    a_worker_that_stops_begins_nothing_more,
}

fn submission(tool: &str) -> Submission {
    Submission {
        tool: tool.to_owned(),
        arguments: Map::new(),
        scope: Scope::anonymous(),
        session: None,
        hidden: false,
        ttl_ms: None,
    }
}

/// A tool that is quick.
fn quick() -> Closure {
    tool("quick", async |_| Ok(Outcome::text("done")))
}

/// A tool that runs until it may end.
fn held(until: &Arc<Semaphore>, runs: &Counter) -> Closure {
    let (until, runs) = (until.clone(), runs.clone());
    tool("held", move |_| {
        let (until, runs) = (until.clone(), runs.clone());
        async move {
            runs.next();
            until.acquire().await.expect("is open").forget();
            Ok(Outcome::text("done"))
        }
    })
}

async fn ended(engine: &Engine, task: &Task) -> Task {
    let ended = engine.wait(&Viewer::Operator, task.id(), |task| task.status.is_final());
    within("the end", ended).await.expect("waits")
}

/// A worker on that engine that waits for tasks: it has begun one at once.
async fn idle_worker(engine: &Engine, slots: usize, mut tools: Vec<Closure>) -> Running {
    tools.push(quick());
    let running = run_worker(engine.clone(), "w1", slots, tools).await;
    let idle = async {
        while engine.submit(submission("quick")).await.expect("submits").worker.is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    within("an idle worker", idle).await;
    let none_left = async {
        while !engine.store().claims(&worker("w1")).await.expect("reads").is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    within("the end of these", none_left).await;
    running
}

async fn an_idle_worker_begins_what_its_own_process_submits(setup: Setup) {
    let _running = idle_worker(&setup.engine, 2, Vec::new()).await;
    for _ in 0..20 {
        let task = setup.engine.submit(submission("quick")).await.expect("submits");
        assert_eq!((task.attempt, &task.worker), (1, &Some(worker("w1"))));
        assert_eq!(text(&ended(&setup.engine, &task).await), "done");
        let words = words_of(&**setup.engine.store(), task.id()).await;
        assert_eq!(words, ["submitted", "claimed", "completed"]);
    }
    setup.stop.cancel();
}

async fn who_has_no_slot_free_begins_it_later_and_once(setup: Setup) {
    let (until, runs) = (Arc::new(Semaphore::new(0)), Counter::default());
    let _running = idle_worker(&setup.engine, 2, vec![held(&until, &runs)]).await;
    let mut tasks = Vec::new();
    for _ in 0..6 {
        tasks.push(setup.engine.submit(submission("held")).await.expect("submits"));
    }
    let begun: Vec<bool> = tasks.iter().map(|task| task.worker.is_some()).collect();
    assert_eq!(begun, [true, true, false, false, false, false]);
    for task in &tasks {
        until.add_permits(1);
        ended(&setup.engine, task).await;
    }
    for task in &tasks {
        let words = words_of(&**setup.engine.store(), task.id()).await;
        assert_eq!(words, ["submitted", "claimed", "completed"], "none was given back");
    }
    assert_eq!(runs.count(), 6);
    setup.stop.cancel();
}

async fn a_tool_without_a_slot_of_its_own_is_begun_later(setup: Setup) {
    let (until, runs) = (Arc::new(Semaphore::new(0)), Counter::default());
    let single = held(&until, &runs).at_most(1);
    let _running = idle_worker(&setup.engine, 4, vec![single]).await;
    let first = setup.engine.submit(submission("held")).await.expect("submits");
    let second = setup.engine.submit(submission("held")).await.expect("submits");
    assert_eq!((first.attempt, second.attempt), (1, 0));
    // What waits for the slot of its tool is nothing that this worker could begin.
    let other = setup.engine.submit(submission("quick")).await.expect("submits");
    assert_eq!(other.worker, Some(worker("w1")));
    until.add_permits(2);
    for task in [&first, &second, &other] {
        assert_eq!(ended(&setup.engine, task).await.attempt, 1);
    }
    assert_eq!(runs.count(), 2);
    setup.stop.cancel();
}

/// All tasks of a namespace that have not ended.
async fn unfinished(engine: &Engine) -> Vec<Task> {
    let filter = TaskFilter { hidden: true, ..TaskFilter::default() };
    let page = engine.list(&Viewer::Operator, filter, None, 100).await.expect("lists");
    page.tasks.into_iter().filter(|task| task.status != TaskStatus::Completed).collect()
}

/// Waits until every task has ended, of which there are so many.
async fn all_ended(engine: &Engine, runs: &Counter, count: usize) {
    let ended = async {
        while runs.count() < count || !unfinished(engine).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    within("the end of all", ended).await;
    assert_eq!(runs.count(), count);
}

async fn a_submission_whose_reply_is_lost_is_run_all_the_same(setup: Setup) {
    let store = Troubled::new(setup.bench.store().await);
    let engine = Engine::new(store.clone(), Limits::default(), setup.stop.clone());
    keep_time(&engine, &setup.stop);
    let (until, runs) = (Arc::new(Semaphore::new(100)), Counter::default());
    let _running = idle_worker(&engine, 2, vec![held(&until, &runs)]).await;
    store.trouble("submit", 1, Wrong::ReplyLost);
    engine.submit(submission("held")).await.expect_err("its reply is lost");
    all_ended(&engine, &runs, 1).await;
    setup.stop.cancel();
}

async fn a_submission_that_nobody_waits_for_is_run_all_the_same(setup: Setup) {
    let (until, runs) = (Arc::new(Semaphore::new(100)), Counter::default());
    let _running = idle_worker(&setup.engine, 2, vec![held(&until, &runs)]).await;
    let mut begun = Box::pin(setup.engine.submit(submission("held")));
    // Its first step; whoever submits leaves before the reply.
    let _ = futures::poll!(&mut begun);
    drop(begun);
    all_ended(&setup.engine, &runs, 1).await;
    setup.stop.cancel();
}

async fn a_worker_that_stops_begins_nothing_more(setup: Setup) {
    let (until, runs) = (Arc::new(Semaphore::new(0)), Counter::default());
    let running = idle_worker(&setup.engine, 2, vec![held(&until, &runs)]).await;
    running.stop.cancel();
    let task = setup.engine.submit(submission("held")).await.expect("submits");
    assert_eq!((task.attempt, &task.worker), (0, &None));
    running.drain().await;
    assert_eq!(runs.count(), 0);
    setup.stop.cancel();
}
