//! Who holds which task, when what the worker knows and what the store knows are not the same.

use std::time::Duration;

use mcptask::engine::{Engine, Limits, Viewer};
use mcptask::store::{ClaimKey, Refusal, Requeue};
use mcptask::task::{Outcome, TaskStatus, ToolSpec};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::setup::{Counter, LEASE, Setup, endless, keep_time, run_worker, text, tool};
use crate::support::bench::Bench;
use crate::support::{within, worker};
use crate::troubled::{Troubled, Wrong, refuses};

on_both_engines!(
    a_claim_that_the_worker_does_not_know_is_given_back_uncounted,
    a_run_whose_claim_the_store_does_not_know_ends,
    a_worker_whose_lease_ended_enlists_again_before_it_claims,
    a_process_does_not_take_tasks_from_its_own_living_worker,
    a_worker_taken_off_the_list_keeps_what_it_runs,
    an_ended_lease_is_judged_at_a_second_look,
    no_lease_is_judged_while_writes_are_refused,
);

fn quick(name: &str) -> crate::setup::Closure {
    tool(name, |_| async { Ok(Outcome::text("done")) })
}

/// As after a store that came back older: it has a claim of this worker's that nobody runs.
async fn a_claim_that_the_worker_does_not_know_is_given_back_uncounted(setup: Setup) {
    let running = setup.worker("w1", 1, vec![quick("work")]).await;
    let (store, stop, tools) = (setup.bench.store().await, CancellationToken::new(), ["other".to_owned()]);
    let other = ToolSpec::new("other", "Of a worker that is away.", json!({ "type": "object" }));
    store.enlist(&worker("w2"), None, &[other], LEASE).await.expect("enlists");
    let task = setup.submit("other").await;
    let claimed = within("the claim", store.claim(&worker("w1"), &tools, 1, &stop)).await.expect("claims");
    assert_eq!(claimed[0].id(), &task);
    let returned = setup.reached(&task, |task| task.attempt == 1 && task.worker.is_none()).await;
    assert_eq!(returned.last_failure, None, "it was given back uncounted");
    let again = within("the claim", store.claim(&worker("w2"), &tools, 1, &stop)).await.expect("claims");
    assert_eq!(again[0].id(), &task, "others can have it");
    running.drain().await;
}

/// The events that tell of it are not told: the comparison at a renewal finds it.
async fn a_run_whose_claim_the_store_does_not_know_ends(setup: Setup) {
    let (endless, started, ended) = endless("work");
    let running = setup.worker("w1", 1, vec![endless]).await;
    let task = setup.submit("work").await;
    within("the start", started.notified()).await;
    if let Bench::Redis(server) = &setup.bench {
        server.ask::<()>(&["FLUSHALL"]).expect("flushes");
    } else {
        let claim = ClaimKey { task, attempt: 1 };
        let gone = Requeue { delay: Some(Duration::from_secs(60)), ..Requeue::returned("gone".to_owned()) };
        setup.engine.store().requeue(&claim, &gone).await.expect("requeues");
    }
    within("the end of the run", ended.notified()).await;
    running.drain().await;
}

async fn a_worker_whose_lease_ended_enlists_again_before_it_claims(setup: Setup) {
    let (running, store) = setup.troubled_worker("w1", 1, vec![quick("work")]).await;
    let before = setup.submit("work").await;
    setup.ended(&before).await;
    // Nobody renews, as if the process had slept.
    store.trouble("renew", usize::MAX, refuses(Refusal::Busy));
    store.called("renew", 1).await;
    setup.engine.store().dismiss(&worker("w1")).await.expect("its lease ends");
    store.recover();
    for _ in 0..10 {
        let task = setup.submit("work").await;
        let ended = setup.ended(&task).await;
        assert_eq!((ended.status, ended.attempt), (TaskStatus::Completed, 1), "{ended:?}");
    }
    running.drain().await;
}

/// The only process of a store is paused beyond its lease: when it goes on, its own time keeper finds its claims due.
async fn a_process_does_not_take_tasks_from_its_own_living_worker(setup: Setup) {
    setup.clock.cancel();
    let store = Troubled::new(setup.bench.store().await);
    let engine = Engine::new(store.clone(), Limits::default(), CancellationToken::new());
    let (endless, started, _) = endless("work");
    let running = run_worker(engine.clone(), "w1", 1, vec![endless]).await;
    let task = setup.submit("work").await;
    within("the start", started.notified()).await;
    store.trouble("renew", usize::MAX, refuses(Refusal::Busy));
    let stop = CancellationToken::new();
    keep_time(&engine, &stop);
    // The lease is over for long, and the time keeper looked several times.
    tokio::time::sleep(LEASE + Duration::from_millis(2500)).await;
    assert!(store.calls("due") > 1, "the time keeper looked");
    let now = engine.get(&Viewer::Operator, &task).await.expect("gets");
    assert_eq!((now.attempt, now.worker), (1, Some(worker("w1"))), "it still holds its task");
    assert_eq!(store.calls("requeue"), 0, "nobody took it");
    store.recover();
    stop.cancel();
    running.drain().await;
}

/// As after an eviction of the worker's lease: it is back at the next renewal, and nothing is run twice.
async fn a_worker_taken_off_the_list_keeps_what_it_runs(setup: Setup) {
    let runs = Counter::default();
    let counted = runs.clone();
    let slow = tool("slow", move |_| {
        counted.next();
        async {
            tokio::time::sleep(3 * LEASE).await;
            Ok(Outcome::text("done"))
        }
    });
    let (running, store) = setup.troubled_worker("w1", 1, vec![slow]).await;
    let task = setup.submit("slow").await;
    setup.reached(&task, |task| task.attempt == 1).await;
    setup.engine.store().dismiss(&worker("w1")).await.expect("is taken off the list");
    store.called("enlist", 2).await;
    let ended = setup.ended(&task).await;
    assert_eq!((text(&ended), ended.attempt, runs.count()), ("done".to_owned(), 1, 1));
    running.drain().await;
}

/// Processes that were paused together wake together: whoever looks first gives the others time to renew.
async fn an_ended_lease_is_judged_at_a_second_look(setup: Setup) {
    setup.clock.cancel();
    let (endless, started, _) = endless("work");
    let (running, store) = setup.troubled_worker("w1", 1, vec![endless]).await;
    let task = setup.submit("work").await;
    within("the start", started.notified()).await;
    store.trouble("renew", usize::MAX, refuses(Refusal::Busy));
    tokio::time::sleep(2 * LEASE).await;
    let other = Troubled::new(setup.bench.store().await);
    let engine = Engine::new(other.clone(), Limits::default(), CancellationToken::new());
    let stop = CancellationToken::new();
    keep_time(&engine, &stop);
    other.called("due", 1).await;
    // The lease has ended, and now the worker is awake too.
    store.recover();
    other.called("due", 2).await;
    tokio::time::sleep(Duration::from_millis(1200)).await;
    let now = engine.get(&Viewer::Operator, &task).await.expect("gets");
    assert_eq!((now.attempt, now.worker), (1, Some(worker("w1"))), "it still holds its task");
    // A worker that does not come back is found out all the same.
    store.trouble("renew", usize::MAX, Wrong::Refused(mcptask::store::StoreError::NoTask(task.clone())));
    let id = task.clone();
    let taken = engine.wait(&Viewer::Operator, &id, |task| task.worker.is_none());
    within("the task to be given to others", taken).await.expect("waits");
    store.recover();
    stop.cancel();
    running.drain().await;
}

/// A store that refuses writes for longer than a lease lasts, and is read all the while: its workers renew first.
async fn no_lease_is_judged_while_writes_are_refused(setup: Setup) {
    setup.clock.cancel();
    let (endless, started, _) = endless("work");
    let (running, store) = setup.troubled_worker("w1", 1, vec![endless]).await;
    let task = setup.submit("work").await;
    within("the start", started.notified()).await;
    store.trouble("renew", usize::MAX, refuses(Refusal::MemoryFull));
    tokio::time::sleep(2 * LEASE).await;
    let other = Troubled::new(setup.bench.store().await);
    other.trouble("touch", usize::MAX, refuses(Refusal::MemoryFull));
    let engine = Engine::new(other.clone(), Limits::default(), CancellationToken::new());
    let stop = CancellationToken::new();
    keep_time(&engine, &stop);
    other.called("touch", 2).await;
    // Longer than a second look takes.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let holds = async || {
        let now = engine.get(&Viewer::Operator, &task).await.expect("gets");
        assert_eq!((now.attempt, now.worker), (1, Some(worker("w1"))), "it still holds its task");
    };
    holds().await;
    // From now on both are taken, and who comes first is chance.
    other.recover();
    let before = other.calls("touch");
    other.called("touch", before + 1).await;
    store.recover();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    holds().await;
    stop.cancel();
    running.drain().await;
}
