//! The second tab: who works, what runs, what has ended, and what is wrong with it.

use jiff::Timestamp;

use super::facts::status_in_words;
use super::sheet::{SheetLine, Tone};
use super::tasks::TaskLine;
use crate::desk::diagnose::Finding;
use crate::desk::inbox::TaskKey;
use crate::desk::inbox::overview::{At, Overview};
use crate::desk::row::Row;
use crate::desk::suggest::Reach;
use crate::desk::workers::{Run, Worker};
use crate::desk::{text, time};
use crate::task::TaskStatus;

/// The most tasks that are named beside a worker.
const RUNS: usize = 5;

/// Columns of a task's id, and of its status.
const ID: usize = 8;
const STATUS: usize = 16;

/// Its lines; commands that help reach the same tasks as the one of the place's `reaches` does.
pub(crate) fn lines(overview: &Overview, reaches: &[Reach]) -> Vec<TaskLine> {
    let all = Lines { overview, reaches, now: Timestamp::now() };
    let mut lines = Vec::new();
    let mut part = |heading: &str, none: &str, rows: Vec<TaskLine>| {
        if !lines.is_empty() {
            lines.push(read(SheetLine::plain("")));
        }
        lines.push(read(SheetLine::new("", heading, Tone::Strong)));
        if rows.is_empty() {
            lines.push(read(SheetLine::new("  ", none, Tone::Dim)));
        }
        lines.extend(rows);
    };
    if !overview.problems.is_empty() {
        let problem = |words: &String| read(SheetLine::new("  ! ", words.clone(), Tone::Wrong));
        part("cannot be read now", "", overview.problems.iter().map(problem).collect());
    }
    if !overview.ways.is_empty() {
        let way = |words: &String| read(SheetLine::new("  ", words.clone(), Tone::Plain));
        part("servers", "", overview.ways.iter().map(way).collect());
    }
    part("workers", "none is known here", overview.workers.iter().map(|one| read(all.worker(one))).collect());
    let none = if overview.problems.is_empty() { "nothing" } else { "nothing else" };
    part("what is wrong", none, all.wrong());
    let running = overview.unfinished.iter().flat_map(|row| all.running(row));
    part("running", "nothing runs", running.collect());
    part("ended", "nothing has ended", overview.ended.iter().map(|row| all.task(row)).collect());
    lines
}

fn read(line: SheetLine) -> TaskLine {
    TaskLine { line, task: None }
}

/// Whether it is about that task.
fn is_of(finding: &At<Finding>, row: &At<Row>) -> bool {
    finding.place == row.place && finding.what.task.as_deref() == Some(row.what.task.as_str())
}

struct Lines<'a> {
    overview: &'a Overview,
    reaches: &'a [Reach],
    now: Timestamp,
}

impl Lines<'_> {
    /// What is wrong with all of it, or with a task that is not among those that run, and how much there is below those.
    fn wrong(&self) -> Vec<TaskLine> {
        let runs = |one: &At<Finding>| self.overview.unfinished.iter().any(|row| is_of(one, row));
        let (below, here): (Vec<_>, Vec<_>) = self.overview.findings.iter().partition(|one| runs(one));
        let of_task = |one: &At<Finding>| one.what.task.is_some();
        let here = here.into_iter().filter(|one| !of_task(one) || one.what.is_trouble);
        let mut lines: Vec<_> = here.flat_map(|one| self.finding(one, "  ")).collect();
        let below = below.into_iter().filter(|one| one.what.is_trouble).count();
        if below > 0 {
            let things = if below == 1 { "1 thing, told" } else { &format!("{below} things, each told") };
            let words = format!("{things} below its task");
            lines.push(read(SheetLine::new("  ! ", words, Tone::Wrong)));
        }
        lines
    }

    fn findings(&self, row: &At<Row>) -> impl Iterator<Item = &At<Finding>> {
        self.overview.findings.iter().filter(|one| is_of(one, row))
    }

    fn task(&self, row: &At<Row>) -> TaskLine {
        let is_trouble = self.findings(row).any(|one| one.what.is_trouble);
        let place = Some(row.what.source.as_str()).filter(|_| self.reaches.len() > 1);
        let task = TaskKey { place: row.place, task: row.what.task.clone() };
        TaskLine { line: row_line(&row.what, is_trouble, place, self.now), task: Some(task) }
    }

    /// A worker, and where it is, where there are several places.
    fn worker(&self, one: &At<Worker>) -> SheetLine {
        let place = self.overview.places.get(one.place).filter(|_| self.reaches.len() > 1);
        worker(&one.what, place.map(String::as_str), self.now)
    }

    /// The task, and what is to be said of it.
    fn running(&self, row: &At<Row>) -> Vec<TaskLine> {
        // That a person is waited for, the other tab tells.
        let is_told =
            |one: &&At<Finding>| one.what.is_trouble || row.what.status != Some(TaskStatus::InputRequired);
        let causes = self.findings(row).filter(is_told).flat_map(|one| self.finding(one, "            "));
        std::iter::once(self.task(row)).chain(causes).collect()
    }

    /// A cause, and what helps.
    fn finding(&self, one: &At<Finding>, lead: &str) -> Vec<TaskLine> {
        let sign = if one.what.is_trouble { "! " } else { "· " };
        let said = format!("{}: {}", one.what.cause.replace('_', " "), text::sentence(&one.what.evidence));
        let tone = if one.what.is_trouble { Tone::Wrong } else { Tone::Plain };
        let help = one.what.help.clone();
        let help = self.reaches.get(one.place).map_or(help.clone(), |reach| help.at(reach));
        vec![
            read(SheetLine::new(format!("{lead}{sign}"), said, tone)),
            read(SheetLine::new(format!("{lead}  → "), text::line(&help.to_string()), Tone::Dim)),
        ]
    }
}

fn worker(one: &Worker, place: Option<&str>, now: Timestamp) -> SheetLine {
    let life = if one.is_alive { "" } else { ", dead: its lease has ended" };
    let tools = if one.tools.is_empty() {
        String::new()
    } else {
        format!("; tools: {}", text::short(&one.tools.join(", "), 200))
    };
    let since = one.since.map(|since| format!(", began {}", time::relative(since, now))).unwrap_or_default();
    let slots = one.slots.map(|slots| format!(", {} of {slots} slots busy", one.busy())).unwrap_or_default();
    let place = place.map(|place| format!(", {}", text::line(place))).unwrap_or_default();
    let words = format!("{}{place}{since}{slots}{life}: {}{tools}", text::line(&one.name), held(one));
    SheetLine::new("  ", words, if one.is_alive { Tone::Plain } else { Tone::Wrong })
}

/// What it runs, and which of that waits for a person and takes no slot.
fn held(one: &Worker) -> String {
    if one.runs.is_empty() {
        return "runs nothing".to_owned();
    }
    let named = |run: &Run| {
        let waits = if run.waits { " (waits for an answer)" } else { "" };
        format!("{} {}{waits}", text::line(&run.tool), text::line(text::short_id(&run.task)))
    };
    let shown: Vec<_> = one.runs.iter().take(RUNS).map(named).collect();
    let all = usize::try_from(one.tasks).unwrap_or(usize::MAX).max(one.runs.len());
    let more = all.saturating_sub(shown.len());
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("runs {}{more}", shown.join(", "))
}

fn row_line(row: &Row, is_trouble: bool, place: Option<&str>, now: Timestamp) -> SheetLine {
    let status = match row.status {
        None => "! unreadable".to_owned(),
        Some(_) if row.is_tool_error => "✗ with an error".to_owned(),
        Some(_) if row.is_queued => "· queued".to_owned(),
        Some(_) if row.is_success_unknown => "  ended".to_owned(),
        Some(status) => status_in_words(status),
    };
    let changed = row.changed_at.map(|at| format!(", {}", time::relative(at, now))).unwrap_or_default();
    let tool = row.tool.as_deref().map(text::line).unwrap_or_default();
    let message =
        if row.message.is_empty() { String::new() } else { format!(": {}", text::short(&row.message, 100)) };
    let place = place.map(|place| format!(", {}", text::line(place))).unwrap_or_default();
    let id = text::line(text::short_id(&row.task));
    let lead = format!("  {id:<ID$}  {status:<STATUS$}  ");
    SheetLine::new(
        lead,
        format!("{tool}{place}{changed}{message}"),
        if is_trouble { Tone::Wrong } else { Tone::Plain },
    )
}
