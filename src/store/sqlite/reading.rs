//! The verbs that only read: get, find, history, last. See also `list.rs` and `due.rs`.

use rusqlite::{Connection, OptionalExtension as _, Params, params};
use serde::de::DeserializeOwned;

use super::super::EventFilter;
use super::fault::Fault;
use crate::task::{Cursor, Event, Task, TaskId, WorkerId};

/// A task id that this program stored.
pub(super) fn task_id(text: String) -> Result<TaskId, Fault> {
    TaskId::try_from(text).map_err(|error| Fault::Record(serde::de::Error::custom(error)))
}

/// A worker id that this program stored.
pub(super) fn worker_id(text: String) -> Result<WorkerId, Fault> {
    WorkerId::try_from(text).map_err(|error| Fault::Record(serde::de::Error::custom(error)))
}

/// What a query's first column holds, each a JSON record.
pub(super) fn records<T: DeserializeOwned>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
) -> Result<Vec<T>, Fault> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(serde_json::from_str(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?);
    }
    Ok(records)
}

pub(super) fn get(connection: &Connection, namespace: i64, task: &TaskId) -> Result<Option<Task>, Fault> {
    let sql = "SELECT record FROM tasks WHERE namespace = ?1 AND id = ?2";
    Ok(records(connection, sql, params![namespace, task.as_str()])?.pop())
}

pub(super) fn find(
    connection: &Connection,
    namespace: i64,
    prefix: &str,
    most: usize,
) -> Result<Vec<TaskId>, Fault> {
    // Ids are printable ASCII, and DEL is the first character after that.
    let sql = "SELECT id FROM tasks WHERE namespace = ?1 AND id >= ?2 AND id < ?2 || char(127)
        ORDER BY id LIMIT ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![namespace, prefix, most as i64], |row| row.get(0))?;
    rows.map(|id| task_id(id?)).collect()
}

/// Where to begin in the log. A cursor of a Redis store is after everything here, as the order of cursors
/// has it.
fn sequence(after: Cursor) -> i64 {
    if after.millis > 0 { i64::MAX } else { i64::try_from(after.sequence).unwrap_or(i64::MAX) }
}

pub(super) fn history(
    connection: &Connection,
    namespace: i64,
    (filter, after): (&EventFilter, Cursor),
    most: usize,
) -> Result<Vec<Event>, Fault> {
    let (part, of) = match filter {
        EventFilter::All => ("?4 = ''", ""),
        EventFilter::Session(session) => ("session = ?4", session.as_str()),
        EventFilter::Task(task) => ("task = ?4", task.as_str()),
    };
    let sql = format!(
        "SELECT sequence, record FROM events WHERE namespace = ?1 AND sequence > ?2 AND {part}
        ORDER BY sequence LIMIT ?3"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![namespace, sequence(after), most as i64, of])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        let event: Event = serde_json::from_str(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?)?;
        events.push(Event { cursor: Cursor { millis: 0, sequence: row.get::<_, i64>(0)? as u64 }, ..event });
    }
    Ok(events)
}

pub(super) fn last(connection: &Connection, namespace: i64) -> Result<Cursor, Fault> {
    let sql = "SELECT max(sequence) FROM events WHERE namespace = ?1";
    let last: Option<Option<i64>> =
        connection.prepare_cached(sql)?.query_row([namespace], |row| row.get(0)).optional()?;
    Ok(last.flatten().map_or(Cursor::START, |last| Cursor { millis: 0, sequence: last as u64 }))
}
