//! `result`: how a task ended.

use clap::Args;

use super::context::Context;
use super::failure::{Failure, Kind};
use super::follow;
use super::outcome;
use super::remote::RemoteArgs;
use super::ui::event;
use crate::client::{Client, Ended};
use crate::engine::{Engine, Viewer};
use crate::task::{Task, TaskId};

/// Print a task's result; the exit code is the outcome's
#[derive(Debug, Args)]
pub(crate) struct ResultArgs {
    /// The task's id, or its beginning
    #[arg(add = super::complete::tasks())]
    task: String,
    /// Wait for the end, without answering questions
    #[arg(short, long)]
    wait: bool,
    #[command(flatten)]
    remote: RemoteArgs,
}

pub(crate) async fn run(context: &Context, args: ResultArgs) -> Result<(), Failure> {
    let Some(target) = args.remote.target(&context.environment)? else {
        let engine = context.engine().await?;
        let id = engine.resolve(&args.task).await?;
        let task = if args.wait {
            ended(context, &engine, &id).await?
        } else {
            engine.get(&Viewer::Operator, &id).await?
        };
        return if task.status.is_final() {
            outcome::of_task(context, &task)
        } else {
            Err(not_ended(context, &task))
        };
    };
    let client = args.remote.connect(&target, None).await?;
    let done = from_server(context, &client, &args).await;
    client.close().await;
    done
}

async fn ended(context: &Context, engine: &Engine, id: &TaskId) -> Result<Task, Failure> {
    context.goes_on("the task goes on");
    Ok(engine.wait(&Viewer::Operator, id, |task| task.status.is_final()).await?)
}

fn not_ended(context: &Context, task: &Task) -> Failure {
    let id = event::short_id(task.id());
    let failure =
        Failure::new(Kind::NothingChanged, format!("task {id} has not ended: it is {}", task.status));
    match task.open_questions().next() {
        Some(question) => failure
            .hint(format!("it waits for an answer: {}", follow::later(&context.config, task.id(), question))),
        None => failure
            .hint(format!("wait for it with: {}", context.config.command(&format!("result {id} --wait")))),
    }
}

async fn from_server(context: &Context, client: &Client, args: &ResultArgs) -> Result<(), Failure> {
    let task = client.get(&args.task).await?;
    if !task.status.is_final() && !args.wait {
        return Err(Failure::new(
            Kind::NothingChanged,
            format!("task {} has not ended: it is {}", task.id, task.status),
        )
        .hint("wait for it with --wait"));
    }
    match client.follow(&args.task, &|_| {}).await? {
        Ended::Finished(result) => outcome::of_outcome(context, &args.task, &result),
        Ended::Cancelled { message } => Err(outcome::cancelled(context, &args.task, message.as_deref())),
    }
}
