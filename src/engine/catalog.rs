//! The tools that are known: remembered for a moment so that each submission does not read them again, and
//! compared when the log's tail says that they may be other ones, so that clients hear of real changes only.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Engine, EngineError, EngineResult, patiently};
use crate::store::{Rows, Store};
use crate::task::ToolSpec;

/// How old a remembered tool may be: a changed input schema is seen after this at the latest.
const FRESH: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(super) struct Catalog {
    tools: RwLock<Option<(Instant, Tools)>>,
    changes: watch::Sender<u64>,
}

type Tools = HashMap<String, Arc<ToolSpec>>;

impl Catalog {
    pub(super) async fn find(&self, store: &dyn Store, name: &str) -> EngineResult<Arc<ToolSpec>> {
        if let Some(tool) = self.remembered(name) {
            return Ok(tool);
        }
        let tools = by_name(store.tools().await?.rows);
        let found = tools.get(name).cloned().ok_or_else(|| {
            let mut known: Vec<_> = tools.keys().cloned().collect();
            known.sort();
            EngineError::UnknownTool { name: name.chars().take(100).collect(), known }
        });
        if let Ok(mut remembered) = self.tools.write() {
            *remembered = Some((Instant::now(), tools));
        }
        found
    }

    fn changed(&self, tools: Vec<ToolSpec>) {
        if let Ok(mut remembered) = self.tools.write() {
            *remembered = Some((Instant::now(), by_name(tools)));
        }
        self.changes.send_modify(|count| *count += 1);
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn remembered(&self, name: &str) -> Option<Arc<ToolSpec>> {
        let guard = self.tools.read().ok()?;
        let (at, tools) = guard.as_ref()?;
        if at.elapsed() < FRESH { tools.get(name).cloned() } else { None }
    }
}

fn by_name(tools: Vec<ToolSpec>) -> Tools {
    tools.into_iter().map(|tool| (tool.name.clone(), Arc::new(tool))).collect()
}

/// Tells of every difference to the tools `known`, until `stop`.
pub(super) async fn keep(
    engine: Engine,
    mut known: Vec<ToolSpec>,
    mut hints: watch::Receiver<u64>,
    stop: CancellationToken,
) {
    while let Some(Ok(())) = stop.run_until_cancelled(hints.changed()).await {
        match patiently(&stop, || engine.inner.store.tools()).await {
            Ok(tools) if tools.rows == known => {}
            Ok(Rows { rows: tools, .. }) => {
                known.clone_from(&tools);
                engine.inner.catalog.changed(tools);
            }
            Err(error) => tracing::warn!(%error, "cannot read the tools that changed"),
        }
    }
}
