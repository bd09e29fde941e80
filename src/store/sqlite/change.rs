//! One transaction that changes a namespace: what every writing verb is made of.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Transaction, params};

use super::super::{ClaimKey, HIDDEN_KEPT, Retention, StoreError};
use super::bounds;
use super::failure::Failure;
use super::recounts::Recounts;
use super::row::{self, Row};
use crate::task::{EventKind, TaskId, TaskStatus};

/// The transaction.
pub(super) struct Change<'a> {
    /// SQLite's.
    pub(super) transaction: &'a Transaction<'a>,
    /// Which namespace.
    pub(super) namespace: i64,
    /// When: one time for all of it.
    pub(super) now: Timestamp,
    /// Whether anybody has to be woken.
    pub(super) appended: bool,
    /// When scopes were last counted anew.
    pub(super) recounts: &'a Recounts,
    /// How tasks that expire are archived, if they are.
    pub(super) retention: Option<Retention>,
}

impl Change<'_> {
    /// The time, in milliseconds since the epoch.
    pub(super) fn now_ms(&self) -> i64 {
        self.now.as_millisecond()
    }

    /// The time that much later, in milliseconds since the epoch, at most the end of time.
    pub(super) fn after(&self, pause: Duration) -> i64 {
        let pause = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
        self.now_ms().saturating_add(pause).min(bounds::LAST_MS)
    }

    /// When a lease ends that begins now.
    pub(super) fn lease_end(&self, lease: Duration) -> i64 {
        self.after(lease).min(self.now_ms().saturating_add(bounds::LONGEST_LEASE_MS))
    }

    /// The task, if there is one.
    pub(super) fn find(&self, task: &TaskId) -> Result<Option<Row>, Failure> {
        row::find(self.transaction, self.namespace, task)
    }

    /// The task, which has to exist.
    pub(super) fn load(&self, task: &TaskId) -> Result<Row, Failure> {
        self.find(task)?.ok_or_else(|| StoreError::NoTask(task.clone()).into())
    }

    /// The task, which has to be held under that claim.
    pub(super) fn held(&self, claim: &ClaimKey) -> Result<Row, Failure> {
        let row = self.load(&claim.task)?;
        row.still_held(claim)?;
        Ok(row)
    }

    /// The same for a step, which is not taken by a task that cannot be read: it can only be ended or given back.
    pub(super) fn held_and_readable(&self, claim: &ClaimKey) -> Result<Row, Failure> {
        let row = self.held(claim)?;
        row.readable(&claim.task)?;
        Ok(row)
    }

    /// Runs a statement about one task.
    pub(super) fn execute(&self, sql: &str, values: impl rusqlite::Params) -> Result<usize, Failure> {
        Ok(self.transaction.prepare_cached(sql)?.execute(values)?)
    }

    /// Writes a task that has changed.
    pub(super) fn save(&self, row: &mut Row) -> Result<(), Failure> {
        row.updated_ms = self.now_ms();
        row.save(self.transaction)?;
        match &row.problem {
            // What is wrong may not be seen any more in what was written, but nobody knows what is right.
            Some(problem) if !row.status.is_final() => {
                let sql = "UPDATE task SET problem = ?2 WHERE number = ?1 AND problem IS NULL";
                self.execute(sql, params![row.number, problem]).map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Ends a task: whoever held it holds it no more, its open questions close, and it counts as finished. The event
    /// says so, and has the status that it ended in.
    pub(super) fn end(&mut self, row: &mut Row, status: TaskStatus, kind: &EventKind) -> Result<(), Failure> {
        row.status = status;
        row.finished_ms = Some(self.now_ms());
        if row.hidden {
            let kept = self.after(HIDDEN_KEPT);
            row.expires_ms = Some(row.expires_ms.map_or(kept, |expires| expires.min(kept)));
        }
        (row.queued, row.resume_ms) = (None, None);
        row.release();
        if row.open > 0 {
            self.execute(
                "UPDATE question SET due_ms = NULL WHERE task = ?1 AND due_ms IS NOT NULL",
                [row.number],
            )?;
            row.open = 0;
        }
        self.append(row, kind)?;
        self.save(row)?;
        self.count_end(&row.scope)
    }

    /// Deletes a task and says so; the archive has it from then on, where this handle archives.
    pub(super) fn expire(&mut self, row: &mut Row) -> Result<(), Failure> {
        self.remove(row, false)
    }

    /// The same, where `pruned` says whether somebody wants it before its ttl ends.
    pub(super) fn remove(&mut self, row: &mut Row, pruned: bool) -> Result<(), Failure> {
        let (unfinished, finished) = if row.status.is_final() { (0, -1) } else { (-1, 0) };
        if !row.status.is_final() {
            row.status = TaskStatus::Cancelled;
        }
        self.append(row, &EventKind::Expired { pruned })?;
        self.archive(row)?;
        self.delete(row.number)?;
        self.count(&row.scope, unfinished, finished).map(drop)
    }

    /// Deletes a task with all that is beside it, but its events.
    pub(super) fn delete(&self, number: i64) -> Result<(), Failure> {
        self.execute("DELETE FROM task WHERE number = ?1", [number])?;
        self.clear(number)
    }

    /// Deletes what is beside the task of that number.
    pub(super) fn clear(&self, number: i64) -> Result<(), Failure> {
        for sql in [
            "DELETE FROM arguments WHERE task = ?1",
            "DELETE FROM outcome WHERE task = ?1",
            "DELETE FROM question WHERE task = ?1",
        ] {
            self.execute(sql, [number])?;
        }
        Ok(())
    }

    /// Takes a task that cannot be read out of every queue, and keeps the reason. One that has ended only had no place
    /// there.
    pub(super) fn park(&self, row: &Row, problem: &str) -> Result<(), Failure> {
        if row.status.is_final() {
            let sql = "UPDATE task SET queued = NULL, resume_ms = NULL, worker = NULL, claimed_ms = NULL
                WHERE number = ?1";
            return self.execute(sql, [row.number]).map(drop);
        }
        tracing::warn!(
            task = row.id,
            problem,
            "a task cannot be read; it waits until it is cancelled or expires"
        );
        let sql =
            "UPDATE task SET queued = NULL, resume_ms = NULL, worker = NULL, claimed_ms = NULL, problem = ?2
            WHERE number = ?1";
        self.execute(sql, params![row.number, problem])?;
        Ok(())
    }
}
