//! How a task ended, in every place.

use std::time::Duration;

use super::answer::{of_server, until};
use super::asked::OpenQuestion;
use super::failure::server::gone_or as gone_from_server;
use super::failure::store::gone_or;
use super::failure::{Failure, Kind};
use super::place::Found;
use super::row::is_success_unknown;
use super::suggest::{Advice, Suggested};
use super::{page, text, time};
use crate::client::{Ended, TaskView};
use crate::engine::{Engine, Viewer};
use crate::fastmcp::{DeployedTask, Deployment};
use crate::task::{Outcome, Task, TaskId, TaskStatus};

/// The most characters of a question's message within a line.
const ASKED: usize = 200;

/// How often a task that is waited for is looked at though nobody tells of it: a store that evicts one tells nobody.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How a task ended.
pub(crate) enum Ending {
    /// With an outcome: a result, also one that its tool calls an error, or a JSON-RPC error.
    Finished(Outcome),
    /// Its place calls it failed, whatever is shown as its outcome.
    Failed {
        /// The place's words on it.
        message: Option<String>,
        /// What is shown as its outcome, where anything is.
        outcome: Option<Outcome>,
    },
    /// Somebody cancelled it, or it expired.
    Cancelled {
        /// Why.
        message: Option<String>,
    },
    /// Completed, with a result that cannot be shown.
    Closed {
        /// Why not.
        why: String,
        /// What tells more, where it is not even known whether the tool calls its result an error.
        unknown: Option<Advice>,
    },
}

impl Ending {
    /// How a FastMCP task ended that Docket calls completed.
    fn closed(task: &DeployedTask) -> Self {
        let unknown = is_success_unknown(task).then(|| {
            let result = Suggested::new("result").about(task.id.as_str()).through_some_server();
            let unknown = "whether its tool calls that an error is in the pickle as well; ";
            Advice::from(unknown).and_command(result, "tells, through its server")
        });
        Self::Closed { why: closed(task), unknown }
    }
}

/// What is known of the result of a FastMCP task that is completed.
fn closed(task: &DeployedTask) -> String {
    if !task.has_result() {
        return "it returned nothing, or a worker without its tool ended it: doctor tells which".to_owned();
    }
    let left = task.lifetimes().run_ms.map(|left| time::rough(left.max(0).unsigned_abs() / 1000));
    let left = left.map(|left| format!(" for another {left}")).unwrap_or_default();
    format!(
        "its result is a Python pickle, which is never opened here; the client that launched the task gets it{left}"
    )
}

impl From<Ended> for Ending {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Finished(outcome) => Self::Finished(outcome),
            Ended::Failed { message, outcome } => Self::Failed { message, outcome },
            Ended::Cancelled { message } => Self::Cancelled { message },
        }
    }
}

impl Ending {
    /// How a task of our own store ended.
    pub(crate) fn of_task(task: &Task) -> Self {
        match &task.outcome {
            Some(outcome) => Self::Finished(outcome.clone()),
            None => Self::Cancelled { message: task.status_message.clone() },
        }
    }

    fn of_deployed(task: &DeployedTask) -> Self {
        let message = task.error.clone();
        match task.status {
            TaskStatus::Cancelled => Self::Cancelled { message },
            TaskStatus::Failed => Self::Failed {
                message: message.or_else(|| Some("FastMCP keeps no reason".to_owned())),
                outcome: None,
            },
            _ => Self::closed(task),
        }
    }
}

impl Found {
    /// How the task ended; with `wait` as soon as it does. One that has not is a failure.
    pub(crate) async fn ending(&self, wait: bool) -> Result<Ending, Failure> {
        match self {
            Self::Store(engine, id) => of_store(engine, id, wait).await,
            Self::Fastmcp(deployment, task) => of_deployment(deployment, task, wait).await,
            Self::Server(server, task) if !task.status.is_final() && !wait => {
                // What cannot be answered from here is waited for.
                let open = of_server(server, task, None).ok();
                Err(hinted(not_ended(&task.id, task.status), open, waiting(task.id.as_str())))
            }
            Self::Server(server, task) => {
                let ended = server.run(async |client| client.ended(&task.id).await).await;
                Ok(ended.map_err(|failure| gone_from_server(task, failure))?.into())
            }
        }
    }
}

/// Waits until a task of our own store has ended.
pub(crate) async fn until_final(engine: &Engine, id: &TaskId) -> Result<Task, Failure> {
    until_in_store(engine, id, |task| task.status.is_final()).await
}

/// Waits until it holds of a task of our own store. One that is gone meanwhile has expired, or was lost with its store; that
/// a store evicted it is told by nobody, so it is looked at now and then.
async fn until_in_store(
    engine: &Engine,
    id: &TaskId,
    reached: impl Fn(&Task) -> bool + Sync,
) -> Result<Task, Failure> {
    let begun = engine.get_patiently(&Viewer::Operator, id).await?;
    loop {
        let looked = engine.wait(&Viewer::Operator, id, &reached);
        if let Ok(now) = tokio::time::timeout(LOOK_EVERY, looked).await {
            return match now {
                Ok(now) => Ok(now),
                Err(error) => Err(gone_or(engine, &begun, error).await),
            };
        }
    }
}

impl Found {
    /// Waits until the task asks, or has ended. Where it asks: what, and what answers it.
    pub(crate) async fn until_it_asks(&self) -> Result<Option<Advice>, Failure> {
        let open = match self {
            Self::Store(engine, id) => {
                let asks = |task: &Task| task.status.is_final() || task.open_questions().next().is_some();
                let now = until_in_store(engine, id, asks).await?;
                let open = now.open_questions().next().filter(|_| !now.status.is_final());
                open.map(|question| Ok(OpenQuestion::of_task(&now, question)))
            }
            Self::Fastmcp(deployment, task) => {
                let asks = |task: &DeployedTask| task.status.is_final() || !task.questions.is_empty();
                let now = until(deployment, &task.id, asks).await?;
                let is_over = now.status.is_final();
                OpenQuestion::all_of_fastmcp(&now).into_iter().next().filter(|_| !is_over).map(Ok)
            }
            Self::Server(server, task) => {
                let asks = |now: &TaskView| now.status.is_final() || now.status == TaskStatus::InputRequired;
                let now =
                    server.until(&task.id, &asks).await.map_err(|failure| gone_from_server(task, failure))?;
                (!now.status.is_final()).then(|| of_server(server, &now, None))
            }
        };
        Ok(open.map(|open| asking(text::short_id(self.id()), open)))
    }
}

/// What is said of a task that asks: what, and what answers it, or why that cannot be from here.
fn asking(task: &str, open: Result<OpenQuestion, Failure>) -> Advice {
    let waits = format!("task {} waits for an answer", text::line(task));
    match open {
        Ok(question) => {
            let waits = format!("{waits}: {}; ", page::message(&question.asked.ask, ASKED));
            question.asked.later_hint().unwrap_or_default().after(&waits)
        }
        Err(failure) => {
            failure.hints().first().cloned().unwrap_or_default().after(&format!("{waits}: {failure}; "))
        }
    }
}

async fn of_store(engine: &Engine, id: &TaskId, wait: bool) -> Result<Ending, Failure> {
    let task = if wait { until_final(engine, id).await? } else { engine.get(&Viewer::Operator, id).await? };
    if task.status.is_final() {
        return Ok(Ending::of_task(&task));
    }
    let short = text::short_id(task.id().as_str());
    let open = task.open_questions().next().map(|question| OpenQuestion::of_task(&task, question));
    Err(hinted(not_ended(short, task.status), open, waiting(short)))
}

async fn of_deployment(deployment: &Deployment, task: &DeployedTask, wait: bool) -> Result<Ending, Failure> {
    if task.status.is_final() {
        return Ok(Ending::of_deployed(task));
    }
    if wait {
        return Ok(Ending::of_deployed(&until(deployment, &task.id, |task| task.status.is_final()).await?));
    }
    let open = OpenQuestion::all_of_fastmcp(task).into_iter().next();
    let stands = format!("{}; Docket calls its run {}", task.status, task.state);
    Err(hinted(not_ended(&task.id, stands), open, waiting(text::short_id(&task.id))))
}

fn not_ended(task: &str, status: impl std::fmt::Display) -> Failure {
    Failure::new(Kind::NothingChanged, format!("task {} has not ended: it is {status}", text::line(task)))
}

fn waiting(task: &str) -> Suggested {
    Suggested::new("result").about(task).flag("--wait")
}

/// A task that asks ends when it is answered; another one by itself.
fn hinted(failure: Failure, open: Option<OpenQuestion>, waiting: Suggested) -> Failure {
    match open.and_then(|question| question.asked.later_hint()) {
        Some(hint) => failure.hint(hint),
        None => failure.hint(Advice::with("wait for it with", waiting)),
    }
}
