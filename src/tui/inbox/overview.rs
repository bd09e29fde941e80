//! The second tab: who works, what runs, what has ended, and what is wrong with it.

use jiff::Timestamp;

use super::facts::status_in_words;
use super::sheet::{SheetLine, Tone};
use crate::desk::diagnose::Finding;
use crate::desk::overview::Overview;
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

/// Its lines; commands that help reach the same tasks as `reach` does.
pub(crate) fn lines(overview: &Overview, reach: &Reach) -> Vec<SheetLine> {
    let now = Timestamp::now();
    let mut lines = Vec::new();
    let mut part = |heading: &str, none: &str, rows: Vec<SheetLine>| {
        if !lines.is_empty() {
            lines.push(SheetLine::plain(""));
        }
        lines.push(SheetLine::new("", heading, Tone::Strong));
        if rows.is_empty() {
            lines.push(SheetLine::new("  ", none, Tone::Dim));
        }
        lines.extend(rows);
    };
    let task = |row: &Row| row_line(row, &overview.findings, now);
    let of_all: Vec<_> = overview.findings.iter().filter(|one| one.task.is_none()).collect();
    let findings = of_all.into_iter().flat_map(|one| finding(one, "  ", reach)).collect();
    part("workers", "none is known here", overview.workers.iter().map(worker).collect());
    part("what is wrong with all of it", "nothing", findings);
    let running = overview.unfinished.iter().flat_map(|row| {
        // That a person is waited for, the other tab tells.
        let is_told = |one: &&Finding| one.is_trouble || row.status != Some(TaskStatus::InputRequired);
        let causes = overview.findings.iter().filter(|one| one.task.as_deref() == Some(&row.task));
        let causes = causes.filter(is_told);
        let causes = causes.flat_map(|one| finding(one, "            ", reach)).collect::<Vec<_>>();
        std::iter::once(task(row)).chain(causes)
    });
    part("running", "nothing runs", running.collect());
    part("ended", "nothing has ended", overview.ended.iter().map(task).collect());
    lines
}

fn worker(one: &Worker) -> SheetLine {
    let life = if one.is_alive { "" } else { ", dead: its lease has ended" };
    let runs = match one.runs.as_slice() {
        [] => "runs nothing".to_owned(),
        runs => {
            let named_task =
                |run: &Run| format!("{} {}", text::line(&run.tool), text::line(text::short_id(&run.task)));
            let named: Vec<_> = runs.iter().take(RUNS).map(named_task).collect();
            let all = usize::try_from(one.tasks).unwrap_or(usize::MAX).max(runs.len());
            let more = all.saturating_sub(RUNS.min(runs.len()));
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            format!("runs {}{more}", named.join(", "))
        }
    };
    let tools = if one.tools.is_empty() {
        String::new()
    } else {
        format!("; tools: {}", text::short(&one.tools.join(", "), 200))
    };
    let words = format!("{}{life}: {runs}{tools}", text::line(&one.name));
    SheetLine::new("  ", words, if one.is_alive { Tone::Plain } else { Tone::Wrong })
}

fn row_line(row: &Row, findings: &[Finding], now: Timestamp) -> SheetLine {
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
    let is_trouble = findings.iter().any(|one| one.is_trouble && one.task.as_deref() == Some(&row.task));
    let id = text::line(text::short_id(&row.task));
    let lead = format!("  {id:<ID$}  {status:<STATUS$}  ");
    SheetLine::new(
        lead,
        format!("{tool}{changed}{message}"),
        if is_trouble { Tone::Wrong } else { Tone::Plain },
    )
}

/// A cause, and what helps.
fn finding(one: &Finding, lead: &str, reach: &Reach) -> Vec<SheetLine> {
    let sign = if one.is_trouble { "! " } else { "· " };
    let said = format!("{}: {}", one.cause.replace('_', " "), text::sentence(&one.evidence));
    let tone = if one.is_trouble { Tone::Wrong } else { Tone::Plain };
    let help = text::line(&one.help.clone().at(reach).to_string());
    vec![
        SheetLine::new(format!("{lead}{sign}"), said, tone),
        SheetLine::new(format!("{lead}  → "), help, Tone::Dim),
    ]
}
