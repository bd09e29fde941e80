//! Appending to the log, and its bounds: in number and bytes for all of it, in number for a task and a session.

use rusqlite::{OptionalExtension as _, params};

use super::super::{MAX_LOG_BYTES, MAX_LOG_EVENTS, MAX_SESSION_EVENTS, MAX_TASK_EVENTS};
use super::change::Change;
use super::failure::Failure;
use super::row::Row;
use super::sequence;
use crate::task::EventKind;

/// How many events come between two looks at the bounds.
const TRIM_EVERY: i64 = 100;

/// The most events that one look drops: more than come between two, so that a log that is far above its bounds comes
/// down, and few, so that no transition is long.
const TRIM_AT_ONCE: i64 = 1000;

/// What a row costs beside its texts, in bytes, with its place in the indexes.
const ROW_BYTES: usize = 100;

impl Change<'_> {
    /// Appends an event about the task as it stands, and returns its sequence. Sequences of a namespace never come
    /// again: the log's last event is never dropped. The caller saves the row, which counts its events.
    pub(super) fn append(&mut self, row: &mut Row, kind: &EventKind) -> Result<i64, Failure> {
        // Each part of an event passed the gate, or is one of our own short ones.
        let record = serde_json::to_string(kind).map_err(Failure::unreadable)?;
        let end = sequence::end(self.transaction, self.namespace)?;
        let bytes = sequence::bytes(self.transaction, self.namespace, end)? + size(row, &record);
        let session_events = self.session_events(row, end)?;
        let sequence = end + 1;
        let sql = "INSERT INTO event (namespace, sequence, at_ms, task, tool, scope, session, hidden, status, record,
             bytes, session_events) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
        self.execute(
            sql,
            params![
                self.namespace,
                sequence,
                self.now_ms(),
                row.id,
                row.tool,
                row.scope,
                row.session,
                row.hidden,
                row.status.as_str(),
                record,
                bytes,
                session_events
            ],
        )?;
        row.logged += 1;
        self.appended = true;
        if sequence % TRIM_EVERY == 0 {
            self.trim((sequence, bytes))?;
        }
        self.trim_parts(row, session_events)?;
        Ok(sequence)
    }

    /// The number that the next event of the task's session has; the log ends at `end`.
    fn session_events(&self, row: &Row, end: i64) -> Result<Option<i64>, Failure> {
        let Some(session) = &row.session else { return Ok(None) };
        let sql = "SELECT session_events FROM event WHERE namespace = ?1 AND session = ?2 AND sequence <= ?3
            ORDER BY sequence DESC LIMIT 1";
        let mut statement = self.transaction.prepare_cached(sql)?;
        let last = statement
            .query_row(params![self.namespace, session, end], |row| row.get::<_, Option<i64>>(0))
            .optional()?;
        Ok(Some(sequence::count(last.flatten()) + 1))
    }

    /// Drops the log's oldest events, up to the first one that is within both bounds. One that claims more bytes than
    /// the newest one is written by somebody else, and keeps nothing in the log.
    fn trim(&self, (sequence, bytes): (i64, i64)) -> Result<(), Failure> {
        const KEPT: &str = "sequence > ?2 AND bytes > ?3 AND bytes <= ?4";
        let oldest = format!(
            "SELECT NOT ({KEPT}) FROM event WHERE namespace = ?1 AND sequence BETWEEN 1 AND ?5
            ORDER BY sequence LIMIT 1"
        );
        let (last, within) = (sequence - as_count(MAX_LOG_EVENTS), bytes - as_count(MAX_LOG_BYTES));
        let mut statement = self.transaction.prepare_cached(&oldest)?;
        let values = params![self.namespace, last, within, bytes, sequence];
        if statement.query_row(values, |row| row.get(0)).optional()? != Some(true) {
            return Ok(());
        }
        let sql = format!(
            "DELETE FROM event WHERE namespace = ?1 AND sequence >= 1 AND sequence <
            (SELECT coalesce(min(sequence) FILTER (WHERE {KEPT}), max(sequence)) FROM
                (SELECT sequence, bytes FROM event WHERE namespace = ?1 AND sequence BETWEEN 1 AND ?5
                 ORDER BY sequence LIMIT ?6))"
        );
        self.execute(&sql, params![self.namespace, last, within, bytes, sequence, TRIM_AT_ONCE])?;
        Ok(())
    }

    /// Keeps the newest events of a task and of a session. Looked at rarely, since it walks over what is kept.
    fn trim_parts(&self, row: &Row, session_events: Option<i64>) -> Result<(), Failure> {
        if row.logged > as_count(MAX_TASK_EVENTS) && row.logged % TRIM_EVERY == 0 {
            self.trim_part("task", &row.id, as_count(MAX_TASK_EVENTS))?;
        }
        let events = session_events.unwrap_or(0);
        let is_over = events > as_count(MAX_SESSION_EVENTS) && events % TRIM_AT_ONCE == 0;
        if let Some(session) = row.session.as_ref().filter(|_| is_over) {
            self.trim_part("session", session, as_count(MAX_SESSION_EVENTS))?;
        }
        Ok(())
    }

    fn trim_part(&self, part: &str, of: &str, most: i64) -> Result<(), Failure> {
        let sql = format!(
            "DELETE FROM event WHERE namespace = ?1 AND sequence IN
            (SELECT sequence FROM event WHERE namespace = ?1 AND {part} = ?2 ORDER BY sequence DESC
             LIMIT ?4 OFFSET ?3)"
        );
        self.execute(&sql, params![self.namespace, of, most, 2 * TRIM_AT_ONCE])?;
        Ok(())
    }
}

/// What an event costs, in bytes.
pub(super) fn size(row: &Row, record: &str) -> i64 {
    let session = row.session.as_ref().map_or(0, String::len);
    let texts = record.len() + row.id.len() + row.tool.len() + row.scope.len() + session;
    i64::try_from(texts + ROW_BYTES).unwrap_or(i64::MAX)
}

/// A bound as SQLite counts.
fn as_count(bound: u64) -> i64 {
    i64::try_from(bound).unwrap_or(i64::MAX)
}
