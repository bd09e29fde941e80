//! What a script replies: a word, then what belongs to it.

use std::collections::VecDeque;

use redis::Value;

use super::codec::{self, timestamp};
use crate::store::{ClaimKey, StoreError, StoreResult};
use crate::task::{QuestionId, TaskId};

/// A reply, read from its front.
pub(super) struct Reply {
    word: String,
    rest: VecDeque<Value>,
    location: String,
}

impl Reply {
    pub(super) fn new(value: Value, location: &str) -> Self {
        let mut rest: VecDeque<Value> = match value {
            Value::Array(values) => values.into(),
            other => VecDeque::from([other]),
        };
        let word = text(rest.pop_front().unwrap_or(Value::Nil));
        Self { word, rest, location: location.to_owned() }
    }

    pub(super) fn word(&self) -> &str {
        &self.word
    }

    pub(super) fn next(&mut self) -> Value {
        self.rest.pop_front().unwrap_or(Value::Nil)
    }

    pub(super) fn text(&mut self) -> String {
        text(self.next())
    }

    pub(super) fn number(&mut self) -> i64 {
        match self.next() {
            Value::Int(number) => number,
            other => text(other).parse().unwrap_or_default(),
        }
    }

    /// A list of texts.
    pub(super) fn texts(&mut self) -> Vec<String> {
        match self.next() {
            Value::Array(values) => values.into_iter().map(text).collect(),
            _ => Vec::new(),
        }
    }

    /// All that is left, as texts.
    pub(super) fn rest_as_texts(self) -> Vec<String> {
        self.rest.into_iter().map(text).collect()
    }

    pub(super) fn rest(self) -> Vec<Value> {
        self.rest.into()
    }

    /// The reply to a write under a claim.
    pub(super) fn claimed(mut self, claim: &ClaimKey) -> StoreResult<()> {
        if self.word == "ok" { Ok(()) } else { Err(self.refusal(claim)) }
    }

    /// Why a write under a claim was refused.
    pub(super) fn refusal(&mut self, claim: &ClaimKey) -> StoreError {
        match self.word.as_str() {
            "lost" => {
                let now = self.text();
                StoreError::ClaimLost { task: claim.task.clone(), attempt: claim.attempt, now }
            }
            _ => self.unclaimed(&claim.task),
        }
    }

    /// Why a write to a question was refused.
    pub(super) fn unopened(&mut self, task: &TaskId, question: &QuestionId) -> StoreError {
        match self.word.as_str() {
            "no_question" => StoreError::no_question(task, question),
            "answered" => match codec::answer(&self.text(), self.number()) {
                Ok(answer) => {
                    let (task, question) = (task.clone(), question.clone());
                    StoreError::AlreadyAnswered { task, question, answer: Box::new(answer) }
                }
                Err(problem) => StoreError::Backend { location: self.location.clone(), problem },
            },
            "longer" => {
                let until = Some(self.number()).filter(|until| *until > 0).map(timestamp);
                StoreError::WaitsLonger { task: task.clone(), question: question.clone(), until }
            }
            _ => self.unclaimed(task),
        }
    }

    /// Why a write to a task was refused.
    pub(super) fn unclaimed(&mut self, task: &TaskId) -> StoreError {
        let problem = self.text();
        match (self.word.as_str(), problem.parse()) {
            ("no_task", _) => StoreError::NoTask(task.clone()),
            ("unreadable", _) => StoreError::Unreadable { task: task.clone(), problem },
            ("ended", Ok(status)) => StoreError::Ended { task: task.clone(), status },
            (word, _) => {
                let problem = format!("a script replied {word:?}, which this program does not know");
                StoreError::Backend { location: self.location.clone(), problem }
            }
        }
    }
}

fn text(value: Value) -> String {
    match value {
        Value::BulkString(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Value::SimpleString(text) => text,
        Value::Int(number) => number.to_string(),
        _ => String::new(),
    }
}
