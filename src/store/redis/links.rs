//! Links: a key for each, and a hash with a task's, which go with it.

use async_trait::async_trait;

use super::RedisStore;
use super::connection::is_wrong_type;
use crate::store::links::{
    LONGEST_LINK, Link, LinkDigest, LinkStore, MAX_LINKS, MAX_QUESTION_LINKS, MAX_TASK_LINKS,
};
use crate::store::{StoreResult, waiting};
use crate::task::{QuestionId, TaskId};

#[async_trait]
impl LinkStore for RedisStore {
    async fn keep_link(&self, digest: &LinkDigest, link: &Link) -> StoreResult<()> {
        let (task, question, json) = (&link.task, &link.question, link.stored()?);
        let position = waiting::position(task, question)?;
        let mut call = self.invocation(&self.scripts.link);
        call.arg(task.as_str()).arg(position).arg(digest.as_str()).arg(json);
        call.arg(LONGEST_LINK.as_millis() as u64).arg(MAX_QUESTION_LINKS).arg(MAX_TASK_LINKS).arg(MAX_LINKS);
        let mut reply = self.verb(&call).await?;
        match reply.word() {
            "ok" => Ok(()),
            _ => Err(reply.unopened(task, question)),
        }
    }

    async fn find_link(&self, digest: &LinkDigest) -> StoreResult<Option<Link>> {
        let key = self.key(&format!("link:{}", digest.as_str()));
        let found = self.command::<Option<String>>(redis::cmd("GET").arg(key)).await;
        match found {
            // Somebody overwrote the key.
            Err(error) if is_wrong_type(&error) => Ok(None),
            found => Ok(found?.as_deref().and_then(Link::read)),
        }
    }

    async fn withdraw_links(&self, task: &TaskId, question: Option<&QuestionId>) -> StoreResult<u64> {
        let position = match question.map(QuestionId::position) {
            // No question has such an id.
            Some(None) => return Ok(0),
            Some(Some(position)) => position.to_string(),
            None => String::new(),
        };
        self.call(self.invocation(&self.scripts.unlink).arg(task.as_str()).arg(position)).await
    }
}
