//! Where the log ends, and which events stand where none can.
//!
//! An event's sequence is one more than that of the event before it. Whoever writes a row with a sequence of their own
//! choice into the file would thus choose all that come after it, and the largest number leaves none. So the log ends at
//! the uppermost event that the ones below lead up to: what stands beyond is passed over by writers and readers alike,
//! and `doctor` tells of it. Each process finds the same end, since it is found by what is stored alone.

use rusqlite::Connection;

use super::super::MAX_LOG_EVENTS;
use super::failure::Failure;

/// The largest sequence of a log: a thousand events a second for 30,000 years.
pub(super) const LAST: i64 = 1_000_000_000_000_000;

/// A log's newest events follow each other, and where somebody deleted some of them, no more than it has are missing.
/// What stands further above the event below it belongs to no log.
const GAP: i64 = 2 * MAX_LOG_EVENTS.cast_signed();

/// How many of the uppermost events are looked at: fewer strange ones than these are told from a log.
const LOOKED_AT: i64 = 8;

/// More bytes than a log ever has, and few enough to be added to.
const MOST_BYTES: i64 = 1 << 60;

/// More bytes than [`LOOKED_AT`] events have.
const MOST_BYTES_LOOKED_AT: i64 = 64 * 1024 * 1024;

/// The sequence of the log's last event, 0 where there is none. What fills the last places is no log of ours, and leaves
/// no place for a next event: then the end is found below it.
pub(super) fn end(connection: &Connection, namespace: i64) -> Result<i64, Failure> {
    let mut last = LAST;
    loop {
        let end = end_below(connection, namespace, last)?;
        if end < last {
            return Ok(end);
        }
        last -= GAP;
    }
}

/// The uppermost event of at most that sequence that the ones below lead up to.
fn end_below(connection: &Connection, namespace: i64, last: i64) -> Result<i64, Failure> {
    let sql = "SELECT sequence FROM event WHERE namespace = ?1 AND sequence BETWEEN 1 AND ?2
        ORDER BY sequence DESC LIMIT ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([namespace, last, LOOKED_AT])?;
    let (mut end, mut above) = (0, i64::MAX);
    while let Some(row) = rows.next()? {
        let sequence = row.get(0)?;
        if above - sequence > GAP {
            end = sequence;
        }
        above = sequence;
    }
    Ok(end)
}

/// The bytes of all events up to the log's end: what the uppermost event says that another one bears out.
pub(super) fn bytes(connection: &Connection, namespace: i64, end: i64) -> Result<i64, Failure> {
    let sql = "SELECT bytes FROM event WHERE namespace = ?1 AND sequence BETWEEN 1 AND ?2
        ORDER BY sequence DESC LIMIT ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([namespace, end, LOOKED_AT])?;
    let mut above = Vec::new();
    while let Some(row) = rows.next()? {
        let bytes = row.get(0)?;
        let bears_out = |above: &&i64| (0..=MOST_BYTES_LOOKED_AT).contains(&(**above - bytes));
        if !(0..=MOST_BYTES).contains(&bytes) {
            continue;
        }
        if let Some(borne_out) = above.iter().find(bears_out) {
            return Ok(*borne_out);
        }
        above.push(bytes);
    }
    Ok(above.into_iter().min().unwrap_or(0))
}

/// A count that an event has, where it is one.
pub(super) fn count(stored: Option<i64>) -> i64 {
    stored.filter(|count| (0..LAST).contains(count)).unwrap_or(0)
}

/// How many events the log has no place for, and the sequence of the uppermost one.
pub(super) fn strange(connection: &Connection, namespace: i64) -> Result<Option<(i64, i64)>, Failure> {
    let end = end(connection, namespace)?;
    let sql = "SELECT count(*), max(sequence) FROM (
        SELECT sequence FROM event WHERE namespace = ?1 AND sequence < 1
        UNION ALL SELECT sequence FROM event WHERE namespace = ?1 AND sequence > ?2)";
    let (count, one) = connection
        .prepare_cached(sql)?
        .query_row([namespace, end], |row| Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?)))?;
    Ok(one.map(|one| (count, one)))
}
