//! The verbs of a task on its way to and at a worker: submit, claim, report.

use rusqlite::{Connection, params};

use super::super::{ClaimKey, StoreError};
use super::change::{Change, Stored};
use super::fault::Fault;
use crate::task::{EventKind, NewTask, Progress, Task, TaskId, TaskStatus, WorkerId};

pub(super) fn submit(change: &mut Change, new: NewTask, most_open: u32) -> Result<Task, Fault> {
    let sql = "SELECT count(*) FROM tasks WHERE namespace = ?1 AND hidden IN (0, 1) AND scope = ?2
        AND status IN ('working', 'input_required')";
    let open: i64 = change
        .transaction
        .prepare_cached(sql)?
        .query_row(params![change.namespace, new.scope.as_str()], |row| row.get(0))?;
    if open >= i64::from(most_open) {
        return Err(StoreError::TooManyTasks { limit: most_open }.into());
    }
    let mut stored = Stored { task: queued(new, change), queued: None, resume_ms: None, failures: 0 };
    stored.queued = Some(change.append(&stored.task, EventKind::Submitted {})?);
    change.insert(&stored)?;
    Ok(stored.task)
}

fn queued(new: NewTask, change: &Change) -> Task {
    Task {
        new,
        status: TaskStatus::Working,
        status_message: None,
        created_at: change.now,
        updated_at: change.now,
        attempt: 0,
        worker: None,
        claimed_at: None,
        finished_at: None,
        progress: None,
        outcome: None,
        last_failure: None,
        questions: Vec::new(),
    }
}

/// The ids of at most `most` queued tasks of these tools, the longest queued first. Each tool is asked for
/// on its own, so that the cost does not grow with the queue.
pub(super) fn ready(
    connection: &Connection,
    namespace: i64,
    tools: &[String],
    most: usize,
) -> Result<Vec<TaskId>, Fault> {
    let sql = "SELECT queued, id FROM tasks INDEXED BY tasks_ready
        WHERE namespace = ?1 AND tool = ?2 AND queued IS NOT NULL ORDER BY queued LIMIT ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let mut found: Vec<(i64, String)> = Vec::new();
    for tool in tools {
        let rows = statement
            .query_map(params![namespace, tool, most as i64], |row| Ok((row.get(0)?, row.get(1)?)))?;
        found.extend(rows.collect::<Result<Vec<_>, _>>()?);
    }
    found.sort();
    found.dedup();
    found.into_iter().take(most).map(|(_, id)| super::reading::task_id(id)).collect()
}

pub(super) fn claim(
    change: &mut Change,
    worker: &WorkerId,
    tools: &[String],
    most: usize,
) -> Result<Vec<Task>, Fault> {
    let ids = ready(change.transaction, change.namespace, tools, most)?;
    if !ids.is_empty() {
        super::workers::remember(change, worker)?;
    }
    ids.iter().map(|id| take(change, id, worker)).collect()
}

fn take(change: &mut Change, id: &TaskId, worker: &WorkerId) -> Result<Task, Fault> {
    let mut stored = change.load(id)?;
    stored.queued = None;
    stored.task.attempt += 1;
    stored.task.worker = Some(worker.clone());
    stored.task.claimed_at = Some(change.now);
    let claimed = EventKind::Claimed { worker: worker.clone(), attempt: stored.task.attempt };
    change.append(&stored.task, claimed)?;
    change.save(&mut stored)?;
    Ok(stored.task)
}

pub(super) fn report(change: &mut Change, claim: &ClaimKey, progress: &Progress) -> Result<(), Fault> {
    let mut stored = change.held(claim)?;
    if let Some(message) = progress.message.as_ref().filter(|message| !message.is_empty()) {
        stored.task.status_message = Some(message.clone());
    }
    stored.task.progress = Some(progress.clone());
    change.append(&stored.task, EventKind::Progress(progress.clone()))?;
    change.save(&mut stored)
}
