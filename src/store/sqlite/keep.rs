//! How the archive is kept: what each process that archives says of it, for those that were not told.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::super::archive::{self, SAID_EVERY, SAID_FOR, Said};
use super::super::{Retention, Trouble};
use super::change::Change;
use super::failure::Failure;
use super::reading;

/// The tables.
const SCHEMA: &str = include_str!("keep.sql");

/// How long it is told that tasks were forgotten before their time.
const FORGOT_FOR_MS: i64 = 7 * 24 * 3600 * 1000;

/// Whether this process is to say, now or again, how it archives tasks.
pub(super) fn is_to_say(
    connection: &Connection,
    (namespace, now_ms): (i64, i64),
    retention: Option<Retention>,
) -> Result<bool, Failure> {
    let Some(retention) = retention else { return Ok(false) };
    let is_lately = |(one, ago): &Said| *one == stored(retention) && *ago < SAID_EVERY;
    Ok(!said(connection, (namespace, now_ms))?.iter().any(is_lately))
}

/// What processes have said.
fn said(connection: &Connection, (namespace, now_ms): (i64, i64)) -> Result<Vec<Said>, Failure> {
    if !is_there(connection)? {
        return Ok(Vec::new());
    }
    let sql = "SELECT kept_ms, bytes, said_ms FROM archive_said WHERE namespace = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([namespace])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (time, bytes) = (Duration::from_millis(positive(row.get(0)?)), positive(row.get(1)?));
        found.push((Retention { time, bytes }, since(row.get(2)?, now_ms)));
    }
    Ok(found)
}

/// What is wrong with how the archive is kept.
pub(super) fn troubles(connection: &Connection, place: (i64, i64)) -> Result<Vec<Trouble>, Failure> {
    if !is_there(connection)? {
        return Ok(Vec::new());
    }
    let sql = "SELECT at_ms FROM archive_forgot WHERE namespace = ?1 AND at_ms > ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let lately = place.1.saturating_sub(FORGOT_FOR_MS);
    let forgot: Option<i64> = statement.query_row([place.0, lately], |row| row.get(0)).optional()?;
    Ok(archive::troubles(&said(connection, place)?, forgot.map(|at| since(at, place.1))))
}

impl Change<'_> {
    /// Says how this process archives tasks, and forgets what nobody has said for a day.
    pub(super) fn say_retention(&self) -> Result<(), Failure> {
        let Some(retention) = self.retention.map(stored) else { return Ok(()) };
        self.transaction.execute_batch(SCHEMA)?;
        let late = self.now_ms().saturating_sub(millis(SAID_FOR));
        self.execute(
            "DELETE FROM archive_said WHERE namespace = ?1 AND said_ms <= ?2",
            [self.namespace, late],
        )?;
        let bytes = i64::try_from(retention.bytes).unwrap_or(i64::MAX);
        let sql = "INSERT OR REPLACE INTO archive_said (namespace, kept_ms, bytes, said_ms) VALUES (?1, ?2, ?3, ?4)";
        self.execute(sql, params![self.namespace, millis(retention.time), bytes, self.now_ms()]).map(drop)
    }

    /// From here on tasks are archived as another process says, where this one says nothing.
    pub(super) fn go_by_what_is_said(&mut self) -> Result<(), Failure> {
        if self.retention.is_none() {
            let said = said(self.transaction, (self.namespace, self.now_ms()))?;
            self.retention = archive::longest(&said);
        }
        Ok(())
    }

    /// Notes that a task was deleted from the archive before its time.
    pub(super) fn has_forgotten(&self) -> Result<(), Failure> {
        self.transaction.execute_batch(SCHEMA)?;
        let sql = "INSERT OR REPLACE INTO archive_forgot (namespace, at_ms) VALUES (?1, ?2)";
        self.execute(sql, [self.namespace, self.now_ms()]).map(drop)
    }
}

/// Whether anybody ever said anything in this file.
fn is_there(connection: &Connection) -> Result<bool, Failure> {
    reading::has_table(connection, "archive_forgot")
}

/// As it is read again.
fn stored(retention: Retention) -> Retention {
    let bytes = retention.bytes.min(i64::MAX.unsigned_abs());
    Retention { time: Duration::from_millis(millis(retention.time).unsigned_abs()), bytes }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

fn positive(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

fn since(at_ms: i64, now_ms: i64) -> Duration {
    Duration::from_millis(positive(now_ms.saturating_sub(at_ms)))
}
