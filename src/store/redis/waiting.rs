//! The verbs on questions that wait.

use async_trait::async_trait;
use serde_json::json;

use super::writing::LOGGED_QUESTION_BYTES;
use super::{RedisStore, codec};
use crate::store::gate;
use crate::store::{Extended, Extension, KEPT_BEYOND, StoreError, StoreResult, WaitingStore};
use crate::task::{QuestionId, TaskId};

#[async_trait]
impl WaitingStore for RedisStore {
    async fn extend(
        &self,
        task: &TaskId,
        question: &QuestionId,
        extension: &Extension,
    ) -> StoreResult<Extended> {
        let unknown = || StoreError::NoQuestion { task: task.clone(), question: question.clone() };
        let position = question.position().ok_or_else(unknown)?;
        extension.who.as_deref().map_or(Ok(()), gate::who)?;
        let mut detail = json!({ "question": question, "by": extension.by });
        if let Some(who) = &extension.who {
            detail["who"] = json!(who);
        }
        let mut call = self.invocation(&self.scripts.extend);
        call.arg(task.as_str()).arg(position).arg(extension.lasts.as_millis() as u64);
        call.arg(KEPT_BEYOND.as_millis() as u64).arg(detail.to_string());
        let mut reply = self.verb(&call).await?;
        match reply.word() {
            "ok" => {
                let deadline = codec::timestamp(reply.number());
                let expires_at = Some(reply.number()).filter(|at| *at > 0).map(codec::timestamp);
                Ok(Extended { deadline, expires_at })
            }
            "no_question" => Err(unknown()),
            "answered" => {
                let answer = Box::new(self.decode(codec::answer(&reply.text(), reply.number()))?);
                Err(StoreError::AlreadyAnswered { task: task.clone(), question: question.clone(), answer })
            }
            "longer" => Err(reply.longer(task, question)),
            _ => Err(reply.unclaimed(task)),
        }
    }

    async fn remind(&self, task: &TaskId, question: &QuestionId) -> StoreResult<()> {
        let unknown = || StoreError::NoQuestion { task: task.clone(), question: question.clone() };
        let position = question.position().ok_or_else(unknown)?;
        let mut call = self.invocation(&self.scripts.remind);
        call.arg(task.as_str()).arg(position).arg(LOGGED_QUESTION_BYTES);
        let mut reply = self.verb(&call).await?;
        if reply.word() == "ok" { Ok(()) } else { Err(reply.unclaimed(task)) }
    }

    async fn leave(&self, task: &TaskId, question: &QuestionId, reason: &str) -> StoreResult<()> {
        let unknown = || StoreError::NoQuestion { task: task.clone(), question: question.clone() };
        let position = question.position().ok_or_else(unknown)?;
        let mut call = self.invocation(&self.scripts.leave);
        call.arg(task.as_str()).arg(position).arg(LOGGED_QUESTION_BYTES).arg(gate::reason(reason));
        let mut reply = self.verb(&call).await?;
        if reply.word() == "ok" { Ok(()) } else { Err(reply.unclaimed(task)) }
    }
}
