//! The archive: what `expire` moves there, what leaves it, and reading it. A file in which nothing was archived has no
//! tables for it, and stays as it was.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row as Columns, params};
use serde::{Deserialize, Serialize};

use super::super::{
    ArchivePage, ArchivedTask, MAX_ARCHIVED_EVENT_BYTES, MAX_ARCHIVED_EVENTS, MAX_PAGE_BYTES, PageCursor,
    Retention, TaskFilter, Unreadable, gate,
};
use super::change::Change;
use super::failure::{Failure, readable};
use super::reading::{self, EVENT, Whole, event, ids, record, time, word};
use super::row::Row;
use crate::task::{Event, Scope, SessionId, Task, TaskId, TaskStatus};

/// The tables.
const SCHEMA: &str = include_str!("archive.sql");

/// What a row costs beside its texts, in bytes, with its place in the indexes.
const ROW_BYTES: usize = 300;

/// The most tasks that leave the archive at once, so that no transition is long.
const MOST_AT_ONCE: usize = 1000;

/// The most bytes that an archive can be believed to have.
const MOST_BYTES: i64 = 1 << 60;

/// What is stored of a task. Events are read one by one: a newer version may have kinds of its own.
#[derive(Serialize, Deserialize)]
struct Record {
    task: Task,
    events: Vec<serde_json::Value>,
}

impl Change<'_> {
    /// Puts a task whose ttl has ended into the archive, if that is wanted of this handle. Its last event is in the log
    /// already, its row still there.
    pub(super) fn archive(&self, row: &Row) -> Result<(), Failure> {
        let Some(retention) = self.retention.filter(|_| !row.hidden) else { return Ok(()) };
        let Some(whole) = Whole::numbered(self.transaction, row.number)? else { return Ok(()) };
        let task = match readable(whole.task(self.transaction))? {
            Ok((task, _)) => ended(task, self.now),
            Err(problem) => {
                tracing::warn!(task = row.id, problem, "a task that cannot be read is not archived");
                return Ok(());
            }
        };
        let events = newest_events(self.transaction, self.namespace, task.id())?;
        let events = events.iter().map(serde_json::to_value).collect::<Result<_, _>>();
        let record = Record { task, events: events.map_err(Failure::unreadable)? };
        if !is_there(self.transaction)? {
            self.transaction.execute_batch(SCHEMA)?;
        }
        self.insert(row, &record, retention)?;
        self.bound_archive(Some(retention))
    }

    /// Deletes what the archive has of a task; false where that is nothing.
    pub(super) fn unarchive(&self, task: &TaskId) -> Result<bool, Failure> {
        if !is_there(self.transaction)? {
            return Ok(false);
        }
        let sql = "DELETE FROM archive WHERE namespace = ?1 AND id = ?2 RETURNING bytes";
        let mut statement = self.transaction.prepare_cached(sql)?;
        let bytes: Option<i64> =
            statement.query_row(params![self.namespace, task.as_str()], |row| row.get(0)).optional()?;
        let sql = "UPDATE archive_size SET bytes = max(0, bytes - ?2) WHERE namespace = ?1";
        self.execute(sql, [self.namespace, bytes.unwrap_or_default()])?;
        Ok(bytes.is_some())
    }

    fn insert(&self, row: &Row, record: &Record, retention: Retention) -> Result<(), Failure> {
        let json = serde_json::to_string(record).map_err(Failure::unreadable)?;
        let bytes = i64::try_from(json.len() + ROW_BYTES).unwrap_or(i64::MAX);
        let sql = "INSERT OR REPLACE INTO archive
            (namespace, id, tool, scope, session, status, created_ms, expired_ms, until_ms, bytes, record)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
        self.execute(
            sql,
            params![
                self.namespace,
                row.id,
                row.tool,
                row.scope,
                row.session,
                row.status.as_str(),
                row.created_ms,
                self.now_ms(),
                self.after(retention.time),
                bytes,
                json
            ],
        )?;
        let sql = "INSERT INTO archive_size (namespace, bytes) VALUES (?1, ?2)
            ON CONFLICT DO UPDATE SET bytes = bytes + ?2";
        self.execute(sql, params![self.namespace, bytes]).map(drop)
    }

    /// Deletes some of the archived tasks whose time is over, and of those that are beyond the bound those that would go
    /// soonest; all of them in some transactions.
    pub(super) fn bound_archive(&self, retention: Option<Retention>) -> Result<(), Failure> {
        if !is_there(self.transaction)? {
            return Ok(());
        }
        let most = most_bytes(retention);
        let noted = size(self.transaction, self.namespace)?;
        // Nothing is deleted before its time by a number that somebody else may have written. The index has all bytes.
        let mut bytes = if (0..=most).contains(&noted) { noted } else { self.counted_size()? };
        let mut is_early = false;
        for _ in 0..MOST_AT_ONCE {
            let Some((number, until_ms, size)) = self.first_to_go()? else { break };
            if until_ms > self.now_ms() && bytes <= most {
                break;
            }
            is_early |= until_ms > self.now_ms();
            self.execute("DELETE FROM archive WHERE number = ?1", [number])?;
            bytes = bytes.saturating_sub(size);
        }
        if is_early {
            self.has_forgotten()?;
        }
        let sql = "UPDATE archive_size SET bytes = ?2 WHERE namespace = ?1";
        self.execute(sql, params![self.namespace, bytes]).map(drop)
    }

    /// Number, time and bytes of the archived task that would go soonest.
    fn first_to_go(&self) -> Result<Option<(i64, i64, i64)>, Failure> {
        let sql = "SELECT number, until_ms, bytes FROM archive INDEXED BY archive_by_end
            WHERE namespace = ?1 ORDER BY until_ms, number LIMIT 1";
        let mut statement = self.transaction.prepare_cached(sql)?;
        let columns = |row: &Columns| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        Ok(statement.query_row([self.namespace], columns).optional()?)
    }

    /// The bytes of the archive by what is stored there.
    fn counted_size(&self) -> Result<i64, Failure> {
        let sql = "SELECT coalesce(sum(max(bytes, 0)), 0) FROM archive INDEXED BY archive_by_end WHERE namespace = ?1";
        Ok(self.transaction.prepare_cached(sql)?.query_row([self.namespace], |row| row.get(0))?)
    }
}

/// Whether some of the archive has to be deleted now.
pub(super) fn is_over(
    connection: &Connection,
    (namespace, now_ms): (i64, i64),
    retention: Option<Retention>,
) -> Result<bool, Failure> {
    if !is_there(connection)? {
        return Ok(false);
    }
    let sql =
        "SELECT 1 FROM archive INDEXED BY archive_by_end WHERE namespace = ?1 AND until_ms <= ?2 LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    let is_late = statement.query_row([namespace, now_ms], |_| Ok(())).optional()?.is_some();
    Ok(is_late || size(connection, namespace)? > most_bytes(retention))
}

/// Whether anything was ever archived in this file.
fn is_there(connection: &Connection) -> Result<bool, Failure> {
    reading::has_table(connection, "archive")
}

/// The noted bytes of the archive.
fn size(connection: &Connection, namespace: i64) -> Result<i64, Failure> {
    let sql = "SELECT bytes FROM archive_size WHERE namespace = ?1";
    let noted = connection.prepare_cached(sql)?.query_row([namespace], |row| row.get(0)).optional()?;
    Ok(noted.unwrap_or_default())
}

/// The bound; who does not archive knows of none but what can be.
fn most_bytes(retention: Option<Retention>) -> i64 {
    retention
        .map_or(MOST_BYTES, |retention| i64::try_from(retention.bytes).unwrap_or(i64::MAX).min(MOST_BYTES))
}

/// A task as its end leaves it, where only its ttl ended it.
fn ended(task: Task, now: Timestamp) -> Task {
    if task.status.is_final() {
        return task;
    }
    Task {
        status: TaskStatus::Cancelled,
        updated_at: now,
        finished_at: Some(now),
        worker: None,
        claimed_at: None,
        ..task
    }
}

/// The newest events of a task that are within the bounds, oldest first.
fn newest_events(connection: &Connection, namespace: i64, task: &TaskId) -> Result<Vec<Event>, Failure> {
    let sql = format!(
        "SELECT {EVENT} FROM event INDEXED BY event_by_task WHERE namespace = ?1 AND task = ?2
        ORDER BY sequence DESC LIMIT ?3"
    );
    let most = i64::try_from(MAX_ARCHIVED_EVENTS).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![namespace, task.as_str(), most])?;
    let (mut events, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        bytes += row.get_ref(8)?.as_bytes().map_or(0, <[u8]>::len);
        if bytes > MAX_ARCHIVED_EVENT_BYTES {
            break;
        }
        events.extend(readable(event(row))?.ok());
    }
    events.reverse();
    Ok(events)
}

/// The columns of an archived task.
const COLUMNS: &str = "id, created_ms, expired_ms, until_ms, record";

/// A row of [`COLUMNS`], with about what it takes in memory, in bytes.
fn archived(row: &Columns) -> Result<(ArchivedTask, usize), Failure> {
    let json = word(row, 4)?;
    let read: Record = record("archived record", &json)?;
    let known = |event| serde_json::from_value::<Event>(event).ok();
    let events = read.events.into_iter().filter_map(known).collect();
    let (expired_at, kept_until) = (time(row.get(2)?)?, time(row.get(3)?)?);
    Ok((ArchivedTask { task: read.task, events, expired_at, kept_until }, gate::weight(json.as_bytes())))
}

/// One archived task.
pub(super) fn get(
    connection: &Connection,
    (namespace, now_ms): (i64, i64),
    task: &TaskId,
) -> Result<Option<ArchivedTask>, Failure> {
    if !is_there(connection)? {
        return Ok(None);
    }
    let sql = format!("SELECT {COLUMNS} FROM archive WHERE namespace = ?1 AND id = ?2 AND until_ms > ?3");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![namespace, task.as_str(), now_ms])?;
    let read = rows.next()?.map(archived).transpose().map_err(|failure| failure.of(task))?;
    Ok(read.map(|(task, _)| task))
}

/// Ids of archived tasks that begin so.
pub(super) fn find(
    connection: &Connection,
    (namespace, now_ms): (i64, i64),
    (prefix, most): (&str, usize),
) -> Result<Vec<TaskId>, Failure> {
    if !is_there(connection)? {
        return Ok(Vec::new());
    }
    let sql =
        "SELECT id FROM archive WHERE namespace = ?1 AND id >= ?2 AND id < ?2 || char(127) AND until_ms > ?3
        ORDER BY id";
    let mut statement = connection.prepare_cached(sql)?;
    ids(statement.query(params![namespace, prefix, now_ms])?, most)
}

/// A page of the archive.
pub(super) fn list(
    connection: &Connection,
    (namespace, now_ms): (i64, i64),
    (filter, after): (&TaskFilter, Option<&PageCursor>),
    most: usize,
) -> Result<ArchivePage, Failure> {
    if !is_there(connection)? {
        return Ok(ArchivePage::default());
    }
    let mut statement = connection.prepare_cached(&query(filter.oldest_first))?;
    let first = if filter.oldest_first { (i64::MIN, "") } else { (i64::MAX, "") };
    let (created_ms, id) = after.map_or(first, |after| (after.created_ms, after.task.as_str()));
    let mut rows = statement.query(params![
        namespace,
        now_ms,
        created_ms,
        id,
        filter.session.as_ref().map(SessionId::as_str),
        filter.scope.as_ref().map(Scope::as_str),
        filter.status.map(TaskStatus::as_str),
        filter.tool,
    ])?;
    let (mut page, mut end, mut bytes) = (ArchivePage::default(), None, 0);
    while let Some(row) = rows.next()? {
        // One more than there is room for tells that there is another page.
        if page.tasks.len() + page.unreadable.len() >= most || bytes > MAX_PAGE_BYTES {
            page.next = end;
            break;
        }
        let (name, created_ms) = (word(row, 0)?, row.get(1)?);
        match readable(archived(row))? {
            Ok((task, size)) => {
                bytes += size;
                page.tasks.push(task);
            }
            Err(problem) => page.unreadable.push(Unreadable { name: name.clone(), problem }),
        }
        end = TaskId::try_from(name).ok().map(|task| PageCursor { created_ms, task }).or(end);
    }
    Ok(page)
}

fn query(oldest_first: bool) -> String {
    let (beyond, order) = if oldest_first { (">", "ASC") } else { ("<", "DESC") };
    format!(
        "SELECT {COLUMNS} FROM archive INDEXED BY archive_by_time
        WHERE namespace = ?1 AND until_ms > ?2 AND (created_ms, id) {beyond} (?3, ?4)
            AND (?5 IS NULL OR session = ?5) AND (?6 IS NULL OR scope = ?6)
            AND (?7 IS NULL OR status = ?7) AND (?8 IS NULL OR tool = ?8)
        ORDER BY created_ms {order}, id {order}"
    )
}
