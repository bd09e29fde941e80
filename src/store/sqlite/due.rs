//! The verb due: what time has brought. It reads columns only, so no record of anybody's can stop it; what has no id
//! that a verb could name is set aside here, once. What can be named and cannot be settled, for whatever reason, stays
//! where it is; so each list is gone through in turns, and nothing at the head of one keeps the rest from theirs.

use std::collections::HashMap;
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Row as Columns, Rows, params};

use super::super::{ClaimKey, Due, Unreadable};
use super::bounds;
use super::change::Change;
use super::failure::{Failure, readable};
use super::reading::{task_id, word, worker_id};
use super::reminders;
use super::workers::lease_lives;
use crate::task::{QuestionId, TaskId, TaskStatus, WorkerId};

/// The most of each list that one call returns; the next call goes on behind them.
const MOST: usize = 100;

/// The most workers whose claims one call returns: each of them has a part in every call, so that one whose claims
/// cannot be settled, or not yet, takes nothing from the others.
const MOST_HOLDERS: usize = 1000;

/// The most that one call sets aside, so that no transaction is long.
const MOST_ASIDE: usize = 500;

/// How soon the next call is to come where there is more. Whoever settled something calls again at once; this is for
/// those who could not, and would call without end.
const NEXT_PAGE: Duration = Duration::from_millis(200);

/// How soon that is due again which had its turn and is still there, after all others had theirs.
const NEXT_ROUND: Duration = Duration::from_secs(5);

/// Where a list goes on: the time, task and position of the last row that was returned.
type Place = (i64, i64, i64);

/// Before every row.
const START: Place = (i64::MIN, i64::MIN, i64::MIN);

/// Whose turn it is, for one handle. A list that was returned to its end begins anew.
#[derive(Debug, Default)]
pub(super) struct Turns {
    questions: Option<Place>,
    reminders: Option<Place>,
    tasks: Option<Place>,
    delayed: Option<Place>,
    /// For each worker that has more claims than its part of a call.
    claims: HashMap<Vec<u8>, Place>,
}

/// Something that is due and that no verb can name.
#[derive(Debug, Clone, Copy)]
pub(super) enum Aside {
    /// The question of that task's number and that position: it is not due any more.
    Question(i64, i64),
    /// The reminder of that question.
    Reminder(i64, i64),
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
}

/// One look at all lists.
struct Look<'a> {
    connection: &'a Connection,
    namespace: i64,
    now_ms: i64,
    found: Found,
    /// Whether a list has more.
    is_cut: bool,
    /// Whether a list that was returned in parts came to its end.
    is_round_over: bool,
}

/// How the rows of a list are read: the task's number, its id, the time and the position come first.
struct Kind<T> {
    read: fn(&Columns) -> Result<T, Failure>,
    aside: fn(i64, i64) -> Aside,
}

pub(super) fn due(
    connection: &Connection,
    (namespace, now_ms): (i64, i64),
    turns: &mut Turns,
) -> Result<Found, Failure> {
    let found = Found::default();
    let mut look = Look { connection, namespace, now_ms, found, is_cut: false, is_round_over: false };
    look.found.due.questions = look.list((QUESTIONS, &QUESTION), &mut turns.questions)?;
    if reminders::are_there(connection)? {
        look.found.due.reminders = look.list((reminders::DUE, &REMINDER), &mut turns.reminders)?;
    }
    look.found.due.tasks = look.list((TASKS, &EXPIRED), &mut turns.tasks)?;
    look.found.due.claims = look.claims(&mut turns.claims)?;
    look.found.due.delayed = look.list((DELAYED, &RESUMED), &mut turns.delayed)?;
    look.found.due.next = look.next()?;
    Ok(look.found)
}

impl Look<'_> {
    /// The next part of a list.
    fn list<T>(
        &mut self,
        (sql, kind): (&str, &Kind<T>),
        place: &mut Option<Place>,
    ) -> Result<Vec<T>, Failure> {
        let from = place.take();
        let (time, task, position) = from.unwrap_or(START);
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![self.namespace, self.now_ms, time, task, position])?;
        match self.page(&mut rows, (kind, MOST), (from, place))? {
            // All that was behind that place is settled: what is before it need not wait for another call.
            None if from.is_some() => self.list((sql, kind), place),
            page => Ok(page.unwrap_or_default()),
        }
    }

    /// At most so many of the rows, which begin behind `from`; `place` is where the list goes on. `None` where there are
    /// no rows.
    fn page<T>(
        &mut self,
        rows: &mut Rows,
        (kind, most): (&Kind<T>, usize),
        (from, place): (Option<Place>, &mut Option<Place>),
    ) -> Result<Option<Vec<T>>, Failure> {
        let (mut page, mut last, mut count) = (Vec::new(), from, 0);
        while let Some(row) = rows.next()? {
            if page.len() == most || self.found.aside.len() == MOST_ASIDE {
                (*place, self.is_cut) = (last, true);
                return Ok(Some(page));
            }
            count += 1;
            let (number, position) = (row.get(0)?, row.get(3)?);
            match readable((kind.read)(row))? {
                Ok(one) => page.push(one),
                Err(problem) => {
                    self.found.due.unreadable.push(Unreadable { name: word(row, 1)?, problem });
                    self.found.aside.push((kind.aside)(number, position));
                }
            }
            // What is no whole number is no place: the next call goes on behind the row before.
            let time = row.get_ref(2)?.as_i64().ok();
            last = time.map(|time| (time, number, position)).or(last);
        }
        self.is_round_over |= from.is_some() && count > 0;
        Ok((count > 0).then_some(page))
    }

    /// What is claimed for workers whose lease ended, or that are on no list any more: of each of them its part.
    fn claims(&mut self, places: &mut HashMap<Vec<u8>, Place>) -> Result<Vec<(ClaimKey, WorkerId)>, Failure> {
        let holders = holders(self.connection, self.namespace, self.now_ms)?;
        let most = (MOST / holders.len().max(1)).max(1);
        let (mut before, mut claims) = (std::mem::take(places), Vec::new());
        for holder in holders {
            let mut place = before.remove(&holder);
            claims.extend(self.claims_of(&holder, most, &mut place)?);
            places.extend(place.map(|place| (holder, place)));
        }
        Ok(claims)
    }

    /// The next part of what one worker holds.
    fn claims_of(
        &mut self,
        holder: &[u8],
        most: usize,
        place: &mut Option<Place>,
    ) -> Result<Vec<(ClaimKey, WorkerId)>, Failure> {
        let sql = "SELECT number, id, 0, 0, attempt, worker, status FROM task INDEXED BY task_by_worker
            WHERE namespace = ?1 AND worker = ?2 AND number > ?3 ORDER BY number";
        let from = place.take();
        let (_, number, _) = from.unwrap_or(START);
        // As it is stored: what is no text cannot be a worker's id, and is found all the same.
        let worker = ToSqlOutput::Borrowed(ValueRef::Text(holder));
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![self.namespace, worker, number])?;
        match self.page(&mut rows, (&CLAIM, most), (from, place))? {
            None if from.is_some() => self.claims_of(holder, most, place),
            page => Ok(page.unwrap_or_default()),
        }
    }

    /// How long until the next call has something to return.
    fn next(&self) -> Result<Option<Duration>, Failure> {
        if self.is_cut {
            return Ok(Some(NEXT_PAGE));
        }
        let next = next(self.connection, self.namespace, self.now_ms)?;
        let again = self.is_round_over.then_some(NEXT_ROUND);
        Ok([next, again].into_iter().flatten().min())
    }
}

/// Questions past their deadline. One that is answered, or whose task has ended or is another namespace's, waits for no
/// time.
const QUESTIONS: &str = "SELECT question.task, task.id, due_ms, position, answer IS NOT NULL, task.status
    FROM question INDEXED BY question_due
    LEFT JOIN task ON task.number = question.task AND task.namespace = question.namespace
    WHERE question.namespace = ?1 AND due_ms <= ?2 AND (due_ms, question.task, position) > (?3, ?4, ?5)
    ORDER BY due_ms, question.task, position";

const QUESTION: Kind<(TaskId, QuestionId)> = Kind { read: question, aside: Aside::Question };

const REMINDER: Kind<(TaskId, QuestionId)> = Kind { read: reminder, aside: Aside::Reminder };

/// Tasks past their ttl.
const TASKS: &str = "SELECT number, id, expires_ms, 0 FROM task INDEXED BY task_by_expiry
    WHERE namespace = ?1 AND expires_ms <= ?2 AND (expires_ms, number, 0) > (?3, ?4, ?5)
    ORDER BY expires_ms, number";

const EXPIRED: Kind<TaskId> = Kind { read: id, aside: |number, _| Aside::Expired(number) };

/// Tasks whose delay is over.
const DELAYED: &str = "SELECT number, id, resume_ms, 0 FROM task INDEXED BY task_by_resume
    WHERE namespace = ?1 AND resume_ms <= ?2 AND (resume_ms, number, 0) > (?3, ?4, ?5)
    ORDER BY resume_ms, number";

const RESUMED: Kind<TaskId> = Kind { read: id, aside: |number, _| Aside::Parked(number) };

const CLAIM: Kind<(ClaimKey, WorkerId)> = Kind { read: claim, aside: |number, _| Aside::Parked(number) };

/// A question that can be answered.
fn question(row: &Columns) -> Result<(TaskId, QuestionId), Failure> {
    let task = id(row)?;
    let position: i64 = row.get(3)?;
    let question = u32::try_from(position).ok().filter(|position| *position > 0).map(QuestionId::at);
    let unfit = |why: &str| Failure::Unreadable(format!("its question {position} is due, and {why}"));
    if row.get(4)? {
        return Err(unfit("answered"));
    }
    if has_ended(&word(row, 5)?) {
        return Err(unfit("the task has ended"));
    }
    Ok((task, question.ok_or_else(|| unfit("no question can have that number"))?))
}

/// A question of which people are to be told once more.
fn reminder(row: &Columns) -> Result<(TaskId, QuestionId), Failure> {
    let position = u32::try_from(row.get::<_, i64>(3)?).ok().filter(|position| *position > 0);
    let none = || Failure::Unreadable("a reminder is due of what can be no question".to_owned());
    Ok((id(row)?, position.map(QuestionId::at).ok_or_else(none)?))
}

/// Whether that is the status of a task that has ended.
fn has_ended(status: &str) -> bool {
    status.parse().is_ok_and(TaskStatus::is_final)
}

fn id(row: &Columns) -> Result<TaskId, Failure> {
    task_id(word(row, 1)?)
}

/// Those who hold something and whose lease ended, or that are on no list any more. They are found by jumping from one
/// to the next in the index, however much each of them holds.
fn holders(connection: &Connection, namespace: i64, now_ms: i64) -> Result<Vec<Vec<u8>>, Failure> {
    let lives = lease_lives();
    let sql = format!(
        "WITH RECURSIVE holder (id) AS (
            SELECT min(worker) FROM task INDEXED BY task_by_worker WHERE namespace = ?1 AND worker IS NOT NULL
            UNION ALL
            SELECT (SELECT min(worker) FROM task INDEXED BY task_by_worker
                WHERE namespace = ?1 AND worker IS NOT NULL AND worker > holder.id)
            FROM holder WHERE holder.id IS NOT NULL)
        SELECT id FROM holder WHERE id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM worker
            WHERE worker.namespace = ?1 AND worker.id = holder.id AND {lives}) LIMIT ?3"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let bytes = |row: &Columns| Ok(row.get_ref(0)?.as_bytes().unwrap_or_default().to_vec());
    let rows = statement.query_map(params![namespace, now_ms, MOST_HOLDERS as i64], bytes)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A claim that can be given back.
fn claim(row: &Columns) -> Result<(ClaimKey, WorkerId), Failure> {
    if has_ended(&word(row, 6)?) {
        return Err(Failure::Unreadable("it has ended, and is held all the same".into()));
    }
    let attempt: i64 = row.get(4)?;
    let attempt = bounds::counted(attempt)
        .ok_or_else(|| Failure::Unreadable(format!("its \"attempt\" is {attempt}, which it cannot be")))?;
    Ok((ClaimKey { task: id(row)?, attempt }, worker_id(word(row, 5)?)?))
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
    let reminder = reminders::next(connection, namespace, now_ms)?;
    Ok([next, reminder]
        .into_iter()
        .flatten()
        .min()
        .map(|due_ms| Duration::from_millis(due_ms.saturating_sub(now_ms).unsigned_abs())))
}

/// Sets aside what no verb can name, so that it is not due again.
pub(super) fn set_aside(change: &mut Change, aside: &[Aside]) -> Result<(), Failure> {
    for one in aside {
        match *one {
            Aside::Question(task, position) => {
                let sql = "UPDATE question SET due_ms = NULL WHERE task = ?1 AND position = ?2";
                change.execute(sql, [task, position])?;
            }
            Aside::Reminder(task, position) => reminders::forget(change, task, position)?,
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
