//! The waiting questions of tasks that have something in common, however many there are.

use std::ops::ControlFlow;
use std::sync::Arc;

use jiff::Timestamp;

use super::{Waiting, each_task, of_task};
use crate::desk::failure::Failure;
use crate::desk::place::{Found, Place};
use crate::desk::places::Places;
use crate::desk::row::session_of;
use crate::desk::selection::no_sessions;
use crate::desk::server::{Server, Unseen};
use crate::engine::Engine;
use crate::fastmcp::Deployment;
use crate::task::{SessionId, Task};

/// The most tasks of a server that are looked through: more are not kept.
const MOST: usize = 10_000;

/// What a task must have for its questions to be meant.
#[derive(Debug, Clone, Default)]
pub(crate) struct Matching {
    /// This tool.
    pub(crate) tool: Option<String>,
    /// This session.
    pub(crate) session: Option<SessionId>,
    /// Only questions that were asked then or before, where it is known when they were.
    pub(crate) asked_before: Option<Timestamp>,
}

impl Matching {
    fn admits(&self, tool: Option<&str>, session: Option<&str>) -> bool {
        self.tool.as_deref().is_none_or(|wanted| tool == Some(wanted))
            && self.session.as_ref().is_none_or(|wanted| session == Some(wanted.as_str()))
    }

    fn is_in_time(&self, since: Option<Timestamp>) -> bool {
        self.asked_before.is_none_or(|before| since.is_none_or(|since| since <= before))
    }
}

impl Waiting {
    /// When it was asked, where that is known.
    pub(crate) fn since(&self) -> Option<Timestamp> {
        self.since
    }
}

impl Places {
    /// Goes through the waiting questions of the tasks that match, each once: what is asked because of what `visit` does
    /// may be missed. How many tasks cannot be read, and what of a server's cannot be looked at.
    pub(crate) async fn each_waiting(
        &self,
        matching: &Matching,
        mut visit: impl AsyncFnMut(Waiting) -> Result<(), Failure>,
    ) -> Result<(usize, Unseen), Failure> {
        let (mut unreadable, mut unseen) = (0, Unseen::default());
        let mut in_time = async |waiting: Waiting| {
            if matching.is_in_time(waiting.since) { visit(waiting).await } else { Ok(()) }
        };
        for place in self.all() {
            match place {
                Place::Store(engine) => unreadable += of_store(engine, matching, &mut in_time).await?,
                Place::Fastmcp(deployment) => of_deployment(deployment, matching, &mut in_time).await?,
                Place::Server(server) => unseen = of_server(server, matching, &mut in_time).await?,
            }
        }
        Ok((unreadable, unseen))
    }
}

async fn of_store(
    engine: &Engine,
    matching: &Matching,
    visit: &mut impl AsyncFnMut(Waiting) -> Result<(), Failure>,
) -> Result<usize, Failure> {
    let each = async |task: &Task| {
        for waiting in of_task(engine, task) {
            visit(waiting).await?;
        }
        Ok(ControlFlow::Continue(()))
    };
    each_task(engine, (matching.tool.as_deref(), matching.session.as_ref()), each).await
}

async fn of_deployment(
    deployment: &Deployment,
    matching: &Matching,
    visit: &mut impl AsyncFnMut(Waiting) -> Result<(), Failure>,
) -> Result<(), Failure> {
    for waiting in super::of_deployment(deployment).await? {
        let session = match &waiting.found {
            Found::Fastmcp(_, task) => session_of(task),
            Found::Store(..) | Found::Server(..) => None,
        };
        if matching.admits(waiting.tool.as_deref(), session) {
            visit(waiting).await?;
        }
    }
    Ok(())
}

async fn of_server(
    server: &Arc<Server>,
    matching: &Matching,
    visit: &mut impl AsyncFnMut(Waiting) -> Result<(), Failure>,
) -> Result<Unseen, Failure> {
    if let Some(failure) = server.refuses_answers(None) {
        return Err(failure);
    }
    if matching.session.is_some() {
        return Err(no_sessions("respond"));
    }
    let (all, unseen) = super::of_server(server, MOST).await?;
    for waiting in all {
        if matching.admits(waiting.tool.as_deref(), None) {
            visit(waiting).await?;
        }
    }
    Ok(unseen)
}
