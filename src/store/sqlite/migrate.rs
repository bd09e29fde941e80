//! From layout 1 to layout 2, in one transaction.
//!
//! Layout 1 kept a task as one JSON record. Each becomes a row and what is beside it; a record that cannot be read
//! (layout 1 took JSON that is nested too deeply to be read again) becomes a task that is parked and says so. The old
//! tables go, so that a process of the older version that still has the file open gets errors and can do no harm.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row as Columns, Transaction, params};

use super::super::{HIDDEN_KEPT, StoreError};
use super::bounds;
use super::failure::Failure;
use super::log;
use super::reading::word;
use super::row::Row;
use super::schema::SCHEMA;
use crate::task::{Event, EventKind, NewTask, Question, Scope, Task, TaskId, TaskStatus};

/// What the tables of layout 1 are copied to, where no record has to be taken apart.
const COPIES: &str = "
    INSERT INTO namespace (id, name, tool_changes) SELECT id, name, tool_changes FROM namespaces;
    INSERT INTO worker (namespace, id, lease_until_ms, dismissed)
        SELECT namespace, id, lease_until_ms, dismissed FROM workers;
    INSERT OR IGNORE INTO offer (namespace, worker, tool)
        SELECT workers.namespace, workers.id, named.value
        FROM workers, json_each(CASE WHEN json_valid(workers.tools) THEN workers.tools ELSE '[]' END) AS named
        WHERE named.type = 'text';
    INSERT INTO tool (namespace, name, record) SELECT namespace, name, record FROM tools;
    INSERT INTO source (namespace, name, tool) SELECT namespace, source, tool FROM sources;";

/// What is done when all was copied.
const END: &str = "
    INSERT INTO scope (namespace, name, unfinished, finished)
        SELECT namespace, scope, sum(finished_ms IS NULL), sum(finished_ms IS NOT NULL)
        FROM task GROUP BY namespace, scope;
    DROP TABLE tasks; DROP TABLE events; DROP TABLE workers; DROP TABLE tools; DROP TABLE sources;
    DROP TABLE namespaces;";

/// Brings a file of layout 1 up to date. [`StoreError::OlderLayout`] while workers of the older version live.
pub(super) fn from_1(
    transaction: &Transaction,
    (path, found): (&Path, u32),
    now_ms: i64,
) -> Result<(), Failure> {
    if let Some(worker) = living_worker(transaction, now_ms)? {
        let problem = format!(
            "worker {worker} of the older version still runs here; stop all processes of that version that use this \
             file, then try again"
        );
        let location = path.display().to_string();
        let worker = Some(worker);
        return Err(StoreError::OlderLayout { location, found, problem, worker }.into());
    }
    transaction.execute_batch(SCHEMA)?;
    transaction.execute_batch(COPIES)?;
    tasks(transaction, now_ms)?;
    events(transaction)?;
    transaction.execute_batch(END)?;
    Ok(())
}

/// A worker whose lease has not ended.
pub(super) fn living_worker(transaction: &Transaction, now_ms: i64) -> Result<Option<String>, Failure> {
    let sql =
        "SELECT id FROM workers WHERE lease_until_ms > ?1 AND lease_until_ms <= ?2 AND dismissed = 0 LIMIT 1";
    let values = [now_ms, bounds::LAST_MS];
    Ok(transaction.query_row(sql, values, |row| word(row, 0)).optional()?)
}

/// A row of the table of tasks of layout 1.
struct Old {
    namespace: i64,
    resume_ms: Option<i64>,
    queued: Option<i64>,
    expires_ms: Option<i64>,
    failures: u32,
    created_ms: i64,
    logged: i64,
    record: String,
}

fn tasks(transaction: &Transaction, now_ms: i64) -> Result<(), Failure> {
    let sql = "SELECT namespace, resume_ms, queued, expires_ms, failures, created_ms,
            (SELECT count(*) FROM events WHERE events.namespace = tasks.namespace AND events.task = tasks.id),
            record, id, tool, scope, session, hidden, status,
            CASE WHEN json_valid(record) THEN json_extract(record, '$.attempt') END FROM tasks";
    let mut statement = transaction.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let old = Old {
            namespace: row.get(0)?,
            resume_ms: row.get(1)?,
            queued: row.get(2)?,
            expires_ms: row.get(3)?,
            failures: bounds::counted(row.get(4)?).unwrap_or_default(),
            created_ms: row.get(5)?,
            logged: row.get(6)?,
            record: word(row, 7)?,
        };
        match serde_json::from_str::<Task>(&old.record) {
            Ok(task) => copy(transaction, &old, &task)?,
            Err(error) => copy_unreadable(transaction, &old, (row, &error.to_string()), now_ms)?,
        }
    }
    Ok(())
}

fn copy(transaction: &Transaction, old: &Old, task: &Task) -> Result<(), Failure> {
    let ended = task.status.is_final();
    let finished_ms = ended.then(|| task.finished_at.unwrap_or(task.updated_at).as_millisecond());
    let hidden_until = finished_ms.filter(|_| task.new.hidden).map(kept_hidden);
    let new = Row::new(&task.new, old.created_ms);
    let mut row = Row {
        status: task.status,
        updated_ms: task.updated_at.as_millisecond(),
        finished_ms,
        expires_ms: [old.expires_ms, new.expires_ms, hidden_until].into_iter().flatten().min(),
        queued: old.queued.filter(|_| !ended),
        resume_ms: old.resume_ms.filter(|_| !ended),
        worker: task.worker.as_ref().filter(|_| !ended).map(|worker| worker.as_str().to_owned()),
        claimed_ms: task.claimed_at.map(Timestamp::as_millisecond),
        attempt: task.attempt,
        failures: old.failures,
        asked: u32::try_from(task.questions.len()).map_err(Failure::unreadable)?,
        open: u32::try_from(task.open_questions().count()).map_err(Failure::unreadable)?,
        logged: old.logged,
        ..new
    };
    row.insert(transaction, old.namespace)?;
    let progress = task.progress.as_ref().map(json).transpose()?;
    let sql = "UPDATE task SET message = ?2, progress = ?3, last_failure = ?4 WHERE number = ?1";
    transaction.execute(sql, params![row.number, task.status_message, progress, task.last_failure])?;
    insert(transaction, "arguments", (row.number, &json(&task.new.arguments)?))?;
    if let Some(outcome) = &task.outcome {
        insert(transaction, "outcome", (row.number, &json(outcome)?))?;
    }
    task.questions.iter().zip(1..).try_for_each(|(question, position)| {
        copy_question(transaction, (old.namespace, row.number), (position, question), ended)
    })
}

fn copy_question(
    transaction: &Transaction,
    (namespace, task): (i64, i64),
    (position, question): (u32, &Question),
    ended: bool,
) -> Result<(), Failure> {
    let deadline_ms = question.deadline.map(Timestamp::as_millisecond);
    let due_ms = deadline_ms.filter(|_| question.is_open() && !ended);
    let answer = question.answer.as_ref().map(json).transpose()?;
    let sql = "INSERT INTO question
        (task, position, namespace, asked_ms, deadline_ms, due_ms, fingerprint, record, answer)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let (asked_ms, fingerprint) = (question.asked_at.as_millisecond(), question.ask.fingerprint());
    transaction.prepare_cached(sql)?.execute(params![
        task,
        position,
        namespace,
        asked_ms,
        deadline_ms,
        due_ms,
        fingerprint,
        json(&question.ask)?,
        answer
    ])?;
    Ok(())
}

/// A task whose record cannot be read: its columns, and the record as it was.
fn copy_unreadable(
    transaction: &Transaction,
    old: &Old,
    (columns, problem): (&Columns, &str),
    now_ms: i64,
) -> Result<(), Failure> {
    let status = word(columns, 13)?.parse::<TaskStatus>().unwrap_or(TaskStatus::Working);
    let finished_ms = status.is_final().then_some(now_ms);
    let session = super::row::text(columns.get_ref(11)?).map(Cow::into_owned);
    let new = NewTask {
        // The row has the id that is stored, whatever it is.
        id: TaskId::generate(),
        tool: word(columns, 9)?,
        arguments: serde_json::Map::new(),
        scope: Scope::named(word(columns, 10)?),
        session: None,
        hidden: columns.get(12)?,
        ttl_ms: old.expires_ms.and_then(|end| u64::try_from(end.checked_sub(old.created_ms)?).ok()),
        max_attempts: 1,
    };
    let mut row = Row {
        id: word(columns, 8)?,
        session,
        status,
        finished_ms,
        expires_ms: old.expires_ms,
        attempt: columns.get::<_, Option<u32>>(14).ok().flatten().unwrap_or_default(),
        failures: old.failures,
        logged: old.logged,
        problem: Some(format!("its record cannot be read: {problem}")),
        ..Row::new(&new, old.created_ms)
    };
    row.insert(transaction, old.namespace)?;
    insert(transaction, "arguments", (row.number, &old.record))
}

fn events(transaction: &Transaction) -> Result<(), Failure> {
    let sql = "SELECT namespace, sequence, task, session, record FROM events ORDER BY namespace, sequence";
    let mut statement = transaction.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut sums = Sums::default();
    while let Some(row) = rows.next()? {
        let session = super::row::text(row.get_ref(3)?).map(Cow::into_owned);
        let event = Copied::of(row.get(0)?, (word(row, 2)?, session), word(row, 4)?)?;
        event.insert(transaction, row.get(1)?, &mut sums)?;
    }
    Ok(())
}

/// What was counted so far: a namespace's bytes, and a session's events.
#[derive(Default)]
struct Sums {
    bytes: HashMap<i64, i64>,
    session_events: HashMap<(i64, String), i64>,
}

/// An event as layout 2 has it.
struct Copied {
    namespace: i64,
    at_ms: i64,
    /// The row of its task as far as an event has it.
    row: Row,
    status: String,
    record: String,
}

impl Copied {
    /// An event that cannot be read keeps its place and its record, and is passed over by readers as before.
    fn of(
        namespace: i64,
        (task, session): (String, Option<String>),
        record: String,
    ) -> Result<Self, Failure> {
        let parsed = serde_json::from_str::<Event>(&record).ok();
        let (tool, scope) = parsed
            .as_ref()
            .map_or((String::new(), Scope::anonymous()), |event| (event.tool.clone(), event.scope.clone()));
        let new = NewTask {
            id: TaskId::generate(),
            tool,
            arguments: serde_json::Map::new(),
            scope,
            session: None,
            hidden: parsed.as_ref().is_some_and(|event| event.hidden),
            ttl_ms: None,
            max_attempts: 1,
        };
        Ok(Self {
            namespace,
            at_ms: parsed.as_ref().map_or(0, |event| event.at.as_millisecond()),
            row: Row { id: task, session, ..Row::new(&new, 0) },
            status: parsed.as_ref().map_or("working", |event| event.status.as_str()).to_owned(),
            record: parsed.map_or(Ok(record), |event| json::<EventKind>(&event.kind))?,
        })
    }

    fn insert(&self, transaction: &Transaction, sequence: i64, sums: &mut Sums) -> Result<(), Failure> {
        let bytes = sums.bytes.entry(self.namespace).or_default();
        *bytes += log::size(&self.row, &self.record);
        let session_events = self.row.session.clone().map(|session| {
            let events = sums.session_events.entry((self.namespace, session)).or_default();
            *events += 1;
            *events
        });
        let sql = "INSERT INTO event (namespace, sequence, at_ms, task, tool, scope, session, hidden, status, record,
             bytes, session_events) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
        let row = &self.row;
        transaction.prepare_cached(sql)?.execute(params![
            self.namespace,
            sequence,
            self.at_ms,
            row.id,
            row.tool,
            row.scope,
            row.session,
            row.hidden,
            self.status,
            self.record,
            *bytes,
            session_events
        ])?;
        Ok(())
    }
}

fn insert(transaction: &Transaction, table: &str, (task, record): (i64, &str)) -> Result<(), Failure> {
    let sql = format!("INSERT INTO {table} (task, record) VALUES (?1, ?2)");
    transaction.prepare_cached(&sql)?.execute(params![task, record])?;
    Ok(())
}

/// A record that was read a moment ago, so the gate has nothing to say of it.
fn json<T: serde::Serialize>(value: &T) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(Failure::unreadable)
}

/// When a hidden task that ended is deleted.
fn kept_hidden(finished_ms: i64) -> i64 {
    finished_ms.saturating_add(i64::try_from(HIDDEN_KEPT.as_millis()).unwrap_or(i64::MAX))
}
