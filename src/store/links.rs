//! What a store keeps of links: each stands for one question, and whoever has it may answer that one. The token is never
//! stored, only its digest.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::StoreResult;
use super::gate::{self, Kind};
use crate::task::{QuestionId, TaskId};

/// The most links of one question; with a further one the oldest goes.
pub const MAX_QUESTION_LINKS: usize = 100;

/// The most links of a task, likewise.
pub const MAX_TASK_LINKS: usize = 1_000;

/// The most links of a namespace; with a further one the oldest go, or those that would end soonest. Each has 1 KiB at most.
pub const MAX_LINKS: usize = 20_000;

/// How long a link is kept whose task is kept for ever.
pub const LONGEST_LINK: Duration = Duration::from_secs(7 * 24 * 3600);

/// What is kept in place of a token: its SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LinkDigest(String);

impl LinkDigest {
    /// A digest as 64 small hexadecimal digits, whatever it was made from.
    pub fn new(digest: &[u8; 32]) -> Self {
        Self(digest.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}")))
    }

    /// Its digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Whose question it is.
    pub task: TaskId,
    /// The question.
    pub question: QuestionId,
    /// Whom it was made for; nobody where whoever has it is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// Who made it, for people.
    pub made_by: String,
    /// When, by the clock of who made it.
    pub made_at: Timestamp,
}

impl Link {
    /// What is stored of it; refused where it may not be.
    pub(super) fn stored(&self) -> StoreResult<String> {
        self.holder.as_deref().map_or(Ok(()), |holder| gate::label("the link's holder", holder))?;
        gate::label("the link's maker", &self.made_by)?;
        gate::json(Kind::Link, self)
    }

    /// What was stored; `None` where that is no link.
    pub(super) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// The verbs on links. What is kept of a link goes with its task.
#[async_trait]
pub trait LinkStore: Send + Sync {
    /// Keeps a link to a question that is open; the errors are those of [`Store::answer`](super::Store::answer). The
    /// oldest links of its question or its task go where these have too many.
    async fn keep_link(&self, digest: &LinkDigest, link: &Link) -> StoreResult<()>;

    /// The link of that digest: kept until its task goes, also when its question is answered, so that who comes late can
    /// be told. What cannot be read is none.
    async fn find_link(&self, digest: &LinkDigest) -> StoreResult<Option<Link>>;

    /// Withdraws the links of a task, or of one of its questions; how many there were.
    async fn withdraw_links(&self, task: &TaskId, question: Option<&QuestionId>) -> StoreResult<u64>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(holder: &str, made_by: &str) -> Link {
        Link {
            task: TaskId::generate(),
            question: QuestionId::at(1),
            holder: Some(holder.to_owned()),
            made_by: made_by.to_owned(),
            made_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn the_longest_names_fit_and_longer_ones_are_refused() {
        let name = "\"".repeat(gate::MAX_LABEL_BYTES);
        let text = link(&name, &name).stored().expect("is stored");
        assert!(text.len() <= Kind::Link.most_bytes(), "{}", text.len());
        for (holder, made_by) in [("", "a"), ("a\n", "a"), (&*"x".repeat(201), "a"), ("a", "")] {
            assert!(link(holder, made_by).stored().is_err(), "{holder:?} {made_by:?}");
        }
    }
}
