//! `link`: the address of a page on which one question is answered.

use clap::Args;
use serde_json::json;

use super::config::named;
use super::context::Context;
use super::failure::{Failure, Kind};
use super::places;
use super::remote::RemoteArgs;
use super::ui::{event, text, time};
use crate::desk::place::Found;
use crate::desk::places::Places;
use crate::desk::suggest::{Advice, Suggested};
use crate::engine::Engine;
use crate::fastmcp::Way;
use crate::task::{QuestionId, TaskId};
use crate::web::PublicUrl;

/// Print a link to a page on which one question is answered, by whoever has the link
///
/// The page is served by `serve --public-url`. The link is a secret: it answers that question, once, and nothing else. It ends
/// with the question, and is withdrawn by --withdraw. The store keeps a digest of it only, so it cannot be shown again.
#[derive(Debug, Args)]
#[expect(clippy::doc_markdown, reason = "doc comments of arguments are their help")]
pub(crate) struct LinkArgs {
    /// The task's id, or its beginning
    #[arg(value_name = "TASK", value_parser = super::task_id::typed, add = super::complete::waiting_tasks())]
    task: String,
    /// The question's id [default: the first open one]
    #[arg(long, value_name = "ID")]
    question: Option<String>,
    /// Whom it is for: the log says that this one answered
    #[arg(long = "as", value_name = "NAME", conflicts_with = "withdraw")]
    name: Option<String>,
    /// Where people reach the server, as its --public-url says [env: MCPTASK_PUBLIC_URL]
    #[arg(long, value_name = "URL", value_parser = PublicUrl::read, conflicts_with = "withdraw")]
    #[arg(value_hint = clap::ValueHint::Url)]
    public_url: Option<PublicUrl>,
    /// Withdraw the links of the task, or of that question of it: they lead nowhere any more
    #[arg(long)]
    withdraw: bool,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
}

pub(crate) async fn run(context: &Context, args: LinkArgs) -> Result<(), Failure> {
    if args.remote.names_a_server() {
        return Err(elsewhere());
    }
    let public = args.public_url.as_ref().or(context.config.public_url.as_ref());
    let public = match public {
        None if !args.withdraw => return Err(unknown_address()),
        public => public.cloned(),
    };
    let holder = args.name.as_deref().map(|name| named("--as", name)).transpose()?;
    let holder = holder.and_then(|who| who.name);
    context.before_changing(&args.remote).await?;
    places::at(context, &args.remote, false, async |places: &Places| {
        let found = places::find(context, places, &args.task, false).await?;
        let Found::Store(engine, id) = &found else { return Err(elsewhere()) };
        match public {
            Some(public) => link(context, &found, (engine, id), (&args, &public, holder.as_deref())).await,
            None => withdraw(context, (engine, id), &args).await,
        }
    })
    .await
}

fn unknown_address() -> Failure {
    let hint = "give --public-url, as `serve` has it, or set MCPTASK_PUBLIC_URL";
    Failure::usage("nobody has said where people reach the server of the page").hint(hint)
}

/// The failure of a task that is not ours.
fn elsewhere() -> Failure {
    let why = "of a store that a server uses, ";
    Failure::usage("only tasks of our own store have links, not those of FastMCP or behind a server")
        .hint(Advice::at_its_store(why, Suggested::new("link").about("TASK"), "makes one"))
}

async fn link(
    context: &Context,
    found: &Found,
    (engine, task): (&Engine, &TaskId),
    (args, public, holder): (&LinkArgs, &PublicUrl, Option<&str>),
) -> Result<(), Failure> {
    let open = found.question(args.question.as_deref(), Way::Supported).await?;
    let question = QuestionId::try_from(open.id.clone()).map_err(|_| not_ours(&open.id))?;
    let made_by = context.config.answerer.name.as_deref().unwrap_or("an operator");
    let token = engine.make_link((task, &question), holder, made_by).await?;
    let url = public.question(token.reveal());
    if context.ui.is_json() {
        return context.ui.object(&json!({
            "source": found.source(), "task": task, "question": question, "url": url, "as": holder,
            "deadline": open.asked.deadline,
        }));
    }
    context.ui.line(&url)?;
    let whoever = holder.map_or_else(|| "whoever has it".to_owned(), text::line);
    let until = open.asked.end().map(|end| format!(", until {}", time::moment(end.at()))).unwrap_or_default();
    let short = event::short(task.as_str());
    context.ui.talk(&format!("{whoever} may answer question {question} of task {short} there{until}"));
    Ok(())
}

async fn withdraw(
    context: &Context,
    (engine, task): (&Engine, &TaskId),
    args: &LinkArgs,
) -> Result<(), Failure> {
    let question =
        args.question.as_deref().map(|id| QuestionId::try_from(id.to_owned()).map_err(|_| not_ours(id)));
    let count = engine.withdraw_links(task, question.transpose()?.as_ref()).await?;
    if count == 0 {
        let message = format!("task {task} has no links to withdraw");
        return Err(Failure::new(Kind::NothingChanged, message));
    }
    if context.ui.is_json() {
        return context.ui.object(&json!({ "source": "mcptask", "task": task, "withdrawn": count }));
    }
    let links = if count == 1 { "1 link is".to_owned() } else { format!("{count} links are") };
    context.ui.talk(&format!("{links} withdrawn; nobody can answer by them any more"));
    Ok(())
}

fn not_ours(question: &str) -> Failure {
    Failure::new(Kind::NotFound, format!("no question has the id {}", text::line(question)))
}
