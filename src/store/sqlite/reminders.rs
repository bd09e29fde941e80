//! Reminders. A file in which no question has one has no table for them, and stays as it was.

use rusqlite::{Connection, params};

use super::change::Change;
use super::failure::Failure;
use super::reading::{self, QUESTION};
use super::row::Row;
use crate::task::{EventKind, Question, QuestionId, TaskId};

/// The table.
const SCHEMA: &str = include_str!("reminders.sql");

/// Reminders whose time has come, as the lists of what is due are read.
pub(super) const DUE: &str = "SELECT reminder.task, task.id, reminder.due_ms, reminder.position
    FROM reminder INDEXED BY reminder_due
    LEFT JOIN task ON task.number = reminder.task AND task.namespace = reminder.namespace
    WHERE reminder.namespace = ?1 AND reminder.due_ms <= ?2
    AND (reminder.due_ms, reminder.task, reminder.position) > (?3, ?4, ?5)
    ORDER BY reminder.due_ms, reminder.task, reminder.position";

/// Whether any question in this file ever had one.
pub(super) fn are_there(connection: &Connection) -> Result<bool, Failure> {
    reading::has_table(connection, "reminder")
}

/// When the next one is due, in milliseconds since the epoch.
pub(super) fn next(connection: &Connection, namespace: i64, now_ms: i64) -> Result<Option<i64>, Failure> {
    if !are_there(connection)? {
        return Ok(None);
    }
    let sql = "SELECT min(due_ms) FROM reminder WHERE namespace = ?1 AND due_ms > ?2";
    Ok(connection.prepare_cached(sql)?.query_row(params![namespace, now_ms], |row| row.get(0))?)
}

/// Keeps when people are to be told once more of a question that was just asked.
pub(super) fn keep(change: &Change, task: &Row, question: &Question) -> Result<(), Failure> {
    let (Some(after), Some(position)) = (question.ask.remind_after_ms, question.id.position()) else {
        return Ok(());
    };
    if !are_there(change.transaction)? {
        change.transaction.execute_batch(SCHEMA)?;
    }
    let due_ms = change.after(std::time::Duration::from_millis(after));
    let sql = "INSERT OR REPLACE INTO reminder (namespace, task, position, due_ms) VALUES (?1, ?2, ?3, ?4)";
    change.execute(sql, params![change.namespace, task.number, position, due_ms]).map(drop)
}

/// It is not due any more.
pub(super) fn forget(change: &Change, task: i64, position: i64) -> Result<(), Failure> {
    change.execute("DELETE FROM reminder WHERE task = ?1 AND position = ?2", [task, position]).map(drop)
}

pub(super) fn remind(change: &mut Change, task: &TaskId, question: &QuestionId) -> Result<(), Failure> {
    let row = change.load(task)?;
    let Some(position) = question.position().filter(|_| matches!(are_there(change.transaction), Ok(true)))
    else {
        return Ok(());
    };
    let sql = "DELETE FROM reminder WHERE task = ?1 AND position = ?2 AND due_ms <= ?3";
    if change.execute(sql, params![row.number, position, change.now_ms()])? == 0 {
        return Ok(());
    }
    tell(change, row, (task, question), |question| EventKind::Reminded { question })
}

/// Appends what is told of a question that is open, with the whole of it; does nothing for another.
pub(super) fn tell(
    change: &mut Change,
    mut row: Row,
    (task, question): (&TaskId, &QuestionId),
    tells: impl FnOnce(Question) -> EventKind,
) -> Result<(), Failure> {
    let sql = format!("SELECT {QUESTION} FROM question WHERE task = ?1 AND position = ?2");
    let found = {
        let mut statement = change.transaction.prepare_cached(&sql)?;
        let mut rows = statement.query(params![row.number, question.position()])?;
        rows.next()?.map(reading::question).transpose().map_err(|failure| failure.of(task))?
    };
    let open = found.map(|(question, _)| question).filter(Question::is_open);
    let Some(open) = open.filter(|_| !row.status.is_final()) else { return Ok(()) };
    change.append(&mut row, &tells(open))?;
    change.execute("UPDATE task SET logged = ?2 WHERE number = ?1", params![row.number, row.logged]).map(drop)
}
