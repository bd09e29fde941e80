//! The verbs on questions that wait.

use async_trait::async_trait;
use rusqlite::params;

use super::SqliteStore;
use super::change::Change;
use super::failure::Failure;
use super::questions::{self, Open};
use super::reading;
use super::reminders;
use crate::store::gate;
use crate::store::{Extended, Extension, KEPT_BEYOND, StoreError, StoreResult, WaitingStore};
use crate::task::{EventKind, QuestionId, TaskId};

#[async_trait]
impl WaitingStore for SqliteStore {
    async fn extend(
        &self,
        task: &TaskId,
        question: &QuestionId,
        extension: &Extension,
    ) -> StoreResult<Extended> {
        extension.who.as_deref().map_or(Ok(()), gate::who)?;
        let (task, question, extension) = (task.clone(), question.clone(), extension.clone());
        self.write(move |change| extend(change, (&task, &question), extension)).await
    }

    async fn remind(&self, task: &TaskId, question: &QuestionId) -> StoreResult<()> {
        let (task, question) = (task.clone(), question.clone());
        self.write(move |change| reminders::remind(change, &task, &question)).await
    }

    async fn leave(&self, task: &TaskId, question: &QuestionId, reason: &str) -> StoreResult<()> {
        let (task, question, reason) = (task.clone(), question.clone(), gate::reason(reason));
        self.write(move |change| {
            let tells = |question| EventKind::Unanswerable { question, reason };
            let row = change.load(&task)?;
            reminders::tell(change, row, (&task, &question), tells)
        })
        .await
    }
}

fn extend(
    change: &mut Change,
    (task, question): (&TaskId, &QuestionId),
    extension: Extension,
) -> Result<Extended, Failure> {
    let mut row = change.load(task)?;
    row.readable(task)?;
    let Open { position, deadline_ms: before, .. } = questions::open(change, &row, (task, question))?;
    // It ends with its task, whatever its own end.
    let wanted_ms = change.after(extension.lasts);
    let ends_ms = before.into_iter().chain(row.expires_ms).min();
    if ends_ms.is_none_or(|ends_ms| ends_ms >= wanted_ms) {
        let until = ends_ms.map(reading::time).transpose()?;
        return Err(StoreError::WaitsLonger { task: task.clone(), question: question.clone(), until }.into());
    }
    let deadline_ms = before.map_or(wanted_ms, |before| before.max(wanted_ms));
    let deadline = reading::time(deadline_ms)?;
    let sql = "UPDATE question SET deadline_ms = ?3, due_ms = ?3 WHERE task = ?1 AND position = ?2";
    change.execute(sql, params![row.number, position, deadline_ms])?;
    let beyond_ms = i64::try_from(KEPT_BEYOND.as_millis()).unwrap_or(i64::MAX);
    let kept_ms =
        change.after(extension.lasts.saturating_add(KEPT_BEYOND)).max(deadline_ms.saturating_add(beyond_ms));
    let expires_ms = row.expires_ms.filter(|expires_ms| *expires_ms < kept_ms).map(|_| kept_ms);
    if let Some(expires_ms) = expires_ms {
        let sql = "UPDATE task SET ttl_ms = ?2, expires_ms = ?3 WHERE number = ?1";
        change.execute(sql, params![row.number, expires_ms - row.created_ms, expires_ms])?;
    }
    let expires_at = expires_ms.map(reading::time).transpose()?;
    let (question, Extension { by, who, .. }) = (question.clone(), extension);
    change.append(&mut row, &EventKind::Extended { question, deadline, expires_at, by, who })?;
    change.save(&mut row)?;
    Ok(Extended { deadline, expires_at })
}
