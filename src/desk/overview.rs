//! All at a glance: who works, what runs, what has ended, and what is wrong with it.

use super::diagnose::Finding;
use super::failure::Failure;
use super::places::Places;
use super::row::{Row, Wanted};
use super::workers::{Looked, Worker};
use crate::task::TaskStatus;

/// Tasks that are shown of each kind, the newest.
const MOST: usize = 100;

/// How many tasks are looked at for what workers run.
const AT_A_GLANCE: Looked = Looked { at: 200, least: 5 };

/// What there is.
pub(crate) struct Overview {
    pub(crate) workers: Vec<Worker>,
    pub(crate) unfinished: Vec<Row>,
    pub(crate) ended: Vec<Row>,
    pub(crate) findings: Vec<Finding>,
}

impl Places {
    /// All of it, as it is now.
    pub(crate) async fn overview(&self) -> Result<Overview, Failure> {
        let wanted =
            |statuses: &[TaskStatus]| Wanted { statuses: statuses.to_vec(), most: MOST, ..Wanted::default() };
        let unfinished = self.list(&wanted(&[TaskStatus::Working, TaskStatus::InputRequired])).await?.rows;
        let ends = [TaskStatus::Completed, TaskStatus::Failed, TaskStatus::Cancelled];
        let ended = self.list(&wanted(&ends)).await?.rows;
        let workers = self.known_workers(AT_A_GLANCE).await?.workers;
        Ok(Overview { workers, unfinished, ended, findings: self.diagnose().await? })
    }
}
