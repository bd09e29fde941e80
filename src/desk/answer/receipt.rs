//! What is told of an answer that was taken.

use serde_json::{Value, json};

use crate::desk::asked::OpenQuestion;
use crate::desk::place::Found;
use crate::task::Answer;

/// What was answered.
pub(crate) struct Receipt {
    /// The answer as it stands.
    pub(crate) answer: Answer,
    /// Answers to earlier questions that lay in a deployment's list and would have been taken for this one.
    pub(crate) stale_cleared: Option<u64>,
    /// Questions of the task that are still open, where that is known.
    pub(crate) left: Option<usize>,
    /// Whether it is known to be the question's answer: some servers acknowledge one that came too late as well, and a
    /// worker of FastMCP 3 that was stopped has it and does not go on.
    pub(crate) counts: bool,
}

impl Receipt {
    /// What scripts are told of it: the same in every place.
    pub(crate) fn object(&self, found: &Found, question: &OpenQuestion) -> Value {
        let Self { answer: Answer { action, by, at, who, .. }, stale_cleared, left, counts } = self;
        let who = who.as_ref().filter(|_| found.keeps_no_names().is_none());
        json!({
            "at": at, "source": found.source(), "task": question.task, "question": question.id, "action": action,
            "by": by, "who": who, "stale_cleared": stale_cleared, "left": left, "counts": counts.then_some(true),
        })
    }
}
