//! `show`: everything about one task.

use clap::Args;
use jiff::Timestamp;

use super::context::Context;
use super::failure::Failure;
use super::places;
use super::remote::RemoteArgs;
use super::ui::{ENDED, Piece, event, queued, status, tool_error, unreadable, width};
use crate::desk::facts::Fact;

/// Show everything about a task: questions, answers, events
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The task's id, or its beginning
    #[arg(value_parser = super::task_id::typed, add = super::complete::tasks())]
    task: String,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
}

/// The columns of a fact's name.
const NAME: usize = 15;

pub(crate) async fn run(context: &Context, args: ShowArgs) -> Result<(), Failure> {
    let facts = places::at(context, &args.remote, false, async |places| {
        places::find(context, places, &args.task, false).await?.facts().await
    });
    let facts = facts.await?;
    for warning in facts.warnings {
        context.ui.warn(&context.advise(warning));
    }
    if context.ui.is_json() {
        return context.ui.object(&facts.object);
    }
    let now = Timestamp::now();
    facts.lines.iter().try_for_each(|fact| print(context, fact, now))
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
