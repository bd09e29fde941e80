//! What can be run, in every place.

use serde_json::{Value, json};

use super::failure::Failure;
use super::place::{FASTMCP, Found, Place, SERVER, STORE};
use super::places::Places;
use crate::engine::Viewer;
use crate::fastmcp::DeployedComponent;
use crate::store::Unreadable;
use crate::task::ToolSpec;

/// Something that can be run as a task.
pub(crate) enum Tool {
    /// A tool of our own store's workers, or of a server.
    Known {
        /// Its place.
        source: &'static str,
        /// What it takes.
        spec: Box<ToolSpec>,
        /// The living workers that run it; `None` where that cannot be told.
        workers: Option<Vec<String>>,
    },
    /// What FastMCP's workers run; only their server knows what it takes.
    Deployed(DeployedComponent),
}

/// The tools, and those that cannot be read.
#[derive(Default)]
pub(crate) struct Tools {
    /// The good ones.
    pub(crate) tools: Vec<Tool>,
    /// The bad ones.
    pub(crate) unreadable: Vec<Unreadable>,
}

impl Tool {
    /// Its name.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Known { spec, .. } => &spec.name,
            Self::Deployed(one) => &one.component.name,
        }
    }

    /// Whether it is known that nobody runs it: a task of it would wait for a worker.
    pub(crate) fn is_run_by_nobody(&self) -> bool {
        match self {
            Self::Known { workers, .. } => workers.as_ref().is_some_and(Vec::is_empty),
            Self::Deployed(one) => one.workers.is_empty(),
        }
    }

    /// All of it.
    pub(crate) fn object(&self) -> Value {
        let (mut object, source) = match self {
            Self::Known { source, spec, workers } => {
                let mut object = json!(spec);
                if let Some(workers) = workers {
                    object["workers"] = json!(workers);
                }
                (object, *source)
            }
            Self::Deployed(one) => (json!(one), FASTMCP),
        };
        object["source"] = json!(source);
        object
    }
}

impl Found {
    /// The tool of a task that has not ended, where no living worker offers it. `None` as well where that cannot be
    /// told: it is only said beside what else is done.
    pub(crate) async fn unoffered_tool(&self) -> Option<String> {
        match self {
            Self::Store(engine, id) => {
                let task = engine.get(&Viewer::Operator, id).await.ok()?;
                let workers = engine.store().workers().await.ok()?.rows;
                let tool = task.new.tool;
                let is_offered = workers.iter().any(|one| one.offers(&tool));
                (!task.status.is_final() && !is_offered).then_some(tool)
            }
            Self::Fastmcp(deployment, task) => {
                let tool = &task.component.name;
                let known = deployment.components().await.ok()?;
                let is_offered = known.iter().any(|one| one.component.name == *tool);
                (!task.status.is_final() && !is_offered).then(|| tool.clone())
            }
            // A server does not show its workers.
            Self::Server(..) => None,
        }
    }
}

impl Places {
    /// The tools of all places.
    pub(crate) async fn tools(&self) -> Result<Tools, Failure> {
        let mut found = Tools::default();
        for place in self.all() {
            match place {
                Place::Store(engine) => {
                    let tools = engine.store().tools().await?;
                    let alive = engine.store().workers().await?.rows;
                    found.tools.extend(tools.rows.into_iter().map(|spec| {
                        let able = alive.iter().filter(|one| one.offers(&spec.name));
                        let workers = Some(able.map(|one| one.id.to_string()).collect());
                        Tool::Known { source: STORE, spec: Box::new(spec), workers }
                    }));
                    found.unreadable.extend(tools.unreadable);
                }
                Place::Fastmcp(deployment) => {
                    found.tools.extend(deployment.components().await?.into_iter().map(Tool::Deployed));
                }
                Place::Server(server) => {
                    let tools = server.run(async |client| Ok(client.tools().await?.to_vec())).await?;
                    // A server does not show its workers.
                    let known = |spec| Tool::Known { source: SERVER, spec: Box::new(spec), workers: None };
                    found.tools.extend(tools.into_iter().map(known));
                }
            }
        }
        Ok(found)
    }
}
