//! The verbs that take a task away from its worker: finish, cancel, requeue, expire; and note.

use rusqlite::params;

use super::super::gate::{self, Kind};
use super::super::{ClaimKey, Requeue, StoreError, StoreResult};
use super::change::Change;
use super::failure::Failure;
use super::row::Row;
use crate::task::{EventKind, Outcome, TaskId, TaskStatus};

/// How a task ends by itself, as it is stored.
#[derive(Debug, Clone)]
pub(super) struct End {
    status: TaskStatus,
    event: EventKind,
    json: String,
}

impl End {
    /// The end with this outcome, which has to pass the gate.
    pub(super) fn with(outcome: &Outcome) -> StoreResult<Self> {
        let json = gate::json(Kind::Outcome, outcome)?;
        let event = match outcome {
            Outcome::Result(_) => EventKind::Completed { is_error: outcome.is_tool_error() },
            Outcome::Error(error) => {
                EventKind::Failed { code: error.code, message: gate::reason(&error.message) }
            }
        };
        Ok(Self { status: outcome.status(), event, json })
    }
}

pub(super) fn finish(change: &mut Change, claim: &ClaimKey, end: &End) -> Result<(), Failure> {
    let mut row = change.held(claim)?;
    conclude(change, &mut row, end)
}

/// Ends a task with its outcome.
pub(super) fn conclude(change: &mut Change, row: &mut Row, end: &End) -> Result<(), Failure> {
    let sql = "INSERT OR REPLACE INTO outcome (task, record) VALUES (?1, ?2)";
    change.execute(sql, params![row.number, end.json])?;
    change.end(row, end.status, &end.event)
}

pub(super) fn cancel(change: &mut Change, task: &TaskId, reason: &str) -> Result<(), Failure> {
    let mut row = change.load(task)?;
    if row.status.is_final() {
        return Err(StoreError::Ended { task: task.clone(), status: row.status }.into());
    }
    change.execute("UPDATE task SET message = ?2 WHERE number = ?1", params![row.number, reason])?;
    change.end(&mut row, TaskStatus::Cancelled, &EventKind::Cancelled { reason: reason.to_owned() })
}

/// The requeue as it is stored, and how the task ends should this have been its last attempt.
pub(super) fn checked(requeue: &Requeue) -> StoreResult<(Requeue, End)> {
    let requeue = Requeue { reason: gate::reason(&requeue.reason), ..requeue.clone() };
    let end = End::with(&requeue.last_outcome())?;
    Ok((requeue, end))
}

pub(super) fn requeue(
    change: &mut Change,
    claim: &ClaimKey,
    (requeue, end): (Requeue, &End),
) -> Result<(), Failure> {
    let mut row = change.held(claim)?;
    if requeue.counts {
        row.failures = row.failures.saturating_add(1);
        let sql = "UPDATE task SET last_failure = ?2 WHERE number = ?1";
        change.execute(sql, params![row.number, requeue.reason])?;
        if row.failures >= row.max_attempts {
            return conclude(change, &mut row, end);
        }
    }
    row.release();
    row.weigh_questions();
    let sequence = change.append(&mut row, &EventKind::Requeued { reason: requeue.reason })?;
    if row.open == 0 && row.problem.is_none() {
        row.resume_ms = requeue.delay.map(|delay| change.after(delay));
        row.queued = requeue.delay.is_none().then_some(sequence);
    }
    change.save(&mut row)
}

pub(super) fn resume(change: &mut Change, task: &TaskId) -> Result<(), Failure> {
    let Some(mut row) = change.find(task)? else {
        return Ok(());
    };
    if row.resume_ms.is_none_or(|resume_ms| resume_ms > change.now_ms()) {
        return Ok(());
    }
    if let Some(problem) = &row.problem {
        return change.park(&row, problem);
    }
    row.resume_ms = None;
    let reason = "the pause before the next attempt is over".to_owned();
    row.queued = Some(change.append(&mut row, &EventKind::Requeued { reason })?);
    change.save(&mut row)
}

pub(super) fn expire(change: &mut Change, task: &TaskId) -> Result<(), Failure> {
    // Whoever finds it due may be the second to do so, and then there is nothing left to do.
    let Some(mut row) = change.find(task)? else {
        return Ok(());
    };
    if row.expires_ms.is_none_or(|end| end > change.now_ms()) {
        return Ok(());
    }
    change.go_by_what_is_said()?;
    change.expire(&mut row)
}

pub(super) fn prune(change: &mut Change, task: &TaskId) -> Result<bool, Failure> {
    let Some(mut row) = change.find(task)? else {
        // It may have expired meanwhile.
        return if change.unarchive(task)? { Ok(true) } else { Err(StoreError::NoTask(task.clone()).into()) };
    };
    if row.status.is_final() {
        // Who wants it gone wants no archive of it.
        change.retention = None;
        change.remove(&mut row, true)?;
        return Ok(true);
    }
    Ok(false)
}

pub(super) fn note(
    change: &mut Change,
    task: &TaskId,
    claim: Option<&ClaimKey>,
    note: &str,
) -> Result<(), Failure> {
    let mut row = claim.map_or_else(|| change.load(task), |claim| change.held(claim))?;
    change.append(&mut row, &EventKind::Noted { note: note.to_owned() })?;
    change.execute("UPDATE task SET logged = ?2 WHERE number = ?1", params![row.number, row.logged])?;
    Ok(())
}
