//! Who works, in every place that tells: the workers, and what each of them runs.

use std::collections::BTreeMap;

use futures::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};

use super::failure::Failure;
use super::failure::store::is_outage;
use super::place::{FASTMCP, Place, STORE};
use super::places::Places;
use super::suggest::{Advice, Suggested};
use crate::engine::{Engine, EngineError, Viewer};
use crate::fastmcp::{DeployedTask, DeployedWorker, Deployment};
use crate::store::{StoreError, Unreadable, WorkerInfo};
use crate::task::{Task, TaskId, TaskStatus};

/// How many tasks are looked at: a worker may hold 100,000 that wait for people.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Looked {
    /// Of all workers together, where there are not too many of these.
    pub(crate) at: usize,
    /// Of one worker, however many workers there are.
    pub(crate) least: usize,
}

/// As many as somebody asks for.
const ALL: Looked = Looked { at: 2000, least: 20 };

/// How many tasks are read at once.
const AT_ONCE: usize = 32;

/// A worker, wherever it is.
#[derive(Debug, Default)]
pub(crate) struct Worker {
    /// Its place.
    pub(crate) source: &'static str,
    /// Its id or name.
    pub(crate) name: String,
    /// The docket, in a FastMCP deployment.
    pub(crate) docket: Option<String>,
    /// Whether its lease has not ended, or it has shown itself lately.
    pub(crate) is_alive: bool,
    /// Its last sign of life, or the end of its lease.
    pub(crate) seen: Option<Timestamp>,
    /// The machine that it runs on, where it says so; likewise what follows.
    pub(crate) host: Option<String>,
    /// Its process there.
    pub(crate) process: Option<u32>,
    /// When it was enlisted.
    pub(crate) since: Option<Timestamp>,
    /// How many tasks it runs at once; those that wait for a person do not count in our own store.
    pub(crate) slots: Option<u32>,
    /// The names of the tools that it runs.
    pub(crate) tools: Vec<String>,
    /// How many tasks it holds.
    pub(crate) tasks: u64,
    /// What it holds: what runs first, then what waits for a person; no more than are looked at.
    pub(crate) runs: Vec<Run>,
    /// How many of its tasks cannot be read, as far as they were looked at: nobody runs those.
    pub(crate) unreadable: u64,
}

/// A task that a worker holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Run {
    /// The task's whole id.
    pub(crate) task: String,
    /// What it runs.
    pub(crate) tool: String,
    /// Whether it waits for a person.
    pub(crate) waits: bool,
    /// When this worker took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) since: Option<Timestamp>,
    /// Since when it has been waiting for an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) waiting_since: Option<Timestamp>,
}

/// The workers, and those that cannot be read.
#[derive(Default)]
pub(crate) struct Workers {
    /// The good ones, those of our own store first.
    pub(crate) workers: Vec<Worker>,
    /// The bad ones.
    pub(crate) unreadable: Vec<Unreadable>,
}

impl Worker {
    /// All of it.
    pub(crate) fn object(&self) -> Value {
        let mut object = json!({
            "source": self.source, "worker": self.name, "alive": self.is_alive,
            "seen_at": self.seen, "host": self.host, "process": self.process, "since": self.since,
            "slots": self.slots, "tools": self.tools, "tasks": self.tasks, "unreadable": self.unreadable, "runs": self.runs,
        });
        if self.source == STORE {
            // A time to come, at which nobody has seen it. The first name stays for who reads it.
            object["lease_ends_at"] = json!(self.seen);
        }
        if let Some(docket) = &self.docket {
            object["docket"] = json!(docket);
        }
        object
    }

    /// How many of its tasks wait for a person; those that were not looked at are taken for such.
    pub(crate) fn waiting(&self) -> u64 {
        self.tasks.saturating_sub(self.busy() as u64 + self.unreadable)
    }

    /// How many of its tasks wait for nobody, as far as they were looked at.
    pub(crate) fn busy(&self) -> usize {
        self.runs.iter().filter(|run| !run.waits).count()
    }

    fn of_store(info: WorkerInfo, now: Timestamp) -> Self {
        Self {
            source: STORE,
            is_alive: info.lease_ms > 0,
            seen: now.checked_add(SignedDuration::from_millis(info.lease_ms)).ok(),
            host: info.details.host,
            process: info.details.process,
            since: info.since,
            slots: info.details.slots,
            tools: info.tools,
            tasks: info.tasks,
            name: info.id.into(),
            ..Self::default()
        }
    }

    fn of_deployment(worker: DeployedWorker, runs: Vec<Run>) -> Self {
        let (host, process) = worker.process().map(|(host, process)| (host.to_owned(), process)).unzip();
        Self {
            source: FASTMCP,
            is_alive: worker.alive,
            seen: Some(worker.heartbeat),
            host,
            process,
            tasks: runs.len() as u64,
            runs,
            name: worker.name,
            docket: Some(worker.docket),
            tools: worker.tools,
            ..Self::default()
        }
    }
}

impl Run {
    fn of_store(task: &Task) -> Self {
        Self {
            task: task.id().to_string(),
            tool: task.new.tool.clone(),
            waits: task.status == TaskStatus::InputRequired,
            since: task.claimed_at,
            waiting_since: task.open_questions().map(|question| question.asked_at).min(),
        }
    }

    fn of_deployment(task: &DeployedTask) -> Self {
        let waited = task.waiting_ms.map(SignedDuration::from_millis);
        Self {
            task: task.id.clone(),
            tool: task.component.name.clone(),
            waits: task.status == TaskStatus::InputRequired,
            since: task.started_at,
            waiting_since: waited.and_then(|waited| Timestamp::now().checked_sub(waited).ok()),
        }
    }
}

impl Places {
    /// The workers of all places.
    pub(crate) async fn workers(&self) -> Result<Workers, Failure> {
        if self.all().iter().any(|place| matches!(place, Place::Server(_))) {
            return Err(not_shown());
        }
        self.known_workers(ALL).await
    }

    /// The same of those places that tell of their workers, with so many of their tasks.
    pub(crate) async fn known_workers(&self, looked: Looked) -> Result<Workers, Failure> {
        let mut found = Workers::default();
        for place in self.all() {
            let Workers { workers, unreadable } = place.known_workers(looked).await?;
            found.workers.extend(workers);
            found.unreadable.extend(unreadable);
        }
        Ok(found)
    }
}

impl Place {
    /// The workers that are known here.
    pub(super) async fn known_workers(&self, looked: Looked) -> Result<Workers, Failure> {
        let mut found = Workers::default();
        match self {
            Self::Store(engine) => own(engine, looked, &mut found).await?,
            Self::Fastmcp(deployment) => {
                found.workers.extend(deployed(deployment, &deployment.list().await?).await?);
            }
            Self::Server(_) => {}
        }
        Ok(found)
    }
}

fn not_shown() -> Failure {
    Failure::usage("a server does not show its workers").hint(Advice::at_its_store(
        "at its store, ",
        Suggested::new("workers"),
        "does",
    ))
}

/// The workers of our own store.
async fn own(engine: &Engine, looked: Looked, found: &mut Workers) -> Result<(), Failure> {
    let (known, now) = (engine.store().workers().await?, Timestamp::now());
    let most = (looked.at / known.rows.len().max(1)).max(looked.least);
    for info in known.rows {
        let id = info.id.clone();
        let mut worker = Worker::of_store(info, now);
        if worker.tasks > 0 {
            let mut held: Vec<TaskId> =
                engine.store().claims(&id).await?.into_iter().map(|claim| claim.task).collect();
            held.sort();
            held.truncate(most);
            let (of_this, unreadable) = runs(engine, held).await?;
            (worker.runs, worker.unreadable) = (in_order(of_this), unreadable);
        }
        found.workers.push(worker);
    }
    found.unreadable.extend(known.unreadable);
    Ok(())
}

/// Those of the tasks that can be read and have not ended meanwhile, and how many cannot be read.
async fn runs(engine: &Engine, held: Vec<TaskId>) -> Result<(Vec<Run>, u64), Failure> {
    let read = |id: TaskId| async move { engine.get(&Viewer::Operator, &id).await };
    let mut read = stream::iter(held).map(read).buffered(AT_ONCE);
    let (mut runs, mut unreadable) = (Vec::new(), 0);
    while let Some(task) = read.next().await {
        match task {
            Ok(task) if !task.status.is_final() => runs.push(Run::of_store(&task)),
            Err(EngineError::Store(error)) if is_outage(&error) => return Err(error.into()),
            Err(EngineError::Store(StoreError::Unreadable { .. })) => unreadable += 1,
            // It has ended or gone meanwhile.
            Ok(_) | Err(_) => {}
        }
    }
    Ok((runs, unreadable))
}

/// The workers of a deployment, with what they run of its tasks.
pub(super) async fn deployed(
    deployment: &Deployment,
    tasks: &[DeployedTask],
) -> Result<Vec<Worker>, Failure> {
    let mut runs: BTreeMap<&str, Vec<Run>> = BTreeMap::new();
    for task in tasks.iter().filter(|task| task.is_running()) {
        if let Some(worker) = &task.worker {
            runs.entry(&worker.name).or_default().push(Run::of_deployment(task));
        }
    }
    let with_runs = |worker: DeployedWorker| {
        let runs = runs.remove(worker.name.as_str()).unwrap_or_default();
        Worker::of_deployment(worker, in_order(runs))
    };
    Ok(deployment.deployed_workers().await?.into_iter().map(with_runs).collect())
}

/// What runs first, then what waits for a person.
fn in_order(mut runs: Vec<Run>) -> Vec<Run> {
    runs.sort_by_key(|run| (run.waits, run.since));
    runs
}
