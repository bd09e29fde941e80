//! The questions that wait for an answer, in all places.

mod matching;

use std::ops::ControlFlow;
use std::sync::Arc;

use jiff::Timestamp;

use super::asked::OpenQuestion;
use super::failure::Failure;
use super::failure::server::cannot_be_answered;
use super::place::{Found, Place};
use super::places::Places;
use super::server::{Server, Unseen};
use crate::engine::{Engine, Viewer};
use crate::fastmcp::Deployment;
use crate::store::TaskFilter;
use crate::task::{SessionId, Task, TaskStatus};

pub(crate) use matching::Matching;

/// Waiting tasks that are looked through in each place.
pub(super) const MOST: usize = 1000;

/// Tasks of our own store that are read at once.
const PAGE: usize = 200;

/// A question that waits.
pub(crate) struct Waiting {
    /// Its task.
    pub(crate) found: Found,
    /// The tool that asks, where that is known.
    pub(crate) tool: Option<String>,
    /// The question.
    pub(crate) question: OpenQuestion,
    /// Since when, where that is known: at a server, see [`TaskView::waits_since`](crate::client::TaskView::waits_since).
    since: Option<Timestamp>,
}

impl Places {
    /// All of them, the one that has waited longest first, and what cannot be looked at. Nobody knows how long those have
    /// waited that have no time: they come last.
    pub(crate) async fn waiting(&self) -> Result<(Vec<Waiting>, Unseen), Failure> {
        let (mut waiting, mut unseen) = (Vec::new(), Unseen::default());
        for place in self.all() {
            waiting.extend(match place {
                Place::Store(engine) => of_store(engine).await?,
                Place::Fastmcp(deployment) => of_deployment(deployment).await?,
                Place::Server(server) => {
                    let (waiting, not_seen) = of_server(server, MOST).await?;
                    unseen = not_seen;
                    waiting
                }
            });
        }
        waiting.sort_by_key(|one: &Waiting| (one.since.is_none(), one.since));
        Ok((waiting, unseen))
    }
}

/// Goes through the tasks of our own store that wait, the oldest first, those of hidden calls too, until a visit says that
/// it is enough. How many cannot be read.
pub(super) async fn each_task(
    engine: &Engine,
    (tool, session): (Option<&str>, Option<&SessionId>),
    mut visit: impl AsyncFnMut(&Task) -> Result<ControlFlow<()>, Failure>,
) -> Result<usize, Failure> {
    let filter = TaskFilter {
        tool: tool.map(str::to_owned),
        session: session.cloned(),
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
            if visit(task).await?.is_break() {
                return Ok(unreadable);
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(unreadable);
        }
    }
}

async fn of_store(engine: &Engine) -> Result<Vec<Waiting>, Failure> {
    let (mut waiting, mut tasks) = (Vec::new(), 0);
    let visit = async |task: &Task| {
        waiting.extend(of_task(engine, task));
        tasks += 1;
        Ok(if tasks < MOST { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    };
    each_task(engine, (None, None), visit).await?;
    Ok(waiting)
}

/// The open questions of a task of our own store.
fn of_task(engine: &Engine, task: &Task) -> impl Iterator<Item = Waiting> {
    task.open_questions().map(|question| Waiting {
        found: Found::Store(engine.clone(), task.id().clone()),
        tool: Some(task.new.tool.clone()),
        question: OpenQuestion::of_task(task, question),
        since: Some(question.asked_at),
    })
}

pub(super) async fn of_deployment(deployment: &Deployment) -> Result<Vec<Waiting>, Failure> {
    let mut waiting = Vec::new();
    for task in deployment.list().await? {
        waiting.extend(OpenQuestion::all_of_fastmcp(&task).into_iter().map(|question| Waiting {
            found: Found::Fastmcp(deployment.clone(), Box::new(task.clone())),
            tool: Some(task.component.name.clone()),
            since: question.asked.asked_at,
            question,
        }));
    }
    Ok(waiting)
}

pub(super) async fn of_server(server: &Arc<Server>, most: usize) -> Result<(Vec<Waiting>, Unseen), Failure> {
    if let Some(failure) = server.refuses_answers(None) {
        return Err(failure);
    }
    let (mut waiting, mut unanswerable) = (Vec::new(), Vec::new());
    let tasks = server.all_tasks(most).await?;
    for task in tasks.rows {
        for (key, request) in &task.view.input_requests {
            if let Err(problem) = OpenQuestion::of_server(server.title(), &task.view, key, request) {
                unanswerable.push(cannot_be_answered(&task.view.id, key, &problem));
            }
        }
        for question in OpenQuestion::all_of_server(server.title(), &task.view) {
            let found = Found::Server(server.clone(), Box::new(task.view.clone()));
            let since = task.view.waits_since().map(|(at, _)| at);
            waiting.push(Waiting { found, tool: task.tool.clone(), question, since });
        }
    }
    Ok((waiting, Unseen::of(&tasks.bad).and(unanswerable)))
}
