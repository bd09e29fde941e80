//! `watch` of FastMCP deployments: all of them at once.

use futures::future::{BoxFuture, FutureExt as _, select_all};
use jiff::Timestamp;
use serde_json::json;

use super::super::context::Context;
use super::super::failure::Failure;
use super::super::ui::{event as ui_event, page, status_column, text, time};
use crate::fastmcp::{DeployedEvent, DeployedEventKind, Deployment, FastmcpResult, Filter, Means, Watching};

/// Follows some deployments.
#[derive(Default)]
pub(crate) struct Follower {
    open: Vec<DeployedEvent>,
    waiting: Vec<BoxFuture<'static, (Watching, FastmcpResult<DeployedEvent>)>>,
}

impl Follower {
    /// Begins to follow them all, and says which of them can only be polled.
    pub(crate) async fn start(
        context: &Context,
        deployments: &[Deployment],
        filter: &Filter,
    ) -> Result<Self, Failure> {
        let (mut open, mut waiting) = (Vec::new(), Vec::new());
        for deployment in deployments {
            let watching = deployment.watch(filter.clone()).await?;
            if let Means::Polling { every, why } = watching.means() {
                context.ui.warn(&format!(
                    "docket {} is read every {} s: {why}; what comes and goes in between is missed",
                    text::line(deployment.docket()),
                    every.as_secs()
                ));
            }
            open.extend(watching.open_questions());
            waiting.push(next(watching));
        }
        Ok(Self { open, waiting })
    }

    /// The questions that were open when it began.
    pub(crate) fn open_questions(&mut self) -> Vec<DeployedEvent> {
        std::mem::take(&mut self.open)
    }

    /// The next event of any of them; never, where there is none. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Result<DeployedEvent, Failure> {
        if self.waiting.is_empty() {
            return std::future::pending().await;
        }
        let (watching, event) = select_next(&mut self.waiting).await;
        self.waiting.push(next(watching));
        Ok(event?)
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

/// Prints an event; with the command that answers it, where it asks.
pub(crate) fn print(context: &Context, event: &DeployedEvent) -> Result<(), Failure> {
    let (ui, paint) = (&context.ui, context.ui.paint());
    if ui.is_json() {
        let mut object = json!(event);
        object["source"] = json!("fastmcp");
        return ui.object(&object);
    }
    ui.line(&format!(
        "{}  {}  {}  {:<12}  {}  {}",
        paint.dim(&time::clock(event.at, Timestamp::now())),
        paint.bold(&text::line(ui_event::short(&event.task))),
        status_column(event.status, paint),
        text::short(&event.tool, 30),
        words(&event.kind),
        paint.dim(&format!("[{}]", event.generation)),
    ))?;
    let DeployedEventKind::Asked { question: Some(question) } = &event.kind else { return Ok(()) };
    if let Some(url) = page::of(&question.ask) {
        ui.line(&format!("          {} {}", paint.yellow("→ page:"), page::within(url)))?;
    }
    let command = super::respond::later(&event.task, event.generation, question);
    ui.line(&format!("          {} {}", paint.yellow("→ answer with:"), context.suggest(command)))
}

fn words(kind: &DeployedEventKind) -> String {
    match kind {
        DeployedEventKind::Claimed { worker } => format!("claimed by {}", text::line(worker)),
        DeployedEventKind::Progress(progress) => format!("progress {}", text::progress(progress)),
        DeployedEventKind::Asked { question: Some(question) } => {
            format!("asked: {}", text::short(&question.ask.message, 200))
        }
        DeployedEventKind::Asked { question: None } => "asked; answered before it could be read".to_owned(),
        DeployedEventKind::Failed { message } => format!("failed: {}", text::short(message, 200)),
        plain => plain.name().to_owned(),
    }
}
