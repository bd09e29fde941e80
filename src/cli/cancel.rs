//! `cancel`: ends a task.

use clap::Args;
use serde_json::json;

use super::context::Context;
use super::failure::{Failure, Kind};
use super::fastmcp::{Found, Sources};
use super::remote::RemoteArgs;
use super::ui::text;
use crate::client::{Client, TaskView};
use crate::task::TaskStatus;

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
    remote: RemoteArgs,
}

pub(crate) async fn run(context: &Context, args: CancelArgs) -> Result<(), Failure> {
    let id = match args.remote.target(context)? {
        None => match Sources::open(context).await?.find(context, &args.task).await? {
            Found::Native(engine, id) => {
                engine.store().cancel(&id, &args.reason).await?;
                id.to_string()
            }
            Found::Deployed(deployment, task) => {
                let done = deployment.cancel(&task.id).await?;
                if done.worker_dead {
                    context.ui.warn("its worker is dead; no other one will take the task up");
                }
                done.task
            }
        },
        Some(target) => {
            let client = args.remote.connect(&target, None).await?;
            let done = through_server(&client, &args.task).await;
            client.close().await;
            done?;
            args.task
        }
    };
    if context.ui.is_json() {
        return context.ui.object(&json!({ "task": id, "status": "cancelled" }));
    }
    context.ui.talk(&format!("task {} is cancelled", text::line(&id)));
    Ok(())
}

/// A modern server says nothing where the task had ended before, so its status is looked at.
async fn through_server(client: &Client, id: &str) -> Result<(), Failure> {
    ended(&client.get(id).await?).map_or(Ok(()), Err)?;
    let done = client.cancel(id).await;
    // It may have ended meanwhile, which legacy servers refuse and modern ones pass over.
    let now = client.get(id).await.ok().filter(|now| done.is_err() || now.status != TaskStatus::Cancelled);
    match now.as_ref().and_then(ended) {
        Some(failure) => Err(failure),
        None => Ok(done?),
    }
}

/// The failure of a task that has ended.
fn ended(task: &TaskView) -> Option<Failure> {
    let words = || format!("task {} has already ended: {}", text::line(&task.id), task.status);
    task.status.is_final().then(|| Failure::new(Kind::NothingChanged, words()))
}
