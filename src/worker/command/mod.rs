//! Any executable as a background task that can ask.
//!
//! A run is one process group, started without a shell in an environment built from nothing
//! (`environment`, `start`). Its arguments are on stdin, its stdout is the result (`outcome`), its
//! stderr goes to the event log (`stderr`), and its questions and reports come over a socket of its own
//! (`socket`, `requests`, [`crate::ask::protocol`]). However the run ends, everything that it started is
//! ended before the task is (`group`, `leftovers`).

mod budget;
mod environment;
mod group;
mod leftovers;
mod looks;
pub(crate) mod orphans;
mod outcome;
mod output;
mod peer;
mod requests;
mod run;
mod shortage;
mod socket;
mod spec;
mod start;
mod stderr;
mod steps;

use std::time::Duration;

use async_trait::async_trait;

pub use spec::{CommandSpec, Environment, INHERITED, OWN_PREFIX, OutputLimits};

use super::{TaskContext, Tool, ToolOutcome};
use crate::task::ToolSpec;

/// How long a run may take to end beyond the grace of its command: the kernel's and the store's share.
const BEYOND_GRACE: Duration = Duration::from_secs(8);

/// A tool that runs a command.
#[derive(Debug, Clone)]
pub struct CommandTool {
    spec: ToolSpec,
    command: CommandSpec,
}

impl CommandTool {
    /// The command as a tool. `command` should have no [violations](CommandSpec::violations): what is wrong
    /// with it otherwise becomes the error of every task.
    pub fn new(spec: ToolSpec, command: CommandSpec) -> Self {
        Self { spec, command }
    }
}

#[async_trait]
impl Tool for CommandTool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn run(&self, task: TaskContext) -> ToolOutcome {
        run::run(&self.spec, &self.command, task).await
    }

    fn grace(&self) -> Duration {
        self.command.grace + BEYOND_GRACE
    }
}
