//! `workers`: who works, and at what.

use clap::Args;
use jiff::Timestamp;

use super::context::Context;
use super::failure::Failure;
use super::places;
use super::remote::RemoteArgs;
use super::ui::{Cell, Column, Paint, TableRow, event, status, table, table_of, text, time};
use crate::desk::places::Places;
use crate::desk::suggest::{Advice, Suggested};
use crate::desk::workers::{Run, Worker};
use crate::task::TaskStatus;

/// List the workers, and what each runs
///
/// Where each runs, since when, what it offers, and what it holds. Those of one's own store and of FastMCP's deployments. A server does not show its workers.
#[derive(Debug, Args)]
pub(crate) struct WorkersArgs {
    /// Only the workers that run this tool
    #[arg(long, value_name = "TOOL", add = super::complete::tools())]
    tool: Option<String>,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
}

/// How many of the tasks that workers hold are shown to people.
const MOST: usize = 50;

pub(crate) async fn run(context: &Context, args: WorkersArgs) -> Result<(), Failure> {
    places::at(context, &args.remote, false, async |places| show(context, places, &args).await).await
}

async fn show(context: &Context, places: &Places, args: &WorkersArgs) -> Result<(), Failure> {
    places::tell_unsearched(context, places);
    let mut found = places.workers().await?;
    for one in &found.unreadable {
        let (name, problem) = (text::line(&one.name), text::short(&one.problem, 200));
        context.ui.warn(&format!("worker {name} cannot be read: {problem}"));
    }
    if let Some(tool) = &args.tool {
        found.workers.retain(|worker| worker.tools.contains(tool));
    }
    if context.ui.is_json() {
        return found.workers.iter().try_for_each(|worker| context.ui.object(&worker.object()));
    }
    if found.workers.is_empty() {
        none(context, places, args);
        return Ok(());
    }
    workers(context, &found.workers)?;
    runs(context, &found.workers)?;
    let unreadable: u64 = found.workers.iter().map(|worker| worker.unreadable).sum();
    if unreadable > 0 {
        let doctor = Advice::command(Suggested::new("doctor"), "says more");
        context.tell(
            doctor.after(&format!("{unreadable} task(s) of theirs cannot be read, and nobody runs them; ")),
        );
    }
    Ok(())
}

/// Says that there are none, and what starts one.
fn none(context: &Context, places: &Places, args: &WorkersArgs) {
    if places.is_empty() {
        return context.ui.talk(&format!("no workers; {}", context.nothing_begun()));
    }
    context.tell(match &args.tool {
        Some(tool) => Advice::worker_for(format!("no worker runs {tool:?}; "), tool),
        None => Context::worker("no worker; ".to_owned()),
    });
}

/// All but the tools, which take what is left.
const COLUMNS: [Cell<Worker>; 6] = [
    (Column::within("WORKER", 40, Column::STAYS), |worker, _, _| text::line(&worker.name)),
    (Column::within("ALIVE", 14, 6), alive),
    (Column::within("HOST", 24, 2), |worker, _, _| {
        worker.host.as_deref().map(text::line).unwrap_or_default()
    }),
    (Column::within("PROCESS", 10, 1), |worker, _, _| {
        worker.process.map(|process| process.to_string()).unwrap_or_default()
    }),
    (Column::within("RUNS", 10, 5), |worker, _, _| {
        let slots = worker.slots.map(|slots| format!("/{slots}")).unwrap_or_default();
        format!("{}{slots}", worker.busy())
    }),
    (Column::within("WAITING", 8, 4), |worker, _, _| {
        let waiting = worker.waiting();
        if waiting == 0 { String::new() } else { waiting.to_string() }
    }),
];

/// For how long it has lived, where that is known; or that it does not.
fn alive(worker: &Worker, now: Timestamp, paint: Paint) -> String {
    if !worker.is_alive {
        return paint.red("no");
    }
    worker.since.map_or_else(|| "yes".to_owned(), |since| time::between(since, now))
}

fn workers(context: &Context, workers: &[Worker]) -> Result<(), Failure> {
    let last = |worker: &Worker| (text::line(&worker.tools.join(", ")), false);
    let lines = table_of(&context.ui, workers, COLUMNS, (Column::new("TOOLS"), last));
    lines.iter().try_for_each(|line| context.ui.line(line))
}

const RUNS: [Column; 5] = [
    Column::new("TASK"),
    Column::new("STATUS"),
    Column::within("SINCE", 12, 3),
    Column::within("TOOL", 30, 6),
    Column::new("WORKER"),
];

fn runs(context: &Context, workers: &[Worker]) -> Result<(), Failure> {
    let (now, paint) = (Timestamp::now(), context.ui.paint());
    let row = |(worker, run): (&Worker, &Run)| {
        let stands = if run.waits { TaskStatus::InputRequired } else { TaskStatus::Working };
        let since = run.waiting_since.or(run.since).map(|at| time::relative(at, now));
        let id = text::line(event::short(&run.task));
        TableRow {
            cells: vec![id, status(stands, paint), since.unwrap_or_default(), text::line(&run.tool)],
            last: text::line(&worker.name),
            is_whole: false,
        }
    };
    let held = workers.iter().flat_map(|worker| worker.runs.iter().map(move |run| (worker, run)));
    let mut held: Vec<_> = held.collect();
    // What runs first, then what waits, whoever holds it.
    held.sort_by_key(|(_, run)| run.waits);
    let total: u64 = workers.iter().map(|worker| worker.tasks.saturating_sub(worker.unreadable)).sum();
    held.truncate(MOST);
    if held.is_empty() {
        return Ok(());
    }
    let left = usize::try_from(total).unwrap_or(usize::MAX).saturating_sub(held.len());
    context.ui.line("")?;
    let lines = table(&context.ui, &RUNS, held.into_iter().map(row).collect());
    lines.iter().try_for_each(|line| context.ui.line(line))?;
    if left > 0 {
        let list = Suggested::new("list").option("--status", "working,input_required");
        context.tell(Advice::command(list, "lists them").after(&format!("they hold {left} more; ")));
    }
    Ok(())
}
