//! `tools`: what can be submitted.

use super::context::Context;
use super::failure::{Failure, Kind};
use super::places;
use super::remote::RemoteArgs;
use super::ui::{Column, Piece, TableRow, table, text};
use crate::desk::facts;
use crate::desk::suggest::{Advice, Suggested};
use crate::desk::tools::Tool;
use crate::fastmcp::DeployedComponent;
use crate::form::Form;
use crate::task::ToolSpec;
use clap::Args;

/// List the tools that can be submitted, or show one with its arguments
#[derive(Debug, Args)]
pub(crate) struct ToolsArgs {
    /// Show this tool and what it takes
    #[arg(add = super::complete::tools())]
    tool: Option<String>,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
}

pub(crate) async fn run(context: &Context, args: ToolsArgs) -> Result<(), Failure> {
    let (found, of_fastmcp) = places::at(context, &args.remote, false, async |places| {
        places::tell_unsearched(context, places);
        Ok((places.tools().await?, places.are_of_fastmcp_alone()))
    })
    .await?;
    for one in &found.unreadable {
        let (name, problem) = (text::line(&one.name), text::short(&one.problem, 200));
        context
            .ui
            .warn(&format!("tool {name} cannot be read: {problem}; a worker that offers it writes it anew"));
    }
    let mut tools = found.tools;
    if let Some(name) = &args.tool {
        tools.retain(|tool| tool.name() == name);
        if tools.is_empty() {
            return Err(Failure::new(Kind::NotFound, format!("there is no tool {name:?}"))
                .hint(Advice::command(Suggested::new("tools"), "shows the tools")));
        }
    }
    if context.ui.is_json() {
        return tools.iter().try_for_each(|tool| context.ui.object(&tool.object()));
    }
    match (&args.tool, tools.as_slice()) {
        (_, []) if context.goes_through_server() => {
            context.ui.talk("this server offers no tools");
            Ok(())
        }
        (_, []) if of_fastmcp => {
            context.ui.talk(
                "no living worker of FastMCP offers a tool here; start a worker of the server that has the tools",
            );
            Ok(())
        }
        (_, []) => {
            let words = "no worker has offered a tool here yet; start one with";
            context.tell(Advice::with(words, Suggested::new("worker")));
            Ok(())
        }
        (Some(_), tools) => tools.iter().try_for_each(|tool| match tool {
            Tool::Known { spec, .. } => {
                show(context, spec)?;
                if tool.is_run_by_nobody() {
                    let words = "no living worker runs it: a task of it would wait for one; start one with";
                    context.tell(Advice::with(words, Suggested::new("worker")));
                }
                Ok(())
            }
            Tool::Deployed(one) => show_deployed(context, one),
        }),
        (None, tools) => list(context, tools),
    }
}

/// What stands in the column of workers of a tool that no living one runs.
const NO_WORKER: &str = "none";

fn list(context: &Context, tools: &[Tool]) -> Result<(), Failure> {
    let lacks_workers = tools.iter().any(Tool::is_run_by_nobody);
    let row = |tool: &Tool| {
        let does = match tool {
            Tool::Known { spec, .. } => text::line(spec.description.lines().next().unwrap_or_default()),
            Tool::Deployed(one) => {
                let workers = one.workers.len();
                let (kind, docket) = (text::line(&one.component.kind), text::line(&one.docket));
                format!("a {kind} of FastMCP's, docket {docket}; {workers} worker(s)")
            }
        };
        let worker = if tool.is_run_by_nobody() { NO_WORKER } else { "" };
        let worker = lacks_workers.then(|| worker.to_owned());
        let cells = std::iter::once(text::line(tool.name())).chain(worker).collect();
        TableRow { cells, last: does, is_whole: false }
    };
    let workers = lacks_workers.then(|| Column::new("WORKER"));
    let names = std::iter::once(Column::within("TOOL", 40, Column::STAYS)).chain(workers);
    let header: Vec<Column> = names.chain([Column::new("DOES")]).collect();
    let lines = table(&context.ui, &header, tools.iter().map(row).collect());
    lines.iter().try_for_each(|line| context.ui.line(line))
}

fn show_deployed(context: &Context, one: &DeployedComponent) -> Result<(), Failure> {
    let (ui, paint) = (&context.ui, context.ui.paint());
    let version =
        one.component.version.as_deref().map(|version| format!("  version {}", text::line(version)));
    ui.line(&format!(
        "{}  {}{}",
        paint.bold(&text::line(&one.component.name)),
        text::line(&one.component.kind),
        version.unwrap_or_default()
    ))?;
    for worker in &one.workers {
        ui.line(&format!("  worker {}", text::line(worker)))?;
    }
    ui.line("What it takes, and its launching, is a matter of its FastMCP server: give --server URL.")
}

fn show(context: &Context, tool: &ToolSpec) -> Result<(), Failure> {
    let (ui, paint) = (&context.ui, context.ui.paint());
    let title = tool.title.as_deref().map(|title| format!("  {}", text::line(title))).unwrap_or_default();
    ui.line(&format!("{}{title}", paint.bold(&text::line(&tool.name))))?;
    for line in text::block(&tool.description) {
        ui.line_after("  ", &[Piece::Words(line)])?;
    }
    let form = Form::parse(&tool.input_schema);
    let is_whole = form.as_ref().is_ok_and(|form| form.is_whole);
    let fields = form.map(|form| form.fields).unwrap_or_default();
    if fields.is_empty() && !is_whole {
        return ui.line("It takes no arguments.");
    }
    ui.line("")?;
    if is_whole {
        let schema = format!("one JSON object, with --args-json: {}", tool.input_schema);
        return ui.line_words("It takes ", &schema);
    }
    ui.line("Its arguments:")?;
    fields.iter().try_for_each(|field| {
        let name = text::line(&field.name);
        let words = text::line(&facts::form::in_words(field));
        let takes = words.strip_prefix(&name).unwrap_or(&words);
        ui.line_after(&format!("  {}", paint.bold(&name)), &[Piece::Words(takes.to_owned())])
    })
}
