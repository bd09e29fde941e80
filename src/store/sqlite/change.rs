//! One transaction that changes a namespace: what every writing verb is made of.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Transaction, named_params, params};

use super::super::{ClaimKey, MAX_LOG_EVENTS, StoreError};
use super::fault::Fault;
use crate::task::{Cursor, Event, EventKind, SessionId, Task, TaskId, TaskStatus, WorkerId};

/// How many events come between two trims of the log.
const TRIM_EVERY: i64 = 500;

/// A task with what is kept beside it.
#[derive(Debug)]
pub(super) struct Stored {
    /// The task.
    pub(super) task: Task,
    /// Its place in the ready queue.
    pub(super) queued: Option<i64>,
    /// When it is queued again, in milliseconds since the epoch.
    pub(super) resume_ms: Option<i64>,
    /// How many of its attempts failed.
    pub(super) failures: u32,
}

impl Stored {
    /// Ends the task: whoever held it holds it no more.
    pub(super) fn end(&mut self, status: TaskStatus, now: Timestamp) {
        self.task.status = status;
        self.task.finished_at = Some(now);
        self.queued = None;
        self.resume_ms = None;
        self.release();
    }

    /// Takes the task from its worker.
    pub(super) fn release(&mut self) {
        self.task.worker = None;
        self.task.claimed_at = None;
    }

    /// Gives the task the status that its questions say, unless it has ended. True when one is open.
    pub(super) fn weigh_questions(&mut self) -> bool {
        let open = self.task.open_questions().next().is_some();
        if !self.task.status.is_final() {
            self.task.status = if open { TaskStatus::InputRequired } else { TaskStatus::Working };
        }
        open
    }

    fn deadline_ms(&self) -> Option<i64> {
        self.task.open_questions().filter_map(|open| Some(open.deadline?.as_millisecond())).min()
    }
}

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
}

impl Change<'_> {
    /// The time that much later, in milliseconds since the epoch.
    pub(super) fn after(&self, pause: Duration) -> i64 {
        self.now.as_millisecond().saturating_add(i64::try_from(pause.as_millis()).unwrap_or(i64::MAX))
    }

    /// The task, if there is one.
    pub(super) fn find(&self, task: &TaskId) -> Result<Option<Stored>, Fault> {
        let sql = "SELECT queued, resume_ms, failures, record FROM tasks WHERE namespace = ?1 AND id = ?2";
        let row = self
            .transaction
            .prepare_cached(sql)?
            .query_row(params![self.namespace, task.as_str()], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get::<_, String>(3)?))
            })
            .optional()?;
        row.map(|(queued, resume_ms, failures, record)| {
            Ok(Stored { task: serde_json::from_str(&record)?, queued, resume_ms, failures })
        })
        .transpose()
    }

    /// The task, which has to exist.
    pub(super) fn load(&self, task: &TaskId) -> Result<Stored, Fault> {
        self.find(task)?.ok_or_else(|| StoreError::NoTask(task.clone()).into())
    }

    /// The task, which has to be held under that claim.
    pub(super) fn held(&self, claim: &ClaimKey) -> Result<Stored, Fault> {
        let stored = self.load(&claim.task)?;
        still_held(&stored.task, claim)?;
        Ok(stored)
    }

    /// Appends an event about the task as it stands, and returns its sequence. Sequences of a namespace
    /// have no gaps, and never come again: the newest event is never trimmed.
    pub(super) fn append(&mut self, task: &Task, kind: EventKind) -> Result<i64, Fault> {
        let event = event(task, kind, self.now);
        let sql = "INSERT INTO events (namespace, sequence, task, session, record)
            VALUES (?1, 1 + (SELECT coalesce(max(sequence), 0) FROM events WHERE namespace = ?1), ?2, ?3, ?4)
            RETURNING sequence";
        let session = event.session.as_ref().map(SessionId::as_str);
        let record = serde_json::to_string(&event)?;
        let sequence = self
            .transaction
            .prepare_cached(sql)?
            .query_row(params![self.namespace, event.task.as_str(), session, record], |row| row.get(0))?;
        self.appended = true;
        if sequence % TRIM_EVERY == 0 {
            self.trim(sequence - MAX_LOG_EVENTS as i64)?;
        }
        Ok(sequence)
    }

    /// Drops the events up to `last`.
    fn trim(&self, last: i64) -> Result<(), Fault> {
        let sql = "DELETE FROM events WHERE namespace = ?1 AND sequence <= ?2";
        self.transaction.execute(sql, params![self.namespace, last])?;
        Ok(())
    }

    /// Writes a task for the first time.
    pub(super) fn insert(&self, stored: &Stored) -> Result<(), Fault> {
        let sql = "INSERT INTO tasks
            (namespace, id, tool, scope, session, hidden, created_ms, expires_ms,
             status, deadline_ms, queued, worker, failures, record)
            VALUES (:namespace, :id, :tool, :scope, :session, :hidden, :created_ms, :expires_ms,
             :status, NULL, :queued, NULL, :failures, :record)";
        let task = &stored.task;
        self.transaction.prepare_cached(sql)?.execute(named_params! {
            ":namespace": self.namespace,
            ":id": task.id().as_str(),
            ":tool": task.new.tool,
            ":scope": task.new.scope.as_str(),
            ":session": task.new.session.as_ref().map(SessionId::as_str),
            ":hidden": task.new.hidden,
            ":created_ms": task.created_at.as_millisecond(),
            ":expires_ms": task.expires_at().map(Timestamp::as_millisecond),
            ":status": task.status.as_str(),
            ":queued": stored.queued,
            ":failures": stored.failures,
            ":record": serde_json::to_string(task)?,
        })?;
        Ok(())
    }

    /// Writes a task that has changed.
    pub(super) fn save(&self, stored: &mut Stored) -> Result<(), Fault> {
        stored.task.updated_at = self.now;
        let sql = "UPDATE tasks SET status = :status, deadline_ms = :deadline_ms, queued = :queued,
            resume_ms = :resume_ms, worker = :worker, failures = :failures, record = :record
            WHERE namespace = :namespace AND id = :id";
        let task = &stored.task;
        self.transaction.prepare_cached(sql)?.execute(named_params! {
            ":namespace": self.namespace,
            ":id": task.id().as_str(),
            ":status": task.status.as_str(),
            ":deadline_ms": stored.deadline_ms(),
            ":queued": stored.queued,
            ":resume_ms": stored.resume_ms,
            ":worker": task.worker.as_ref().map(WorkerId::as_str),
            ":failures": stored.failures,
            ":record": serde_json::to_string(task)?,
        })?;
        Ok(())
    }

    /// Deletes a task.
    pub(super) fn delete(&self, task: &TaskId) -> Result<(), Fault> {
        let sql = "DELETE FROM tasks WHERE namespace = ?1 AND id = ?2";
        self.transaction.prepare_cached(sql)?.execute(params![self.namespace, task.as_str()])?;
        Ok(())
    }
}

/// Whether the task is held under that claim; [`StoreError::ClaimLost`] says what became of it.
pub(super) fn still_held(task: &Task, claim: &ClaimKey) -> Result<(), StoreError> {
    let now = match &task.worker {
        _ if task.status.is_final() => format!("the task has ended: {}", task.status),
        None => "it was given back".into(),
        Some(worker) if task.attempt != claim.attempt => {
            format!("{worker} holds it, attempt {}", task.attempt)
        }
        Some(_) => return Ok(()),
    };
    Err(StoreError::ClaimLost { task: claim.task.clone(), attempt: claim.attempt, now })
}

/// An event; its cursor is the row that it is stored in, and is set when it is read.
fn event(task: &Task, kind: EventKind, at: Timestamp) -> Event {
    Event {
        cursor: Cursor::START,
        at,
        task: task.id().clone(),
        tool: task.new.tool.clone(),
        session: task.new.session.clone(),
        scope: task.new.scope.clone(),
        hidden: task.new.hidden,
        status: task.status,
        kind,
    }
}
