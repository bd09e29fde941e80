//! The verbs of questions: ask, answers and answer.

use std::ops::Range;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::super::gate::{self, Kind};
use super::super::{ClaimKey, MAX_OPEN_QUESTIONS, MAX_QUESTIONS, StoreError, StoreResult, waiting};
use super::change::Change;
use super::clock;
use super::failure::Failure;
use super::reading::{self, QUESTION};
use super::reminders;
use super::row::{self, Row};
use crate::task::{Answer, Answerer, Ask, EventKind, Question, QuestionId, TaskId};

/// What is to be asked, as it is stored.
#[derive(Debug)]
pub(super) struct Asked {
    ask: Ask,
    json: String,
    fingerprint: String,
}

/// The questions as they are stored; refused where one of them may not be.
pub(super) fn checked(asks: &[Ask]) -> StoreResult<Vec<Asked>> {
    asks.iter()
        .map(|ask| {
            ask.name.as_ref().map_or(Ok(()), |name| gate::label("question name", name))?;
            let json = gate::json(Kind::Question, ask)?;
            Ok(Asked { ask: ask.clone(), json, fingerprint: ask.fingerprint() })
        })
        .collect()
}

pub(super) fn ask(
    change: &mut Change,
    claim: &ClaimKey,
    (first, asks): (u32, Vec<Asked>),
    timeout: Option<Duration>,
) -> Result<Vec<Question>, Failure> {
    let mut row = change.held_and_readable(claim)?;
    if first > row.asked.saturating_add(1) {
        return Err(Failure::Unfit(format!("question {first} follows question {}", row.asked)));
    }
    let deadline = timeout.and_then(|timeout| clock::later(change.now, timeout));
    let (mut all, mut new, known) = (Vec::new(), Vec::new(), row.asked);
    for (position, asked) in (first..).zip(asks) {
        if position <= known {
            let question =
                in_journal(change, &row, (position, &asked)).map_err(|failure| failure.of(&claim.task))?;
            all.push(question);
            continue;
        }
        let id = QuestionId::at(position);
        let question = Question { id, ask: asked.ask, asked_at: change.now, deadline, answer: None };
        all.push(question.clone());
        new.push((position, question, asked.json, asked.fingerprint));
    }
    if !new.is_empty() {
        let count = u32::try_from(new.len()).unwrap_or(u32::MAX);
        row.asked = row.asked.saturating_add(count);
        row.open = row.open.saturating_add(count);
        if row.open as usize > MAX_OPEN_QUESTIONS {
            return Err(
                StoreError::TooManyQuestions { task: claim.task.clone(), limit: MAX_OPEN_QUESTIONS }.into()
            );
        }
        if row.asked as usize > MAX_QUESTIONS {
            return Err(
                StoreError::TooManyQuestions { task: claim.task.clone(), limit: MAX_QUESTIONS }.into()
            );
        }
        row.weigh_questions();
        for (position, question, json, fingerprint) in new {
            insert(change, &row, (position, &question), (&json, &fingerprint))?;
            reminders::keep(change, &row, &question)?;
            change.append(&mut row, &EventKind::Asked { question })?;
        }
        change.save(&mut row)?;
    }
    Ok(all)
}

/// The question that was asked before at this position, which has to be the same one.
fn in_journal(change: &Change, task: &Row, (position, asked): (u32, &Asked)) -> Result<Question, Failure> {
    let sql = format!("SELECT {QUESTION}, fingerprint FROM question WHERE task = ?1 AND position = ?2");
    let mut statement = change.transaction.prepare_cached(&sql)?;
    let mut rows = statement.query(params![task.number, position])?;
    let gone = || Failure::Unreadable(format!("its question {position} is gone"));
    let row = rows.next()?.ok_or_else(gone)?;
    if reading::word(row, 5)? != asked.fingerprint {
        return Err(
            StoreError::JournalDiffers { task: task.task_id()?, question: QuestionId::at(position) }.into()
        );
    }
    Ok(reading::question(row)?.0)
}

fn insert(
    change: &Change,
    task: &Row,
    (position, question): (u32, &Question),
    (json, fingerprint): (&str, &str),
) -> Result<(), Failure> {
    let sql =
        "INSERT OR IGNORE INTO question (task, position, namespace, asked_ms, deadline_ms, due_ms, fingerprint, record)
        VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7)";
    let deadline_ms = question.deadline.map(jiff::Timestamp::as_millisecond);
    let values =
        params![task.number, position, change.namespace, change.now_ms(), deadline_ms, fingerprint, json];
    if change.execute(sql, values)? == 0 {
        let problem = format!("it has asked {} questions, and there are more", position - 1);
        return Err(Failure::Unreadable(problem).of(&task.task_id()?));
    }
    Ok(())
}

pub(super) fn answers(
    connection: &Connection,
    namespace: i64,
    claim: &ClaimKey,
    positions: Range<u32>,
) -> Result<Option<Vec<Answer>>, Failure> {
    let row = row::find(connection, namespace, &claim.task)?;
    let row = row.ok_or_else(|| StoreError::NoTask(claim.task.clone()))?;
    row.still_held(claim)?;
    row.readable(&claim.task)?;
    let sql =
        "SELECT answer FROM question WHERE task = ?1 AND position >= ?2 AND position < ?3 ORDER BY position";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![row.number, positions.start, positions.end])?;
    let mut answers = Vec::new();
    while let Some(row) = rows.next()? {
        let json =
            row.get_ref(0)?.as_str_or_null().map_err(|error| Failure::unreadable(error).of(&claim.task))?;
        let Some(json) = json else { return Ok(None) };
        answers.push(reading::record("answer", json).map_err(|failure| failure.of(&claim.task))?);
    }
    Ok((answers.len() == positions.len()).then_some(answers))
}

/// The answer as it is stored; refused where it may not be. Its time is set under the lock.
pub(super) fn passed(answer: &Answer) -> StoreResult<Answer> {
    let answer = Answer { reason: answer.reason.as_deref().map(gate::reason), ..answer.clone() };
    answer.who.as_deref().map_or(Ok(()), gate::who)?;
    gate::json(Kind::Answer, &answer)?;
    Ok(answer)
}

pub(super) fn answer(
    change: &mut Change,
    task: &TaskId,
    question: &QuestionId,
    answer: Answer,
) -> Result<Answer, Failure> {
    let mut row = change.load(task)?;
    let answer = Answer { at: change.now, ..answer };
    take_answer(change, &row, (task, question), &answer)?;
    row.open = row.open.saturating_sub(1);
    let open = row.weigh_questions();
    let answered = EventKind::Answered {
        question: question.clone(),
        action: answer.action,
        by: answer.by,
        who: answer.who.clone(),
        reason: answer.reason.clone(),
    };
    let sequence = change.append(&mut row, &answered)?;
    if row.is_parked() && !open {
        row.queued = Some(sequence);
    }
    change.save(&mut row)?;
    Ok(answer)
}

/// A question that waits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Open {
    pub(super) position: u32,
    /// When it answers itself, in milliseconds since the epoch.
    pub(super) deadline_ms: Option<i64>,
    /// The same, for as long as time is to settle it.
    due_ms: Option<i64>,
}

/// The question of that task, where it is open.
pub(super) fn open(
    change: &Change,
    row: &Row,
    (task, question): (&TaskId, &QuestionId),
) -> Result<Open, Failure> {
    let position = waiting::position(task, question)?;
    let sql = "SELECT answer, deadline_ms, due_ms FROM question WHERE task = ?1 AND position = ?2";
    let mut statement = change.transaction.prepare_cached(sql)?;
    let found = statement.query_row(params![row.number, position], |columns| {
        let open = Open { position, deadline_ms: columns.get(1)?, due_ms: columns.get(2)? };
        Ok((columns.get::<_, Option<String>>(0)?, open))
    });
    let found = found.optional().map_err(|error| Failure::from(error).of(task))?;
    let (answer, open) = found.ok_or_else(|| StoreError::no_question(task, question))?;
    if let Some(json) = answer {
        let answer = Box::new(reading::record("answer", &json).map_err(|failure| failure.of(task))?);
        let (task, question) = (task.clone(), question.clone());
        return Err(StoreError::AlreadyAnswered { task, question, answer }.into());
    }
    if row.status.is_final() {
        return Err(StoreError::Ended { task: task.clone(), status: row.status }.into());
    }
    Ok(open)
}

/// Writes the answer into the journal, if it is the first.
fn take_answer(
    change: &Change,
    row: &Row,
    (task, question): (&TaskId, &QuestionId),
    answer: &Answer,
) -> Result<(), Failure> {
    let Open { position, due_ms, .. } = open(change, row, (task, question))?;
    if let Some(due_ms) = due_ms.filter(|due_ms| *due_ms > change.now_ms())
        && answer.by == Answerer::Timeout
    {
        let until = reading::time(due_ms).ok();
        return Err(StoreError::WaitsLonger { task: task.clone(), question: question.clone(), until }.into());
    }
    let json = gate::json(Kind::Answer, answer)?;
    let sql = "UPDATE question SET answer = ?3, due_ms = NULL WHERE task = ?1 AND position = ?2";
    change.execute(sql, params![row.number, position, json])?;
    Ok(())
}
