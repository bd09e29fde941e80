//! The verbs on questions that wait.

use async_trait::async_trait;
use redis::ScriptInvocation;
use serde_json::json;

use super::writing::LOGGED_QUESTION_BYTES;
use super::{RedisStore, codec};
use crate::store::gate;
use crate::store::{Extended, Extension, KEPT_BEYOND, StoreResult, WaitingStore, waiting};
use crate::task::{QuestionId, TaskId};

#[async_trait]
impl WaitingStore for RedisStore {
    async fn extend(
        &self,
        task: &TaskId,
        question: &QuestionId,
        extension: &Extension,
    ) -> StoreResult<Extended> {
        let position = waiting::position(task, question)?;
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
            _ => Err(reply.unopened(task, question)),
        }
    }

    async fn remind(&self, task: &TaskId, question: &QuestionId) -> StoreResult<()> {
        let position = waiting::position(task, question)?;
        let mut call = self.invocation(&self.scripts.remind);
        call.arg(task.as_str()).arg(position).arg(LOGGED_QUESTION_BYTES);
        self.told(task, &call).await
    }

    async fn leave(&self, task: &TaskId, question: &QuestionId, reason: &str) -> StoreResult<()> {
        let position = waiting::position(task, question)?;
        let mut call = self.invocation(&self.scripts.leave);
        call.arg(task.as_str()).arg(position).arg(LOGGED_QUESTION_BYTES).arg(gate::reason(reason));
        self.told(task, &call).await
    }
}

impl RedisStore {
    /// Runs a script that tells of a question, if that is still open.
    async fn told(&self, task: &TaskId, call: &ScriptInvocation<'_>) -> StoreResult<()> {
        let mut reply = self.verb(call).await?;
        if reply.word() == "ok" { Ok(()) } else { Err(reply.unclaimed(task)) }
    }
}
