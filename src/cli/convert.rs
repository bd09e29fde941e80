//! The library's errors as failures of a command: their kind, and what helps.

use jiff::Timestamp;

use super::failure::{Failure, Kind};
use super::ui::time;
use crate::engine::EngineError;
use crate::store::StoreError;
use crate::task::{Answer, QuestionId, TaskId};

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let message = error.to_string();
        match &error {
            StoreError::NoTask(_) => Self::new(Kind::NotFound, message)
                .hint("`mcptask list` shows the tasks; one whose ttl ended is deleted"),
            StoreError::NoQuestion { task, .. } => {
                Self::new(Kind::NotFound, message).hint(format!("`mcptask show {task}` shows its questions"))
            }
            StoreError::AlreadyAnswered { task, question, answer } => {
                already_answered(task, question, answer)
            }
            StoreError::Ended { task, .. } => {
                Self::new(Kind::NothingChanged, message).hint(format!("`mcptask result {task}` shows how"))
            }
            StoreError::Unreachable { location, .. } => {
                Self::new(Kind::Unreachable, message).hint(help_to_reach(location))
            }
            StoreError::TooManyTasks { .. } => {
                Self::new(Kind::Unexpected, message).hint("`mcptask list --status working` shows them")
            }
            _ => Self::new(Kind::Unexpected, message),
        }
    }
}

/// Who answered first, and when: a second answer changes nothing.
pub(crate) fn already_answered(task: &TaskId, question: &QuestionId, answer: &Answer) -> Failure {
    let when = time::relative(answer.at, Timestamp::now());
    let why = answer.reason.as_deref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    let Answer { action, by, at, .. } = answer;
    Failure::new(
        Kind::NothingChanged,
        format!(
            "question {question} of task {task} was already answered: {action} by {by}{why}, {when} ({at})"
        ),
    )
}

fn help_to_reach(location: &str) -> &'static str {
    if location.starts_with("redis") || location.starts_with("valkey") || location.starts_with("unix") {
        "check --redis or MCPTASK_REDIS_URL, and that `redis-cli ping` answers there"
    } else {
        "check --db, and that its directory can be written"
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        let message = error.to_string();
        match error {
            EngineError::NoPrefix { .. } => {
                Self::new(Kind::NotFound, message).hint("`mcptask list` shows the tasks")
            }
            EngineError::Ambiguous { .. } => Self::usage(message).hint("type more of the id"),
            EngineError::UnknownTool { .. } => {
                Self::new(Kind::NotFound, message).hint("`mcptask tools` shows the tools")
            }
            EngineError::Arguments { tool, .. } => {
                Self::usage(message).hint(format!("`mcptask tools {tool}` shows what it takes"))
            }
            EngineError::Answer { task, .. } => Self::usage(message)
                .hint(format!("the question is still open; `mcptask show {task}` shows what it takes")),
            EngineError::Store(error) => error.into(),
            EngineError::Question { .. } => Self::new(Kind::Unexpected, message),
        }
    }
}
