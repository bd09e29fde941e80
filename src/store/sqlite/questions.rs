//! The verbs of questions: ask, answers and answer.

use std::ops::Range;
use std::time::Duration;

use rusqlite::Connection;

use super::super::{ClaimKey, MAX_OPEN_QUESTIONS, StoreError};
use super::change::{Change, Stored, still_held};
use super::fault::Fault;
use super::{clock, reading};
use crate::task::{Answer, Ask, EventKind, Question, QuestionId, Task, TaskId};

pub(super) fn ask(
    change: &mut Change,
    claim: &ClaimKey,
    first: u32,
    asks: Vec<Ask>,
    timeout: Option<Duration>,
) -> Result<Vec<Question>, Fault> {
    let mut stored = change.held(claim)?;
    let asked = stored.task.questions.len();
    if first as usize > asked + 1 {
        return Err(Fault::Unfit(format!("question {first} follows question {asked}")));
    }
    let deadline = timeout.and_then(|timeout| clock::later(change.now, timeout));
    let (mut all, mut new) = (Vec::new(), Vec::new());
    for (id, ask) in (first..).map(QuestionId::at).zip(asks) {
        let question = if let Some(question) = in_journal(&stored.task, &id, &ask)? {
            question
        } else {
            let question = Question { id, ask, asked_at: change.now, deadline, answer: None };
            new.push(question.clone());
            question
        };
        all.push(question);
    }
    if !new.is_empty() {
        add(change, &mut stored, new)?;
    }
    Ok(all)
}

/// The question that was asked before under this id, which has to be the same one.
fn in_journal(task: &Task, id: &QuestionId, ask: &Ask) -> Result<Option<Question>, Fault> {
    match task.question(id) {
        Some(question) if question.ask.fingerprint() != ask.fingerprint() => {
            Err(StoreError::JournalDiffers { task: task.id().clone(), question: id.clone() }.into())
        }
        found => Ok(found.cloned()),
    }
}

fn add(change: &mut Change, stored: &mut Stored, new: Vec<Question>) -> Result<(), Fault> {
    stored.task.questions.extend(new.iter().cloned());
    if stored.task.open_questions().count() > MAX_OPEN_QUESTIONS {
        let task = stored.task.id().clone();
        return Err(StoreError::TooManyQuestions { task, limit: MAX_OPEN_QUESTIONS }.into());
    }
    stored.weigh_questions();
    for question in new {
        change.append(&stored.task, EventKind::Asked { question })?;
    }
    change.save(stored)
}

pub(super) fn answers(
    connection: &Connection,
    namespace: i64,
    claim: &ClaimKey,
    mut positions: Range<u32>,
) -> Result<Option<Vec<Answer>>, Fault> {
    let task = reading::get(connection, namespace, &claim.task)?;
    let task = task.ok_or_else(|| StoreError::NoTask(claim.task.clone()))?;
    still_held(&task, claim)?;
    let answer = |position| task.question(&QuestionId::at(position))?.answer.clone();
    Ok(positions.try_fold(Vec::new(), |mut answers, position| {
        answers.push(answer(position)?);
        Some(answers)
    }))
}

pub(super) fn answer(
    change: &mut Change,
    task: &TaskId,
    question: &QuestionId,
    answer: Answer,
) -> Result<Answer, Fault> {
    let mut stored = change.load(task)?;
    let answer = Answer { at: change.now, ..answer };
    take_answer(&mut stored.task, question, &answer)?;
    let open = stored.weigh_questions();
    let answered = EventKind::Answered {
        question: question.clone(),
        action: answer.action,
        by: answer.by,
        reason: answer.reason.clone(),
    };
    let sequence = change.append(&stored.task, answered)?;
    let parked = stored.task.worker.is_none() && stored.queued.is_none();
    if parked && !open {
        stored.queued = Some(sequence);
    }
    change.save(&mut stored)?;
    Ok(answer)
}

/// Writes the answer into the journal, if it is the first.
fn take_answer(task: &mut Task, question: &QuestionId, answer: &Answer) -> Result<(), StoreError> {
    let (id, status) = (task.id().clone(), task.status);
    let Some(asked) = task.questions.iter_mut().find(|asked| &asked.id == question) else {
        return Err(StoreError::NoQuestion { task: id, question: question.clone() });
    };
    if let Some(stands) = &asked.answer {
        let (question, answer) = (question.clone(), Box::new(stands.clone()));
        return Err(StoreError::AlreadyAnswered { task: id, question, answer });
    }
    if status.is_final() {
        return Err(StoreError::Ended { task: id, status });
    }
    asked.answer = Some(answer.clone());
    Ok(())
}
