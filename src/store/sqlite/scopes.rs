//! How many tasks each scope has, and the oldest of those that are above its limit.
//!
//! The counts are kept beside the tasks, since no submit and no end can afford to count them. But what is noted there
//! may be wrong where somebody else wrote into the file: so nobody is refused and nothing is deleted before the tasks
//! themselves have been counted.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use rusqlite::{OptionalExtension as _, params};

use super::super::MAX_FINISHED;
use super::change::Change;
use super::failure::Failure;
use super::row::{self, Row};

/// At how many ends of a scope's tasks its finished ones are counted anew. Counting the most that a scope may have takes
/// some milliseconds, which this many ends share; it is also how far a scope can be above its limit.
const COUNTED_EVERY: i64 = 100;

/// The most finished tasks above a scope's limit that are deleted at once: more than end between two looks, so that a
/// scope that is far above it comes down, and few, so that no transition is long.
const SURPLUS_AT_ONCE: i64 = 2 * COUNTED_EVERY;

/// No scope has more tasks.
const MOST_OF_A_SCOPE: i64 = 100_000_000;

/// How long it takes until a scope that is refused a task is counted anew.
const RECOUNTED_EVERY_MS: u64 = 1000;

/// The most scopes of which it is known when they were counted.
const MOST_SCOPES: usize = 1000;

/// When each scope that was refused a task was last counted anew, in milliseconds since the epoch. Each has its own
/// time: one that is at its limit keeps no other from being counted. A lock, since all clones of a handle share it.
#[derive(Debug, Default)]
pub(super) struct Recounts(Mutex<HashMap<String, i64>>);

impl Recounts {
    /// Whether the last time that the scope was counted is a while ago; notes this one.
    fn may(&self, scope: &str, now_ms: i64) -> bool {
        let is_recent = |before: &i64| now_ms.abs_diff(*before) < RECOUNTED_EVERY_MS;
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.get(scope).is_some_and(is_recent) {
            return false;
        }
        if counted.len() >= MOST_SCOPES {
            counted.clear();
        }
        counted.insert(scope.to_owned(), now_ms);
        true
    }
}

impl Change<'_> {
    /// Counts a scope's tasks, which are stored already, and returns how many have finished. Counts that cannot be are
    /// taken anew.
    pub(super) fn count(&self, scope: &str, unfinished: i64, finished: i64) -> Result<i64, Failure> {
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
        Ok(finished)
    }

    /// Counts a task that has ended, and now and then deletes the oldest ones that are above the scope's limit.
    pub(super) fn count_end(&mut self, scope: &str) -> Result<(), Failure> {
        let noted = self.count(scope, -1, 1)?;
        if noted % COUNTED_EVERY != 0 {
            return Ok(());
        }
        let (_, finished) = self.count_anew(scope)?;
        self.delete_oldest(scope, (finished - i64::from(MAX_FINISHED)).min(SURPLUS_AT_ONCE))
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
        let is_doubtful = unfinished > MOST_OF_A_SCOPE || self.recounts.may(scope, self.now_ms());
        Ok(!is_doubtful || self.count_anew(scope)?.0 >= i64::from(most))
    }

    /// Counts a scope's unfinished and finished tasks by what is stored of them, and notes that.
    fn count_anew(&self, scope: &str) -> Result<(i64, i64), Failure> {
        // Each status is a stretch of the index, which is counted fast.
        let sql = "SELECT count(*),
            (SELECT count(*) FROM task INDEXED BY task_by_scope_and_status WHERE namespace = ?1
                AND hidden IN (0, 1) AND scope = ?2 AND status IN ('completed', 'failed', 'cancelled'))
            FROM task INDEXED BY task_by_scope_and_status WHERE namespace = ?1
                AND hidden IN (0, 1) AND scope = ?2 AND status IN ('working', 'input_required')";
        let mut statement = self.transaction.prepare_cached(sql)?;
        let values = params![self.namespace, scope];
        let (unfinished, finished): (i64, i64) =
            statement.query_row(values, |row| Ok((row.get(0)?, row.get(1)?)))?;
        let sql = "UPDATE scope SET unfinished = ?3, finished = ?4 WHERE namespace = ?1 AND name = ?2";
        self.execute(sql, params![self.namespace, scope, unfinished, finished])?;
        Ok((unfinished, finished))
    }

    /// Deletes so many of a scope's oldest finished tasks; none where that is no number of tasks.
    fn delete_oldest(&mut self, scope: &str, most: i64) -> Result<(), Failure> {
        let sql = format!(
            "SELECT {} FROM task INDEXED BY task_by_end WHERE namespace = ?1 AND scope = ?2
            AND finished_ms IS NOT NULL AND status IN ('completed', 'failed', 'cancelled')
            ORDER BY finished_ms LIMIT max(?3, 0)",
            row::COLUMNS
        );
        let mut statement = self.transaction.prepare_cached(&sql)?;
        let rows = statement.query_map(params![self.namespace, scope, most], Row::read)?;
        let mut oldest = rows.collect::<Result<Vec<_>, _>>()?;
        oldest.iter_mut().try_for_each(|row| self.expire(row))
    }
}
