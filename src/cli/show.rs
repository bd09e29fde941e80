//! `show`: everything about one task.

use clap::Args;
use jiff::Timestamp;

use super::context::Context;
use super::failure::Failure;
use super::places;
use super::remote::RemoteArgs;
use super::ui::{event, status, tool_error, unreadable};
use crate::desk::facts::Fact;

/// Show everything about a task: questions, answers, events
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The task's id, or its beginning
    #[arg(value_parser = super::task_id::typed, add = super::complete::tasks())]
    task: String,
    #[command(flatten)]
    remote: RemoteArgs,
}

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
    let value = |name: &str, value: &str| ui.line(&format!("{} {value}", paint.dim(&format!("{name:<15}"))));
    match fact {
        Fact::Heading(words) => {
            ui.line("")?;
            ui.line(&paint.bold(words))
        }
        Fact::Value(name, shown) => value(name, shown),
        Fact::Status(Some(one)) => value("status", &status(*one, paint)),
        Fact::Status(None) => value("status", &unreadable(paint)),
        Fact::ToolError => value("status", &tool_error(paint)),
        Fact::Command(name, command) => value(name, &context.suggest(command.clone())),
        Fact::Text(line) => ui.line(line),
        Fact::Event(one) => ui.line(&format!("  {}", event::line(one, now, paint))),
    }
}
