//! FastMCP deployments at the command line: they stand beside the tasks of one's own, and each row and line
//! names its source.

mod list;
mod respond;
mod result;
mod show;
mod watch;

pub(crate) use list::list;
pub(crate) use respond::respond;
pub(crate) use result::result;
pub(crate) use show::show;
pub(crate) use watch::{Follower, print};

use super::config::StoreChoice;
use super::context::Context;
use super::failure::{Failure, Kind};
use super::task_id;
use crate::desk::suggest::{Advice, Suggested};
use crate::engine::{Engine, EngineError};
use crate::fastmcp::{DeployedTask, Deployment, FastmcpError};
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
    /// Looks what the chosen store holds. Nothing is written.
    pub(crate) async fn open(context: &Context) -> Result<Self, Failure> {
        let StoreChoice::Redis(url) = &context.config.store else {
            return match &context.config.docket {
                None => Ok(Self::of(context.existing().await?, Vec::new())),
                Some(_) => Err(Failure::usage("--docket names a FastMCP deployment, which is in a Redis")
                    .hint("give --redis URL")),
            };
        };
        if let Some(docket) = &context.config.docket {
            return Ok(Self::of(None, Deployment::discover(url, Some(docket)).await?));
        }
        let (native, refused) = match context.existing().await {
            Ok(native) => (native, None),
            // Users who are kept to FastMCP's keys may not look for ours.
            Err(failure) if failure.kind() == Kind::Unauthorised => (None, Some(failure)),
            Err(failure) => return Err(failure),
        };
        let discovered = if native.is_some() {
            Deployment::discover_among(url, SEARCHED).await
        } else {
            Deployment::discover(url, None).await
        };
        let (deployments, unsearched) = match discovered {
            Ok(found) => (found, None),
            Err(error @ FastmcpError::Crowded { .. }) => (Vec::new(), Some(error)),
            // Users who are kept to the keys of their own namespace may not look for others.
            Err(FastmcpError::Nothing { .. } | FastmcpError::Refused { .. }) => (Vec::new(), None),
            Err(error) => return Err(error.into()),
        };
        match refused {
            Some(failure) if deployments.is_empty() => Err(failure),
            _ => Ok(Self { native, deployments, unsearched }),
        }
    }

    /// Whether there is no place at all where tasks could be.
    pub(crate) fn is_empty(&self) -> bool {
        self.native.is_none() && self.deployments.is_empty()
    }

    /// These.
    pub(crate) fn of(native: Option<Engine>, deployments: Vec<Deployment>) -> Self {
        Self { native, deployments, unsearched: None }
    }

    /// Says so where FastMCP's were not looked for.
    pub(crate) fn tell(&self, context: &Context) {
        if let Some(error) = &self.unsearched {
            let hint = crate::desk::failure::fastmcp::hint(error).unwrap_or_default();
            context.ui.talk(&context.advise(hint.after(&format!("{error}; "))));
        }
    }

    /// The task whose id begins so, wherever it is.
    pub(crate) async fn find(&self, context: &Context, prefix: &str) -> Result<Found, Failure> {
        task_id::checked(prefix)?;
        if self.is_empty() {
            return Err(no_task(prefix).hint(context.nothing_begun()));
        }
        let mut found = Vec::new();
        if let Some(engine) = &self.native {
            match engine.resolve(prefix).await {
                Ok(id) => found.push(Found::Native(engine.clone(), id)),
                Err(EngineError::NoPrefix { .. }) if !self.deployments.is_empty() => {}
                Err(error) => return Err(error.into()),
            }
        }
        for deployment in &self.deployments {
            match deployment.find(prefix).await {
                Ok(task) => found.push(Found::Deployed(deployment.clone(), Box::new(task))),
                Err(FastmcpError::NoTask { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        match (found.pop(), found.is_empty()) {
            (Some(only), true) => Ok(only),
            (Some(_), false) => Err(Failure::usage(format!("{prefix:?} fits tasks of several sources"))
                .hint("type more of the id")),
            (None, _) => {
                Err(no_task(prefix).hint(Advice::command(Suggested::new("list"), "shows the tasks")))
            }
        }
    }
}

fn no_task(prefix: &str) -> Failure {
    Failure::new(Kind::NotFound, format!("no task's id begins with {prefix:?}"))
}

/// What a row of FastMCP's says of its source.
pub(crate) fn source(task: &DeployedTask) -> String {
    if task.docket == "fastmcp" {
        task.generation.to_string()
    } else {
        format!("{} ({})", task.generation, task.docket)
    }
}
