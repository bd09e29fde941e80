//! FastMCP deployments at the command line: they stand beside the tasks of one's own, and each row and line
//! names its source.

mod convert;
mod list;
mod respond;
mod show;
mod watch;

pub(crate) use list::list;
pub(crate) use respond::{respond, respond_to_oldest};
pub(crate) use show::show;
pub(crate) use watch::{Follower, print};

use super::config::StoreChoice;
use super::context::Context;
use super::failure::{Failure, Kind};
use crate::engine::{Engine, EngineError};
use crate::fastmcp::{DeployedTask, Deployment, FastmcpError};
use crate::store::StoreError;
use crate::store::redis::RedisStore;
use crate::task::TaskId;

/// All places that tasks are in.
pub(crate) struct Sources {
    /// Our own; absent where a Redis holds only FastMCP's, which then gets no key of ours.
    pub(crate) native: Option<Engine>,
    /// FastMCP's.
    pub(crate) deployments: Vec<Deployment>,
    /// Why FastMCP's were not looked for.
    pub(crate) unsearched: Option<FastmcpError>,
}

/// Keys of a Redis with tasks of our own that are searched for deployments: about as many as can be without
/// making a command noticeably slower.
const SEARCHED: u64 = 10_000;

/// Where a task was found.
pub(crate) enum Found {
    Native(Engine, TaskId),
    Deployed(Deployment, Box<DeployedTask>),
}

impl Sources {
    /// Looks what the chosen store holds.
    pub(crate) async fn open(context: &Context) -> Result<Self, Failure> {
        let StoreChoice::Redis(url) = &context.config.store else {
            return match &context.config.docket {
                None => Ok(Self::of(Some(context.engine().await?), Vec::new())),
                Some(_) => Err(Failure::usage("--docket names a FastMCP deployment, which is in a Redis")
                    .hint("give --redis URL")),
            };
        };
        let docket = context.config.docket.as_deref();
        let is_begun = docket.is_none() && is_begun(url, &context.config.namespace).await?;
        let discovered = if is_begun {
            Deployment::discover_among(url, SEARCHED).await
        } else {
            Deployment::discover(url, docket).await
        };
        let mut unsearched = None;
        let deployments = match discovered {
            Ok(found) => found,
            Err(error @ FastmcpError::Crowded { .. }) => {
                unsearched = Some(error);
                Vec::new()
            }
            // Users who are kept to the keys of their own namespace may not look for others.
            Err(FastmcpError::Nothing { .. } | FastmcpError::Refused { .. }) if docket.is_none() => {
                Vec::new()
            }
            Err(error) => return Err(error.into()),
        };
        let is_ours = deployments.is_empty() || is_begun;
        let native = if is_ours { Some(context.engine().await?) } else { None };
        Ok(Self { unsearched, ..Self::of(native, deployments) })
    }

    /// These.
    pub(crate) fn of(native: Option<Engine>, deployments: Vec<Deployment>) -> Self {
        Self { native, deployments, unsearched: None }
    }

    /// Says so where FastMCP's were not looked for.
    pub(crate) fn tell(&self, context: &Context) {
        if let Some(error) = &self.unsearched {
            context.ui.talk(&format!("{error}; {}", convert::hint(error).unwrap_or_default()));
        }
    }

    /// The task whose id begins so, wherever it is.
    pub(crate) async fn find(self, prefix: &str) -> Result<Found, Failure> {
        let mut found = Vec::new();
        if let Some(engine) = self.native {
            match engine.resolve(prefix).await {
                Ok(id) => found.push(Found::Native(engine, id)),
                Err(EngineError::NoPrefix { .. }) if !self.deployments.is_empty() => {}
                Err(error) => return Err(error.into()),
            }
        }
        for deployment in self.deployments {
            match deployment.find(prefix).await {
                Ok(task) => found.push(Found::Deployed(deployment, Box::new(task))),
                Err(FastmcpError::NoTask { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        match (found.pop(), found.is_empty()) {
            (Some(only), true) => Ok(only),
            (Some(_), false) => Err(Failure::usage(format!("{prefix:?} fits tasks of several sources"))
                .hint("type more of the id")),
            (None, _) => Err(Failure::new(Kind::NotFound, format!("no task's id begins with {prefix:?}"))
                .hint("`mcptask list` shows the tasks")),
        }
    }
}

/// Whether the namespace of our own has been begun there. Users who are kept to FastMCP's keys may not ask.
async fn is_begun(url: &str, namespace: &str) -> Result<bool, Failure> {
    match RedisStore::is_begun(url, namespace).await {
        Err(StoreError::Backend { .. }) => Ok(false),
        answered => Ok(answered?),
    }
}

/// What a row of FastMCP's says of its source.
pub(crate) fn source(task: &DeployedTask) -> String {
    if task.docket == "fastmcp" {
        task.generation.to_string()
    } else {
        format!("{} ({})", task.generation, task.docket)
    }
}
