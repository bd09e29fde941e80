//! Where tasks are. The set is closed: whoever adds a place is told by the compiler of each verb that it needs.

use std::sync::Arc;

use super::failure::Failure;
use super::server::Server;
use crate::client::TaskView;
use crate::engine::{Engine, Viewer};
use crate::fastmcp::{DeployedTask, Deployment};
use crate::task::TaskId;

/// A place that has tasks.
#[derive(Clone)]
pub(crate) enum Place {
    /// Our own store.
    Store(Engine),
    /// A FastMCP deployment's Redis.
    Fastmcp(Deployment),
    /// An MCP server.
    Server(Arc<Server>),
}

/// The word, as `source` in JSON, of our own store.
pub(crate) const STORE: &str = "mcptask";
/// The word, as `source` in JSON, of a FastMCP deployment.
pub(crate) const FASTMCP: &str = "fastmcp";
/// The word, as `source` in JSON, of an MCP server.
pub(crate) const SERVER: &str = "server";

/// A task, where it was found. One of our own store may be unreadable, so that only its id is known.
#[derive(Clone)]
pub(crate) enum Found {
    /// In our own store.
    Store(Engine, TaskId),
    /// In a FastMCP deployment, as it stood then.
    Fastmcp(Deployment, Box<DeployedTask>),
    /// At an MCP server, as it stood then.
    Server(Arc<Server>, Box<TaskView>),
}

/// What became of a cancelled task.
pub(crate) struct Cancelled {
    /// Its whole id.
    pub(crate) task: String,
    /// What whoever cancelled it should know.
    pub(crate) warning: Option<&'static str>,
}

impl Found {
    /// Where it is, as `source` in JSON.
    pub(crate) fn source(&self) -> &'static str {
        match self {
            Self::Store(..) => STORE,
            Self::Fastmcp(..) => FASTMCP,
            Self::Server(..) => SERVER,
        }
    }

    /// The task's whole id.
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Store(_, id) => id.as_str(),
            Self::Fastmcp(_, task) => &task.id,
            Self::Server(_, task) => &task.id,
        }
    }

    /// Ends the task: its work is stopped, its open questions are withdrawn. One that has ended is a failure.
    pub(crate) async fn cancel(&self, reason: &str) -> Result<Cancelled, Failure> {
        let warning = match self {
            Self::Store(engine, id) => {
                engine.cancel(&Viewer::Operator, id, reason).await?;
                None
            }
            Self::Fastmcp(deployment, task) => deployment
                .cancel(&task.id)
                .await?
                .worker_dead
                .then_some("its worker is dead; no other one will take the task up"),
            Self::Server(server, task) => {
                server.cancel(&task.id).await?;
                None
            }
        };
        Ok(Cancelled { task: self.id().to_owned(), warning })
    }
}
