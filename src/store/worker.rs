//! Workers, as others see them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::task::WorkerId;

/// What a worker says of itself when it is enlisted, for people who look for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerDetails {
    /// The machine that it runs on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Its process there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<u32>,
    /// How many tasks it runs at once; those that wait for a person do not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slots: Option<u32>,
}

/// A worker as the others see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkerInfo {
    /// Its id.
    pub id: WorkerId,
    /// The names of the tools that it runs.
    pub tools: Vec<String>,
    /// Milliseconds until its lease ends; negative when it ended.
    pub lease_ms: i64,
    /// How many tasks it holds.
    pub tasks: u64,
    /// What it said of itself; nothing where it is of an older version.
    #[serde(flatten)]
    pub details: WorkerDetails,
    /// When it was enlisted; unknown of one of an older version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

impl WorkerInfo {
    /// Whether it lives and runs that tool.
    pub fn offers(&self, tool: &str) -> bool {
        self.lease_ms > 0 && self.tools.iter().any(|one| one == tool)
    }
}
