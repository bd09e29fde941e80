//! A task's row: what transitions need of it, without any JSON.

use std::borrow::Cow;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _, Row as Columns, ToSql, named_params, params};

use super::super::{ClaimKey, StoreError};
use super::bounds::{self, Numbers};
use super::failure::Failure;
use super::sequence;
use crate::task::{TaskId, TaskStatus};

/// The columns of [`Row`], in the order in which [`Row::read`] takes them.
pub(super) const COLUMNS: &str = "number, id, tool, scope, session, hidden, status, created_ms, updated_ms,
    finished_ms, ttl_ms, expires_ms, queued, resume_ms, worker, claimed_ms, attempt, failures, max_attempts,
    asked, open, logged, problem, namespace";

/// How many these are: what else a query wants comes after them.
pub(super) const COUNT: usize = 24;

/// A task's row. Texts are as they are stored: whether they can be read as ids is for those to say who need ids.
#[derive(Debug)]
pub(super) struct Row {
    /// What the rows beside it know it by.
    pub(super) number: i64,
    /// Where it is; 0 before it is written for the first time.
    pub(super) namespace: i64,
    /// Its id.
    pub(super) id: String,
    /// Its tool.
    pub(super) tool: String,
    /// Whose it is.
    pub(super) scope: String,
    /// Who launched it.
    pub(super) session: Option<String>,
    /// A foreground call.
    pub(super) hidden: bool,
    /// Where it stands; `working` where that cannot be read.
    pub(super) status: TaskStatus,
    /// When it was submitted.
    pub(super) created_ms: i64,
    /// When it last changed.
    pub(super) updated_ms: i64,
    /// When it ended.
    pub(super) finished_ms: Option<i64>,
    /// How long it was to be kept.
    pub(super) ttl_ms: Option<u64>,
    /// When it is deleted.
    pub(super) expires_ms: Option<i64>,
    /// Its place in the ready queue.
    pub(super) queued: Option<i64>,
    /// When it is queued again.
    pub(super) resume_ms: Option<i64>,
    /// Who holds it.
    pub(super) worker: Option<String>,
    /// Since when.
    pub(super) claimed_ms: Option<i64>,
    /// How often it was taken.
    pub(super) attempt: u32,
    /// How many of its attempts failed.
    pub(super) failures: u32,
    /// How many may.
    pub(super) max_attempts: u32,
    /// How many questions it has asked.
    pub(super) asked: u32,
    /// How many of them are open.
    pub(super) open: u32,
    /// How many events it has had.
    pub(super) logged: i64,
    /// Why it cannot be read.
    pub(super) problem: Option<String>,
    /// The status that is stored.
    pub(super) stored: Option<TaskStatus>,
}

/// A text column, whatever is in it.
pub(super) fn text(value: ValueRef<'_>) -> Option<Cow<'_, str>> {
    match value {
        ValueRef::Null => None,
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(String::from_utf8_lossy(bytes)),
        ValueRef::Integer(number) => Some(number.to_string().into()),
        ValueRef::Real(number) => Some(number.to_string().into()),
    }
}

impl Row {
    /// A row of a query that begins with [`COLUMNS`].
    pub(super) fn read(row: &Columns) -> rusqlite::Result<Self> {
        let word = |at| Ok::<_, rusqlite::Error>(text(row.get_ref(at)?).map(Cow::into_owned));
        let stored = word(6)?.unwrap_or_default().parse::<TaskStatus>();
        let known = word(22)?;
        let problem = known.or_else(|| stored.as_ref().err().map(ToString::to_string));
        let mut numbers = Numbers::of(row, problem);
        let mut read = Self {
            number: row.get(0)?,
            namespace: row.get(23)?,
            id: word(1)?.unwrap_or_default(),
            tool: word(2)?.unwrap_or_default(),
            scope: word(3)?.unwrap_or_default(),
            session: word(4)?,
            hidden: numbers.switch(5)?,
            status: stored.as_ref().copied().unwrap_or(TaskStatus::Working),
            created_ms: numbers.required_time(7)?,
            updated_ms: numbers.required_time(8)?,
            finished_ms: numbers.time(9)?,
            ttl_ms: numbers.whole(10)?.map(i64::cast_unsigned),
            expires_ms: numbers.whole(11)?,
            queued: numbers.place(12, sequence::LAST)?,
            resume_ms: numbers.time(13)?,
            worker: word(14)?,
            claimed_ms: numbers.time(15)?,
            attempt: numbers.count(16)?,
            failures: numbers.count(17)?,
            max_attempts: numbers.limit(18)?,
            asked: numbers.count(19)?,
            open: numbers.count(20)?,
            // It only tells when to look whether there are too many.
            logged: sequence::count(numbers.whole(21)?),
            problem: numbers.problem,
            stored: stored.ok(),
        };
        read.problem = read.problem.take().or_else(|| bounds::contradiction(&read));
        Ok(read)
    }

    /// A task that is new.
    pub(super) fn new(new: &crate::task::NewTask, now_ms: i64) -> Self {
        Self {
            number: 0,
            namespace: 0,
            id: new.id.as_str().to_owned(),
            tool: new.tool.clone(),
            scope: new.scope.as_str().to_owned(),
            session: new.session.as_ref().map(|session| session.as_str().to_owned()),
            hidden: new.hidden,
            status: TaskStatus::Working,
            created_ms: now_ms,
            updated_ms: now_ms,
            finished_ms: None,
            ttl_ms: new.ttl_ms,
            // Past the end of time is as good as never.
            expires_ms: new.ttl_ms.and_then(|ttl| now_ms.checked_add_unsigned(ttl)),
            queued: None,
            resume_ms: None,
            worker: None,
            claimed_ms: None,
            attempt: 0,
            failures: 0,
            max_attempts: new.max_attempts,
            asked: 0,
            open: 0,
            logged: 0,
            problem: None,
            stored: None,
        }
    }

    /// Its id as callers know it.
    pub(super) fn task_id(&self) -> Result<TaskId, Failure> {
        TaskId::try_from(self.id.clone()).map_err(Failure::unreadable)
    }

    /// Takes the task from its worker.
    pub(super) fn release(&mut self) {
        self.worker = None;
        self.claimed_ms = None;
    }

    /// Gives the task the status that its questions say, unless it has ended. True when one is open.
    pub(super) fn weigh_questions(&mut self) -> bool {
        if !self.status.is_final() {
            self.status = if self.open > 0 { TaskStatus::InputRequired } else { TaskStatus::Working };
        }
        self.open > 0
    }

    /// Whether it waits for nothing but its place in the queue.
    pub(super) fn is_parked(&self) -> bool {
        self.worker.is_none() && self.queued.is_none() && self.resume_ms.is_none() && self.problem.is_none()
    }

    /// Whether the task is held under that claim; [`StoreError::ClaimLost`] says what became of it.
    pub(super) fn still_held(&self, claim: &ClaimKey) -> Result<(), StoreError> {
        let now = match &self.worker {
            _ if self.status.is_final() => format!("the task has ended: {}", self.status),
            None => "it was given back".into(),
            Some(worker) if self.attempt != claim.attempt => {
                format!("{worker} holds it, attempt {}", self.attempt)
            }
            Some(_) => return Ok(()),
        };
        Err(StoreError::ClaimLost { task: claim.task.clone(), attempt: claim.attempt, now })
    }

    /// [`StoreError::Unreadable`] where something of it is not believed.
    pub(super) fn readable(&self, task: &TaskId) -> Result<(), StoreError> {
        let unreadable = |problem| StoreError::Unreadable { task: task.clone(), problem };
        self.problem.clone().map_or(Ok(()), |problem| Err(unreadable(problem)))
    }

    /// Writes it for the first time.
    pub(super) fn insert(&mut self, connection: &Connection, namespace: i64) -> Result<(), Failure> {
        let sql = "INSERT INTO task (namespace, id, tool, scope, session, hidden, status, created_ms, updated_ms,
             finished_ms, ttl_ms, expires_ms, queued, resume_ms, worker, claimed_ms, attempt, failures,
             max_attempts, asked, open, logged, problem)
            VALUES (:namespace, :id, :tool, :scope, :session, :hidden, :status, :created_ms, :updated_ms,
             :finished_ms, :ttl_ms, :expires_ms, :queued, :resume_ms, :worker, :claimed_ms, :attempt, :failures,
             :max_attempts, :asked, :open, :logged, :problem)";
        connection.prepare_cached(sql)?.execute(named_params! {
            ":namespace": namespace, ":id": self.id, ":tool": self.tool, ":scope": self.scope,
            ":session": self.session, ":hidden": self.hidden, ":status": self.status.as_str(),
            ":created_ms": self.created_ms, ":updated_ms": self.updated_ms, ":finished_ms": self.finished_ms,
            ":ttl_ms": self.ttl_ms.map(u64::cast_signed), ":expires_ms": self.expires_ms, ":queued": self.queued,
            ":resume_ms": self.resume_ms, ":worker": self.worker, ":claimed_ms": self.claimed_ms,
            ":attempt": self.attempt, ":failures": self.failures, ":max_attempts": self.max_attempts,
            ":asked": self.asked, ":open": self.open, ":logged": self.logged, ":problem": self.problem,
        })?;
        (self.number, self.stored) = (connection.last_insert_rowid(), Some(self.status));
        Ok(())
    }

    /// Writes what transitions change. The indexes by status are left alone where the status is the same.
    pub(super) fn save(&mut self, connection: &Connection) -> Result<(), Failure> {
        const SAME: &str = "UPDATE task SET updated_ms = ?2, queued = ?3, resume_ms = ?4, worker = ?5,
            claimed_ms = ?6, attempt = ?7, failures = ?8, asked = ?9, open = ?10, logged = ?11 WHERE number = ?1";
        const OTHER: &str = "UPDATE task SET updated_ms = ?2, queued = ?3, resume_ms = ?4, worker = ?5,
            claimed_ms = ?6, attempt = ?7, failures = ?8, asked = ?9, open = ?10, logged = ?11, status = ?12,
            finished_ms = ?13, expires_ms = ?14 WHERE number = ?1";
        let mut values: Vec<&dyn ToSql> = vec![
            &self.number,
            &self.updated_ms,
            &self.queued,
            &self.resume_ms,
            &self.worker,
            &self.claimed_ms,
            &self.attempt,
            &self.failures,
            &self.asked,
            &self.open,
            &self.logged,
        ];
        let (status, is_same) = (self.status.as_str(), self.stored == Some(self.status));
        if !is_same {
            values.extend([&status as &dyn ToSql, &self.finished_ms, &self.expires_ms]);
        }
        let sql = if is_same { SAME } else { OTHER };
        connection.prepare_cached(sql)?.execute(values.as_slice())?;
        self.stored = Some(self.status);
        Ok(())
    }
}

/// The row of a task, if there is one.
pub(super) fn find(connection: &Connection, namespace: i64, task: &TaskId) -> Result<Option<Row>, Failure> {
    let sql = format!("SELECT {COLUMNS} FROM task WHERE namespace = ?1 AND id = ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement.query_row(params![namespace, task.as_str()], Row::read).optional()?)
}

/// The row of that number, if there is one.
pub(super) fn numbered(connection: &Connection, number: i64) -> Result<Option<Row>, Failure> {
    let sql = format!("SELECT {COLUMNS} FROM task WHERE number = ?1");
    Ok(connection.prepare_cached(&sql)?.query_row([number], Row::read).optional()?)
}
