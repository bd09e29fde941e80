//! The verb due: what time has brought.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::super::{ClaimKey, Due};
use super::fault::Fault;
use super::reading::{records, task_id, worker_id};
use crate::task::{QuestionId, Task, TaskId, WorkerId};

/// The most of each that one call returns; the next call returns the rest.
const MOST: usize = 100;

pub(super) fn due(connection: &Connection, namespace: i64, now: Timestamp) -> Result<Due, Fault> {
    let now_ms = now.as_millisecond();
    let questions = questions(connection, namespace, now)?;
    let tasks = tasks(connection, namespace, now_ms)?;
    let claims = claims(connection, namespace, now_ms)?;
    let delayed = delayed(connection, namespace, now_ms)?;
    let cut = [questions.len(), tasks.len(), claims.len(), delayed.len()].iter().any(|count| *count >= MOST);
    let next = if cut { Some(Duration::ZERO) } else { next(connection, namespace, now_ms)? };
    Ok(Due { questions, tasks, claims, delayed, next, ..Due::default() })
}

fn questions(
    connection: &Connection,
    namespace: i64,
    now: Timestamp,
) -> Result<Vec<(TaskId, QuestionId)>, Fault> {
    let sql = "SELECT record FROM tasks INDEXED BY tasks_by_deadline
        WHERE namespace = ?1 AND deadline_ms <= ?2 ORDER BY deadline_ms LIMIT ?3";
    let tasks: Vec<Task> = records(connection, sql, params![namespace, now.as_millisecond(), MOST as i64])?;
    let mut due = Vec::new();
    for task in &tasks {
        let past = |deadline: Timestamp| deadline <= now;
        let late = task.open_questions().filter(|open| open.deadline.is_some_and(past));
        due.extend(late.map(|open| (task.id().clone(), open.id.clone())));
    }
    due.truncate(MOST);
    Ok(due)
}

fn tasks(connection: &Connection, namespace: i64, now_ms: i64) -> Result<Vec<TaskId>, Fault> {
    let sql = "SELECT id FROM tasks INDEXED BY tasks_by_expiry
        WHERE namespace = ?1 AND expires_ms <= ?2 ORDER BY expires_ms LIMIT ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![namespace, now_ms, MOST as i64], |row| row.get(0))?;
    rows.map(|id| task_id(id?)).collect()
}

fn delayed(connection: &Connection, namespace: i64, now_ms: i64) -> Result<Vec<TaskId>, Fault> {
    let sql = "SELECT id FROM tasks INDEXED BY tasks_by_resume
        WHERE namespace = ?1 AND resume_ms <= ?2 ORDER BY resume_ms LIMIT ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![namespace, now_ms, MOST as i64], |row| row.get(0))?;
    rows.map(|id| task_id(id?)).collect()
}

fn claims(connection: &Connection, namespace: i64, now_ms: i64) -> Result<Vec<(ClaimKey, WorkerId)>, Fault> {
    let sql = "SELECT tasks.id, json_extract(tasks.record, '$.attempt'), workers.id
        FROM workers CROSS JOIN tasks INDEXED BY tasks_by_worker
            ON tasks.namespace = ?1 AND tasks.worker = workers.id
        WHERE workers.namespace = ?1 AND workers.lease_until_ms <= ?2 LIMIT ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![namespace, now_ms, MOST as i64], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    })?;
    rows.map(|row| {
        let (task, attempt, worker) = row?;
        Ok((ClaimKey { task: task_id(task)?, attempt }, worker_id(worker)?))
    })
    .collect()
}

/// How long until the next deadline, ttl, delay or lease ends.
fn next(connection: &Connection, namespace: i64, now_ms: i64) -> Result<Option<Duration>, Fault> {
    let sql = "SELECT min(due_ms) FROM (
        SELECT min(deadline_ms) AS due_ms FROM tasks INDEXED BY tasks_by_deadline
            WHERE namespace = ?1 AND deadline_ms > ?2
        UNION ALL SELECT min(expires_ms) FROM tasks INDEXED BY tasks_by_expiry
            WHERE namespace = ?1 AND expires_ms > ?2
        UNION ALL SELECT min(resume_ms) FROM tasks INDEXED BY tasks_by_resume
            WHERE namespace = ?1 AND resume_ms > ?2
        UNION ALL SELECT min(lease_until_ms) FROM workers WHERE namespace = ?1 AND lease_until_ms > ?2)";
    let next: Option<i64> =
        connection.prepare_cached(sql)?.query_row(params![namespace, now_ms], |row| row.get(0))?;
    Ok(next.map(|due_ms| Duration::from_millis(due_ms.saturating_sub(now_ms) as u64)))
}
