//! `doctor`: why tasks are stuck, and what helps.

use clap::Args;
use serde_json::json;

use super::context::Context;
use super::failure::{Failure, Kind};
use super::places;
use super::remote::RemoteArgs;
use super::ui::{Piece, event, text};
use crate::desk::diagnose::Finding;
use crate::desk::place::Place;
use crate::desk::places::Places;
use crate::desk::suggest::{Advice, Suggested};

/// Say why a task is stuck, and what helps
///
/// Without a task, all unfinished ones and the store itself. Works on tasks of one's own, on FastMCP's, and on what a
/// server shows. Exits with 5 where something is wrong; with 0 where all is well, also where a person is waited for.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// The task's id, or its beginning
    #[arg(value_parser = super::task_id::typed, add = super::complete::unfinished_tasks())]
    task: Option<String>,
    /// Put a FastMCP task back to waiting that FastMCP lost to its own status race
    #[arg(long, requires = "task")]
    fix: bool,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
}

pub(crate) async fn run(context: &Context, args: DoctorArgs) -> Result<(), Failure> {
    if args.fix {
        context.before_changing(&args.remote).await?;
    }
    let looked = places::at(context, &args.remote, false, async |places| {
        let Some(prefix) = &args.task else { return all(context, places).await };
        let found = places::find(context, places, prefix, false).await?;
        if args.fix {
            return fixed(context, &found.fix().await?);
        }
        tell(context, &found.diagnose().await?)
    });
    match looked.await {
        Err(failure) => match Finding::of_failure(&failure) {
            Some(finding) => tell(context, &[finding]),
            None => Err(failure),
        },
        done => done,
    }
}

async fn all(context: &Context, places: &Places) -> Result<(), Failure> {
    places::tell_unsearched(context, places);
    if places.is_empty() {
        context.ui.talk(&format!("nothing is wrong; {}", context.nothing_begun()));
        return Ok(());
    }
    if places.all().iter().any(|place| matches!(place, Place::Server(_))) {
        let why = "a server shows its tasks, not its workers and its store; at its store, ";
        let more = Advice::at_its_store(why, Suggested::new("doctor"), "says more");
        context.tell(more);
    }
    tell(context, &places.diagnose().await?)
}

fn fixed(context: &Context, id: &str) -> Result<(), Failure> {
    if context.ui.is_json() {
        return context.ui.object(&json!({ "source": "fastmcp", "task": id, "fixed": true }));
    }
    let id = text::line(event::short(id));
    let gives = Advice::command(Suggested::new("respond").about(id.as_str()), "gives it");
    context.ui.talk(&context.advise(gives.after(&format!("task {id} waits for an answer again; "))));
    Ok(())
}

fn tell(context: &Context, found: &[Finding]) -> Result<(), Failure> {
    found.iter().try_for_each(|one| print(context, one))?;
    if found.is_empty() {
        context.ui.talk("nothing is wrong");
    }
    match found.iter().filter(|one| one.is_trouble).count() {
        0 => Ok(()),
        1 => Err(Failure::new(Kind::TaskFailed, "something is wrong")),
        several => Err(Failure::new(Kind::TaskFailed, format!("{several} things are wrong"))),
    }
}

fn print(context: &Context, finding: &Finding) -> Result<(), Failure> {
    let (ui, paint) = (&context.ui, context.ui.paint());
    if ui.is_json() {
        return ui.object(&finding.object(&context.placed(finding.help.clone()).to_string()));
    }
    let task = finding.task.as_deref().map_or("all", event::short);
    let cause = finding.cause.replace('_', " ");
    let cause = if finding.is_trouble { paint.red(&cause) } else { paint.yellow(&cause) };
    let lead = format!("{}  {cause}: ", paint.bold(&text::line(task)));
    ui.line_after(&lead, &[Piece::Words(text::sentence(&finding.evidence))])?;
    let help = context.placed(finding.help.clone());
    ui.line_after(&format!("          {} ", paint.dim("→")), &help.pieces())
}
