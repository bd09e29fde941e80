//! Swapping a worker's tools while it runs.

use std::sync::Arc;

use super::{Shared, Tools};
use crate::engine::EngineResult;
use crate::task::RpcError;

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
        let specs = roster.shown(tools.values().map(|tool| tool.spec().clone()).collect());
        engine.store().enlist(&config.id, &specs, config.lease).await?;
        let gone = roster.replace(tools);
        if !gone.is_empty() {
            let problem = "the tool was taken out of the configuration while the task waited for it";
            engine.store().withdraw(&gone, &RpcError::internal(problem)).await?;
        }
        engine.tools_changed();
        Ok(())
    }
}
