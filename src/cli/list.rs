//! `list`: the tasks.

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::context::Context;
use super::failure::Failure;
use super::places;
use super::remote::RemoteArgs;
use super::ui::{Paint, event, row_status, table, text, time};
use crate::client::Era;
use crate::desk::place::{Place, SERVER, STORE};
use crate::desk::places::Places;
use crate::desk::row::{Row, Sort, Wanted};
use crate::task::{SessionId, TaskStatus};

/// List tasks, newest first
///
/// Of a server of 2026-07-28 these are the tasks that were launched from here: it shows a task only to who has
/// its id, so `submit` keeps the ids.
#[derive(Debug, Args)]
#[expect(clippy::doc_markdown, reason = "doc comments of arguments are their help")]
pub(crate) struct ListArgs {
    /// Only this session's
    #[arg(long, value_name = "SESSION", conflicts_with_all = ["server", "stdio"])]
    #[arg(add = super::complete::sessions())]
    session: Option<SessionId>,
    /// Only those in this status: working, input_required, completed, failed or cancelled; may be given several times
    #[arg(long, value_name = "STATUS", value_delimiter = ',', add = super::complete::statuses())]
    status: Vec<TaskStatus>,
    /// Only those that wait for an answer, the one that has waited longest first
    #[arg(long, conflicts_with = "status")]
    waiting: bool,
    /// Only this tool's
    #[arg(long, value_name = "TOOL", add = super::complete::tools())]
    tool: Option<String>,
    /// Only those that were launched since: a time ago such as 10m, or a time in RFC 3339
    #[arg(long, value_name = "WHEN", value_parser = time::ago_or_at)]
    since: Option<Timestamp>,
    /// In this order
    #[arg(long, value_name = "ORDER", value_enum)]
    sort: Option<SortBy>,
    /// At most this many
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    #[command(flatten)]
    remote: RemoteArgs,
}

/// `--sort`.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum SortBy {
    /// The newest first; this is the default.
    Created,
    /// What changed last first.
    Changed,
    /// Who has waited longest for an answer first.
    Waiting,
}

impl ListArgs {
    fn wanted(&self) -> Wanted {
        let sort = match self.sort {
            Some(SortBy::Changed) => Sort::Changed,
            Some(SortBy::Waiting) => Sort::Waiting,
            None if self.waiting => Sort::Waiting,
            Some(SortBy::Created) | None => Sort::Created,
        };
        let statuses = if self.waiting { vec![TaskStatus::InputRequired] } else { self.status.clone() };
        let (session, tool) = (self.session.clone(), self.tool.clone());
        Wanted { session, statuses, tool, since: self.since, sort, most: self.limit }
    }
}

pub(crate) async fn run(context: &Context, args: ListArgs) -> Result<(), Failure> {
    places::at(context, &args.remote, false, async |places| list(context, places, &args).await).await
}

async fn list(context: &Context, places: &Places, args: &ListArgs) -> Result<(), Failure> {
    places::tell_unsearched(context, places);
    let listing = places.list(&args.wanted()).await?;
    if context.ui.is_json() {
        return listing.rows.iter().try_for_each(|row| context.ui.object(&row.object));
    }
    if listing.rows.is_empty() {
        context.ui.talk(&none(context, places));
        return Ok(());
    }
    let (paint, plain) = (context.ui.paint(), Paint::new(false));
    let lines = lines(&listing.rows, paint);
    // The header has no status. Columns were measured without colours.
    let statuses = std::iter::once(None).chain(listing.rows.iter().map(Some));
    for (line, row) in lines.iter().zip(statuses) {
        let coloured = row.map(|row| line.replacen(&row_status(row, plain), &row_status(row, paint), 1));
        context.ui.line(coloured.as_ref().unwrap_or(line))?;
    }
    if listing.has_more {
        context.ui.talk(&format!("only the first {} are shown; --limit N shows more", args.limit));
    }
    Ok(())
}

/// Why there is nothing to list.
fn none(context: &Context, places: &Places) -> String {
    match places.all() {
        [] => format!("no tasks; {}", context.nothing_begun()),
        [Place::Server(server)] if server.era() == Era::Modern => {
            "no tasks that were launched from here; this server shows no others".to_owned()
        }
        _ => "no tasks".to_owned(),
    }
}

/// A column: its name, and its cell of a row.
type Column = (&'static str, fn(&Row, Timestamp) -> String);

const COLUMNS: [Column; 9] = [
    ("TASK", |row, _| {
        // A server knows whole ids only, unless it is one that was launched from here.
        let id = if row.source == SERVER { &row.task } else { event::short(&row.task) };
        text::line(id)
    }),
    ("STATUS", |row, _| row_status(row, Paint::new(false))),
    ("SOURCE", |row, _| text::short(&row.source, 30)),
    ("CHANGED", |row, now| row.changed_at.map(|at| time::relative(at, now)).unwrap_or_default()),
    ("WAITING", |row, now| row.waiting_since.map(|at| time::since(at, now)).unwrap_or_default()),
    ("TOOL", |row, _| row.tool.as_deref().map(|tool| text::short(tool, 30)).unwrap_or_default()),
    ("SESSION", |row, _| row.session.as_deref().map(|one| text::short(one, 20)).unwrap_or_default()),
    ("WORKER", |row, _| row.worker.as_deref().map(|one| text::short(one, 26)).unwrap_or_default()),
    ("MESSAGE", |row, _| row.message.clone()),
];

/// The table's lines. A column that says nothing is left out: one where all rows are of one place, or have no value.
fn lines(rows: &[Row], paint: Paint) -> Vec<String> {
    let now = Timestamp::now();
    let one_place = rows.iter().all(|row| row.source == STORE || row.source == SERVER);
    let says = |(name, cell): &Column| match *name {
        "SOURCE" | "WORKER" => !one_place,
        "TASK" | "STATUS" => true,
        _ => rows.iter().any(|row| !cell(row, now).is_empty()),
    };
    let columns: Vec<_> = COLUMNS.into_iter().filter(says).collect();
    let header: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
    let cells = |row| columns.iter().map(|(_, cell)| cell(row, now)).collect();
    table(&header, rows.iter().map(cells).collect(), paint)
}
