//! Reading what is stored: whole tasks, ids, stretches of the log. See also `list.rs` and `due.rs`.

use std::borrow::Cow;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row as Columns, Rows, params};
use serde::de::DeserializeOwned;

use super::super::{EventFilter, History, MAX_PAGE_BYTES, Stretch, Unreadable, gate};
use super::bounds;
use super::failure::{Failure, readable};
use super::row::{self, Row, text};
use super::sequence;
use crate::task::{
    Cursor, Event, NewTask, Question, QuestionId, Scope, SessionId, Task, TaskId, TaskStatus, WorkerId,
};

/// A task id that this program stored.
pub(super) fn task_id(text: String) -> Result<TaskId, Failure> {
    TaskId::try_from(text).map_err(Failure::unreadable)
}

/// A worker id that this program stored.
pub(super) fn worker_id(text: String) -> Result<WorkerId, Failure> {
    WorkerId::try_from(text).map_err(Failure::unreadable)
}

/// Whether the file has that table: some are made by the first process that needs them.
pub(super) fn has_table(connection: &Connection, name: &str) -> Result<bool, Failure> {
    let sql = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1";
    Ok(connection.prepare_cached(sql)?.query_row([name], |_| Ok(())).optional()?.is_some())
}

/// A text column, and nothing where there is none.
pub(super) fn word(row: &Columns, at: usize) -> rusqlite::Result<String> {
    Ok(text(row.get_ref(at)?).unwrap_or_default().into_owned())
}

/// A time that is stored in milliseconds.
pub(super) fn time(millis: i64) -> Result<Timestamp, Failure> {
    let time = Timestamp::from_millisecond(millis).ok().filter(|_| bounds::is_time(millis));
    time.ok_or_else(|| Failure::Unreadable(format!("{millis} is no time that it can have")))
}

/// A record of JSON, named in what is said of it.
pub(super) fn record<T: DeserializeOwned>(what: &str, json: &str) -> Result<T, Failure> {
    serde_json::from_str(json)
        .map_err(|error| Failure::Unreadable(format!("its {what} cannot be read: {error}")))
}

/// A task with all that is beside its row.
#[derive(Debug)]
pub(super) struct Whole {
    /// Its row.
    pub(super) row: Row,
    message: Option<String>,
    progress: Option<String>,
    last_failure: Option<String>,
}

/// The columns of [`Whole`].
pub(super) fn columns() -> String {
    format!("{}, message, progress, last_failure", row::COLUMNS)
}

impl Whole {
    /// A row of a query that begins with [`columns`].
    pub(super) fn read(row: &Columns) -> rusqlite::Result<Self> {
        let word = |at| Ok::<_, rusqlite::Error>(text(row.get_ref(at)?).map(Cow::into_owned));
        let (message, progress) = (word(row::COUNT)?, word(row::COUNT + 1)?);
        Ok(Self { row: Row::read(row)?, message, progress, last_failure: word(row::COUNT + 2)? })
    }

    /// The task of that number, if there is one.
    pub(super) fn numbered(connection: &Connection, number: i64) -> Result<Option<Self>, Failure> {
        let sql = format!("SELECT {} FROM task WHERE number = ?1", columns());
        Ok(connection.prepare_cached(&sql)?.query_row([number], Self::read).optional()?)
    }

    /// The task, with about how many bytes it takes in memory; [`Failure::Unreadable`] where something of it cannot be read.
    pub(super) fn task(self, connection: &Connection) -> Result<(Task, usize), Failure> {
        let row = &self.row;
        if let Some(problem) = &row.problem {
            return Err(Failure::Unreadable(problem.clone()));
        }
        let arguments = beside(connection, "SELECT record FROM arguments WHERE task = ?1", row.number)?
            .ok_or_else(|| Failure::Unreadable("its arguments are gone".into()))?;
        let ended = row.status.is_final();
        let outcome = match beside(connection, "SELECT record FROM outcome WHERE task = ?1", row.number)? {
            Some(json) if ended => Some(json),
            _ => None,
        };
        if outcome.is_none() && matches!(row.status, TaskStatus::Completed | TaskStatus::Failed) {
            return Err(Failure::Unreadable("its outcome is gone".into()));
        }
        let (questions, asked_bytes) = questions(connection, row)?;
        let outcome_bytes = outcome.as_ref().map_or(0, |json| gate::weight(json.as_bytes()));
        let bytes = gate::weight(arguments.as_bytes()) + asked_bytes + outcome_bytes;
        let worker = row.worker.clone().map(worker_id).transpose()?;
        let task = Task {
            new: new_task(row, &arguments)?,
            status: row.status,
            status_message: self.message,
            created_at: time(row.created_ms)?,
            updated_at: time(row.updated_ms)?,
            attempt: row.attempt,
            failures: row.failures,
            worker,
            claimed_at: row.claimed_ms.map(time).transpose()?,
            finished_at: row.finished_ms.map(time).transpose()?,
            progress: self.progress.map(|json| record("progress", &json)).transpose()?,
            outcome: outcome.map(|json| record("outcome", &json)).transpose()?,
            last_failure: self.last_failure,
            questions,
        };
        Ok((task, bytes))
    }
}

/// A record that is beside a task's row.
fn beside(connection: &Connection, sql: &str, number: i64) -> Result<Option<String>, Failure> {
    Ok(connection.prepare_cached(sql)?.query_row([number], |row| row.get(0)).optional()?)
}

fn new_task(row: &Row, arguments: &str) -> Result<NewTask, Failure> {
    Ok(NewTask {
        id: row.task_id()?,
        tool: row.tool.clone(),
        arguments: record("arguments", arguments)?,
        scope: Scope::named(row.scope.clone()),
        session: row.session.clone().map(SessionId::try_from).transpose().map_err(Failure::unreadable)?,
        hidden: row.hidden,
        ttl_ms: row.ttl_ms,
        max_attempts: row.max_attempts,
    })
}

/// The columns of a question.
pub(super) const QUESTION: &str = "position, asked_ms, deadline_ms, record, answer";

/// A row that begins with [`QUESTION`], with its bytes.
pub(super) fn question(row: &Columns) -> Result<(Question, usize), Failure> {
    let (position, json) = (row.get::<_, u32>(0)?, row.get_ref(3)?.as_str().map_err(Failure::unreadable)?);
    let answer = row.get_ref(4)?.as_str_or_null().map_err(Failure::unreadable)?;
    let question = Question {
        id: QuestionId::at(position),
        ask: record(&format!("question {position}"), json)?,
        asked_at: time(row.get(1)?)?,
        deadline: row.get::<_, Option<i64>>(2)?.map(time).transpose()?,
        answer: answer.map(|json| record(&format!("answer {position}"), json)).transpose()?,
    };
    Ok((question, json.len() + answer.map_or(0, str::len)))
}

/// The journal of a task.
fn questions(connection: &Connection, task: &Row) -> Result<(Vec<Question>, usize), Failure> {
    if task.asked == 0 {
        return Ok((Vec::new(), 0));
    }
    let sql = format!("SELECT {QUESTION}, namespace, due_ms FROM question WHERE task = ?1 ORDER BY position");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([task.number])?;
    let (mut journal, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let (question, size) = question(row)?;
        check_due(row, &question, task)?;
        journal.push(question);
        bytes += size;
    }
    let whole = journal.iter().zip(1..).all(|(question, position)| question.id == QuestionId::at(position));
    if !whole || u32::try_from(journal.len()) != Ok(task.asked) {
        return Err(Failure::Unreadable(format!(
            "it has asked {} questions, of which some are gone",
            task.asked
        )));
    }
    let open = journal.iter().filter(|question| question.is_open()).count();
    if !task.status.is_final() && u32::try_from(open) != Ok(task.open) {
        let problem = format!("{open} of its questions are open, and it waits for {}", task.open);
        return Err(Failure::Unreadable(problem));
    }
    Ok((journal, bytes))
}

/// Whether an open question ends when it is to end: a row of [`QUESTION`], with its namespace and what it is due by.
fn check_due(row: &Columns, question: &Question, task: &Row) -> Result<(), Failure> {
    let (namespace, due_ms): (i64, Option<i64>) = (row.get(5)?, row.get(6)?);
    let deadline_ms = question.deadline.map(Timestamp::as_millisecond);
    let is_open = question.is_open() && !task.status.is_final();
    if namespace != task.namespace || is_open && due_ms != deadline_ms {
        return Err(Failure::Unreadable(format!(
            "its question {} does not end at its deadline",
            question.id
        )));
    }
    Ok(())
}

pub(super) fn get(connection: &Connection, namespace: i64, task: &TaskId) -> Result<Option<Task>, Failure> {
    let sql = format!("SELECT {} FROM task WHERE namespace = ?1 AND id = ?2", columns());
    let mut statement = connection.prepare_cached(&sql)?;
    let whole = statement.query_row(params![namespace, task.as_str()], Whole::read).optional()?;
    let read = whole.map(|whole| whole.task(connection)).transpose().map_err(|failure| failure.of(task))?;
    Ok(read.map(|(task, _)| task))
}

pub(super) fn find(
    connection: &Connection,
    namespace: i64,
    prefix: &str,
    most: usize,
) -> Result<Vec<TaskId>, Failure> {
    // Ids are printable ASCII, and DEL is the first character after that.
    let sql = "SELECT id FROM task WHERE namespace = ?1 AND id >= ?2 AND id < ?2 || char(127) ORDER BY id";
    let mut statement = connection.prepare_cached(sql)?;
    ids(statement.query(params![namespace, prefix])?, most)
}

/// Task ids, the first column of rows, so many at most.
pub(super) fn ids(mut rows: Rows<'_>, most: usize) -> Result<Vec<TaskId>, Failure> {
    let mut found = Vec::new();
    while let Some(row) = rows.next()?.filter(|_| found.len() < most) {
        // What is no id can be called by nobody, and is named by `list`.
        found.extend(TaskId::try_from(word(row, 0)?));
    }
    Ok(found)
}

/// Where to begin in the log. A cursor of a Redis store is after everything here, as the order of cursors
/// has it.
pub(super) fn place(after: Cursor) -> i64 {
    if after.millis > 0 { i64::MAX } else { i64::try_from(after.sequence).unwrap_or(i64::MAX) }
}

/// The place of a row in the log.
pub(super) fn cursor(sequence: i64) -> Cursor {
    Cursor { millis: 0, sequence: u64::try_from(sequence).unwrap_or_default() }
}

/// A stretch of events, bounded in number and bytes. What stands beyond the log's end is passed over: whoever read on
/// from there would hear of nothing any more.
pub(super) fn history(
    connection: &Connection,
    namespace: i64,
    (filter, stretch): (&EventFilter, Stretch),
    most: usize,
) -> Result<History, Failure> {
    let (part, of) = match filter {
        EventFilter::All => ("?4 = ''", ""),
        EventFilter::Session(session) => ("session = ?4", session.as_str()),
        EventFilter::Task(task) => ("task = ?4", task.as_str()),
    };
    let end = sequence::end(connection, namespace)?;
    let (after, until, order) = match stretch {
        Stretch::After(after) => (place(after), end, "ASC"),
        Stretch::Before(before) => {
            let before = before.map_or(i64::MAX, place);
            (i64::MIN, end.min(before.saturating_sub(1)), "DESC")
        }
    };
    let sql = format!(
        "SELECT {EVENT} FROM event
        WHERE namespace = ?1 AND sequence > ?2 AND sequence <= ?5 AND {part} ORDER BY sequence {order} LIMIT ?3"
    );
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![namespace, after, most, of, until])?;
    let (mut history, mut count, mut bytes) = (History::default(), 0, 0);
    while let Some(row) = rows.next()? {
        let place = cursor(row.get(0)?);
        match readable(event(row))? {
            Ok(event) => history.events.push(event),
            Err(problem) => history.unreadable.push(Unreadable { name: place.to_string(), problem }),
        }
        (count, bytes) = (count + 1, bytes + row.get_ref(8)?.as_bytes().map_or(0, <[u8]>::len));
        if count == most || bytes > MAX_PAGE_BYTES {
            history.next = Some(place);
            break;
        }
    }
    Ok(history)
}

/// The columns of an event.
pub(super) const EVENT: &str = "sequence, at_ms, task, tool, scope, session, hidden, status, record";

/// A row of [`EVENT`].
pub(super) fn event(row: &Columns) -> Result<Event, Failure> {
    let session = text(row.get_ref(5)?).map(|text| SessionId::try_from(text.into_owned()));
    let json = row.get_ref(8)?.as_str().map_err(Failure::unreadable)?;
    Ok(Event {
        cursor: cursor(row.get(0)?),
        at: time(row.get(1)?)?,
        task: task_id(word(row, 2)?)?,
        tool: word(row, 3)?,
        session: session.transpose().map_err(Failure::unreadable)?,
        scope: Scope::named(word(row, 4)?),
        hidden: row.get(6)?,
        status: word(row, 7)?.parse().map_err(Failure::unreadable)?,
        kind: serde_json::from_str(json).map_err(Failure::unreadable)?,
    })
}

/// The place of the log's last event.
pub(super) fn last(connection: &Connection, namespace: i64) -> Result<Cursor, Failure> {
    sequence::end(connection, namespace).map(cursor)
}
