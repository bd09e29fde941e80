//! Following FastMCP deployments: all of them at once.

use futures::future::{BoxFuture, FutureExt as _, select_all};
use serde_json::json;

use super::Seen;
use crate::desk::asked::OpenQuestion;
use crate::desk::failure::Failure;
use crate::desk::place::FASTMCP;
use crate::desk::row::is_unknown;
use crate::desk::text;
use crate::fastmcp::{DeployedEvent, DeployedEventKind, Deployment, FastmcpResult, Filter, Means, Watching};

/// What is said of the end of a task whose tool may have failed: only its result says it, and that is never opened.
const UNKNOWN: &str = "ended; whether its tool failed is only in its result, a pickle";

/// Some deployments.
#[derive(Default)]
pub(super) struct Deployed {
    open: Vec<DeployedEvent>,
    /// The end of the one task that is followed, where it had ended before: nothing tells of it any more.
    over: Option<DeployedEvent>,
    waiting: Vec<BoxFuture<'static, (Watching, FastmcpResult<DeployedEvent>)>>,
}

impl Deployed {
    /// Begins to follow one, and says so where it can only be polled.
    pub(super) async fn follow(
        &mut self,
        deployment: &Deployment,
        filter: Filter,
        tell: &mut (dyn FnMut(String) + Send),
    ) -> Result<(), Failure> {
        let watching = deployment.watch(filter).await?;
        if let Means::Polling { every, why } = watching.means() {
            tell(format!(
                "docket {} is read every {} s: {why}; what comes and goes in between is missed",
                text::line(deployment.docket()),
                every.as_secs()
            ));
        }
        self.open.extend(watching.open_questions());
        self.waiting.push(next(watching));
        Ok(())
    }

    /// The same with one task.
    pub(super) async fn follow_task(
        &mut self,
        deployment: &Deployment,
        id: &str,
        tell: &mut (dyn FnMut(String) + Send),
    ) -> Result<(), Failure> {
        self.follow(deployment, Filter::Task(id.to_owned()), tell).await?;
        // Looked at after the following began, so that no end falls in between.
        let now = deployment.find(id).await?;
        self.over = now.end();
        Ok(())
    }

    /// The questions that were open when it began.
    pub(super) fn open_questions(&mut self) -> Vec<Seen> {
        std::mem::take(&mut self.open).iter().map(seen).collect()
    }

    /// The next event of any of them; never, where there is none. Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Result<Seen, Failure> {
        if let Some(over) = self.over.take() {
            return Ok(seen(&over));
        }
        if self.waiting.is_empty() {
            return std::future::pending().await;
        }
        let (watching, event) = select_next(&mut self.waiting).await;
        self.waiting.push(next(watching));
        Ok(seen(&event?))
    }
}

fn next(mut watching: Watching) -> BoxFuture<'static, (Watching, FastmcpResult<DeployedEvent>)> {
    async move {
        let event = watching.next().await;
        (watching, event)
    }
    .boxed()
}

/// Takes out the first that is ready, and leaves the others as they are.
async fn select_next<T>(waiting: &mut Vec<BoxFuture<'static, T>>) -> T {
    let (found, at, _) = select_all(waiting.iter_mut()).await;
    drop(waiting.swap_remove(at));
    found
}

fn seen(event: &DeployedEvent) -> Seen {
    let mut object = json!(event);
    object["source"] = json!(FASTMCP);
    let question = match &event.kind {
        DeployedEventKind::Asked { question: Some(question) } => {
            Some(OpenQuestion::of_fastmcp(&event.task, &event.tool, event.generation, question))
        }
        _ => None,
    };
    let is_success_unknown = is_unknown(event.generation, event.status);
    Seen {
        at: event.at,
        task: event.task.clone(),
        tool: Some(event.tool.clone()),
        status: event.status,
        is_tool_error: false,
        is_success_unknown,
        name: event.kind.name(),
        is_end: event.status.is_final(),
        words: if is_success_unknown { UNKNOWN.to_owned() } else { words(&event.kind) },
        software: Some(event.generation.to_string()),
        question,
        object,
    }
}

fn words(kind: &DeployedEventKind) -> String {
    match kind {
        DeployedEventKind::Claimed { worker } => format!("claimed by {}", text::line(worker)),
        DeployedEventKind::Progress(progress) => format!("progress {}", text::progress(progress)),
        DeployedEventKind::Asked { question: Some(question) } => {
            format!("asked: {}", text::sentence(&question.ask.message))
        }
        DeployedEventKind::Asked { question: None } => "asked; answered before it could be read".to_owned(),
        DeployedEventKind::Failed { message } => format!("failed: {}", text::sentence(message)),
        plain => plain.name().to_owned(),
    }
}
