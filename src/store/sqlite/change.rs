//! One transaction that changes a namespace: what every writing verb is made of.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Transaction, params};

use super::super::{ClaimKey, HIDDEN_KEPT, MAX_FINISHED, StoreError};
use super::bounds;
use super::failure::Failure;
use super::row::{self, Row};
use crate::task::{EventKind, TaskId, TaskStatus};

/// How many finished tasks above a scope's limit one end deletes: more than it adds, so that a scope that is far above
/// it comes down, and few, so that no transition is long.
const SURPLUS_AT_ONCE: u32 = 2;

/// No scope has more tasks.
const MOST_OF_A_SCOPE: i64 = 100_000_000;

/// How long it takes until a scope that is refused a task is counted anew: a count of the most tasks that a scope may
/// have takes some milliseconds.
const COUNTED_EVERY_MS: u64 = 1000;

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
    /// When a scope's tasks were last counted anew, in milliseconds since the epoch.
    pub(super) counted_ms: &'a AtomicI64,
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
        let finished = self.count(&row.scope, -1, 1)?;
        if finished > MAX_FINISHED { self.delete_surplus(&row.scope) } else { Ok(()) }
    }

    /// Counts a scope's tasks, which are stored already, and returns how many have finished. Counts that cannot be are
    /// taken anew.
    pub(super) fn count(&self, scope: &str, unfinished: i64, finished: i64) -> Result<u32, Failure> {
        let sql = "INSERT INTO scope (namespace, name, unfinished, finished) VALUES (?1, ?2, max(?3, 0), max(?4, 0))
            ON CONFLICT DO UPDATE SET
                unfinished = CASE WHEN unfinished BETWEEN 0 AND ?5 THEN max(unfinished + ?3, 0) ELSE -1 END,
                finished = CASE WHEN finished BETWEEN 0 AND ?5 THEN max(finished + ?4, 0) ELSE -1 END
            RETURNING unfinished, finished";
        let mut statement = self.transaction.prepare_cached(sql)?;
        let values = params![self.namespace, scope, unfinished, finished, MOST_OF_A_SCOPE];
        let counted: (i64, i64) = statement.query_row(values, |row| Ok((row.get(0)?, row.get(1)?)))?;
        let (unfinished, finished) =
            if counted.0 < 0 || counted.1 < 0 { self.count_anew(scope)? } else { counted };
        if unfinished == 0 && finished == 0 {
            self.execute(
                "DELETE FROM scope WHERE namespace = ?1 AND name = ?2",
                params![self.namespace, scope],
            )?;
        }
        Ok(u32::try_from(finished).unwrap_or(u32::MAX))
    }

    /// Whether a scope has that many unfinished tasks. Its count is taken anew before anybody is refused by one that is
    /// wrong, but not at each refusal: that would cost more than the task.
    pub(super) fn has_unfinished(&self, scope: &str, most: u32) -> Result<bool, Failure> {
        let sql = "SELECT unfinished FROM scope WHERE namespace = ?1 AND name = ?2";
        let mut statement = self.transaction.prepare_cached(sql)?;
        let found = statement.query_row(params![self.namespace, scope], |row| row.get(0)).optional()?;
        let unfinished: i64 = found.unwrap_or(0);
        if unfinished < i64::from(most) {
            return Ok(false);
        }
        let is_doubtful = unfinished > MOST_OF_A_SCOPE || self.may_count_anew();
        Ok(!is_doubtful || self.count_anew(scope)?.0 >= i64::from(most))
    }

    /// Whether the last time that a scope was counted for this process is a while ago.
    fn may_count_anew(&self) -> bool {
        let now_ms = self.now_ms();
        let is_long_ago = |before: i64| (now_ms.abs_diff(before) >= COUNTED_EVERY_MS).then_some(now_ms);
        self.counted_ms.fetch_update(Ordering::Relaxed, Ordering::Relaxed, is_long_ago).is_ok()
    }

    /// Counts a scope's unfinished and finished tasks by what is stored of them.
    fn count_anew(&self, scope: &str) -> Result<(i64, i64), Failure> {
        let sql = "UPDATE scope SET
            unfinished = (SELECT count(*) FROM task INDEXED BY task_by_scope_and_status
                WHERE namespace = ?1 AND hidden IN (0, 1) AND scope = ?2 AND status IN ('working', 'input_required')),
            finished = (SELECT count(*) FROM task INDEXED BY task_by_end
                WHERE namespace = ?1 AND scope = ?2 AND finished_ms IS NOT NULL)
            WHERE namespace = ?1 AND name = ?2 RETURNING unfinished, finished";
        let mut statement = self.transaction.prepare_cached(sql)?;
        let values = params![self.namespace, scope];
        Ok(statement.query_row(values, |row| Ok((row.get(0)?, row.get(1)?)))?)
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
