//! `list`: the tasks.

use std::num::NonZeroUsize;

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::context::Context;
use super::failure::Failure;
use super::places;
use super::remote::RemoteArgs;
use super::ui::{Cell, Column, Ui, event, row_status, table_of, text, time};
use crate::client::Era;
use crate::desk::place::{Place, SERVER, STORE};
use crate::desk::places::Places;
use crate::desk::row::{Row, Sort, Wanted};
use crate::desk::suggest::{Advice, Suggested};
use crate::desk::word::quoted;
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
    /// Those whose ttl has ended, as long as `--keep` of `serve` and `worker` keeps them, in place of the present ones
    #[arg(long, conflicts_with_all = ["waiting", "server", "stdio"])]
    history: bool,
    /// In this order
    #[arg(long, value_name = "ORDER", value_enum)]
    sort: Option<SortBy>,
    /// At most this many
    #[arg(long, value_name = "N", default_value_t = MOST)]
    limit: NonZeroUsize,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
}

/// How many are shown where nothing is said.
const MOST: NonZeroUsize = NonZeroUsize::new(50).expect("it is more than nothing");

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
        let (archived, most) = (self.history, self.limit.get());
        Wanted { session, statuses, tool, since: self.since, archived, sort, most }
    }
}

impl ListArgs {
    /// Which tasks are asked for; nothing where it is all of them.
    fn sought(&self) -> Option<String> {
        let filters = self.filters();
        if self.history {
            let with =
                if filters.is_empty() { String::new() } else { format!(" with {}", filters.join(" and ")) };
            return Some(format!("the history has no task{with}"));
        }
        match (self.waiting, filters.as_slice()) {
            (false, []) => None,
            (true, []) => Some("no task waits for an answer".to_owned()),
            (false, filters) => Some(format!("no task matches {}", filters.join(" and "))),
            (true, filters) => {
                Some(format!("no task that matches {} waits for an answer", filters.join(" and ")))
            }
        }
    }

    /// What they must have, in the words of the command line.
    fn filters(&self) -> Vec<String> {
        let statuses = self.status.iter().map(|status| format!("--status {status}"));
        let named = [
            ("--session", self.session.as_ref().map(ToString::to_string)),
            ("--tool", self.tool.clone()),
            ("--since", self.since.map(time::moment)),
        ];
        let named =
            named.into_iter().filter_map(|(option, value)| Some(format!("{option} {}", quoted(&value?))));
        statuses.chain(named).collect()
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
        none(context, places, args);
        return Ok(());
    }
    lines(&context.ui, &listing.rows).iter().try_for_each(|line| context.ui.line(line))?;
    if listing.has_more {
        context.ui.talk(&format!("only the first {} are shown; --limit N shows more", args.limit));
    }
    Ok(())
}

/// Says why there is nothing to list. Where something was asked for, there may be others.
fn none(context: &Context, places: &Places, args: &ListArgs) {
    let ui = &context.ui;
    match (places.all(), args.sought()) {
        ([], _) => ui.talk(&format!("no tasks; {}", context.nothing_begun())),
        (all, Some(sought)) if args.history && !all.iter().any(|one| matches!(one, Place::Store(_))) => {
            // `serve --keep` would begin a store there, and keep none of these tasks.
            ui.talk(&format!(
                "{sought}; only a store of mcptask's own has a history, and there is none here"
            ));
        }
        (_, Some(sought)) if args.history => {
            // Whether one runs already is not known here.
            let comes = "a task comes there when its ttl ends, where a serve or worker runs with --keep";
            ui.talk(&format!("{sought}; {comes}"));
        }
        (_, Some(sought)) => {
            let all = Advice::command(Suggested::new("list"), "shows all");
            context.tell(all.after(&format!("{sought}; ")));
        }
        ([Place::Server(server)], _) if !server.runs_tasks() => ui.talk("no tasks; this server has none"),
        ([Place::Server(server)], _) if server.era() == Era::Modern => {
            ui.talk("no tasks that were launched from here; this server shows no others");
        }
        _ => ui.talk("no tasks"),
    }
}

/// All but the message, which takes what is left. The narrower the terminal, the fewer there are.
const COLUMNS: [Cell<Row>; 10] = [
    (Column::new("TASK"), |row, _, _| {
        // A server knows whole ids only; what was listed here is found by its beginning, too.
        let id = if row.source == SERVER { &row.task } else { event::short(&row.task) };
        text::line(id)
    }),
    (Column::new("STATUS"), |row, _, paint| row_status(row, paint)),
    (Column::within("WAITING", 10, 7), |row, now, _| {
        let bound = if row.waits_at_most { "<" } else { "" };
        row.waiting_since.map(|at| format!("{bound}{}", time::between(at, now))).unwrap_or_default()
    }),
    (Column::within("ENDS", 10, 5), |row, now, _| {
        row.ends_at.map(|at| time::relative(at, now)).unwrap_or_default()
    }),
    // Where it is not known when the question ends, the task's own end is all there is to say.
    (Column::within("TASK ENDS", 10, 5), |row, now, _| {
        let only =
            row.expires_at.filter(|_| row.status == Some(TaskStatus::InputRequired) && row.ends_at.is_none());
        only.map(|at| time::relative(at, now)).unwrap_or_default()
    }),
    (Column::within("CHANGED", 12, 2), |row, now, _| {
        row.changed_at.map(|at| time::relative(at, now)).unwrap_or_default()
    }),
    (Column::within("SOURCE", 30, 1), |row, _, _| text::line(&row.source)),
    (Column::within("TOOL", 30, 6), |row, _, _| row.tool.as_deref().map(text::line).unwrap_or_default()),
    (Column::within("SESSION", 20, 4), |row, _, _| {
        row.session.as_deref().map(text::line).unwrap_or_default()
    }),
    (Column::within("WORKER", 26, 3), |row, _, _| row.worker.as_deref().map(text::line).unwrap_or_default()),
];

/// The table's lines. Where all are of one place, the column that tells it is left out.
pub(super) fn lines(ui: &Ui, rows: &[Row]) -> Vec<String> {
    let one_place = rows.iter().all(|row| row.source == STORE || row.source == SERVER);
    let columns = COLUMNS.into_iter().filter(|(column, _)| !one_place || column.name != "SOURCE");
    // Whoever may accept a page sees where it leads.
    let last = |row: &Row| (message(row), row.has_page);
    let is_narrow = ui.out_columns().is_some_and(|columns| columns < WHOLE_IDS);
    let shortened = is_narrow.then(|| shortened(rows));
    table_of(ui, shortened.as_deref().unwrap_or(rows), columns, (Column::new("MESSAGE"), last))
}

/// A terminal of so many columns has room for servers' whole ids beside what else is worth knowing.
const WHOLE_IDS: usize = 100;

/// The rows with ids as short as each still means one task of them.
fn shortened(rows: &[Row]) -> Vec<Row> {
    // Beside each other are those that begin alike.
    let mut sorted: Vec<&str> = rows.iter().map(|row| row.task.as_str()).collect();
    sorted.sort_unstable();
    let begin_so = |short: &str| {
        let first = sorted.partition_point(|task| *task < short);
        sorted[first..].iter().take_while(|task| task.starts_with(short)).take(2).count()
    };
    let one = |row: &Row| {
        let least = event::short(&row.task).len();
        let ends = row.task.char_indices().map(|(at, _)| at).filter(|at| *at >= least);
        let short = ends.map(|end| &row.task[..end]).find(|short| begin_so(short) == 1);
        Row { task: short.unwrap_or(&row.task).to_owned(), ..row.clone() }
    };
    rows.iter().map(one).collect()
}

fn message(row: &Row) -> String {
    match row.open {
        0 | 1 => row.message.clone(),
        several => format!("({several} questions) {}", row.message),
    }
}
