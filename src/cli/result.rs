//! `result`: how a task ended.

use clap::Args;

use super::connections::Connections;
use super::context::Context;
use super::failure::{Failure, Kind};
use super::fastmcp::{self, Found, Sources};
use super::follow;
use super::outcome;
use super::remote::RemoteArgs;
use super::ui::event;
use crate::desk::suggest::{Advice, Suggested};
use crate::engine::{Engine, Viewer};
use crate::task::{Task, TaskId};

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
    remote: RemoteArgs,
}

impl ResultArgs {
    /// Whether it waits.
    pub(crate) fn waits(&self) -> bool {
        self.wait
    }
}

pub(crate) async fn run(context: &Context, args: ResultArgs) -> Result<(), Failure> {
    if let Some(target) = args.remote.target(context)? {
        let mut server = Connections::new(context, &args.remote, &target, args.wait);
        let done = from_server(context, &mut server, &args).await;
        server.close().await;
        return done;
    }
    match found(context, &args).await? {
        Found::Native(engine, id) => from_store(context, &engine, &id, args.wait).await,
        Found::Deployed(deployment, task) => fastmcp::result(context, &deployment, *task, args.wait).await,
    }
}

/// Where the task is. Who waits for its end waits for its store too.
async fn found(context: &Context, args: &ResultArgs) -> Result<Found, Failure> {
    let find = async || Sources::open(context).await?.find(context, &args.task).await;
    if !args.wait {
        return find().await;
    }
    context.rides_out_outages();
    context.ride_out(find).await
}

async fn from_store(context: &Context, engine: &Engine, id: &TaskId, wait: bool) -> Result<(), Failure> {
    let task =
        if wait { ended(context, engine, id).await? } else { engine.get(&Viewer::Operator, id).await? };
    if task.status.is_final() { outcome::of_task(context, &task) } else { Err(not_ended(&task)) }
}

/// The task when it has ended. One that is gone meanwhile has expired, or was lost with its store.
async fn ended(context: &Context, engine: &Engine, id: &TaskId) -> Result<Task, Failure> {
    context.goes_on("the task goes on");
    let begun = context.ride_out(async || Ok(engine.get(&Viewer::Operator, id).await?)).await?;
    let ended = engine.wait(&Viewer::Operator, id, |task| task.status.is_final()).await;
    ended.map_err(|error| follow::gone_or(&begun, error))
}

fn not_ended(task: &Task) -> Failure {
    let id = event::short_id(task.id());
    let failure =
        Failure::new(Kind::NothingChanged, format!("task {id} has not ended: it is {}", task.status));
    match task.open_questions().next() {
        Some(question) => follow::asked(task, question).later_hint().into_iter().fold(failure, Failure::hint),
        None => {
            failure.hint(Advice::with("wait for it with", Suggested::new("result").about(id).flag("--wait")))
        }
    }
}

async fn from_server(
    context: &Context,
    server: &mut Connections<'_>,
    args: &ResultArgs,
) -> Result<(), Failure> {
    let id = args.task.as_str();
    let task = server.run(async |client| client.get(id).await).await?;
    if !task.status.is_final() && !args.wait {
        return Err(Failure::new(
            Kind::NothingChanged,
            format!("task {} has not ended: it is {}", task.id, task.status),
        )
        .hint("wait for it with --wait"));
    }
    context.goes_on("the task goes on");
    let ended = server.run(async |client| client.ended(id).await).await?;
    outcome::of_ended(context, id, &ended)
}
