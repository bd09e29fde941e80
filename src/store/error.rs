//! What a verb refuses, each with the value that was wrong.

use jiff::Timestamp;

use super::Refusal;
use crate::certificate::CertificateFault;
use crate::task::{Answer, QuestionId, TaskId, TaskStatus, WorkerId};

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
        answer.action, answer.answerer(), answer.at
    )]
    AlreadyAnswered {
        /// The task.
        task: TaskId,
        /// The question.
        question: QuestionId,
        /// The answer that stands.
        answer: Box<Answer>,
    },
    /// The question waits for at least as long already.
    #[error("question {question} of task {task} waits longer than that already: {}", end_of(*until))]
    WaitsLonger {
        /// The task.
        task: TaskId,
        /// The question.
        question: QuestionId,
        /// Until when; `None` for ever.
        until: Option<Timestamp>,
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
    /// The task would have more questions open than it may, or would have asked more than it may.
    #[error("task {task} may not {}", too_many(*limit))]
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
    /// The state was written by an older program, and this process may not bring it up to date.
    #[error("{location} has layout {found}, older than this program's {}: {problem}", super::LAYOUT)]
    OlderLayout {
        /// Where.
        location: String,
        /// Its layout.
        found: u32,
        /// What has to be done first.
        problem: String,
        /// A worker of the older program that still runs there: it has to end first.
        worker: Option<String>,
    },
    /// There is no store there, and this process may not begin one.
    #[error("there are no tasks at {location}: nobody has begun a store there")]
    NoStore {
        /// Where, without secrets.
        location: String,
    },
    /// Something that was to be stored does not pass the gate ([`super::gate`]).
    #[error("{what} {problem}")]
    Refused {
        /// What, such as "the arguments".
        what: String,
        /// What is wrong with it, and what may be.
        problem: String,
    },
    /// The task is there, and cannot be read.
    #[error("task {task} cannot be read: {problem}")]
    Unreadable {
        /// The task.
        task: TaskId,
        /// What is wrong with it.
        problem: String,
    },
    /// The worker is not on the list, or its lease has ended: it has to enlist before it claims.
    #[error("worker {worker} has no lease here any more")]
    LeaseEnded {
        /// The worker.
        worker: WorkerId,
    },
    /// The store is there and does not do it now, or not for this user.
    #[error("{location} refuses: {problem}")]
    Refuses {
        /// Where, without secrets.
        location: String,
        /// Why: what to do about it is in its table.
        refusal: Refusal,
        /// What it said.
        problem: String,
    },
    /// What was given cannot be the address of a store: it is the caller's fault.
    #[error("{location} cannot be used: {problem}")]
    Address {
        /// Where, without secrets.
        location: String,
        /// What is wrong with it, and what may be given.
        problem: String,
    },
    /// Somebody answers there, with a certificate that is not taken.
    #[error("no secure connection to {location}: {fault}")]
    Untrusted {
        /// Where, without secrets.
        location: String,
        /// What is wrong with its certificate.
        fault: CertificateFault,
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

fn end_of(end: Option<Timestamp>) -> String {
    end.map_or_else(|| "it has no end".to_owned(), |end| format!("until {end}"))
}

/// Which of the two limits on a task's questions was reached, and what to do.
fn too_many(limit: usize) -> String {
    if limit == super::MAX_QUESTIONS {
        format!("ask more than {limit} questions in its life; ask the rest in another task")
    } else {
        format!("have more than {limit} open questions; wait for some answers first")
    }
}

impl StoreError {
    /// That the task has no such question.
    pub(super) fn no_question(task: &TaskId, question: &QuestionId) -> Self {
        Self::NoQuestion { task: task.clone(), question: question.clone() }
    }

    /// Whether the same verb may succeed later, with nothing about it changed: long-lived processes try again.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Untrusted { .. } => true,
            Self::Refuses { refusal, .. } => refusal.is_passing(),
            _ => false,
        }
    }

    /// The refusal of the store itself, where that is what the error is.
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Refuses { refusal, .. } => Some(*refusal),
            _ => None,
        }
    }
}
