//! The verbs of a task on its way to and at a worker: submit, claim, report.

use rusqlite::{Connection, Row as Columns, params};

use super::super::gate::{self, Kind};
use super::super::{ClaimKey, IdleWorker, StoreError, StoreResult};
use super::change::Change;
use super::failure::{Failure, readable};
use super::reading::Whole;
use super::row::Row;
use super::workers;
use crate::task::{EventKind, NewTask, Progress, Task, WorkerId};

/// How many unreadable tasks one transaction parks: the next one goes on, so that none is long.
const PARKED_AT_ONCE: usize = 100;

/// Whether a task may be stored.
pub(super) fn check(new: &NewTask) -> StoreResult<()> {
    gate::label("tool", &new.tool)?;
    gate::label("scope", new.scope.as_str())?;
    gate::json(Kind::Task, new).map(drop)
}

pub(super) fn submit(
    change: &mut Change,
    new: NewTask,
    most_open: u32,
    idle: Option<&IdleWorker>,
) -> Result<Task, Failure> {
    if change.has_unfinished(new.scope.as_str(), most_open)? {
        return Err(StoreError::TooManyTasks { limit: most_open }.into());
    }
    if change.find(&new.id)?.is_some() {
        return Err(Failure::Unfit(format!("there is already a task {}", new.id)));
    }
    let arguments = gate::json(Kind::Task, &new.arguments)?;
    // What is amiss with the worker, or with what is queued, is for its own claims to find.
    let idle = idle.filter(|idle| idle.offers(&new) && is_idle(change, idle).unwrap_or(false));
    let mut row = Row::new(&new, change.now_ms());
    let submitted_at = change.append(&mut row, &EventKind::Submitted {})?;
    match idle {
        Some(idle) => begin(change, &mut row, &idle.worker)?,
        None => row.queued = Some(submitted_at),
    }
    row.insert(change.transaction, change.namespace)?;
    // What nobody deleted with a task of that number would be taken for this one's.
    change.clear(row.number)?;
    change.execute("INSERT INTO arguments (task, record) VALUES (?1, ?2)", params![row.number, arguments])?;
    change.count(&row.scope, 1, 0)?;
    let task = Task::queued(new, change.now);
    Ok(match idle {
        Some(idle) => task.begun_by(idle.worker.clone(), change.now),
        None => task,
    })
}

/// Whether the worker may claim and nothing is queued that it could begin.
fn is_idle(change: &Change, idle: &IdleWorker) -> Result<bool, Failure> {
    let now = (&idle.worker, change.now_ms());
    any_ready(change.transaction, change.namespace, now, &idle.tools).map(|any| !any)
}

/// Notes in a task's row that a worker begins it.
fn begin(change: &mut Change, row: &mut Row, worker: &WorkerId) -> Result<(), Failure> {
    row.queued = None;
    row.attempt = row.attempt.saturating_add(1);
    row.worker = Some(worker.as_str().to_owned());
    row.claimed_ms = Some(change.now_ms());
    let claimed = EventKind::Claimed { worker: worker.clone(), attempt: row.attempt };
    change.append(row, &claimed).map(drop)
}

/// The numbers of at most `most` queued tasks of these tools, the longest queued first. Each tool is asked for
/// on its own, so that the cost does not grow with the queue.
fn ready(
    connection: &Connection,
    namespace: i64,
    tools: &[String],
    most: usize,
) -> Result<Vec<i64>, Failure> {
    let sql = "SELECT queued, number FROM task INDEXED BY task_ready
        WHERE namespace = ?1 AND tool = ?2 AND queued IS NOT NULL ORDER BY queued LIMIT ?3";
    let most_rows = i64::try_from(most).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(sql)?;
    let mut found: Vec<(i64, i64)> = Vec::new();
    for tool in tools {
        // What is no place in a queue is at its end, where whoever claims it finds that out.
        let place = |row: &Columns| Ok((row.get_ref(0)?.as_i64().unwrap_or(i64::MAX), row.get(1)?));
        let rows = statement.query_map(params![namespace, tool, most_rows], place)?;
        found.extend(rows.collect::<Result<Vec<_>, _>>()?);
    }
    found.sort_unstable();
    found.dedup();
    Ok(found.into_iter().take(most).map(|(_, number)| number).collect())
}

/// Whether there is something to claim, for a worker that may.
pub(super) fn any_ready(
    connection: &Connection,
    namespace: i64,
    (worker, now_ms): (&WorkerId, i64),
    tools: &[String],
) -> Result<bool, Failure> {
    workers::has_lease(connection, namespace, worker, now_ms)?;
    Ok(!ready(connection, namespace, tools, 1)?.is_empty())
}

/// What a claim found.
#[derive(Debug, Default)]
pub(super) struct Claimed {
    /// The tasks.
    pub(super) tasks: Vec<Task>,
    /// Whether tasks were parked: there may be more behind them.
    pub(super) parked: bool,
}

pub(super) fn claim(
    change: &mut Change,
    worker: &WorkerId,
    tools: &[String],
    most: usize,
) -> Result<Claimed, Failure> {
    workers::has_lease(change.transaction, change.namespace, worker, change.now_ms())?;
    let mut claimed = Claimed::default();
    for number in ready(change.transaction, change.namespace, tools, most.min(PARKED_AT_ONCE))? {
        match readable(take(change, number, worker))? {
            Ok(task) => claimed.tasks.push(task),
            Err(problem) => {
                let row = super::row::numbered(change.transaction, number)?;
                row.map(|row| change.park(&row, &problem)).transpose()?;
                claimed.parked = true;
            }
        }
    }
    Ok(claimed)
}

/// Takes a task for the worker. It is read as a whole before anything is written, so that one that cannot be read is
/// still as it was.
fn take(change: &mut Change, number: i64, worker: &WorkerId) -> Result<Task, Failure> {
    let whole = Whole::numbered(change.transaction, number)?;
    let (mut task, _) = whole.ok_or_else(|| Failure::unreadable("it is gone"))?.task(change.transaction)?;
    let row = super::row::numbered(change.transaction, number)?;
    let mut row = row.ok_or_else(|| Failure::unreadable("it is gone"))?;
    begin(change, &mut row, worker)?;
    change.save(&mut row)?;
    (task.attempt, task.worker) = (row.attempt, Some(worker.clone()));
    (task.claimed_at, task.updated_at) = (Some(change.now), change.now);
    Ok(task)
}

/// Whether a step may be stored; its JSON.
pub(super) fn checked(progress: &Progress) -> StoreResult<String> {
    gate::finite("the progress", progress.current)?;
    progress.total.map_or(Ok(()), |total| gate::finite("the progress's total", total))?;
    progress.message.as_ref().map_or(Ok(()), |message| gate::message("the progress's message", message))?;
    gate::json(Kind::Progress, progress)
}

pub(super) fn report(
    change: &mut Change,
    claim: &ClaimKey,
    (progress, json): (Progress, &str),
) -> Result<(), Failure> {
    let mut row = change.held_and_readable(claim)?;
    let message = progress.message.clone().filter(|message| !message.is_empty());
    change.append(&mut row, &EventKind::Progress(progress))?;
    let sql = "UPDATE task SET updated_ms = ?2, logged = ?3, progress = ?4, message = coalesce(?5, message)
        WHERE number = ?1";
    change.execute(sql, params![row.number, change.now_ms(), row.logged, json, message])?;
    Ok(())
}
