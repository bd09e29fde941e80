//! Running tools: claim, run, wait without a slot, finish.
//!
//! A worker holds a bounded number of *running* tasks. A task that waits for a person gives its slot back
//! until the answer comes, so ten unanswered questions never stop a worker (`context`).

pub mod builtin;
mod clock;
pub mod command;
mod context;
mod held;
mod lease;
mod misbehaviour;
mod reload;
mod roster;
mod run;
pub mod script;
mod settings;
mod tool;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use context::TaskContext;
pub use reload::ToolsHandle;
pub use settings::{Backoff, Configured, RunSettings};
pub use tool::{Interrupted, Tool, ToolOutcome};

use crate::engine::{Engine, EngineResult};
use crate::store::{ClaimKey, Requeue, StoreError, StoreResult};
use crate::task::{Fault, WorkerId};
use held::Held;
use roster::Roster;

/// How long a worker may be silent before others take its tasks over.
pub const LEASE: Duration = Duration::from_secs(15);

/// How long a stopping worker lets running tasks finish. A container is killed 10 s after it was told to stop, unless its
/// operator says otherwise, and what is left then has to be given back too.
const DRAIN: Duration = Duration::from_secs(6);

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
    /// How every tool misbehaves, for tests of MCP clients.
    pub faults: Vec<Fault>,
    /// Where the tools come from, such as a file of one machine. What an earlier worker of the same source
    /// offered and this one does not is withdrawn; nothing is without a source.
    pub source: Option<String>,
}

impl WorkerConfig {
    /// A worker of these tools with the usual lease and drain.
    pub fn new(id: WorkerId, tools: Tools, concurrency: usize) -> Self {
        Self {
            id,
            tools,
            concurrency: concurrency.max(1),
            lease: LEASE,
            drain: DRAIN,
            faults: Vec::new(),
            source: None,
        }
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
    roster: Roster,
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
        let roster = Roster::new(&config.tools, config.concurrency, &config.faults);
        let specs = roster.specs();
        engine.store().enlist(&config.id, &specs, config.lease).await?;
        reload::withdraw(&engine, &config, Vec::new(), &specs).await?;
        Ok(Self { shared: Arc::new(Shared { engine, config, roster, held: Held::default() }) })
    }

    /// A handle that swaps the worker's tools while it runs.
    pub fn tools(&self) -> ToolsHandle {
        ToolsHandle::new(self.shared.clone())
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
        if let Ok(hub) = shared.engine.hub().await {
            hub.wake_all();
        }
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

async fn claim_until(shared: &Arc<Shared>, tracker: &TaskTracker, stop: &CancellationToken) {
    let mut reply_lost = false;
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => return,
            () = shared.roster.any_free() => {}
        }
        if reply_lost {
            reply_lost = take_up_again(shared).await.is_err();
        }
        let turn = shared.roster.turn(stop);
        if turn.tools.is_empty() {
            turn.until.cancelled().await;
            continue;
        }
        match shared.engine.store().claim(&shared.config.id, &turn.tools, turn.most, &turn.until).await {
            Ok(tasks) => {
                for task in tasks {
                    // Held from here on, so that nothing takes it for a task that nobody knows of.
                    let held = shared.held.hold(&ClaimKey { task: task.id().clone(), attempt: task.attempt });
                    let entry = shared.roster.find(&task.new.tool);
                    let slot = entry.as_deref().and_then(|entry| shared.roster.take_now(entry));
                    tracker.spawn(run::run_one(shared.clone(), Box::new(task), held, (entry, slot)));
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

/// After a claim that failed: the lease may have ended while the store was away, and what is claimed under an
/// ended lease is given to others at once.
async fn take_up_again(shared: &Shared) -> StoreResult<()> {
    lease::renew_once(shared).await?;
    give_back_unknown(shared).await
}

/// The store may have recorded the claim that failed, and only its reply was lost. Those tasks would
/// wait for as long as this worker lives.
async fn give_back_unknown(shared: &Shared) -> StoreResult<()> {
    let store = shared.engine.store();
    let reason = "the claim's reply was lost";
    for claim in store.claims(&shared.config.id).await? {
        if !shared.held.holds(&claim) {
            let requeue = Requeue::returned(reason.to_owned());
            if let Err(error @ StoreError::Unreachable { .. }) = store.requeue(&claim, &requeue).await {
                return Err(error);
            }
            tracing::info!(task = %claim.task, reason, "gave a task back");
        }
    }
    Ok(())
}
