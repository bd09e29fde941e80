//! `attach`: stays with a task that is there already.

use clap::Args;

use super::context::Context;
use super::failure::{Failure, Kind};
use super::follow::{self, Answering};
use super::remote::RemoteArgs;
use super::ui::question::Draft;
use super::ui::spinner::Spinner;
use super::ui::text;
use super::{answering, arguments, outcome, places, stay};
use crate::client::{Era, Target};
use crate::desk::answer::{Delivered, Sending};
use crate::desk::answers;
use crate::desk::asked::OpenQuestion;
use crate::desk::background::Background;
use crate::desk::ending::Ending;
use crate::desk::place::{Found, SERVER};
use crate::desk::suggest::{Advice, Suggested};
use crate::engine::Viewer;
use crate::fastmcp::Way;

/// Take up `submit --wait` again: stay with a task to its end, answer its questions, print the result
///
/// Whoever launched the task, and wherever; several may stay with one. Its end is told as by `submit --wait`, with the same
/// exit codes.
#[derive(Debug, Args)]
#[command(after_long_help = answers::FORMAT)]
pub(crate) struct AttachArgs {
    /// The task's id, or its beginning
    #[arg(value_parser = super::task_id::typed, add = super::complete::unfinished_tasks())]
    task: String,
    /// Answer questions from this JSON file, or - for stdin (see below)
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    answers: Option<String>,
    /// Cancel the task where this command ends before it: by Ctrl-C, SIGTERM, a closed terminal or --timeout
    #[arg(long)]
    cancel_on_exit: bool,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
}

pub(crate) async fn run(context: &Context, args: AttachArgs) -> Result<(), Failure> {
    context.before_changing(&args.remote).await?;
    let answers = args.answers.as_deref().map(arguments::answers).transpose()?;
    let answering = Answering::new(context, answers);
    match args.remote.target(context)? {
        None => at_places(context, &args, &answering).await,
        Some(target) => at_server(context, &args, &target, answering).await,
    }
}

async fn at_places(context: &Context, args: &AttachArgs, answering: &Answering) -> Result<(), Failure> {
    places::at(context, &args.remote, true, async |places| {
        let found = places::find(context, places, &args.task, true).await?;
        goes_on(context, found.id());
        places::tell_unoffered(context, &found).await;
        let cancel = async || found.cancel(stay::LEFT).await.map(drop);
        let ended = Box::pin(to_end(context, &found, answering));
        let ended = stay::or_cancel(context, (args.cancel_on_exit, found.id()), cancel, ended).await?;
        answering.tell_surplus();
        outcome::tell(context, (found.source(), found.id()), &ended)
    })
    .await
}

/// Says how the task is taken up again, should this command end before.
fn goes_on(context: &Context, id: &str) {
    let attach = Suggested::new("attach").about(id);
    context.goes_on(Advice::with("the task goes on; take it up again with", attach));
    context.ui.talk(&format!("task {}", text::line(id)));
}

async fn to_end(context: &Context, found: &Found, answering: &Answering) -> Result<Ending, Failure> {
    if let Found::Store(engine, id) = found {
        let task = engine.get_patiently(&Viewer::Operator, id).await?;
        return Ok(Ending::of_task(&follow::to_end(context, engine, &task, answering).await?));
    }
    deployed_to_end(context, found.clone(), answering).await
}

/// Stays with a task of a FastMCP deployment, whose questions have no numbers: they are counted as they come.
async fn deployed_to_end(
    context: &Context,
    mut found: Found,
    answering: &Answering,
) -> Result<Ending, Failure> {
    let mut position = 0;
    loop {
        let spinner = Spinner::start(&context.ui, "waiting");
        found = context.ride_out(async || found.until_asked(None).await).await?;
        drop(spinner);
        if found.has_ended() {
            return context.ride_out(async || found.ending(false).await).await;
        }
        position += 1;
        have_answered(context, &found, answering, position).await?;
    }
}

/// Has the first open question answered, here or by somebody who is faster.
async fn have_answered(
    context: &Context,
    found: &Found,
    answering: &Answering,
    position: usize,
) -> Result<(), Failure> {
    let question = found.question(None, Way::Supported).await?;
    let mut asked = question.asked.clone();
    loop {
        let closed = found.closed_elsewhere(&question);
        let answer = match answering.decide_unless((&asked, position), Box::pin(closed)).await? {
            Ok(answer) => answer,
            Err(winner) => {
                context.ui.talk(&winner);
                return Ok(());
            }
        };
        let is_typed = answering.is_typed(&asked, position);
        let draft = is_typed.then(|| Draft::sent(&context.ui, &asked.ask, &answer));
        let mut sending = Sending::new(found, &question, answer.clone(), Way::Supported);
        let problem = match context.ride_out(async || sending.attempt().await).await {
            Ok(Delivered::Taken(_)) => None,
            Ok(Delivered::Refused { problem, .. }) => Some(problem),
            Err(failure) if failure.kind() == Kind::NothingChanged => {
                return unless_closed(context, found, &question, failure).await;
            }
            Err(failure) => Some(answering::again(context, failure, is_typed)?),
        };
        if let Some(draft) = draft {
            draft.forget();
        }
        let Some(problem) = problem else { return Ok(()) };
        asked.refused(&answer, problem);
    }
}

/// Goes on where an answer failed since somebody else was faster.
async fn unless_closed(
    context: &Context,
    found: &Found,
    question: &OpenQuestion,
    failure: Failure,
) -> Result<(), Failure> {
    let closed = context.ride_out(async || found.closed_by_now(question).await).await?;
    context.ui.talk(&closed.ok_or(failure)?);
    Ok(())
}

/// What to know of a task of a server that may ask nobody but the client that submitted it, and shows nobody else that it
/// asks, as FastMCP 3 does.
fn not_asked_here(task: &str) -> Advice {
    let respond = Suggested::new("respond").about(task);
    let why = "some legacy servers ask only the client that submitted a task: where nothing comes here and the task does not \
        end, ";
    Advice::at_its_store(why, respond, "answers what it asks straight at the store that the server uses")
}

async fn at_server(
    context: &Context,
    args: &AttachArgs,
    target: &Target,
    answering: Answering,
) -> Result<(), Failure> {
    stay::at_server(context, &args.remote, target, (answering, true), async |server, answering| {
        answering.speaks_to(server.era());
        let task = server.find(&args.task).await?;
        context.concerns(&task.id, None);
        goes_on(context, &task.id);
        if server.era() == Era::Legacy && !server.is_ours() && !task.status.is_final() {
            context.tell(not_asked_here(&task.id));
        }
        answering.is_about(server.tool_of(&task.id), Background::default());
        answering.announced(&task);
        let cancel = async || server.cancel(&task.id).await.map(drop);
        let ended = Box::pin(stay::to_end(context, server, &task));
        let ended = stay::or_cancel(context, (args.cancel_on_exit, &task.id), cancel, ended).await?;
        answering.form_left().await;
        outcome::tell(context, (SERVER, &task.id), &ended)
    })
    .await
}
