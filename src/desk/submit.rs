//! Launching tasks that are left to themselves, in every place that takes them.

use serde_json::{Map, Value};

use super::failure::{Failure, Kind};
use super::place::{Found, Place};
use super::places::Places;
use super::server::Server;
use super::suggest::{Advice, Suggested};
use super::text;
use crate::client::{Call, Era, Submitted};
use crate::engine::{Engine, EngineError, Submission};
use crate::fastmcp::Deployment;
use crate::store::StoreError;
use crate::task::{Outcome, Scope, SessionId, Task};

/// What is launched.
#[derive(Debug)]
pub(crate) struct Order {
    /// The tool.
    pub(crate) tool: String,
    /// Its arguments.
    pub(crate) arguments: Map<String, Value>,
    /// The session that it is labelled with.
    pub(crate) session: Option<SessionId>,
    /// How long it is to be kept, in milliseconds.
    pub(crate) ttl_ms: Option<u64>,
}

/// What became of it.
pub(crate) enum Launched {
    /// It is a task.
    Task(Found),
    /// Its server ran it at once, and this is its end.
    Done(Outcome),
}

impl Places {
    /// Launches a task where tasks are launched: at the server, or in our own store.
    pub(crate) async fn submit(&self, order: Order) -> Result<Launched, Failure> {
        for place in self.all() {
            match place {
                Place::Server(server) => return server.launch(order).await,
                Place::Store(engine) => {
                    if let Err(error) = engine.tool(&order.tool).await {
                        return Err(self.of_fastmcp(&order.tool).await.unwrap_or_else(|| error.into()));
                    }
                    let Order { tool, arguments, session, ttl_ms } = order;
                    let scope = Scope::anonymous();
                    let submission = Submission { tool, arguments, scope, session, hidden: false, ttl_ms };
                    let task = into_store(engine, submission).await?;
                    return Ok(Launched::Task(Found::Store(engine.clone(), task.id().clone())));
                }
                Place::Fastmcp(_) => {}
            }
        }
        let failure = self.of_fastmcp(&order.tool).await;
        Err(failure
            .unwrap_or_else(|| Failure::new(Kind::NotFound, format!("there is no tool {:?}", order.tool))))
    }

    async fn of_fastmcp(&self, tool: &str) -> Option<Failure> {
        for place in self.all() {
            if let Place::Fastmcp(deployment) = place
                && let Some(failure) =
                    of_deployment(deployment, Suggested::new("submit").about(tool), tool).await
            {
                return Some(failure);
            }
        }
        None
    }
}

impl Server {
    /// Launches a task and leaves it to the server. Its id is kept, so that it is found again.
    async fn launch(self: &std::sync::Arc<Self>, order: Order) -> Result<Launched, Failure> {
        let Order { tool, arguments, session, ttl_ms } = order;
        if session.is_some() && self.era() == Era::Legacy {
            let problem =
                "the server labels the task with its own session's id, so no other session can be given";
            return Err(Failure::usage(problem).hint("leave the session out"));
        }
        let session = session.as_ref().map(ToString::to_string);
        let call = Call { tool: tool.clone(), arguments, ttl_ms, session, detached: true };
        match self.submit(&call).await? {
            Submitted::Done(outcome) => Ok(Launched::Done(outcome)),
            Submitted::Task(task) => {
                if let Err(error) = self.keep(&task.id, &tool) {
                    tracing::warn!(%error, "the task's id is not kept, so it is listed nowhere");
                }
                Ok(Launched::Task(Found::Server(self.clone(), task)))
            }
        }
    }
}

/// Submits once. A store that was lost on the way may have the task, so that a second try could make two of it.
pub(crate) async fn into_store(engine: &Engine, submission: Submission) -> Result<Task, Failure> {
    engine.submit(submission).await.map_err(|error| match error {
        EngineError::Store(error @ StoreError::Unreachable { .. }) => {
            Failure::from(error).of_outage(false).hint(
                Advice::from("the task may have been submitted all the same: ")
                    .and_command(Suggested::new("list"), "shows it if so"),
            )
        }
        other => other.into(),
    })
}

/// The failure of a tool that ours do not have, where it is one of that deployment's: its workers run it, or have run it.
/// `submit` is the command that named it.
pub(crate) async fn of_deployment(deployment: &Deployment, submit: Suggested, tool: &str) -> Option<Failure> {
    let is_offered = deployment.components().await.ok()?.iter().any(|one| one.component.name == tool);
    let is_its = is_offered || deployment.list().await.ok()?.iter().any(|task| task.component.name == tool);
    is_its.then(|| {
        let message = format!(
            "{tool:?} is a tool of FastMCP's, in docket {}: those are launched through its server",
            text::line(deployment.docket())
        );
        Failure::usage(message).hint(through_its_server(submit))
    })
}

/// What helps who launches a tool of FastMCP's at its Redis.
pub(crate) fn through_its_server(submit: Suggested) -> Advice {
    Advice::command(submit.through_some_server(), "launches it there")
}
