//! The questions that wait for an answer, in all places.

mod matching;

use jiff::Timestamp;

use super::asked::OpenQuestion;
use super::failure::Failure;
use super::place::{Found, Place};
use super::places::Places;
use crate::engine::{Engine, Viewer};
use crate::fastmcp::Deployment;
use crate::store::TaskFilter;
use crate::task::{Task, TaskStatus};

pub(crate) use matching::Matching;

/// Waiting tasks that are looked through in each place.
const MOST: usize = 1000;

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
    /// All of them, the one that has waited longest first. Nobody knows how long those have waited that have no time:
    /// they come last.
    pub(crate) async fn waiting(&self) -> Result<Vec<Waiting>, Failure> {
        let mut waiting = Vec::new();
        for place in self.all() {
            waiting.extend(match place {
                Place::Store(engine) => of_store(engine).await?,
                Place::Fastmcp(deployment) => of_deployment(deployment).await?,
                Place::Server(server) => of_server(server).await?,
            });
        }
        waiting.sort_by_key(|one: &Waiting| (one.since.is_none(), one.since));
        Ok(waiting)
    }
}

async fn of_store(engine: &Engine) -> Result<Vec<Waiting>, Failure> {
    let filter = TaskFilter {
        status: Some(TaskStatus::InputRequired),
        oldest_first: true,
        hidden: true,
        ..TaskFilter::default()
    };
    let page = engine.list(&Viewer::Operator, filter, None, MOST).await?;
    let of_task = |task: &Task| -> Vec<Waiting> {
        let one = |question| Waiting {
            found: Found::Store(engine.clone(), task.id().clone()),
            tool: Some(task.new.tool.clone()),
            question: OpenQuestion::of_task(task, question),
            since: Some(question.asked_at),
        };
        task.open_questions().map(one).collect()
    };
    Ok(page.tasks.iter().flat_map(of_task).collect())
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

pub(super) async fn of_server(
    server: &std::sync::Arc<super::server::Server>,
) -> Result<Vec<Waiting>, Failure> {
    if let Some(failure) = server.refuses_answers(None) {
        return Err(failure);
    }
    let mut waiting = Vec::new();
    for task in server.all_tasks(MOST).await? {
        for (key, request) in &task.view.input_requests {
            // What must not be shown cannot be answered here.
            let Ok(question) = OpenQuestion::of_server(server.title(), &task.view, key, request) else {
                continue;
            };
            let found = Found::Server(server.clone(), Box::new(task.view.clone()));
            let since = task.view.waits_since().map(|(at, _)| at);
            waiting.push(Waiting { found, tool: task.tool.clone(), question, since });
        }
    }
    Ok(waiting)
}
