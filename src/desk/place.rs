//! Where tasks are. The set is closed: whoever adds a place is told by the compiler of each verb that it needs.

use std::sync::Arc;

use super::failure::{Failure, Kind};
use super::server::Server;
use super::suggest::{Advice, Suggested};
use crate::client::TaskView;
use crate::engine::{Engine, EngineError, Viewer};
use crate::fastmcp::{DeployedTask, Deployment, FastmcpError};
use crate::store::StoreError;
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

/// What became of a task that was to be cancelled.
pub(crate) enum Cancelling {
    /// It is cancelled.
    Done(Cancelled),
    /// It had ended before, as the failure says.
    HadEnded(Failure),
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

    /// Whether it had ended when it was found; of our own store that is asked of the store.
    pub(crate) fn has_ended(&self) -> bool {
        match self {
            Self::Store(..) => false,
            Self::Fastmcp(_, task) => task.status.is_final(),
            Self::Server(_, task) => task.status.is_final(),
        }
    }

    /// Where it is.
    fn place(&self) -> Place {
        match self {
            Self::Store(engine, _) => Place::Store(engine.clone()),
            Self::Fastmcp(deployment, _) => Place::Fastmcp(deployment.clone()),
            Self::Server(server, _) => Place::Server(server.clone()),
        }
    }

    /// Ends the task: its work is stopped, its open questions are withdrawn. One that has ended is a failure.
    pub(crate) async fn cancel(&self, reason: &str) -> Result<Cancelled, Failure> {
        match self.place().cancel(self.id(), reason).await? {
            Cancelling::Done(cancelled) => Ok(cancelled),
            Cancelling::HadEnded(failure) => Err(failure),
        }
    }
}

impl Place {
    /// Its word, as `source` in JSON.
    pub(crate) fn source(&self) -> &'static str {
        match self {
            Self::Store(_) => STORE,
            Self::Fastmcp(_) => FASTMCP,
            Self::Server(_) => SERVER,
        }
    }

    /// Ends the task of that whole id, unless it has ended already.
    pub(crate) async fn cancel(&self, id: &str, reason: &str) -> Result<Cancelling, Failure> {
        let done = |warning| Cancelling::Done(Cancelled { task: id.to_owned(), warning });
        match self {
            Self::Store(engine) => {
                let task: TaskId = id.parse().map_err(|_| no_task(id))?;
                match engine.cancel(&Viewer::Operator, &task, reason).await {
                    Ok(()) => Ok(done(None)),
                    Err(EngineError::Store(error @ StoreError::Ended { .. })) => {
                        Ok(Cancelling::HadEnded(error.into()))
                    }
                    Err(error) => Err(error.into()),
                }
            }
            Self::Fastmcp(deployment) => match deployment.cancel(id).await {
                Ok(cancelled) => Ok(done(cancelled.worker_dead.then_some(NOBODY_HEARS))),
                Err(error @ FastmcpError::Ended { .. }) => Ok(Cancelling::HadEnded(error.into())),
                Err(error) => Err(error.into()),
            },
            Self::Server(server) => {
                Ok(server.cancel(id).await?.map_or_else(|| done(None), Cancelling::HadEnded))
            }
        }
    }
}

/// Why a task was cancelled, for its log, where whoever did it says nothing else.
pub(crate) const BY_OPERATOR: &str = "cancelled by the operator";

/// What is said of a cancelled task whose worker cannot be told.
const NOBODY_HEARS: &str = "its worker is dead; no other one will take the task up";

/// The failure of an id that fits no task.
pub(crate) fn no_task(prefix: &str) -> Failure {
    Failure::new(Kind::NotFound, format!("no task's id begins with {prefix:?}"))
        .hint(Advice::command(Suggested::new("list"), "shows the tasks"))
}
