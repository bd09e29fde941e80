//! `retry`: a new task from one that has ended.

use std::time::Duration;

use clap::Args;

use super::context::Context;
use super::failure::{Failure, Kind};
use super::follow::Answering;
use super::remote::RemoteArgs;
use super::submit::{self, Again};
use super::ui::{text, time};
use super::{arguments, complete, places};
use crate::desk::answers::{self, Answers};
use crate::desk::place::Found;
use crate::desk::sought::Sought;
use crate::desk::submit::through_its_server;
use crate::desk::suggest::{Advice, Suggested};
use crate::desk::values;
use crate::engine::Viewer;
use crate::task::{SessionId, Task};

/// Launch a new task from one that has ended; print its id
///
/// It has the tool, the arguments and the session of the earlier one, and belongs to the same user; the earlier one stays
/// as it is. One whose ttl has ended will do as long as `--keep` keeps it. Only our own store keeps the arguments of a task where they can be read.
#[derive(Debug, Args)]
#[command(after_long_help = answers::FORMAT)]
pub(crate) struct RetryArgs {
    /// The id of the task that has ended, or its beginning
    #[arg(value_parser = super::task_id::typed, add = complete::ended_tasks())]
    task: String,
    /// An argument in place of the earlier one of that name; may be given several times
    #[arg(long, value_name = "NAME=VALUE")]
    arg: Vec<String>,
    /// Label the task with this session in place of the earlier one
    #[arg(long, value_name = "SESSION", add = complete::sessions())]
    session: Option<SessionId>,
    /// Keep the task this long, for example 1h; else as long as the earlier one
    #[arg(long, value_name = "DURATION", value_parser = time::lifetime)]
    ttl: Option<Duration>,
    /// Stay to the end, answer questions, print the result
    #[arg(short, long)]
    wait: bool,
    /// Answer questions from this JSON file, or - for stdin (see below)
    #[arg(long, value_name = "FILE", requires = "wait", value_hint = clap::ValueHint::FilePath)]
    answers: Option<String>,
    /// Answer questions as people answered the same ones of the earlier task
    #[arg(long, requires = "wait", conflicts_with = "answers")]
    from_journal: bool,
    /// Cancel the task where this command ends before it: by Ctrl-C, SIGTERM, a closed terminal or --timeout
    #[arg(long, requires = "wait")]
    cancel_on_exit: bool,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
}

impl RetryArgs {
    /// Whether it stays to the end.
    pub(crate) fn waits(&self) -> bool {
        self.wait
    }
}

pub(crate) async fn run(context: &Context, args: RetryArgs) -> Result<(), Failure> {
    context.before_changing(&args.remote).await?;
    let given = args.answers.as_deref().map(arguments::answers).transpose()?;
    let earlier = places::at(context, &args.remote, args.wait, async |places| {
        match places::seek(context, places, &args.task, args.wait).await? {
            Sought::Task(found) => ended(&found).await,
            // It is only read, and its arguments are there.
            Sought::Archived(engine, id) => Ok(engine.archived_task(&id).await?.task),
        }
    });
    let earlier = earlier.await?;
    let journal = args.from_journal.then(|| Answers::of_journal(&earlier.questions));
    let answering = Answering::new(context, given.or(journal));
    let RetryArgs { arg, session, ttl, wait, cancel_on_exit, remote, .. } = args;
    let again = Again { task: &earlier, arg, session, ttl, wait, cancel_on_exit, remote };
    submit::again(context, again, &answering).await
}

/// The task, which must have ended, in a place that shows its arguments.
async fn ended(found: &Found) -> Result<Task, Failure> {
    let id = text::line(found.id());
    match found {
        Found::Store(engine, task) => {
            let task = engine.get(&Viewer::Operator, task).await?;
            if task.status.is_final() {
                return Ok(task);
            }
            let attach = Suggested::new("attach").about(text::short_id(task.id().as_str()));
            let message = format!("task {id} has not ended: it is {}", task.status);
            Err(Failure::new(Kind::NothingChanged, message)
                .hint(Advice::command(attach, "stays with it to its end")))
        }
        Found::Fastmcp(_, task) => {
            let message = format!(
                "FastMCP keeps the arguments of task {id} in a form that is not opened, so it cannot be launched again \
                 from here"
            );
            Err(Failure::usage(message)
                .hint(through_its_server(Suggested::new("submit").about(task.component.name.as_str()))))
        }
        Found::Server(server, task) => {
            let tool = server.tool_of(&task.id);
            let message =
                format!("a server does not show the arguments of task {id}, so it cannot be launched again");
            let submit = Suggested::new("submit").about(tool.as_deref().unwrap_or("TOOL"));
            let schema = server.run(async |client| {
                let tools = client.tools().await?.iter();
                let found = tools.clone().find(|one| Some(&one.name) == tool.as_ref());
                Ok(found.map(|one| one.input_schema.clone()))
            });
            let submit = match schema.await? {
                Some(schema) => values::calling(submit, &schema),
                None => submit.option("--arg", "NAME=VALUE"),
            };
            Err(Failure::usage(message).hint(Advice::command(submit, "launches another one with arguments")))
        }
    }
}
