//! Tools that are steps in a file: ask, sleep, report, branch, return. For approvals, demonstrations, tests
//! of MCP clients, and the fixtures of the conformance suite.

mod bounds;
mod prepare;
mod run;
pub mod step;
pub mod template;
mod value;
mod variables;

use std::sync::Arc;

use async_trait::async_trait;

pub use step::{QuestionKind, QuestionTemplate, Reply, Step, StepKind};
pub use template::{Context, Expression, Template, TemplateError};
pub use value::ValueTemplate;

use super::{TaskContext, Tool, ToolOutcome};
use crate::task::ToolSpec;

/// The most questions that one step asks: no more may be open.
pub const MAX_QUESTIONS_AT_ONCE: usize = crate::store::MAX_OPEN_QUESTIONS;

/// A tool made of steps.
#[derive(Debug, Clone)]
pub struct ScriptTool {
    spec: ToolSpec,
    steps: Arc<[Step]>,
}

impl ScriptTool {
    /// A tool that runs these steps.
    pub fn new(spec: ToolSpec, steps: Vec<Step>) -> Self {
        Self { spec, steps: steps.into() }
    }
}

#[async_trait]
impl Tool for ScriptTool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn run(&self, task: TaskContext) -> ToolOutcome {
        run::run(&task, &self.spec.name, &self.steps).await
    }
}
