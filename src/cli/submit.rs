//! `submit`: launches a task.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::config::StoreChoice;
use super::connections;
use super::context::Context;
use super::failure::Failure;
use super::follow::{self, Answering};
use super::remote::{self, RemoteArgs};
use super::remote_answering::RemoteAnswering;
use super::ui::spinner::Spinner;
use super::ui::{text, time};
use super::{arguments, complete, complete_names, outcome, places};
use crate::client::{self, Call, Client, Era, Submitted, Target};
use crate::desk::answers;
use crate::desk::background::Background;
use crate::desk::ending::Ending;
use crate::desk::failure::server::gone_or;
use crate::desk::place::{SERVER, STORE};
use crate::desk::places::SEARCHED;
use crate::desk::server::Server;
use crate::desk::suggest::{Advice, Suggested};
use crate::engine::{Engine, EngineError, Submission};
use crate::fastmcp::Deployment;
use crate::form;
use crate::store::StoreError;
use crate::task::{Scope, SessionId, Task};

/// Launch a task; print its id
///
/// Straight into the store, so no server need run; a worker must have offered the tool once. With --wait,
/// stays to the end, answers questions at the prompt or from a file, and prints the result.
#[derive(Debug, Args)]
#[command(after_long_help = format!("{}\n\n{}", form::FORMAT, answers::FORMAT))]
pub(crate) struct SubmitArgs {
    /// The tool to run
    #[arg(add = complete::tools())]
    tool: String,
    /// An argument of the tool, read as its input schema says; may be given several times
    #[arg(long, value_name = "NAME=VALUE", add = complete_names::arguments())]
    arg: Vec<String>,
    /// All arguments as a JSON object: itself, @FILE, or - for stdin
    #[arg(long, value_name = "JSON")]
    args_json: Option<String>,
    /// Label the task with this session, for `watch` and `list`
    #[arg(long, value_name = "SESSION", add = complete::sessions())]
    session: Option<SessionId>,
    /// Keep the task this long, for example 1h
    #[arg(long, value_name = "DURATION", value_parser = time::duration)]
    ttl: Option<Duration>,
    /// Stay to the end, answer questions, print the result
    #[arg(short, long)]
    wait: bool,
    /// Answer questions from this JSON file, or - for stdin (see below)
    #[arg(long, value_name = "FILE", requires = "wait", value_hint = clap::ValueHint::FilePath)]
    answers: Option<String>,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
}

pub(crate) async fn run(context: &Context, args: SubmitArgs) -> Result<(), Failure> {
    context.before_changing(&args.remote).await?;
    let answers = args.answers.as_deref().map(arguments::answers).transpose()?;
    let answering = Answering::new(context, answers);
    match args.remote.target(context)? {
        None => through_store(context, &args, &answering).await,
        Some(target) => {
            // A server is told that it may ask only where somebody can answer, here or, for a task that is left to it, later.
            let asks = !args.wait || answering.can_ask();
            let answering = RemoteAnswering::new(answering, true);
            let asked = asks.then(|| answering.clone());
            let server = connections::open(context, &args.remote, &target, args.wait, asked).await?;
            let here = answering.clone();
            let server = server.explained_by(Box::new(move |error| remote::explained(error, &here)));
            let done = through_server(context, &args, &server, &target, &answering).await;
            server.close().await;
            if args.wait && asks && done.is_ok() {
                answering.tell_surplus();
            }
            done
        }
    }
}

impl SubmitArgs {
    /// Whether it stays to the end.
    pub(crate) fn waits(&self) -> bool {
        self.wait
    }

    fn ttl_ms(&self) -> Option<u64> {
        self.ttl.map(|ttl| u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX))
    }
}

async fn through_store(context: &Context, args: &SubmitArgs, answering: &Answering) -> Result<(), Failure> {
    if args.wait {
        context.rides_out_outages();
    }
    let begin = async || {
        let engine = opened(context, &args.tool).await?;
        match engine.tool(&args.tool).await {
            Ok(tool) => Ok((engine, tool)),
            Err(error) => Err(deployed(context, &args.tool).await.unwrap_or_else(|| error.into())),
        }
    };
    let (engine, tool) = patiently(context, args, begin).await?;
    let submission = Submission {
        tool: args.tool.clone(),
        arguments: arguments::for_tool(&tool.input_schema, &args.arg, args.args_json.as_deref())?,
        scope: Scope::anonymous(),
        session: args.session.clone(),
        hidden: false,
        ttl_ms: args.ttl_ms(),
    };
    let task = patiently(context, args, async || submitted(&engine, submission.clone()).await).await?;
    let id = task.id();
    if let Some(limit) = task.new.ttl_ms.filter(|kept| args.ttl_ms().is_some_and(|wished| wished > *kept)) {
        context.ui.warn(&format!("tasks are kept at most {}", time::rough(limit / 1000)));
    }
    announce(context, args, id.as_str(), Suggested::new("watch").option("--task", id.as_str()))?;
    warn_if_nobody_runs(context, &engine, &task).await;
    if !args.wait {
        return Ok(());
    }
    let ended = follow::to_end(context, &engine, &task, answering).await?;
    answering.tell_surplus();
    outcome::tell(context, (STORE, ended.id().as_str()), &Ending::of_task(&ended))
}

/// The store, which is begun where there is none; not in a Redis where FastMCP alone keeps tasks, whose user means those.
async fn opened(context: &Context, tool: &str) -> Result<Engine, Failure> {
    if context.config.docket.is_some() {
        let message = "--docket names a FastMCP deployment, whose tasks are launched through its server";
        return Err(Failure::usage(message).hint(through_its_server(tool)));
    }
    if let StoreChoice::Redis(url) = &context.config.store {
        match context.existing().await {
            Ok(Some(engine)) => return Ok(engine),
            Ok(None) if Deployment::discover(url, None).await.is_ok() => {
                let message = format!(
                    "nobody has begun a store at {}, where FastMCP keeps tasks: those are launched through its server",
                    text::line(&context.config.location())
                );
                return Err(Failure::usage(message).hint(through_its_server(tool)));
            }
            // Whoever opens it brings it up to date, or says what is wrong.
            Ok(None) | Err(_) => {}
        }
    }
    context.engine().await
}

/// The failure of a tool that ours do not have, where it is one of FastMCP's: its workers run it, or have run it.
async fn deployed(context: &Context, tool: &str) -> Option<Failure> {
    let StoreChoice::Redis(url) = &context.config.store else { return None };
    for deployment in Deployment::discover_among(url, SEARCHED).await.ok()? {
        let is_offered = deployment.components().await.ok()?.iter().any(|one| one.component.name == tool);
        if is_offered || deployment.list().await.ok()?.iter().any(|task| task.component.name == tool) {
            let message = format!(
                "{tool:?} is a tool of FastMCP's, in docket {}: those are launched through its server",
                text::line(deployment.docket())
            );
            return Some(Failure::usage(message).hint(through_its_server(tool)));
        }
    }
    None
}

fn through_its_server(tool: &str) -> Advice {
    Advice::command(Suggested::new("submit").about(tool).through_some_server(), "launches it there")
}

/// Repeats a step where the command waits; tries it once where it does not.
async fn patiently<T>(
    context: &Context,
    args: &SubmitArgs,
    mut step: impl AsyncFnMut() -> Result<T, Failure>,
) -> Result<T, Failure> {
    if args.wait { context.ride_out(step).await } else { step().await }
}

/// Submits once. A store that was lost on the way may have the task, so that a second try could make two of it.
async fn submitted(engine: &Engine, submission: Submission) -> Result<Task, Failure> {
    engine.submit(submission).await.map_err(|error| match error {
        EngineError::Store(error @ StoreError::Unreachable { .. }) => {
            Failure::from(error).of_outage(false).hint(
                Advice::from("the task may have been submitted all the same: ")
                    .and_command(Suggested::new("list"), "shows it if so"),
            )
        }
        other => other.into(),
    })
}

/// A task that no worker will take waits for ever; better said at once.
async fn warn_if_nobody_runs(context: &Context, engine: &Engine, task: &Task) {
    // The task is submitted: a store that goes away now makes no failure of it.
    let Ok(workers) = engine.store().workers().await else { return };
    if !workers.rows.iter().any(|worker| worker.offers(&task.new.tool)) {
        context.ui.warn(&context.advise(places::unoffered(&task.new.tool)));
    }
}

/// The id is the data, unless the result will be.
fn announce(context: &Context, args: &SubmitArgs, id: &str, watch: Suggested) -> Result<(), Failure> {
    context.goes_on(Advice::with("the task goes on; see it with", watch));
    context.concerns(id, None);
    if context.ui.is_json() {
        let is_remote = args.remote.server.is_some() || args.remote.stdio.is_some();
        let source = if is_remote { SERVER } else { STORE };
        return context.ui.object(&json!({
            "source": source, "task": id, "tool": args.tool, "session": args.session, "status": "working",
        }));
    }
    if args.wait {
        context.ui.talk(&format!("task {}", text::line(id)));
        return Ok(());
    }
    context.ui.line(&text::line(id))
}

/// What is said of a task of a server that was started here.
const ENDS_WITH_THIS: &str = "the server was started for this command and ends with it, and so does the task, unless the \
    server keeps tasks elsewhere; --wait stays to its end";

/// What is said of a task that is left to a server which asks in its client's own session only.
const ASKS_NOBODY: &str = "a server of 2025-11-25 asks only the client that submitted the task, and this one leaves now: \
    what the task asks may wait for nobody, or be answered by cancel; --wait stays and asks";

async fn through_server(
    context: &Context,
    args: &SubmitArgs,
    server: &Server,
    target: &Target,
    answering: &RemoteAnswering,
) -> Result<(), Failure> {
    let look = async |client: &Client| {
        let tool = client.tools().await?.iter().find(|tool| tool.name == args.tool);
        Ok((client.era(), tool.map(|tool| tool.input_schema.clone())))
    };
    let (era, schema) = server.run(look).await?;
    answering.speaks_to(era);
    if args.session.is_some() && era == Era::Legacy {
        context.ui.talk("--session has no effect here: the server labels the task with its own session's id");
    }
    let call = Call {
        tool: args.tool.clone(),
        arguments: arguments::for_tool(&schema.unwrap_or_default(), &args.arg, args.args_json.as_deref())?,
        ttl_ms: args.ttl_ms(),
        session: args.session.as_ref().map(ToString::to_string),
        detached: !args.wait,
    };
    answering.is_about(Background::of_call(call.session.as_deref(), &call.arguments));
    match server.submit(&call).await? {
        Submitted::Done(result) => outcome::of_outcome(context, (SERVER, "(a foreground call)"), &result),
        Submitted::Task(task) => {
            keep(context, target, &task.id, &args.tool);
            if let Some(warning) = left_alone(target, era).filter(|_| !args.wait) {
                context.ui.warn(warning);
            }
            announce(context, args, &task.id, Suggested::new("show").about(task.id.as_str()))?;
            answering.announced();
            if !args.wait {
                return Ok(());
            }
            // Its questions are asked in this session: who answers elsewhere what is left open here needs it.
            server.session_stays(true);
            let ended = to_end(context, server, &task).await?;
            server.session_stays(false);
            outcome::tell(context, (SERVER, &task.id), &ended)
        }
    }
}

/// What to know of a task that is left to its server.
fn left_alone(target: &Target, era: Era) -> Option<&'static str> {
    match (target, era) {
        (Target::Stdio { .. }, _) => Some(ENDS_WITH_THIS),
        (_, Era::Legacy) => Some(ASKS_NOBODY),
        (_, Era::Auto | Era::Modern) => None,
    }
}

/// Keeps the id before anything is waited for, so that the task can be found when this process is killed.
fn keep(context: &Context, target: &Target, id: &str, tool: &str) {
    let kept = context.kept().map(|kept| kept.add(target.to_string(), id, tool));
    if let Some(Err(error)) = kept {
        context.ui.detail(&format!("the task's id is not kept for `list`: {error}"));
    }
}

/// Follows a server's task to its end.
async fn to_end(context: &Context, server: &Server, begun: &client::TaskView) -> Result<Ending, Failure> {
    let spinner = Spinner::start(&context.ui, "waiting");
    let on_change = |task: &client::TaskView| {
        let status = task.status.as_str();
        spinner.say(task.status_message.as_deref().unwrap_or(status));
    };
    let ended = server.run(async |client| client.follow(&begun.id, &on_change).await).await;
    drop(spinner);
    Ok(ended.map_err(|failure| gone_or(begun, failure))?.into())
}
