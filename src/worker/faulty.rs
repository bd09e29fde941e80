//! Tools that misbehave on purpose, for people who write MCP clients: wrapped around every tool of a worker, or asked
//! for by a script. Nothing here is in the way of a run that nobody asked to misbehave.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::json;

use super::context::{Asked, Misconduct};
use super::{Interrupted, RunSettings, TaskContext, Tool, ToolOutcome, Tools};
use crate::task::{Ask, AskKind, Fault, ToolSpec, fault};

/// The tools, each misbehaving in these ways.
pub(super) fn wrapped(tools: &Tools, faults: &[Fault]) -> Tools {
    if faults.is_empty() {
        return tools.clone();
    }
    let wrap = |tool: &Arc<dyn Tool>| Arc::new(FaultyTool::new(tool.clone(), faults)) as Arc<dyn Tool>;
    tools.iter().map(|(name, tool)| (name.clone(), wrap(tool))).collect()
}

/// A tool whose every run misbehaves.
struct FaultyTool {
    tool: Arc<dyn Tool>,
    spec: ToolSpec,
    faults: Vec<Fault>,
}

impl FaultyTool {
    fn new(tool: Arc<dyn Tool>, faults: &[Fault]) -> Self {
        let mut spec = tool.spec().clone();
        if faults.contains(&Fault::TtlEndsMidQuestion) {
            spec.ttl_ms = Some(fault::ENDING_TTL_MS);
        }
        Self { tool, spec, faults: faults.to_vec() }
    }
}

#[async_trait]
impl Tool for FaultyTool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn settings(&self) -> RunSettings {
        self.tool.settings()
    }

    fn grace(&self) -> Duration {
        self.tool.grace()
    }

    fn run<'this, 'run>(
        &'this self,
        task: TaskContext,
    ) -> Pin<Box<dyn Future<Output = ToolOutcome> + Send + 'run>>
    where
        'this: 'run,
        Self: 'run,
    {
        task.misconduct(Faults::of_nothing).begin(&self.faults);
        self.tool.run(task)
    }
}

impl TaskContext {
    /// Misbehaves in this way from now on. What does not lie with the worker is left to the server, which
    /// reads of it in the log.
    pub async fn misbehave(&self, fault: Fault) -> Result<(), Interrupted> {
        self.misconduct(Faults::of_nothing).begin(&[fault]);
        self.note(&fault.note()).await
    }
}

/// How one run misbehaves.
#[derive(Debug, Default)]
struct Faults {
    faults: Mutex<Vec<Fault>>,
}

impl Faults {
    fn of_nothing() -> Box<dyn Misconduct> {
        Box::<Self>::default()
    }

    fn faults(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has(&self, fault: Fault) -> bool {
        self.faults().contains(&fault)
    }

    async fn round(
        &self,
        task: &TaskContext,
        asks: Vec<Ask>,
        timeout: Option<Duration>,
    ) -> Result<Asked, Interrupted> {
        task.check(&asks)?;
        let asks = if self.has(Fault::MalformedQuestion) { malformed(asks) } else { asks };
        let asked = task.ask_unchecked(asks, timeout).await?;
        if self.has(Fault::CrashWhileAsking) && matches!(asked, Asked::Open(_)) {
            // The run ends as if its worker had died; the next one finds the question answered, and does not
            // come here.
            let crashed = "fault: the worker crashed while its question was open";
            return Err(Interrupted::Retry(crashed.to_owned()));
        }
        Ok(asked)
    }
}

impl Misconduct for Faults {
    fn begin(&self, faults: &[Fault]) {
        self.faults().extend_from_slice(faults);
    }

    fn rounds<'a>(
        &'a self,
        task: &'a TaskContext,
        asks: &[Ask],
        timeout: Option<Duration>,
    ) -> Vec<BoxFuture<'a, Result<Asked, Interrupted>>> {
        let rounds = if self.has(Fault::SameQuestionTwice) { 2 } else { 1 };
        let round = |_| self.round(task, asks.to_vec(), timeout).boxed();
        (0..rounds).map(round).collect()
    }
}

/// A schema with a field of no type that forms have; a URL that is none.
fn malformed(mut asks: Vec<Ask>) -> Vec<Ask> {
    for ask in &mut asks {
        match &mut ask.kind {
            AskKind::Form { schema } => {
                let nested = json!({ "type": "object", "properties": { "deep": { "type": "null" } } });
                *schema = json!({ "type": "object", "properties": { "broken": nested } });
            }
            AskKind::Url { url } => "not a URL".clone_into(url),
        }
    }
    asks
}
