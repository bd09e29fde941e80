//! What a verb refuses, each with the value that was wrong.

use crate::task::{Answer, QuestionId, TaskId, TaskStatus};

/// The result of a verb.
pub type StoreResult<T> = Result<T, StoreError>;

/// Why a verb did not do what it was asked. Nothing was changed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// No task of that id, or it expired.
    #[error("there is no task {0}")]
    NoTask(TaskId),
    /// The task has no question of that id.
    #[error("task {task} has no question {question}")]
    NoQuestion {
        /// The task.
        task: TaskId,
        /// What was asked for.
        question: QuestionId,
    },
    /// Somebody answered before.
    #[error(
        "question {question} of task {task} was already answered: {} by {} at {}",
        answer.action, answer.by, answer.at
    )]
    AlreadyAnswered {
        /// The task.
        task: TaskId,
        /// The question.
        question: QuestionId,
        /// The answer that stands.
        answer: Box<Answer>,
    },
    /// The task has ended.
    #[error("task {task} has already ended: {status}")]
    Ended {
        /// The task.
        task: TaskId,
        /// Its final status.
        status: TaskStatus,
    },
    /// The task was claimed by another worker, given back, cancelled or deleted meanwhile.
    #[error("the claim on task {task} (attempt {attempt}) is lost: {now}")]
    ClaimLost {
        /// The task.
        task: TaskId,
        /// The attempt that wanted to write.
        attempt: u32,
        /// What became of the task.
        now: String,
    },
    /// A tool that runs again asked something else than the first time.
    #[error(
        "task {task} runs again and asks something else than before at question {question}: a tool must ask \
         the same questions in the same order, or the answers it already has would go astray"
    )]
    JournalDiffers {
        /// The task.
        task: TaskId,
        /// The place.
        question: QuestionId,
    },
    /// The task would have more open questions than it may.
    #[error("task {task} may not have more than {limit} open questions; wait for some answers first")]
    TooManyQuestions {
        /// The task.
        task: TaskId,
        /// The limit.
        limit: usize,
    },
    /// The scope has as many unfinished tasks as it may.
    #[error("there are already {limit} unfinished tasks in this scope; wait for some, or cancel them")]
    TooManyTasks {
        /// The limit.
        limit: u32,
    },
    /// The state was written by a newer program.
    #[error("{location} has layout {found}, newer than this program's {}; upgrade mcptask", super::LAYOUT)]
    NewerLayout {
        /// Where.
        location: String,
        /// Its layout.
        found: u32,
    },
    /// The store cannot be reached.
    #[error("cannot reach {location}: {problem}")]
    Unreachable {
        /// Where, without secrets.
        location: String,
        /// What went wrong.
        problem: String,
    },
    /// The store refused a command, or holds something that cannot be read.
    #[error("{location}: {problem}")]
    Backend {
        /// Where, without secrets.
        location: String,
        /// What went wrong.
        problem: String,
    },
}
