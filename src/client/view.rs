//! A task as its server shows it, in either era.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use crate::task::{Outcome, RpcError, TaskStatus};

/// How long to wait between two looks where the server names no interval.
const DEFAULT_POLL: Duration = Duration::from_secs(1);
/// The shortest and the longest wait that a server may name: nobody is flooded, no task is forgotten.
const POLL_BOUNDS: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(300));

/// The most characters of an error that is no error object.
const MOST_WORDS: usize = 200;

/// A task at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskView {
    /// The server's id for it.
    pub id: String,
    /// Where it stands.
    pub status: TaskStatus,
    /// Why it stands there, in the server's words.
    pub status_message: Option<String>,
    /// When it was submitted, as the server wrote it (RFC 3339).
    pub created_at: Option<String>,
    /// When it last changed, as the server wrote it (RFC 3339).
    pub updated_at: Option<String>,
    /// Milliseconds from creation to deletion; `None` where it is kept or nothing is said.
    pub ttl_ms: Option<u64>,
    /// How long the server wants us to wait between two looks, within reason.
    pub poll_interval: Duration,
    /// Open questions by key, each a JSON-RPC request (modern era only).
    pub input_requests: Map<String, Value>,
    /// How it ended, where the server shows it along (modern era only).
    pub outcome: Option<Outcome>,
}

impl TaskView {
    /// Reads the era's own shape; `None` where it is no task.
    pub(super) fn read(value: &Value) -> Option<Self> {
        let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let number = |legacy: &str, modern: &str| {
            value.get(modern).or_else(|| value.get(legacy)).and_then(Value::as_u64)
        };
        let poll = number("pollInterval", "pollIntervalMs").map_or(DEFAULT_POLL, Duration::from_millis);
        Some(Self {
            id: text("taskId").filter(|id| !id.is_empty())?,
            status: text("status")?.parse().ok()?,
            status_message: text("statusMessage"),
            created_at: text("createdAt"),
            updated_at: text("lastUpdatedAt"),
            ttl_ms: number("ttl", "ttlMs"),
            poll_interval: poll.clamp(POLL_BOUNDS.0, POLL_BOUNDS.1),
            input_requests: value
                .get("inputRequests")
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default(),
            outcome: outcome(value),
        })
    }

    /// [`TaskView::created_at`], where it is a time.
    pub fn created(&self) -> Option<Timestamp> {
        self.created_at.as_deref()?.parse().ok()
    }

    /// [`TaskView::updated_at`], where it is a time.
    pub fn updated(&self) -> Option<Timestamp> {
        self.updated_at.as_deref()?.parse().ok()
    }

    /// Whether it is completed, and its tool calls its result an error. A legacy server calls it failed then.
    pub fn is_tool_error(&self) -> bool {
        self.status != TaskStatus::Failed && self.outcome.as_ref().is_some_and(Outcome::is_tool_error)
    }

    /// When the server deletes it, where that is said.
    pub fn expires(&self) -> Option<Timestamp> {
        let ttl = self.ttl_ms.and_then(|ttl| i64::try_from(ttl).ok()).map(SignedDuration::from_millis)?;
        self.created()?.checked_add(ttl).ok()
    }

    /// Since when it waits: servers do not say when they asked, so it is when the task last changed. Where that is not
    /// known either, it is since its submission at the earliest, and the second is true.
    pub fn waits_since(&self) -> Option<(Timestamp, bool)> {
        if self.status != TaskStatus::InputRequired {
            return None;
        }
        let submitted = || Some((self.created()?, true));
        self.updated().map(|at| (at, false)).or_else(submitted)
    }

    /// Whether a modern task has all that belongs to its status (SEP-2663, a full `DetailedTask`).
    pub(super) fn is_whole(&self) -> bool {
        match self.status {
            TaskStatus::Working | TaskStatus::Cancelled => true,
            TaskStatus::InputRequired => !self.input_requests.is_empty(),
            TaskStatus::Completed | TaskStatus::Failed => self.outcome.is_some(),
        }
    }
}

impl Ended {
    /// How an ended task ended, with what the server shows as its outcome.
    pub(super) fn of(view: TaskView, outcome: Outcome) -> Self {
        match view.status {
            TaskStatus::Failed => Self::Failed { message: view.status_message, outcome: Some(outcome) },
            TaskStatus::Cancelled => Self::Cancelled { message: view.status_message },
            _ => Self::Finished(outcome),
        }
    }
}

fn outcome(value: &Value) -> Option<Outcome> {
    if let Some(result) = value.get("result").filter(|result| result.is_object()) {
        return Some(Outcome::Result(result.clone()));
    }
    let error = value.get("error")?;
    // Some servers send a text alone, or something else in its place.
    let told = error.get("message").or_else(|| Some(error).filter(|error| !error.is_object()));
    let message = match told {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string().chars().take(MOST_WORDS).collect(),
        None => "no message".to_owned(),
    };
    Some(Outcome::Error(RpcError {
        code: error.get("code").and_then(Value::as_i64).unwrap_or(-32603),
        message,
        data: error.get("data").cloned(),
    }))
}

/// How a followed task ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ended {
    /// By itself: with a result (`isError` ones included) or a JSON-RPC error.
    Finished(Outcome),
    /// The server calls it failed, whatever it shows as its outcome: some have nothing there, or a result.
    Failed {
        /// The server's words on it.
        message: Option<String>,
        /// What it shows as the task's outcome, where it shows any.
        outcome: Option<Outcome>,
    },
    /// Somebody cancelled it.
    Cancelled {
        /// The server's words on it.
        message: Option<String>,
    },
}
