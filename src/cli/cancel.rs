//! `cancel`: ends a task.

use clap::Args;
use serde_json::json;

use super::context::Context;
use super::failure::Failure;
use super::places;
use super::remote::RemoteArgs;
use super::ui::text;

/// Cancel a task: its work is stopped, its open questions are withdrawn
#[derive(Debug, Args)]
pub(crate) struct CancelArgs {
    /// The task's id, or its beginning
    #[arg(value_parser = super::task_id::typed, add = super::complete::unfinished_tasks())]
    task: String,
    /// Why, for the log
    #[arg(long, value_name = "TEXT", default_value = "cancelled by the operator")]
    reason: String,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
}

pub(crate) async fn run(context: &Context, args: CancelArgs) -> Result<(), Failure> {
    context.before_changing(&args.remote).await?;
    let done = places::at(context, &args.remote, false, async |places| {
        let found = places::find(context, places, &args.task, false).await?;
        Ok((found.source(), found.cancel(&args.reason).await?))
    });
    let (source, done) = done.await?;
    if let Some(warning) = done.warning {
        context.ui.warn(warning);
    }
    if context.ui.is_json() {
        return context.ui.object(&json!({ "source": source, "task": done.task, "status": "cancelled" }));
    }
    context.ui.talk(&format!("task {} is cancelled", text::line(&done.task)));
    Ok(())
}
