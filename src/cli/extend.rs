//! `extend`: more time for a question that waits.

use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use serde_json::json;

use super::context::Context;
use super::failure::Failure;
use super::remote::RemoteArgs;
use super::ui::{event, text, time};
use super::{complete_names, places, who};
use crate::desk::extending::behind_a_server;
use crate::desk::place::Found;
use crate::desk::places::Places;
use crate::desk::suggest::{Advice, Suggested};
use crate::engine::{EngineError, LONGEST_EXTENSION};
use crate::fastmcp::Way;
use crate::store::{Extension, StoreError};
use crate::task::{Answerer, QuestionId, TaskId, Who};

/// Give a question that waits more time, counted from now on
///
/// Everybody who shows or counts its time goes by the new end, its links and its page too. Its task is kept ten minutes longer
/// than the question at least. A question that waits as long already stays as it is (exit 10).
#[derive(Debug, Args)]
#[expect(clippy::doc_markdown, reason = "doc comments of arguments are their help")]
pub(crate) struct ExtendArgs {
    /// The task's id, or its beginning
    #[arg(value_name = "TASK", value_parser = super::task_id::typed, add = super::complete::waiting_tasks())]
    task: String,
    /// How long the question waits from now on, for example 30m or 2h, 7 days at most
    #[arg(value_name = "DURATION", value_parser = time::duration)]
    lasts: Duration,
    /// The question's id, for example q2 [default: the first open one]
    #[arg(long, value_name = "QUESTION", allow_hyphen_values = true, add = complete_names::questions())]
    question: Option<String>,
    /// Say who extends it, for the log: as given, not proven [env: MCPTASK_AS] [default: user@host]
    #[arg(long = "as", value_name = "NAME")]
    name: Option<String>,
    /// Note why; the task's log keeps it
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
}

pub(crate) async fn run(context: &Context, args: ExtendArgs) -> Result<(), Failure> {
    if args.remote.names_a_server() {
        return Err(behind_a_server());
    }
    let who = who::given(context, args.name.as_deref(), args.note.as_deref())?;
    context.before_changing(&args.remote).await?;
    places::at(context, &args.remote, false, async |places: &Places| {
        let found = places::find(context, places, &args.task, false).await?;
        extend(context, &found, &args, who).await
    })
    .await
}

async fn extend(context: &Context, found: &Found, args: &ExtendArgs, who: Who) -> Result<(), Failure> {
    let (engine, task) = found.extensible()?;
    context.concerns(found.id(), args.question.as_deref());
    let open = found.question(args.question.as_deref(), Way::Supported).await?;
    context.concerns(found.id(), Some(&open.id));
    let question = QuestionId::try_from(open.id).map_err(|error| Failure::usage(error.to_string()))?;
    let extension = Extension { lasts: args.lasts, by: Answerer::Operator, who: who.if_any() };
    let extended = match engine.extend((task, &question), &extension).await {
        Err(EngineError::Store(StoreError::WaitsLonger { task, question, until: Some(until) })) => {
            return Err(longer((&task, &question), until, args.lasts));
        }
        extended => extended?,
    };
    if context.ui.is_json() {
        return context.ui.object(&json!({
            "source": found.source(), "task": task, "question": question, "deadline": extended.deadline,
            "expires_at": extended.expires_at, "by": extension.by, "who": extension.who,
        }));
    }
    let now = Timestamp::now();
    let at = |at| format!("{} ({})", time::moment(at), time::relative(at, now));
    let kept = extended.expires_at.map(|end| format!("; its task is kept until {}", at(end)));
    let (short, until) = (text::line(event::short(task.as_str())), at(extended.deadline));
    context.ui.talk(&format!(
        "question {question} of task {short} waits until {until}{}",
        kept.unwrap_or_default()
    ));
    Ok(())
}

/// The failure of a question that waits as long already, with the command for whoever meant the time to be added.
fn longer((task, question): (&TaskId, &QuestionId), until: Timestamp, lasts: Duration) -> Failure {
    let left = Duration::try_from(until.duration_since(Timestamp::now())).unwrap_or_default();
    let minutes = left.saturating_add(lasts).as_secs().div_ceil(60);
    let command = Suggested::new("extend").about(event::short(task.as_str())).word(&format!("{minutes}m"));
    let (task, question) = (task.clone(), question.clone());
    let hint = Advice::command(command.question(question.as_str()), "adds as much to its present end");
    let failure = Failure::from(StoreError::WaitsLonger { task, question, until: Some(until) });
    // Nobody may add more at once.
    if Duration::from_secs(60 * minutes) > LONGEST_EXTENSION {
        return failure;
    }
    failure.hint(hint.after("the time is counted from now on; "))
}
