//! The waiting questions of tasks that have something in common, however many there are.

use std::sync::Arc;

use jiff::Timestamp;

use super::Waiting;
use crate::desk::asked::OpenQuestion;
use crate::desk::failure::Failure;
use crate::desk::place::{Found, Place};
use crate::desk::places::Places;
use crate::desk::row::session_of;
use crate::desk::selection::no_sessions;
use crate::desk::server::Server;
use crate::engine::{Engine, Viewer};
use crate::fastmcp::Deployment;
use crate::store::TaskFilter;
use crate::task::{SessionId, TaskStatus};

/// How many tasks of our own store are read at once.
const PAGE: usize = 100;

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
    /// may be missed. How many tasks cannot be read.
    pub(crate) async fn each_waiting(
        &self,
        matching: &Matching,
        mut visit: impl AsyncFnMut(Waiting) -> Result<(), Failure>,
    ) -> Result<usize, Failure> {
        let mut unreadable = 0;
        let mut in_time = async |waiting: Waiting| {
            if matching.is_in_time(waiting.since) { visit(waiting).await } else { Ok(()) }
        };
        for place in self.all() {
            match place {
                Place::Store(engine) => unreadable += of_store(engine, matching, &mut in_time).await?,
                Place::Fastmcp(deployment) => of_deployment(deployment, matching, &mut in_time).await?,
                Place::Server(server) => of_server(server, matching, &mut in_time).await?,
            }
        }
        Ok(unreadable)
    }
}

async fn of_store(
    engine: &Engine,
    matching: &Matching,
    visit: &mut impl AsyncFnMut(Waiting) -> Result<(), Failure>,
) -> Result<usize, Failure> {
    let filter = TaskFilter {
        session: matching.session.clone(),
        tool: matching.tool.clone(),
        status: Some(TaskStatus::InputRequired),
        oldest_first: true,
        hidden: true,
        ..TaskFilter::default()
    };
    let (mut after, mut unreadable) = (None, 0);
    loop {
        let page = engine.list(&Viewer::Operator, filter.clone(), after.as_ref(), PAGE).await?;
        unreadable += page.unreadable.len();
        for task in &page.tasks {
            for question in task.open_questions() {
                let found = Found::Store(engine.clone(), task.id().clone());
                let (tool, since) = (Some(task.new.tool.clone()), Some(question.asked_at));
                let question = OpenQuestion::of_task(task, question);
                visit(Waiting { found, tool, question, since }).await?;
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(unreadable);
        }
    }
}

async fn of_deployment(
    deployment: &Deployment,
    matching: &Matching,
    visit: &mut impl AsyncFnMut(Waiting) -> Result<(), Failure>,
) -> Result<(), Failure> {
    for task in deployment.list().await? {
        if !matching.admits(Some(&task.component.name), session_of(&task)) {
            continue;
        }
        for question in OpenQuestion::all_of_fastmcp(&task) {
            let found = Found::Fastmcp(deployment.clone(), Box::new(task.clone()));
            let (tool, since) = (Some(task.component.name.clone()), question.asked.asked_at);
            visit(Waiting { found, tool, question, since }).await?;
        }
    }
    Ok(())
}

async fn of_server(
    server: &Arc<Server>,
    matching: &Matching,
    visit: &mut impl AsyncFnMut(Waiting) -> Result<(), Failure>,
) -> Result<(), Failure> {
    if let Some(failure) = server.refuses_answers(None) {
        return Err(failure);
    }
    if matching.session.is_some() {
        return Err(no_sessions("respond"));
    }
    for task in server.all_tasks(MOST).await? {
        if !matching.admits(task.tool.as_deref(), None) {
            continue;
        }
        for (key, request) in &task.view.input_requests {
            // What must not be shown cannot be answered here.
            let Ok(question) = OpenQuestion::of_server(server.title(), &task.view, key, request) else {
                continue;
            };
            let found = Found::Server(server.clone(), Box::new(task.view.clone()));
            let since = task.view.waits_since().map(|(at, _)| at);
            visit(Waiting { found, tool: task.tool.clone(), question, since }).await?;
        }
    }
    Ok(())
}
