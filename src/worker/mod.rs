//! Running tools: claim, run, wait without a slot, finish.
//!
//! A worker holds a bounded number of *running* tasks. A task that waits for a person gives its slot back
//! until the answer comes, so ten unanswered questions never stop a worker ([`context`]).

pub mod builtin;
mod context;
mod held;
mod lease;
mod patience;
mod tool;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use context::TaskContext;
pub use tool::{Interrupted, Tool, ToolOutcome};

use crate::engine::{Engine, EngineResult};
use crate::store::{ClaimKey, Requeue, StoreError, StoreResult};
use crate::task::{Outcome, Task, ToolSpec, WorkerId};
use held::{Held, Hold, Signals};
use patience::patiently;

/// How long a worker may be silent before others take its tasks over.
pub const LEASE: Duration = Duration::from_secs(15);

/// The pause after a claim that failed: the store is unreachable and says so by itself.
const AFTER_FAILURE: Duration = Duration::from_millis(500);

/// The tools that a worker runs, by name.
pub type Tools = BTreeMap<String, Arc<dyn Tool>>;

/// What a worker needs to know.
#[derive(Clone)]
pub struct WorkerConfig {
    /// Who it is.
    pub id: WorkerId,
    /// What it runs.
    pub tools: Tools,
    /// How many tasks it runs at once, at least 1; waiting ones do not count.
    pub concurrency: usize,
    /// How long it may be silent before others take over.
    pub lease: Duration,
    /// How long a stopping worker lets running tasks finish before it gives them back.
    pub drain: Duration,
}

impl WorkerConfig {
    /// A worker of these tools with the usual lease.
    pub fn new(id: WorkerId, tools: Tools, concurrency: usize) -> Self {
        Self { id, tools, concurrency: concurrency.max(1), lease: LEASE, drain: Duration::from_secs(10) }
    }
}

impl std::fmt::Debug for WorkerConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WorkerConfig")
            .field("id", &self.id)
            .field("tools", &self.tools.keys())
            .field("concurrency", &self.concurrency)
            .finish_non_exhaustive()
    }
}

/// A worker whose tools are known to every process from now on.
#[derive(Debug)]
pub struct Worker {
    shared: Arc<Shared>,
}

/// What all running tasks of one worker share.
struct Shared {
    engine: Engine,
    config: WorkerConfig,
    slots: Arc<Semaphore>,
    held: Held,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Worker {
    /// Announces the worker's tools. When this returns, they can be submitted.
    pub async fn enlist(engine: Engine, config: WorkerConfig) -> EngineResult<Self> {
        engine.store().enlist(&config.id, &specs(&config.tools), config.lease).await?;
        let slots = Arc::new(Semaphore::new(config.concurrency));
        Ok(Self { shared: Arc::new(Shared { engine, config, slots, held: Held::default() }) })
    }

    /// Claims and runs tasks until `stop`, then drains: tasks that wait for a person are given back at once,
    /// running ones when the configured time is over.
    pub async fn run(self, stop: CancellationToken) {
        let shared = self.shared;
        // Renewing and watching go on while draining, or others would take over what is being finished.
        let drained = CancellationToken::new();
        let tracker = TaskTracker::new();
        let background = TaskTracker::new();
        background.spawn(lease::renew(shared.clone(), drained.clone()));
        background.spawn(held::watch(shared.clone(), drained.clone()));
        claim_until(&shared, &tracker, &stop).await;
        tracker.close();
        shared.held.park_waiting();
        if tokio::time::timeout(shared.config.drain, tracker.wait()).await.is_err() {
            shared.held.give_back_all();
            tracker.wait().await;
        }
        drained.cancel();
        background.close();
        background.wait().await;
        if let Err(error) = shared.engine.store().dismiss(&shared.config.id).await {
            tracing::warn!(%error, "could not leave the list of workers; the lease will end by itself");
        }
    }
}

fn specs(tools: &Tools) -> Vec<ToolSpec> {
    tools.values().map(|tool| tool.spec().clone()).collect()
}

async fn claim_until(shared: &Arc<Shared>, tracker: &TaskTracker, stop: &CancellationToken) {
    let names: Vec<String> = shared.config.tools.keys().cloned().collect();
    let mut reply_lost = false;
    while !stop.is_cancelled() {
        // Wait for a free slot without keeping it: a task whose answer came must be able to take it while
        // the claim below waits for new work.
        tokio::select! {
            () = stop.cancelled() => return,
            permit = shared.slots.acquire() => drop(permit),
        }
        let free = shared.slots.available_permits().max(1);
        if reply_lost {
            reply_lost = give_back_unknown(shared).await.is_err();
        }
        match shared.engine.store().claim(&shared.config.id, &names, free, stop).await {
            Ok(tasks) => {
                for task in tasks {
                    // Held from here on, so that nothing takes it for a task that nobody knows of.
                    let held = shared.held.hold(&ClaimKey { task: task.id().clone(), attempt: task.attempt });
                    tracker.spawn(run_one(shared.clone(), task, held));
                }
            }
            Err(error) => {
                tracing::warn!(%error, "cannot claim tasks; trying again");
                reply_lost = true;
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(AFTER_FAILURE) => {}
                }
            }
        }
    }
}

/// After a claim that failed: the store may have recorded it and only the reply was lost. Those tasks would
/// wait for as long as this worker lives.
async fn give_back_unknown(shared: &Shared) -> StoreResult<()> {
    let store = shared.engine.store();
    let reason = "the claim's reply was lost";
    for claim in store.claims(&shared.config.id).await? {
        if !shared.held.holds(&claim) {
            let requeue = Requeue { reason: reason.to_owned(), counts: false };
            if let Err(error @ StoreError::Unreachable { .. }) = store.requeue(&claim, &requeue).await {
                return Err(error);
            }
            tracing::info!(task = %claim.task, reason, "gave a task back");
        }
    }
    Ok(())
}

/// Runs one claimed task to its outcome, or until it is taken away.
async fn run_one(shared: Arc<Shared>, task: Task, held: Hold) {
    let claim = ClaimKey { task: task.id().clone(), attempt: task.attempt };
    let signals = held.signals();
    let Some(tool) = shared.config.tools.get(&task.new.tool).cloned() else {
        let reason = format!("worker {} does not run {:?}", shared.config.id, task.new.tool);
        return settle(&shared, &claim, &signals, Err(Interrupted::Retry(reason))).await;
    };
    let Ok(slot) = shared.slots.clone().acquire_owned().await else { return };
    let context = TaskContext::new(shared.clone(), task, claim.clone(), signals.clone(), slot);
    // A panic in a tool is that task's failure, never the worker's.
    let running = tokio::spawn(async move { tool.run(context).await });
    let abort = running.abort_handle();
    let outcome = tokio::select! {
        joined = running => joined.unwrap_or_else(|error| {
            Err(Interrupted::Retry(format!("the tool panicked: {error}")))
        }),
        () = signals.taken.cancelled() => {
            abort.abort();
            Err(Interrupted::Taken)
        }
        () = signals.given_back.cancelled() => {
            abort.abort();
            Err(Interrupted::GivenBack)
        }
    };
    settle(&shared, &claim, &signals, outcome).await;
}

async fn settle(shared: &Shared, claim: &ClaimKey, signals: &Signals, outcome: ToolOutcome) {
    let end = match outcome {
        Ok(outcome) => Ok(outcome),
        Err(Interrupted::Failed(error)) => Ok(Outcome::Error(error)),
        Err(Interrupted::Refused(error)) => Ok(Outcome::tool_error(error.to_string())),
        Err(Interrupted::Retry(reason)) => Err(Requeue { reason, counts: true }),
        Err(Interrupted::GivenBack) => {
            Err(Requeue { reason: format!("worker {} is stopping", shared.config.id), counts: false })
        }
        Err(Interrupted::Taken) => return,
    };
    let store = shared.engine.store();
    let done = patiently(&signals.given_back, || async {
        match &end {
            Ok(outcome) => store.finish(claim, outcome).await,
            Err(requeue) => store.requeue(claim, requeue).await,
        }
    })
    .await;
    match done {
        Ok(()) | Err(StoreError::ClaimLost { .. } | StoreError::NoTask(_)) => {}
        // The lease will end, and another worker will run the task again from its journal.
        Err(error) => tracing::error!(task = %claim.task, %error, "could not record how a task ended"),
    }
}
