//! Any executable as a background task that can ask.

mod spec;

use async_trait::async_trait;

pub use spec::{CommandSpec, Environment, INHERITED, OWN_PREFIX, OutputLimits};

use super::{TaskContext, Tool, ToolOutcome};
use crate::task::{Outcome, ToolSpec};

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

    async fn run(&self, _task: TaskContext) -> ToolOutcome {
        Ok(Outcome::tool_error(format!("{} cannot be run yet", self.command.program.display())))
    }
}
