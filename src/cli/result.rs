//! `result`: how a task ended.

use clap::Args;
use serde_json::json;

use super::context::Context;
use super::failure::Failure;
use super::outcome;
use super::places;
use super::remote::RemoteArgs;
use super::ui::{FORMAT, text};

/// Print a task's result; the exit code is the outcome's
#[derive(Debug, Args)]
pub(crate) struct ResultArgs {
    /// The task's id, or its beginning
    #[arg(value_parser = super::task_id::typed, add = super::complete::tasks())]
    task: String,
    /// Wait for the end, without answering questions
    #[arg(short, long)]
    wait: bool,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
}

impl ResultArgs {
    /// Whether it waits.
    pub(crate) fn waits(&self) -> bool {
        self.wait
    }
}

pub(crate) async fn run(context: &Context, args: ResultArgs) -> Result<(), Failure> {
    places::at(context, &args.remote, args.wait, async |places| {
        let found = places::find(context, places, &args.task, args.wait).await?;
        if args.wait {
            context.goes_on("the task goes on");
            places::tell_unoffered(context, &found).await;
            if let Some(asks) = found.until_it_asks().await? {
                tell(context, found.id(), &context.advise(asks));
            }
        }
        let ending = found.ending(args.wait).await?;
        outcome::tell(context, (found.source(), found.id()), &ending)
    })
    .await
}

/// Says that the task waits for an answer, which nobody gives here.
fn tell(context: &Context, task: &str, words: &str) {
    if context.ui.is_json() {
        let said = json!({ "format": FORMAT, "event": "asked", "task": task, "message": words });
        return context.ui.to_stderr(&text::json(&said.to_string()));
    }
    context.ui.warn(words);
}
