//! `show`: everything about one task.

use clap::Args;
use jiff::Timestamp;

use super::context::Context;
use super::failure::Failure;
use super::places;
use super::remote::RemoteArgs;
use super::ui::{ENDED, Piece, event, queued, status, tool_error, unreadable, width};
use super::watch;
use crate::desk::facts::{Fact, Facts};
use crate::desk::sought::Sought;

/// Show everything about a task: questions, answers, events
///
/// Also of one whose ttl has ended, as long as `--keep` of `serve` and `worker` keeps it.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The task's id, or its beginning
    #[arg(value_parser = super::task_id::typed, add = super::complete::tasks())]
    task: String,
    /// Go on with what happens to it, until it ends
    #[arg(short, long)]
    follow: bool,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
}

/// The columns of a fact's name.
const NAME: usize = 15;

impl ShowArgs {
    /// Whether it waits.
    pub(crate) fn waits(&self) -> bool {
        self.follow
    }
}

pub(crate) async fn run(context: &Context, args: ShowArgs) -> Result<(), Failure> {
    places::at(context, &args.remote, args.follow, async |places| {
        let sought = places::seek(context, places, &args.task, args.follow).await?;
        match sought {
            Sought::Task(found) if args.follow => {
                let show = async || shown(context, found.facts().await?);
                watch::after_facts(context, places, &found, show).await
            }
            // Nothing happens to an archived task any more.
            sought => shown(context, sought.facts().await?).map(drop),
        }
    })
    .await
}

/// Prints what is known of the task.
fn shown(context: &Context, facts: Facts) -> Result<Facts, Failure> {
    for warning in &facts.warnings {
        context.ui.warn(&context.advise(warning.clone()));
    }
    if context.ui.is_json() {
        context.ui.object(&facts.object)?;
        return Ok(facts);
    }
    let now = Timestamp::now();
    facts.lines.iter().try_for_each(|fact| print(context, fact, now))?;
    Ok(facts)
}

fn print(context: &Context, fact: &Fact, now: Timestamp) -> Result<(), Failure> {
    let (ui, paint) = (&context.ui, context.ui.paint());
    let lead = |name: &str| format!("{} ", paint.dim(&width::padded(name, NAME)));
    let value = |name: &str, value: &str| ui.line_words(&lead(name), value);
    match fact {
        Fact::Heading(words) => {
            ui.line("")?;
            ui.line_after("", &[Piece::Words(words.clone())])
        }
        Fact::Value(name, shown) => value(name, shown),
        Fact::Status(Some(one)) => ui.line(&format!("{}{}", lead("status"), status(*one, paint))),
        Fact::Status(None) => ui.line(&format!("{}{}", lead("status"), unreadable(paint))),
        Fact::Queued => ui.line(&format!("{}{}", lead("status"), queued(paint))),
        Fact::Ended => ui.line(&format!("{}{ENDED}", lead("status"))),
        Fact::ToolError => ui.line(&format!("{}{}", lead("status"), tool_error(paint))),
        Fact::Command(name, command) => ui.line_after(&lead(name), &[context.command(command.clone())]),
        Fact::Text(line) => ui.line_after("  ", &[Piece::Words(line.clone())]),
        Fact::Event(one) => event::print(ui, "  ", one, now),
    }
}
