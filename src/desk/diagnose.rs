//! Why tasks are stuck, and what helps, in every place.

mod notifiers;
mod server;
mod store;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::failure::Failure;
use super::place::{FASTMCP, Found, Place, SERVER, STORE};
use super::places::Places;
use super::suggest::{Advice, Suggested};
use super::{page, text};
use crate::engine::{Engine, EngineError, Viewer};
use crate::fastmcp::{Cause, Deployment, Diagnosis};
use crate::store::{Refusal, StoreError, TaskFilter, Unreadable};
use crate::task::TaskStatus;
use store::Checkup;

/// Unfinished tasks that are looked at where none is named.
const MOST: usize = 200;

/// One cause.
pub(crate) struct Finding {
    /// The place.
    pub(crate) source: &'static str,
    /// The task; `None` where it concerns all of them.
    pub(crate) task: Option<String>,
    /// Its name.
    pub(crate) cause: &'static str,
    /// What is seen.
    pub(crate) evidence: String,
    /// What helps.
    pub(crate) help: Advice,
    /// Whether something is wrong; else a person is waited for, or it is only worth knowing.
    pub(crate) is_trouble: bool,
}

impl Finding {
    /// It as an object, with its help in words.
    pub(crate) fn object(&self, help: &str) -> Value {
        let Self { source, task, cause, evidence, is_trouble, .. } = self;
        json!({
            "source": source, "task": task, "cause": cause, "evidence": evidence, "help": help, "trouble": is_trouble,
        })
    }
}

impl Finding {
    /// The cause that a place which cannot be opened shows by that, where it is one that `doctor` knows.
    pub(crate) fn of_failure(failure: &Failure) -> Option<Self> {
        let refusal = failure.refusal().filter(|refusal| *refusal == Refusal::NotSynced)?;
        Some(Self {
            source: STORE,
            task: None,
            cause: "replica_not_synced",
            evidence: failure.to_string(),
            help: refusal.advice().into(),
            is_trouble: true,
        })
    }
}

impl Places {
    /// What is wrong with all unfinished tasks, and with the places themselves.
    pub(crate) async fn diagnose(&self) -> Result<Vec<Finding>, Failure> {
        let mut found = Vec::new();
        for place in self.all() {
            found.extend(place.diagnose().await?);
        }
        Ok(found)
    }
}

impl Place {
    /// What is wrong with its unfinished tasks, and with the place itself.
    pub(super) async fn diagnose(&self) -> Result<Vec<Finding>, Failure> {
        match self {
            Self::Store(engine) => of_store(engine).await,
            Self::Fastmcp(deployment) => {
                let mut found: Vec<Finding> = of_memory(deployment).await?.into_iter().collect();
                found.extend(deployment.diagnose(None).await?.into_iter().map(Finding::from));
                Ok(found)
            }
            Self::Server(server) => server::of_server(server).await,
        }
    }
}

impl Found {
    /// What is wrong with the task.
    pub(crate) async fn diagnose(&self) -> Result<Vec<Finding>, Failure> {
        match self {
            Self::Store(engine, id) => {
                let checkup = Checkup::begin(engine).await?;
                let refusing = store::of_refusal(engine).await?;
                match engine.get(&Viewer::Operator, id).await {
                    Err(EngineError::Store(StoreError::Unreadable { task, problem })) => {
                        Ok(vec![store::unreadable(&Unreadable { name: task.to_string(), problem })])
                    }
                    task => {
                        let found = without_false_causes(&refusing, checkup.of(&task?).await?);
                        Ok(refusing.into_iter().chain(found).collect())
                    }
                }
            }
            Self::Fastmcp(deployment, task) => {
                let mut found: Vec<Finding> = of_memory(deployment).await?.into_iter().collect();
                found.extend(deployment.diagnose(Some(&task.id)).await?.into_iter().map(Finding::from));
                if found.is_empty() && task.status.is_final() {
                    found.push(ended(FASTMCP, &task.id, task.status, task.error.as_deref()));
                }
                Ok(found)
            }
            Self::Server(_, task) if task.status.is_final() => {
                Ok(vec![ended(SERVER, &task.id, task.status, task.status_message.as_deref())])
            }
            Self::Server(server, task) => Ok(server::of_task(server, task)),
        }
    }

    /// Puts a FastMCP task back to waiting that FastMCP lost to its own status race; its whole id.
    pub(crate) async fn fix(&self) -> Result<String, Failure> {
        match self {
            Self::Fastmcp(deployment, task) => Ok(deployment.fix(&task.id).await?.id),
            Self::Store(..) => {
                Err(Failure::usage("--fix is for FastMCP's tasks; one of our own is never lost so"))
            }
            Self::Server(..) => Err(Failure::usage(
                "--fix is for FastMCP's tasks in their Redis; nothing can be mended through a server",
            )
            .hint("give --redis URL in place of --server")),
        }
    }
}

/// A deployment's Redis that is full: FastMCP then loses results without a word.
async fn of_memory(deployment: &Deployment) -> Result<Option<Finding>, Failure> {
    let full = deployment.full_memory().await?;
    Ok(full.map(|evidence| Finding {
        source: FASTMCP,
        task: None,
        cause: store::REFUSES_WRITES,
        evidence,
        help: Refusal::MemoryFull.advice().into(),
        is_trouble: true,
    }))
}

/// A task that has ended is not stuck.
fn ended(source: &'static str, task: &str, status: TaskStatus, why: Option<&str>) -> Finding {
    let why = why.map(|why| format!(": {}", text::short(why, 200))).unwrap_or_default();
    let help = Advice::command(Suggested::new("result").about(task), "tells how");
    let (task, evidence) = (Some(task.to_owned()), format!("it has ended, {status}{why}"));
    Finding { source, task, cause: "ended", evidence, help, is_trouble: false }
}

async fn of_store(engine: &Engine) -> Result<Vec<Finding>, Failure> {
    let mut found = store::of_health(engine).await?;
    match of_all(engine).await {
        Ok(more) => found.extend(without_false_causes(&found, more)),
        // What is wrong with the store has been found, and is why.
        Err(_) if !found.is_empty() => {}
        Err(failure) => return Err(failure),
    }
    Ok(found)
}

/// Causes that a store which refuses writes brings about by itself are none: its workers cannot renew their leases.
fn without_false_causes(of_health: &[Finding], found: Vec<Finding>) -> Vec<Finding> {
    let refuses = of_health.iter().any(|one| one.cause == store::REFUSES_WRITES);
    found.into_iter().filter(|one| !refuses || one.cause != store::WORKER_DEAD).collect()
}

/// What is wrong with what is in our own store.
async fn of_all(engine: &Engine) -> Result<Vec<Finding>, Failure> {
    let mut found = of_tasks(engine).await?;
    found.extend(notifiers::of_notifiers(engine).await?);
    Ok(found)
}

/// What is wrong with the tasks of our own store, and with its tools and workers.
async fn of_tasks(engine: &Engine) -> Result<Vec<Finding>, Failure> {
    let checkup = Checkup::begin(engine).await?;
    let mut found = checkup.of_store().await?;
    // By name: one that cannot be read may belong to either list.
    let mut unreadable = BTreeMap::new();
    for status in [TaskStatus::Working, TaskStatus::InputRequired] {
        let filter = TaskFilter { status: Some(status), oldest_first: true, ..TaskFilter::default() };
        let page = engine.list(&Viewer::Operator, filter, None, MOST).await?;
        for task in &page.tasks {
            found.extend(checkup.of(task).await?);
        }
        unreadable.extend(page.unreadable.into_iter().map(|one| (one.name.clone(), one)));
    }
    found.extend(unreadable.values().map(store::unreadable));
    Ok(found)
}

impl From<Diagnosis> for Finding {
    fn from(one: Diagnosis) -> Self {
        let Diagnosis { task, cause, evidence, asked, help } = one;
        let asked = asked.map(|ask| format!(": {}", page::message(&ask, 60))).unwrap_or_default();
        let evidence = evidence + &asked;
        let is_trouble = !matches!(
            cause,
            Cause::ClientHasQuestion | Cause::SnapshotEncrypted | Cause::TtlNearEnd | Cause::WorkersBusy
        );
        Self { source: FASTMCP, task, cause: cause.as_str(), evidence, help: help.into(), is_trouble }
    }
}
