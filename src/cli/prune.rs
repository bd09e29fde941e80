//! `prune`: deletes ended tasks before their ttl does.

use std::time::Duration;

use clap::Args;

use super::bulk::{self, Words};
use super::context::Context;
use super::failure::Failure;
use super::places;
use super::remote::RemoteArgs;
use super::ui::time;
use crate::desk::places::Places;
use crate::desk::selection::{Selected, SelectedTask, Selection};
use crate::desk::suggest::{Advice, Suggested};
use crate::task::{SessionId, TaskStatus};

/// Delete tasks that have ended, before their ttl does
///
/// Their questions, answers and results go with them; their events stay in the log until it is swept. It asks before, or
/// wants --yes in a script. Only tasks of our own store can be deleted. What is kept of tasks beyond their ttl (--keep of
/// `serve` and `worker`) stays; --history deletes that, and nothing else.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("which").args(["ended", "status", "history"]).multiple(true).required(true)))]
pub(crate) struct PruneArgs {
    /// All that have ended, however they did
    #[arg(long)]
    ended: bool,
    /// Only those that ended so: completed, failed or cancelled; may be given several times
    #[arg(long, value_name = "STATUS", value_delimiter = ',', value_parser = final_status)]
    status: Vec<TaskStatus>,
    /// Delete what is kept of tasks whose ttl has ended, which `list --history` shows
    #[arg(long)]
    history: bool,
    /// Only those that ended longer ago, for example 7d; with --history, whose ttl did
    #[arg(long, value_name = "DURATION", value_parser = time::duration)]
    older_than: Option<Duration>,
    /// Only this session's
    #[arg(long, value_name = "SESSION", add = super::complete::sessions())]
    session: Option<SessionId>,
    /// Only this tool's
    #[arg(long, value_name = "TOOL", value_parser = bulk::tool, add = super::complete::tools())]
    tool: Option<String>,
    /// Show which tasks these are, and delete nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
}

const WORDS: Words = Words {
    verb: "prune",
    act: "delete",
    done: "deleted",
    past: "were gone already",
    failed: "could not be deleted",
};

/// Reads how a task has ended.
fn final_status(text: &str) -> Result<TaskStatus, String> {
    match text.parse::<TaskStatus>() {
        Ok(status) if status.is_final() => Ok(status),
        _ => Err(format!("{text:?} is no end of a task: there are completed, failed and cancelled")),
    }
}

pub(crate) async fn run(context: &Context, args: PruneArgs) -> Result<(), Failure> {
    if !args.dry_run {
        context.before_changing(&args.remote).await?;
    }
    places::at(context, &args.remote, false, async |places| prune(context, places, &args).await).await
}

async fn prune(context: &Context, places: &Places, args: &PruneArgs) -> Result<(), Failure> {
    let selection = args.selection();
    let select = async {
        if args.history {
            places.select_archived(&selection).await
        } else {
            places.select_own(&selection).await
        }
    };
    let selected = match context.asking(select).await? {
        Some(selected) => selected,
        // Where nobody has begun a store there is nothing to delete.
        None if places.is_empty() => Selected::default(),
        None => return Err(not_ours()),
    };
    bulk::tell_left_out(context, &selected);
    if args.dry_run {
        let mut tally = bulk::show(context, places, &selected)?;
        return bulk::end(context, &WORDS, &mut tally, true);
    }
    if !selected.tasks.is_empty() {
        bulk::confirm(context, &WORDS, &selected.in_words()).await?;
    }
    context.goes_on("what is deleted is gone; the same command goes on with the rest");
    let told = |task: &SelectedTask| {
        if context.ui.is_json() { context.ui.object(&places.object(task)) } else { Ok(()) }
    };
    let mut tally = context.asking(places.prune_all(&selected.tasks, told)).await?;
    bulk::end(context, &WORDS, &mut tally, false)
}

impl PruneArgs {
    fn selection(&self) -> Selection {
        let ends = TaskStatus::ALL.into_iter().filter(|status| status.is_final());
        Selection {
            session: self.session.clone(),
            tool: self.tool.clone(),
            statuses: if self.status.is_empty() { ends.collect() } else { self.status.clone() },
            launched_before: None,
            ended_before: bulk::before(self.older_than),
        }
    }
}

/// The failure where the tasks are others' to delete.
fn not_ours() -> Failure {
    let there = "these go by themselves when their ttl ends; of a store that a server uses, ";
    let prune = Suggested::new("prune").flag("--ended");
    Failure::usage("only tasks of our own store can be deleted, not those of a server or of FastMCP")
        .hint(Advice::at_its_store(there, prune, "deletes them"))
}
