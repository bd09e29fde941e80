//! What the rules refuse.

use std::time::Duration;

use crate::store::StoreError;
use crate::task::{QuestionId, TaskId, Violation, instead, joined};

/// The result of a rule.
pub type EngineResult<T> = Result<T, EngineError>;

/// Why something was refused. Nothing was changed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EngineError {
    /// No task's id begins so.
    #[error("no task id begins with {prefix:?}")]
    NoPrefix {
        /// What was given.
        prefix: String,
    },
    /// Several tasks' ids begin so.
    #[error("several task ids begin with {prefix:?}: {}", shown(candidates))]
    Ambiguous {
        /// What was given.
        prefix: String,
        /// Some of them.
        candidates: Vec<TaskId>,
    },
    /// No worker has ever offered the tool.
    #[error("there is no tool {name:?}; {}", offered(known))]
    UnknownTool {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// The arguments break the tool's input schema.
    #[error("the arguments of {tool:?} are not valid: {}", joined(violations))]
    Arguments {
        /// The tool.
        tool: String,
        /// Every way in which they do.
        violations: Vec<Violation>,
    },
    /// A tool's question is malformed.
    #[error("the question is malformed: {}", joined(violations))]
    Question {
        /// Every way in which it is.
        violations: Vec<Violation>,
    },
    /// An answer breaks the question's form.
    #[error("the answer to question {question} of task {task} is not valid: {}", joined(violations))]
    Answer {
        /// The task.
        task: TaskId,
        /// The question, still open.
        question: QuestionId,
        /// Every way in which it does.
        violations: Vec<Violation>,
    },
    /// A question is to wait for no time, or for longer than any may.
    #[error(
        "a question cannot be extended by {:?}: by 1ms at least, and by {} days at most",
        lasts, super::LONGEST_EXTENSION.as_secs() / 86400
    )]
    Extension {
        /// For how long.
        lasts: Duration,
    },
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn shown(candidates: &[TaskId]) -> String {
    candidates.iter().map(TaskId::as_str).collect::<Vec<_>>().join(", ")
}

fn offered(known: &[String]) -> String {
    if known.is_empty() { "no worker has offered any here yet".to_owned() } else { instead(known) }
}
