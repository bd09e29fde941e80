//! Running tools: claim, run, wait without a slot, finish.
//!
//! A worker holds a bounded number of *running* tasks. A task that waits for a person gives its slot back
//! until the answer comes, so ten unanswered questions never stop a worker (`context`).

mod arriving;
pub mod builtin;
mod claiming;
mod claims;
mod clock;
pub mod command;
mod context;
mod faulty;
mod lease;
mod listening;
mod record;
mod reload;
mod roster;
mod run;
pub mod script;
mod settings;
mod tool;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use context::TaskContext;
pub use reload::ToolsHandle;
pub use settings::{Backoff, Configured, RunSettings};
pub use tool::{Interrupted, Tool, ToolOutcome};

use crate::engine::{Engine, EngineResult, Hub, Living, Retry};
use crate::store::WorkerDetails;
use crate::task::{Fault, WorkerId};
use arriving::Arrivals;
use claims::Claims;
use roster::Roster;

/// How long a worker may be silent before others take its tasks over.
pub const LEASE: Duration = Duration::from_secs(15);

/// How long a stopping worker lets running tasks finish. A container is killed 10 s after it was told to stop, unless its
/// operator says otherwise, and what is left then has to be given back too.
const DRAIN: Duration = Duration::from_secs(6);

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
    /// The machine that it runs on, for people who look for it.
    pub host: Option<String>,
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
            host: None,
            faults: Vec::new(),
            source: None,
        }
    }

    /// What the worker says of itself.
    fn details(&self) -> WorkerDetails {
        WorkerDetails {
            host: self.host.clone(),
            process: Some(std::process::id()),
            slots: Some(u32::try_from(self.concurrency).unwrap_or(u32::MAX)),
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
    living: Living,
}

/// What all running tasks of one worker share.
struct Shared {
    engine: Engine,
    config: WorkerConfig,
    roster: Roster,
    claims: Claims,
    /// Tells the keeper of the lease that some claim may be lost.
    doubt: Notify,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Worker {
    /// Announces the worker's tools. When this returns, they can be submitted.
    pub async fn enlist(engine: Engine, config: WorkerConfig) -> EngineResult<Self> {
        let living = engine.living(&config.id);
        let roster = Roster::new(&faulty::wrapped(&config.tools, &config.faults), config.concurrency);
        let specs = roster.specs();
        engine.store().enlist(&config.id, Some(&config.details()), &specs, config.lease).await?;
        reload::withdraw(&engine, &config, Vec::new(), &specs).await?;
        let (claims, doubt) = (Claims::default(), Notify::new());
        Ok(Self { shared: Arc::new(Shared { engine, config, roster, claims, doubt }), living })
    }

    /// A handle that swaps the worker's tools while it runs.
    pub fn tools(&self) -> ToolsHandle {
        ToolsHandle::new(self.shared.clone())
    }

    /// Claims and runs tasks until `stop`, then drains: tasks that wait for a person are given back at once,
    /// running ones when the configured time is over.
    pub async fn run(self, stop: CancellationToken) {
        let Self { shared, living } = self;
        // Renewing and listening go on while draining, or others would take over what is being finished.
        let drained = CancellationToken::new();
        let background = TaskTracker::new();
        background.spawn(lease::keep(shared.clone(), living, drained.clone()));
        if let Some(hub) = hub(&shared.engine, &stop).await {
            background.spawn(listening::listen(shared.clone(), hub.subscribe(), drained.clone()));
            let tracker = TaskTracker::new();
            let arrivals = Arrivals::of(&shared, &tracker, &stop);
            shared.engine.begins(&arrivals);
            claiming::claim_until(&shared, &tracker, &stop).await;
            drop(arrivals);
            drain(&shared, hub, &tracker).await;
        }
        drained.cancel();
        background.close();
        background.wait().await;
        leave(&shared).await;
    }
}

/// This process's tail of the log. A worker that cannot hear of cancelled tasks claims none.
async fn hub<'a>(engine: &'a Engine, stop: &CancellationToken) -> Option<&'a Hub> {
    let begun = Retry::new("reading the event log").run(stop, || engine.hub()).await;
    begun.inspect_err(|error| tracing::error!(%error, "cannot read the event log, so no task is run")).ok()
}

/// Lets running tasks finish, and ends those that do not in time.
async fn drain(shared: &Shared, hub: &Hub, tracker: &TaskTracker) {
    tracker.close();
    shared.claims.park_waiting();
    hub.wake_all();
    if tokio::time::timeout(shared.config.drain, tracker.wait()).await.is_err() {
        shared.claims.give_back_all();
        tracker.wait().await;
    }
}

/// Leaves the list of workers. What the store still thinks is held here would count as a failure of its task.
async fn leave(shared: &Shared) {
    let left = async {
        lease::give_back_unknown(shared).await?;
        shared.engine.store().dismiss(&shared.config.id).await
    };
    if let Err(error) = left.await {
        tracing::warn!(%error, "could not leave the list of workers; the lease will end by itself");
    }
}
