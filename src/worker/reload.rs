//! Swapping a worker's tools while it runs.

use std::sync::Arc;

use super::{Shared, Tools, WorkerConfig, faulty};
use crate::engine::{Engine, EngineResult};
use crate::task::{RpcError, ToolSpec};

/// Swaps the tools of one worker. It may outlive the worker, and then changes nothing.
#[derive(Clone)]
pub struct ToolsHandle {
    shared: Arc<Shared>,
}

impl std::fmt::Debug for ToolsHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ToolsHandle").field("worker", &self.shared.config.id).finish_non_exhaustive()
    }
}

impl ToolsHandle {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Offers these tools from now on. A task that runs keeps the tool that it began with. A task that waits
    /// in the queue for a tool that nobody offers any more ends in an error that says so.
    pub async fn replace(&self, tools: &Tools) -> EngineResult<()> {
        let Shared { engine, config, roster, .. } = &*self.shared;
        let tools = faulty::wrapped(tools, &config.faults);
        let specs: Vec<_> = tools.values().map(|tool| tool.spec().clone()).collect();
        engine.store().enlist(&config.id, Some(&config.details()), &specs, config.lease).await?;
        let gone = roster.replace(&tools);
        withdraw(engine, config, gone, &specs).await
    }
}

/// Withdraws the tools of `gone`, and those that an earlier process offered out of the same source.
pub(super) async fn withdraw(
    engine: &Engine,
    config: &WorkerConfig,
    mut gone: Vec<String>,
    offered: &[ToolSpec],
) -> EngineResult<()> {
    if let Some(source) = &config.source {
        let names: Vec<_> = offered.iter().map(|tool| tool.name.clone()).collect();
        gone.extend(engine.store().attribute(source, &names).await?);
    }
    if !gone.is_empty() {
        let problem = "the tool was taken out of the configuration while the task waited for it";
        engine.store().withdraw(&gone, &RpcError::internal(problem)).await?;
    }
    Ok(())
}
