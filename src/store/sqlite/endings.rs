//! The verbs that take a task away from its worker: finish, cancel, requeue, expire; and note.

use super::super::{ClaimKey, Requeue, StoreError};
use super::change::{Change, Stored};
use super::fault::Fault;
use crate::task::{EventKind, Outcome, TaskId, TaskStatus};

pub(super) fn finish(change: &mut Change, claim: &ClaimKey, outcome: Outcome) -> Result<(), Fault> {
    let stored = change.held(claim)?;
    conclude(change, stored, outcome)
}

/// Ends a task with its outcome.
pub(super) fn conclude(change: &mut Change, mut stored: Stored, outcome: Outcome) -> Result<(), Fault> {
    stored.end(outcome.status(), change.now);
    let ended = match &outcome {
        Outcome::Result(_) => EventKind::Completed { is_error: outcome.is_tool_error() },
        Outcome::Error(error) => EventKind::Failed { code: error.code, message: error.message.clone() },
    };
    stored.task.outcome = Some(outcome);
    change.append(&stored.task, ended)?;
    change.save(&mut stored)
}

pub(super) fn cancel(change: &mut Change, task: &TaskId, reason: &str) -> Result<(), Fault> {
    let mut stored = change.load(task)?;
    if stored.task.status.is_final() {
        return Err(StoreError::Ended { task: task.clone(), status: stored.task.status }.into());
    }
    stored.end(TaskStatus::Cancelled, change.now);
    stored.task.status_message = Some(reason.to_owned());
    change.append(&stored.task, EventKind::Cancelled { reason: reason.to_owned() })?;
    change.save(&mut stored)
}

pub(super) fn requeue(change: &mut Change, claim: &ClaimKey, requeue: Requeue) -> Result<(), Fault> {
    let mut stored = change.held(claim)?;
    if requeue.counts {
        stored.failures += 1;
        stored.task.last_failure = Some(requeue.reason.clone());
        if stored.failures >= stored.task.new.max_attempts {
            return conclude(change, stored, requeue.last_outcome());
        }
    }
    stored.release();
    let parked = stored.weigh_questions();
    let sequence = change.append(&stored.task, EventKind::Requeued { reason: requeue.reason })?;
    if !parked {
        stored.resume_ms = requeue.delay.map(|delay| change.after(delay));
        stored.queued = requeue.delay.is_none().then_some(sequence);
    }
    change.save(&mut stored)
}

pub(super) fn resume(change: &mut Change, task: &TaskId) -> Result<(), Fault> {
    let Some(mut stored) = change.find(task)? else {
        return Ok(());
    };
    if stored.resume_ms.is_none_or(|resume_ms| resume_ms > change.now.as_millisecond()) {
        return Ok(());
    }
    stored.resume_ms = None;
    let reason = "the pause before the next attempt is over".to_owned();
    stored.queued = Some(change.append(&stored.task, EventKind::Requeued { reason })?);
    change.save(&mut stored)
}

pub(super) fn expire(change: &mut Change, task: &TaskId) -> Result<(), Fault> {
    // Whoever finds it due may be the second to do so, and then there is nothing left to do.
    let Some(mut stored) = change.find(task)? else {
        return Ok(());
    };
    if stored.task.expires_at().is_none_or(|end| end > change.now) {
        return Ok(());
    }
    if !stored.task.status.is_final() {
        stored.end(TaskStatus::Cancelled, change.now);
    }
    change.append(&stored.task, EventKind::Expired {})?;
    change.delete(task)
}

pub(super) fn note(change: &mut Change, task: &TaskId, note: &str) -> Result<(), Fault> {
    let stored = change.load(task)?;
    change.append(&stored.task, EventKind::Noted { note: note.to_owned() })?;
    Ok(())
}
