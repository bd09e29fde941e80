//! One transaction that changes a namespace: what every writing verb is made of.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Transaction, params};

use super::super::{ClaimKey, HIDDEN_KEPT, MAX_FINISHED, StoreError};
use super::failure::Failure;
use super::row::{self, Row};
use crate::task::{EventKind, TaskId, TaskStatus};

/// How many finished tasks above a scope's limit one end deletes: more than it adds, so that a scope that is far above
/// it comes down, and few, so that no transition is long.
const SURPLUS_AT_ONCE: u32 = 2;

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
}

impl Change<'_> {
    /// The time, in milliseconds since the epoch.
    pub(super) fn now_ms(&self) -> i64 {
        self.now.as_millisecond()
    }

    /// The time that much later, in milliseconds since the epoch.
    pub(super) fn after(&self, pause: Duration) -> i64 {
        self.now_ms().saturating_add(i64::try_from(pause.as_millis()).unwrap_or(i64::MAX))
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

    /// Runs a statement about one task.
    pub(super) fn execute(&self, sql: &str, values: impl rusqlite::Params) -> Result<usize, Failure> {
        Ok(self.transaction.prepare_cached(sql)?.execute(values)?)
    }

    /// Writes a task that has changed.
    pub(super) fn save(&self, row: &mut Row) -> Result<(), Failure> {
        row.updated_ms = self.now_ms();
        row.save(self.transaction)
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
        let finished = self.count(&row.scope, -1, 1)?;
        if finished > MAX_FINISHED { self.delete_surplus(&row.scope) } else { Ok(()) }
    }

    /// Counts a scope's tasks, and returns how many have finished.
    pub(super) fn count(&self, scope: &str, unfinished: i64, finished: i64) -> Result<u32, Failure> {
        let sql = "INSERT INTO scope (namespace, name, unfinished, finished) VALUES (?1, ?2, max(?3, 0), max(?4, 0))
            ON CONFLICT DO UPDATE SET unfinished = max(unfinished + ?3, 0), finished = max(finished + ?4, 0)
            RETURNING unfinished, finished";
        let mut statement = self.transaction.prepare_cached(sql)?;
        let (unfinished, finished): (i64, i64) = statement
            .query_row(params![self.namespace, scope, unfinished, finished], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        if unfinished == 0 && finished == 0 {
            self.execute(
                "DELETE FROM scope WHERE namespace = ?1 AND name = ?2",
                params![self.namespace, scope],
            )?;
        }
        Ok(u32::try_from(finished).unwrap_or(u32::MAX))
    }

    /// How many unfinished tasks a scope has.
    pub(super) fn unfinished(&self, scope: &str) -> Result<i64, Failure> {
        let sql = "SELECT unfinished FROM scope WHERE namespace = ?1 AND name = ?2";
        let mut statement = self.transaction.prepare_cached(sql)?;
        let found = statement.query_row(params![self.namespace, scope], |row| row.get(0)).optional()?;
        Ok(found.unwrap_or(0))
    }

    /// Deletes a scope's oldest finished tasks.
    fn delete_surplus(&mut self, scope: &str) -> Result<(), Failure> {
        let sql = format!(
            "SELECT {} FROM task INDEXED BY task_by_end WHERE namespace = ?1 AND scope = ?2
            AND finished_ms IS NOT NULL ORDER BY finished_ms LIMIT ?3",
            row::COLUMNS
        );
        let mut statement = self.transaction.prepare_cached(&sql)?;
        let rows = statement.query_map(params![self.namespace, scope, SURPLUS_AT_ONCE], Row::read)?;
        let mut surplus = rows.collect::<Result<Vec<_>, _>>()?;
        surplus.iter_mut().try_for_each(|row| self.expire(row))
    }

    /// Deletes a task and says so.
    pub(super) fn expire(&mut self, row: &mut Row) -> Result<(), Failure> {
        let (unfinished, finished) = if row.status.is_final() { (0, -1) } else { (-1, 0) };
        if !row.status.is_final() {
            row.status = TaskStatus::Cancelled;
        }
        self.append(row, &EventKind::Expired {})?;
        self.count(&row.scope, unfinished, finished)?;
        self.delete(row.number)
    }

    /// Deletes a task with all that is beside it, but its events.
    pub(super) fn delete(&self, number: i64) -> Result<(), Failure> {
        for sql in [
            "DELETE FROM task WHERE number = ?1",
            "DELETE FROM arguments WHERE task = ?1",
            "DELETE FROM outcome WHERE task = ?1",
            "DELETE FROM question WHERE task = ?1",
        ] {
            self.execute(sql, [number])?;
        }
        Ok(())
    }

    /// Takes a task that cannot be read out of every queue, and keeps the reason.
    pub(super) fn park(&self, row: &Row, problem: &str) -> Result<(), Failure> {
        tracing::warn!(
            task = row.id,
            problem,
            "a task cannot be read; it waits until it is cancelled or expires"
        );
        let sql = "UPDATE task SET queued = NULL, resume_ms = NULL, problem = ?2 WHERE number = ?1";
        self.execute(sql, params![row.number, problem])?;
        Ok(())
    }
}
