//! `cancel`: ends one task, or many.

use std::collections::HashSet;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::bulk::{self, Words};
use super::context::Context;
use super::failure::{Failure, Kind};
use super::places;
use super::remote::RemoteArgs;
use super::ui::{text, time};
use crate::desk::place::{BY_OPERATOR, Cancelled};
use crate::desk::places::Places;
use crate::desk::selection::{Chosen, Selected, SelectedTask, Selection};
use crate::task::{SessionId, TaskStatus};

/// Cancel tasks: their work is stopped, their open questions are withdrawn
///
/// One task, several, or all unfinished ones that have what the options say. Of several, those that have ended already
/// are no failure; before tasks are cancelled that were not named one by one, it asks, or wants --yes in a script.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("which").args(["tasks", "session", "tool", "older"]).multiple(true).required(true)))]
pub(crate) struct CancelArgs {
    /// The tasks' ids, or their beginnings
    #[arg(value_name = "TASK", value_parser = super::task_id::typed, add = super::complete::unfinished_tasks())]
    #[arg(conflicts_with_all = ["session", "tool", "older"])]
    tasks: Vec<String>,
    /// All unfinished ones of this session
    #[arg(long, value_name = "SESSION", add = super::complete::sessions())]
    session: Option<SessionId>,
    /// All unfinished ones of this tool; of that session, where both are given
    #[arg(long, value_name = "TOOL", value_parser = bulk::tool, add = super::complete::tools())]
    tool: Option<String>,
    /// Only those that were launched longer ago, for example 2h
    #[arg(long, value_name = "DURATION", value_parser = time::duration)]
    older: Option<Duration>,
    /// Show which tasks these are, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Why, for the log
    #[arg(long, value_name = "TEXT", default_value = BY_OPERATOR)]
    reason: String,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
}

const WORDS: Words = Words {
    verb: "cancel",
    act: "cancel",
    done: "cancelled",
    past: "had ended",
    failed: "could not be cancelled",
};

pub(crate) async fn run(context: &Context, args: CancelArgs) -> Result<(), Failure> {
    if !args.dry_run {
        context.before_changing(&args.remote).await?;
    }
    let done = async |places: &Places| match args.tasks.as_slice() {
        [task] if !args.dry_run => one(context, places, task, &args).await,
        [] => matching(context, places, &args).await,
        tasks => named(context, places, tasks, &args).await,
    };
    places::at(context, &args.remote, false, done).await
}

async fn one(context: &Context, places: &Places, task: &str, args: &CancelArgs) -> Result<(), Failure> {
    let found = places::find(context, places, task, false).await?;
    told(context, found.source(), &found.cancel(&args.reason).await?)?;
    context.ui.talk(&format!("task {} is cancelled", text::line(found.id())));
    Ok(())
}

/// Says what scripts are told of a cancelled task, and what everybody should know.
fn told(context: &Context, source: &'static str, done: &Cancelled) -> Result<(), Failure> {
    if let Some(warning) = done.warning {
        context.ui.warn(&format!("task {}: {warning}", text::line(&done.task)));
    }
    if context.ui.is_json() {
        context.ui.object(&json!({ "source": source, "task": done.task, "status": "cancelled" }))?;
    }
    Ok(())
}

/// Those that are named, each on its own. An id that may mean several tasks is refused before anything is changed.
async fn named(
    context: &Context,
    places: &Places,
    prefixes: &[String],
    args: &CancelArgs,
) -> Result<(), Failure> {
    let (mut selected, mut unknown) = (Selected::default(), Vec::new());
    let mut known = HashSet::new();
    context.asking(places.look_once()).await?;
    for prefix in prefixes {
        match context.asking(places.select_one(prefix)).await {
            Ok(chosen) if !known.insert(chosen.id().to_owned()) => {}
            Ok(Chosen::Task(task)) => selected.tasks.push(task),
            // One alone is the failure that it is without `--dry-run`.
            Ok(Chosen::Expired(sought)) if prefixes.len() == 1 => return sought.task().map(|_| ()),
            Ok(Chosen::Expired(_)) => selected.expired += 1,
            Err(failure) if failure.kind() == Kind::NotFound => unknown.push(failure),
            Err(failure) => return Err(failure),
        }
    }
    if args.dry_run {
        return would(context, places, selected, &unknown);
    }
    cancel(context, places, &selected, unknown, args).await
}

/// Shows which of the named ones would be cancelled. One alone that has ended is the failure that it is without
/// `--dry-run`.
fn would(context: &Context, places: &Places, selected: Selected, unknown: &[Failure]) -> Result<(), Failure> {
    let Selected { tasks, expired, .. } = selected;
    let (ended, tasks): (Vec<_>, Vec<_>) = tasks.into_iter().partition(|task| task.ended().is_some());
    if let ([task], [], [], 0) = (ended.as_slice(), tasks.as_slice(), unknown, expired)
        && let Some(status) = task.ended()
    {
        let message = format!("task {} has already ended: {status}", text::line(task.id()));
        return Err(Failure::new(Kind::NothingChanged, message));
    }
    let mut tally = bulk::show(context, places, &Selected { tasks, ..Selected::default() })?;
    tally.past = ended.len() + expired;
    for failure in unknown {
        tally.fails(failure);
    }
    bulk::end(context, &WORDS, &mut tally, true)
}

/// All unfinished ones that have what the options say.
async fn matching(context: &Context, places: &Places, args: &CancelArgs) -> Result<(), Failure> {
    places::tell_unsearched(context, places);
    let selection = Selection {
        session: args.session.clone(),
        tool: args.tool.clone(),
        statuses: vec![TaskStatus::Working, TaskStatus::InputRequired],
        launched_before: bulk::before(args.older),
        ended_before: None,
    };
    let selected = context.asking(places.select(&selection, WORDS.verb)).await?;
    bulk::tell_left_out(context, &selected);
    if args.dry_run {
        return would(context, places, selected, &[]);
    }
    if !selected.tasks.is_empty() {
        bulk::confirm(context, &WORDS, &selected.in_words()).await?;
    }
    cancel(context, places, &selected, Vec::new(), args).await
}

async fn cancel(
    context: &Context,
    places: &Places,
    selected: &Selected,
    unknown: Vec<Failure>,
    args: &CancelArgs,
) -> Result<(), Failure> {
    context.goes_on("what is cancelled stays so; the same command goes on with the rest");
    let told = |task: &SelectedTask, done: &Cancelled| told(context, places.all()[task.place].source(), done);
    let mut tally = context.asking(places.cancel_all(&selected.tasks, &args.reason, told)).await?;
    tally.past += selected.expired;
    for failure in &unknown {
        tally.fails(failure);
    }
    bulk::end(context, &WORDS, &mut tally, false)
}
