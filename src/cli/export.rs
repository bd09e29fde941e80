//! `export`: questions and answers, for an audit.

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::context::Context;
use super::failure::Failure;
use super::places;
use super::remote::RemoteArgs;
use super::ui::{text, time};
use crate::desk::bulk::ends_all;
use crate::desk::csv;
use crate::desk::export::{COLUMNS, Exported, LeftOut, cells};
use crate::desk::places::Places;
use crate::desk::selection::counted;
use crate::task::SessionId;

/// Export questions with their answers, for an audit
///
/// What was asked, what was answered, by whom, and how long it waited. One row a question, of all tasks that are kept, the
/// oldest first: foreground calls' too, and those beyond their ttl that --keep of `serve` and `worker` keeps. Who answered
/// is told as it was given. In a CSV, what a spreadsheet would run as a formula stands behind an apostrophe.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// Only what was asked since: a time ago such as 7d, or a time in RFC 3339
    #[arg(long, value_name = "WHEN", value_parser = time::ago_or_at)]
    since: Option<Timestamp>,
    /// Only this session's
    #[arg(long, value_name = "SESSION", add = super::complete::sessions())]
    session: Option<SessionId>,
    /// Only this tool's
    #[arg(long, value_name = "TOOL", add = super::complete::tools())]
    tool: Option<String>,
    /// As JSON, one object a line; or as comma-separated values with a header
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    format: Format,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
}

/// `--format`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    #[default]
    Jsonl,
    Csv,
}

pub(crate) async fn run(context: &Context, args: ExportArgs) -> Result<(), Failure> {
    if context.ui.is_json() && args.format == Format::Csv {
        return Err(Failure::usage("--json and --format csv contradict each other: leave one of them out"));
    }
    places::at(context, &args.remote, false, async |places| export(context, places, &args).await).await
}

async fn export(context: &Context, places: &Places, args: &ExportArgs) -> Result<(), Failure> {
    places::tell_unsearched(context, places);
    if places.is_empty() {
        context.ui.talk(&format!("nothing to export; {}", context.nothing_begun()));
    }
    if args.format == Format::Csv {
        context.ui.line(&csv::line(&COLUMNS.map(str::to_owned)))?;
    }
    let wanted = Exported { since: args.since, session: args.session.clone(), tool: args.tool.clone() };
    let mut exported = 0;
    let mut print = |row: Map<String, Value>| {
        exported += 1;
        match args.format {
            Format::Jsonl => context.ui.object(&row),
            Format::Csv => print_cells(context, cells(&row)),
        }
    };
    let left_out = context.asking(places.export(&wanted, &mut print)).await;
    let left_out = left_out.map_err(|failure| cut_short(failure, exported))?;
    tell(context, &left_out);
    Ok(())
}

/// The failure of an export that has written some rows.
fn cut_short(failure: Failure, exported: usize) -> Failure {
    if exported == 0 || !ends_all(&failure) {
        return failure;
    }
    let said = format!("{} exported", counted(exported, "question"));
    failure.after(&said).hint("what was written lacks the rest: export it anew")
}

/// A file gets the cells as they are; a person at a terminal sees no control characters.
fn print_cells(context: &Context, cells: Vec<String>) -> Result<(), Failure> {
    let shown = |cell: String| if context.ui.out_is_terminal() { text::line(&cell) } else { cell };
    context.ui.line(&csv::line(&cells.into_iter().map(shown).collect::<Vec<_>>()))
}

/// Says what is not among the rows.
fn tell(context: &Context, left_out: &LeftOut) {
    places::tell_unreadable(context, left_out.unreadable, " and are left out");
    if left_out.has_fastmcp {
        context.ui.talk("FastMCP keeps no answers: of its tasks these are the open questions");
    }
}
