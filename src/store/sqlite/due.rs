//! The verb due: what time has brought. It reads columns only, so no record of anybody's can stop it; what has no id
//! that a verb could name is set aside here, once.

use std::time::Duration;

use rusqlite::{Connection, Params, Row as Columns, params};

use super::super::{ClaimKey, Due, Unreadable};
use super::bounds;
use super::change::Change;
use super::failure::{Failure, readable};
use super::reading::{task_id, word, worker_id};
use super::workers::lease_lives;
use crate::task::{QuestionId, TaskId, TaskStatus, WorkerId};

/// The most of each that one call returns; the next call returns the rest.
const MOST: usize = 100;

/// Something that is due and that no verb can name.
#[derive(Debug, Clone, Copy)]
pub(super) enum Aside {
    /// The question of that task's number and that position: it is not due any more.
    Question(i64, i64),
    /// The task of that number whose ttl ended: it is deleted.
    Expired(i64),
    /// The task of that number whose delay is over, or whose worker is gone: it is parked.
    Parked(i64),
}

/// What is due, and what of it is to be set aside.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// What the caller is told.
    pub(super) due: Due,
    /// What is left to do here.
    pub(super) aside: Vec<Aside>,
    count: [usize; 4],
}

impl Found {
    /// Takes up what a query brought, or sets it aside.
    fn take<T>(
        &mut self,
        name: String,
        read: Result<T, Failure>,
        aside: Aside,
    ) -> Result<Option<T>, Failure> {
        Ok(match readable(read)? {
            Ok(value) => Some(value),
            Err(problem) => {
                self.due.unreadable.push(Unreadable { name, problem });
                self.aside.push(aside);
                None
            }
        })
    }
}

pub(super) fn due(connection: &Connection, namespace: i64, now_ms: i64) -> Result<Found, Failure> {
    let mut found = Found::default();
    questions(connection, params![namespace, now_ms, MOST as i64], &mut found)?;
    tasks(connection, params![namespace, now_ms, MOST as i64], &mut found)?;
    claims(connection, params![namespace, now_ms, MOST as i64], &mut found)?;
    delayed(connection, params![namespace, now_ms, MOST as i64], &mut found)?;
    let cut = found.count.iter().any(|count| *count >= MOST);
    found.due.next = if cut { Some(Duration::ZERO) } else { next(connection, namespace, now_ms)? };
    Ok(found)
}

fn questions(connection: &Connection, values: impl Params, found: &mut Found) -> Result<(), Failure> {
    // One that is answered, or whose task has ended or is another namespace's, waits for no time.
    let sql = "SELECT question.task, task.id, position, answer IS NOT NULL, task.status
        FROM question INDEXED BY question_due
        LEFT JOIN task ON task.number = question.task AND task.namespace = question.namespace
        WHERE question.namespace = ?1 AND due_ms <= ?2 ORDER BY due_ms LIMIT ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(values)?;
    while let Some(row) = rows.next()? {
        let one = found.take(word(row, 1)?, question(row), Aside::Question(row.get(0)?, row.get(2)?))?;
        found.due.questions.extend(one);
        found.count[0] += 1;
    }
    Ok(())
}

/// A question that can be answered.
fn question(row: &Columns) -> Result<(TaskId, QuestionId), Failure> {
    let task = id(row)?;
    let position: i64 = row.get(2)?;
    let question = u32::try_from(position).ok().filter(|position| *position > 0).map(QuestionId::at);
    let unfit = |why: &str| Failure::Unreadable(format!("its question {position} is due, and {why}"));
    if row.get(3)? {
        return Err(unfit("answered"));
    }
    if has_ended(&word(row, 4)?) {
        return Err(unfit("the task has ended"));
    }
    Ok((task, question.ok_or_else(|| unfit("no question can have that number"))?))
}

/// Whether that is the status of a task that has ended.
fn has_ended(status: &str) -> bool {
    status.parse().is_ok_and(TaskStatus::is_final)
}

fn tasks(connection: &Connection, values: impl Params, found: &mut Found) -> Result<(), Failure> {
    let sql = "SELECT number, id FROM task INDEXED BY task_by_expiry
        WHERE namespace = ?1 AND expires_ms <= ?2 ORDER BY expires_ms LIMIT ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(values)?;
    while let Some(row) = rows.next()? {
        let one = found.take(word(row, 1)?, id(row), Aside::Expired(row.get(0)?))?;
        found.due.tasks.extend(one);
        found.count[1] += 1;
    }
    Ok(())
}

fn delayed(connection: &Connection, values: impl Params, found: &mut Found) -> Result<(), Failure> {
    let sql = "SELECT number, id FROM task INDEXED BY task_by_resume
        WHERE namespace = ?1 AND resume_ms <= ?2 ORDER BY resume_ms LIMIT ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(values)?;
    while let Some(row) = rows.next()? {
        let one = found.take(word(row, 1)?, id(row), Aside::Parked(row.get(0)?))?;
        found.due.delayed.extend(one);
        found.count[2] += 1;
    }
    Ok(())
}

fn id(row: &Columns) -> Result<TaskId, Failure> {
    task_id(word(row, 1)?)
}

/// What is claimed for workers whose lease ended, or that are on no list any more. The holders are found by jumping
/// from one to the next in the index, however much each of them holds.
fn claims(connection: &Connection, values: impl Params, found: &mut Found) -> Result<(), Failure> {
    let lives = lease_lives();
    let sql = format!(
        "WITH RECURSIVE holder (id) AS (
            SELECT min(worker) FROM task INDEXED BY task_by_worker WHERE namespace = ?1 AND worker IS NOT NULL
            UNION ALL
            SELECT (SELECT min(worker) FROM task INDEXED BY task_by_worker
                WHERE namespace = ?1 AND worker IS NOT NULL AND worker > holder.id)
            FROM holder WHERE holder.id IS NOT NULL)
        SELECT task.number, task.id, task.attempt, task.worker, task.status
        FROM holder CROSS JOIN task INDEXED BY task_by_worker ON task.namespace = ?1 AND task.worker = holder.id
        WHERE NOT EXISTS (SELECT 1 FROM worker
            WHERE worker.namespace = ?1 AND worker.id = holder.id AND {lives}) LIMIT ?3"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(values)?;
    while let Some(row) = rows.next()? {
        let one = found.take(word(row, 1)?, claim(row), Aside::Parked(row.get(0)?))?;
        found.due.claims.extend(one);
        found.count[3] += 1;
    }
    Ok(())
}

/// A claim that can be given back.
fn claim(row: &Columns) -> Result<(ClaimKey, WorkerId), Failure> {
    if has_ended(&word(row, 4)?) {
        return Err(Failure::Unreadable("it has ended, and is held all the same".into()));
    }
    let attempt: i64 = row.get(2)?;
    let attempt = bounds::counted(attempt)
        .ok_or_else(|| Failure::Unreadable(format!("its \"attempt\" is {attempt}, which it cannot be")))?;
    Ok((ClaimKey { task: id(row)?, attempt }, worker_id(word(row, 3)?)?))
}

/// How long until the next deadline, ttl, delay or lease ends.
fn next(connection: &Connection, namespace: i64, now_ms: i64) -> Result<Option<Duration>, Failure> {
    let sql = "SELECT min(due_ms) FROM (
        SELECT min(due_ms) AS due_ms FROM question INDEXED BY question_due
            WHERE namespace = ?1 AND due_ms > ?2
        UNION ALL SELECT min(expires_ms) FROM task INDEXED BY task_by_expiry
            WHERE namespace = ?1 AND expires_ms > ?2
        UNION ALL SELECT min(resume_ms) FROM task INDEXED BY task_by_resume
            WHERE namespace = ?1 AND resume_ms > ?2
        UNION ALL SELECT min(lease_until_ms) FROM worker WHERE namespace = ?1 AND lease_until_ms > ?2)";
    let next: Option<i64> =
        connection.prepare_cached(sql)?.query_row(params![namespace, now_ms], |row| row.get(0))?;
    Ok(next.map(|due_ms| Duration::from_millis(due_ms.saturating_sub(now_ms).unsigned_abs())))
}

/// Sets aside what no verb can name, so that it is not due again.
pub(super) fn set_aside(change: &mut Change, aside: &[Aside]) -> Result<(), Failure> {
    for one in aside {
        match *one {
            Aside::Question(task, position) => {
                let sql = "UPDATE question SET due_ms = NULL WHERE task = ?1 AND position = ?2";
                change.execute(sql, [task, position])?;
            }
            Aside::Expired(number) => {
                if let Some(mut row) = super::row::numbered(change.transaction, number)? {
                    change.expire(&mut row)?;
                }
            }
            Aside::Parked(number) => {
                if let Some(row) = super::row::numbered(change.transaction, number)? {
                    let nameless = || "its id, or that of its worker, is none".to_owned();
                    change.park(&row, &row.problem.clone().unwrap_or_else(nameless))?;
                }
            }
        }
    }
    Ok(())
}
