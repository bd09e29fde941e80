//! Appending to the log, and its bounds: in number and bytes for all of it, in number for a task and a session.

use rusqlite::{OptionalExtension as _, params};

use super::super::{MAX_LOG_BYTES, MAX_LOG_EVENTS, MAX_SESSION_EVENTS, MAX_TASK_EVENTS};
use super::change::Change;
use super::failure::Failure;
use super::row::Row;
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
    /// again: the newest event is never dropped. The caller saves the row, which counts its events.
    pub(super) fn append(&mut self, row: &mut Row, kind: &EventKind) -> Result<i64, Failure> {
        // Each part of an event passed the gate, or is one of our own short ones.
        let record = serde_json::to_string(kind).map_err(Failure::unreadable)?;
        let (last, bytes) = self.newest()?;
        let (sequence, bytes) = (last + 1, bytes + size(row, &record));
        let session_events = self.session_events(row)?;
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
            self.trim(sequence - as_count(MAX_LOG_EVENTS), bytes - as_count(MAX_LOG_BYTES))?;
        }
        self.trim_parts(row, session_events)?;
        Ok(sequence)
    }

    /// The newest event's sequence and the bytes of all events up to it.
    fn newest(&self) -> Result<(i64, i64), Failure> {
        let sql = "SELECT sequence, bytes FROM event WHERE namespace = ?1 ORDER BY sequence DESC LIMIT 1";
        let mut statement = self.transaction.prepare_cached(sql)?;
        let found = statement.query_row([self.namespace], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        Ok(found.unwrap_or((0, 0)))
    }

    /// The number that the next event of the task's session has.
    fn session_events(&self, row: &Row) -> Result<Option<i64>, Failure> {
        let Some(session) = &row.session else { return Ok(None) };
        let sql = "SELECT session_events FROM event WHERE namespace = ?1 AND session = ?2
            ORDER BY sequence DESC LIMIT 1";
        let mut statement = self.transaction.prepare_cached(sql)?;
        let last = statement
            .query_row(params![self.namespace, session], |row| row.get::<_, Option<i64>>(0))
            .optional()?;
        Ok(Some(last.flatten().unwrap_or(0) + 1))
    }

    /// Drops the oldest events: those up to `last`, and those within the first `bytes`.
    fn trim(&self, last: i64, bytes: i64) -> Result<(), Failure> {
        let sql = "DELETE FROM event WHERE namespace = ?1 AND sequence <=
            (SELECT max(sequence) FROM
                (SELECT sequence, bytes FROM event WHERE namespace = ?1 ORDER BY sequence LIMIT ?4)
            WHERE sequence <= ?2 OR bytes <= ?3)";
        let oldest =
            "SELECT sequence <= ?2 OR bytes <= ?3 FROM event WHERE namespace = ?1 ORDER BY sequence LIMIT 1";
        let mut statement = self.transaction.prepare_cached(oldest)?;
        let is_over =
            statement.query_row(params![self.namespace, last, bytes], |row| row.get(0)).optional()?;
        if is_over == Some(true) {
            self.execute(sql, params![self.namespace, last, bytes, TRIM_AT_ONCE])?;
        }
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
