//! `submit`: launches a task.

use std::time::Duration;

use clap::Args;
use serde_json::{Map, Value, json};

use super::config::StoreChoice;
use super::context::Context;
use super::failure::Failure;
use super::follow::{self, Answering};
use super::remote::RemoteArgs;
use super::remote_answering::RemoteAnswering;
use super::ui::{text, time};
use super::{arguments, complete, complete_names, left_behind, outcome, places, stay, unheeded};
use crate::client::{Call, Client, Era, Submitted, Target, asks_as_in_sessions};
use crate::desk::answers;
use crate::desk::background::Background;
use crate::desk::ending::Ending;
use crate::desk::place::{SERVER, STORE};
use crate::desk::places::SEARCHED;
use crate::desk::server::Server;
use crate::desk::submit::{into_store, of_deployment, through_its_server};
use crate::desk::suggest::{Advice, Suggested};
use crate::engine::{Engine, Submission, Viewer};
use crate::fastmcp::Deployment;
use crate::form;
use crate::task::{Scope, SessionId, Task, TaskId};

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
    #[arg(long, value_name = "DURATION", value_parser = time::lifetime)]
    ttl: Option<Duration>,
    /// Stay to the end, answer questions, print the result
    #[arg(short, long)]
    wait: bool,
    /// Answer questions from this JSON file, or - for stdin (see below)
    #[arg(long, value_name = "FILE", requires = "wait", value_hint = clap::ValueHint::FilePath)]
    answers: Option<String>,
    /// Cancel the task where this command ends before it: by Ctrl-C, SIGTERM, a closed terminal or --timeout
    #[arg(long, requires = "wait")]
    cancel_on_exit: bool,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
    /// The task that this one is made from, where it is.
    #[arg(skip)]
    again: Option<Earlier>,
}

/// What a task takes over from one that has ended.
#[derive(Debug, Clone)]
pub(crate) struct Earlier {
    task: TaskId,
    arguments: Map<String, Value>,
    /// Whose it is: nobody else sees the new one either.
    scope: Scope,
}

/// How a task is made from an earlier one.
pub(crate) struct Again<'a> {
    /// That one.
    pub(crate) task: &'a Task,
    /// Arguments in place of its own.
    pub(crate) arg: Vec<String>,
    /// A session in place of its own.
    pub(crate) session: Option<SessionId>,
    /// A ttl in place of its own.
    pub(crate) ttl: Option<Duration>,
    /// Whether to stay to the end.
    pub(crate) wait: bool,
    /// Whether the task is cancelled when this command ends before it.
    pub(crate) cancel_on_exit: bool,
    /// Where the tasks are.
    pub(crate) remote: RemoteArgs,
}

/// Launches a task with the tool, the arguments and the session of an earlier one.
pub(crate) async fn again(
    context: &Context,
    wanted: Again<'_>,
    answering: &Answering,
) -> Result<(), Failure> {
    let Again { task, arg, session, ttl, wait, cancel_on_exit, remote } = wanted;
    let new = task.new.clone();
    // A foreground call is kept for a moment only, which was not asked for.
    let kept = new.ttl_ms.filter(|_| !new.hidden).map(Duration::from_millis);
    let args = SubmitArgs {
        tool: new.tool,
        arg,
        args_json: None,
        session: session.or(new.session),
        ttl: ttl.or(kept),
        wait,
        answers: None,
        cancel_on_exit,
        remote,
        again: Some(Earlier { task: new.id, arguments: new.arguments, scope: new.scope }),
    };
    through_store(context, &args, answering).await
}

pub(crate) async fn run(context: &Context, args: SubmitArgs) -> Result<(), Failure> {
    context.before_changing(&args.remote).await?;
    let answers = args.answers.as_deref().map(arguments::answers).transpose()?;
    let answering = Answering::new(context, answers);
    match args.remote.target(context)? {
        None => through_store(context, &args, &answering).await,
        Some(target) => {
            stay::at_server(
                context,
                &args.remote,
                &target,
                (answering, args.wait),
                async |server, answering| through_server(context, &args, server, &target, answering).await,
            )
            .await
        }
    }
}

impl SubmitArgs {
    /// Whether it stays to the end.
    pub(crate) fn waits(&self) -> bool {
        self.wait
    }

    /// The command that was given.
    fn suggested(&self) -> Suggested {
        let command = Suggested::new("submit").about(self.tool.as_str());
        let arg = |command: Suggested, arg: &String| command.option("--arg", arg.as_str());
        let command = self.arg.iter().fold(command, arg);
        let ttl = self.ttl.map(|ttl| format!("{}s", ttl.as_secs_f64()));
        let session = self.session.as_ref().map(ToString::to_string);
        let (json, answers) = (self.args_json.clone(), self.answers.clone());
        let options = [("--args-json", json), ("--session", session), ("--ttl", ttl), ("--answers", answers)];
        let flags = [("--wait", self.wait), ("--cancel-on-exit", self.cancel_on_exit)];
        let option = |command: Suggested, (name, value): (&str, Option<String>)| match value {
            Some(value) => command.option(name, value),
            None => command,
        };
        let flag = |command: Suggested, (name, is_given)| if is_given { command.flag(name) } else { command };
        flags.into_iter().fold(options.into_iter().fold(command, option), flag)
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
        let engine = opened(context, args).await?;
        match engine.tool(&args.tool).await {
            Ok(tool) => Ok((engine, tool)),
            Err(error) => Err(deployed(context, args).await.unwrap_or_else(|| error.into())),
        }
    };
    let (engine, tool) = patiently(context, args, begin).await?;
    let submission = Submission {
        tool: args.tool.clone(),
        arguments: match &args.again {
            Some(earlier) => arguments::over(&tool.input_schema, earlier.arguments.clone(), &args.arg)?,
            None => arguments::for_tool(&tool.input_schema, &args.arg, args.args_json.as_deref())?,
        },
        scope: args.again.as_ref().map_or_else(Scope::anonymous, |earlier| earlier.scope.clone()),
        session: args.session.clone(),
        hidden: false,
        ttl_ms: args.ttl_ms(),
    };
    let task = patiently(context, args, async || into_store(&engine, submission.clone()).await).await?;
    let id = task.id();
    if let Some(limit) = task.new.ttl_ms.filter(|kept| args.ttl_ms().is_some_and(|wished| wished > *kept)) {
        context.ui.warn(&format!("tasks are kept at most {}", time::rough(limit / 1000)));
    }
    announce(context, args, id.as_str(), Suggested::new("watch").option("--task", id.as_str()))?;
    warn_if_nobody_runs(context, &engine, &task).await;
    if !args.wait {
        return Ok(());
    }
    let cancel = async || Ok(engine.cancel(&Viewer::Operator, id, stay::LEFT).await?);
    let ended = Box::pin(follow::to_end(context, &engine, &task, answering));
    let ended = stay::or_cancel(context, (args.cancel_on_exit, id.as_str()), cancel, ended).await?;
    answering.tell_surplus();
    outcome::tell(context, (STORE, ended.id().as_str()), &Ending::of_task(&ended))
}

/// The store, which is begun where there is none; not in a Redis where FastMCP alone keeps tasks, whose user means those.
async fn opened(context: &Context, args: &SubmitArgs) -> Result<Engine, Failure> {
    if context.config.docket.is_some() {
        let message = "--docket names a FastMCP deployment, whose tasks are launched through its server";
        return Err(Failure::usage(message).hint(through_its_server(args.suggested())));
    }
    if let StoreChoice::Redis(url) = &context.config.store {
        match context.existing().await {
            Ok(Some(engine)) => return Ok(engine),
            Ok(None) if Deployment::discover(url, None).await.is_ok() => {
                let message = format!(
                    "nobody has begun a store at {}, where FastMCP keeps tasks: those are launched through its server",
                    text::line(&context.config.location())
                );
                return Err(Failure::usage(message).hint(through_its_server(args.suggested())));
            }
            // Whoever opens it brings it up to date, or says what is wrong.
            Ok(None) | Err(_) => {}
        }
    }
    context.engine().await
}

/// The failure of a tool that ours do not have, where it is one of FastMCP's.
async fn deployed(context: &Context, args: &SubmitArgs) -> Option<Failure> {
    let StoreChoice::Redis(url) = &context.config.store else { return None };
    for deployment in Deployment::discover_among(url, SEARCHED).await.ok()? {
        if let Some(failure) = of_deployment(&deployment, args.suggested(), &args.tool).await {
            return Some(failure);
        }
    }
    None
}

/// Repeats a step where the command waits; tries it once where it does not.
async fn patiently<T>(
    context: &Context,
    args: &SubmitArgs,
    mut step: impl AsyncFnMut() -> Result<T, Failure>,
) -> Result<T, Failure> {
    if args.wait { context.ride_out(step).await } else { step().await }
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
    let goes_on = Advice::from("the task goes on; ");
    let goes_on = if args.wait {
        goes_on.and_command(Suggested::new("attach").about(id), "takes it up again; ")
    } else {
        goes_on
    };
    context.goes_on(goes_on.text("see it with: ").ending_with(watch));
    context.concerns(id, None);
    if context.ui.is_json() {
        let source = if context.goes_through_server() { SERVER } else { STORE };
        return context.ui.object(&json!({
            "source": source, "task": id, "tool": args.tool, "session": args.session, "status": "working",
            "again": args.again.as_ref().map(|earlier| &earlier.task),
        }));
    }
    if args.wait {
        context.ui.talk(&format!("task {}", text::line(id)));
        return Ok(());
    }
    context.ui.line(&text::line(id))
}

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
    if let Some(words) = args.session.as_ref().and_then(|_| unheeded::session(era, server.is_ours())) {
        context.ui.warn(words);
    }
    let call = Call {
        tool: args.tool.clone(),
        arguments: arguments::for_tool(&schema.unwrap_or_default(), &args.arg, args.args_json.as_deref())?,
        ttl_ms: args.ttl_ms(),
        session: args.session.as_ref().map(ToString::to_string),
        detached: !args.wait,
    };
    answering.is_about(Some(call.tool.clone()), Background::of_call(&call));
    let submitted = server.submit(&call).await.map_err(|failure| in_the_older_era(failure, args, era))?;
    let kept = match &submitted {
        Submitted::Task(task) => task.ttl_ms,
        Submitted::Done(_) => None,
    };
    if let Some(words) = args.ttl_ms().and_then(|wished| unheeded::ttl(era, wished, kept)) {
        context.ui.warn(&words);
    }
    match submitted {
        Submitted::Done(result) => outcome::of_outcome(context, (SERVER, "(a foreground call)"), &result),
        Submitted::Task(task) => {
            keep(context, server, &task.id, &args.tool);
            if let Some(warning) = left_behind::warning(target, era).filter(|_| !args.wait) {
                context.ui.warn(warning);
            }
            announce(context, args, &task.id, Suggested::new("show").about(task.id.as_str()))?;
            answering.announced(&task);
            if !args.wait {
                return Ok(());
            }
            if let Some(goes_on) = left_behind::when_this_ends(target, &task.id) {
                context.goes_on(goes_on);
            }
            // Its questions are asked in this session: who answers elsewhere what is left open here needs it.
            server.session_stays(true);
            let cancel = async || {
                server.session_stays(false);
                server.cancel(&task.id).await.map(drop)
            };
            let ended = Box::pin(stay::to_end(context, server, &task));
            let ended = stay::or_cancel(context, (args.cancel_on_exit, &task.id), cancel, ended).await?;
            server.session_stays(false);
            answering.form_left().await;
            outcome::tell(context, (SERVER, &task.id), &ended)
        }
    }
}

/// The failure, with the command that helps where the tool asks as only sessions of the older era let it. It is not
/// repeated here: the tool may have done something before it asked. A server that says so in that very era cannot ask at all.
fn in_the_older_era(failure: Failure, args: &SubmitArgs, era: Era) -> Failure {
    if !asks_as_in_sessions(&failure.to_string()) {
        return failure;
    }
    if era == Era::Legacy {
        return failure.hint(
            "the tool asks in the middle of a call, and its server runs in a way in which it cannot ask, such as without \
             sessions or without streams; what it did before it asked is done",
        );
    }
    let why = "the tool asks in the middle of a call, which servers can do only in the era with sessions; what it did before \
        it asked is done: ";
    // A command that names an era already cannot name another one beside it.
    if args.remote.era() != Era::Auto {
        return failure.hint(format!("{why}with --era legacy it can ask"));
    }
    let does = "runs it once more, where it can ask";
    failure.hint(Advice::from(why).and_command(args.suggested().option("--era", "legacy"), does))
}

/// Keeps the id before anything is waited for, so that the task can be found when this process is killed.
fn keep(context: &Context, server: &Server, id: &str, tool: &str) {
    if let Err(error) = server.keep(id, tool) {
        context.ui.detail(&format!("the task's id is not kept for `list`: {error}"));
    }
}
