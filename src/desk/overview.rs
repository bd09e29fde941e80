//! All at a glance: who works, what runs, what has ended, and what is wrong with it.

use std::collections::BTreeMap;

use super::diagnose::Finding;
use super::failure::Failure;
use super::place::Place;
use super::places::Places;
use super::row::{Row, Wanted};
use crate::task::TaskStatus;

/// Tasks that are shown of each kind, the newest.
const MOST: usize = 100;

/// What there is.
pub(crate) struct Overview {
    pub(crate) workers: Vec<Works>,
    pub(crate) unfinished: Vec<Row>,
    pub(crate) ended: Vec<Row>,
    pub(crate) findings: Vec<Finding>,
}

/// A worker and what it runs.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Works {
    pub(crate) name: String,
    /// Its tools, where they are known.
    pub(crate) tools: Vec<String>,
    /// Milliseconds until its lease ends, where it has one; negative when it ended.
    pub(crate) lease_ms: Option<i64>,
    /// The tasks that it runs: ids and tools.
    pub(crate) runs: Vec<(String, String)>,
}

impl Places {
    /// All of it, as it is now.
    pub(crate) async fn overview(&self) -> Result<Overview, Failure> {
        let wanted =
            |statuses: &[TaskStatus]| Wanted { statuses: statuses.to_vec(), most: MOST, ..Wanted::default() };
        let unfinished = self.list(&wanted(&[TaskStatus::Working, TaskStatus::InputRequired])).await?.rows;
        let ends = [TaskStatus::Completed, TaskStatus::Failed, TaskStatus::Cancelled];
        let ended = self.list(&wanted(&ends)).await?.rows;
        let workers = self.at_work(&unfinished).await?;
        Ok(Overview { workers, unfinished, ended, findings: self.diagnose().await? })
    }

    /// The workers of our own store, and those that tasks of other places name.
    async fn at_work(&self, unfinished: &[Row]) -> Result<Vec<Works>, Failure> {
        let mut all: BTreeMap<String, Works> = BTreeMap::new();
        for place in self.all() {
            let Place::Store(engine) = place else { continue };
            for worker in engine.store().workers().await?.rows {
                let (name, tools, lease_ms) = (worker.id.to_string(), worker.tools, Some(worker.lease_ms));
                all.insert(name.clone(), Works { name, tools, lease_ms, runs: Vec::new() });
            }
        }
        for row in unfinished {
            let Some(name) = &row.worker else { continue };
            let works =
                all.entry(name.clone()).or_insert_with(|| Works { name: name.clone(), ..Works::default() });
            works.runs.push((row.task.clone(), row.tool.clone().unwrap_or_default()));
        }
        Ok(all.into_values().collect())
    }
}
