//! The append-only log: one event for each transition, in order.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Action, Answerer, Progress, Question, QuestionId, Scope, SessionId, TaskId, TaskStatus, Who, WorkerId,
};

/// A place in the log. Cursors of one store are ordered as the events are; people and scripts treat
/// them as opaque text (`watch --since`). Two numbers, as in a Redis stream id: milliseconds and a
/// sequence; SQLite uses only the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cursor {
    /// Milliseconds since the epoch in a Redis stream id; 0 in SQLite.
    pub millis: u64,
    /// The sequence within the millisecond, or the row in SQLite.
    pub sequence: u64,
}

impl Cursor {
    /// Before the first event.
    pub const START: Self = Self { millis: 0, sequence: 0 };
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.millis, self.sequence)
    }
}

/// Text that is not a cursor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a cursor: two numbers joined by '-', as `watch` prints them")]
pub struct InvalidCursor(String);

impl FromStr for Cursor {
    type Err = InvalidCursor;
    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let parsed = text.split_once('-').and_then(|(millis, sequence)| {
            Some(Self { millis: millis.parse().ok()?, sequence: sequence.parse().ok()? })
        });
        parsed.ok_or_else(|| InvalidCursor(text.chars().take(60).collect()))
    }
}

impl TryFrom<String> for Cursor {
    type Error = InvalidCursor;
    fn try_from(text: String) -> Result<Self, InvalidCursor> {
        text.parse()
    }
}

impl From<Cursor> for String {
    fn from(cursor: Cursor) -> Self {
        cursor.to_string()
    }
}

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its place.
    pub cursor: Cursor,
    /// When it happened, by the store's clock.
    pub at: Timestamp,
    /// Whose task.
    pub task: TaskId,
    /// The task's tool.
    pub tool: String,
    /// The task's session, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// The task's scope.
    pub scope: Scope,
    /// The task is a foreground call that clients do not see as a task.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
    /// The task's status after the transition.
    pub status: TaskStatus,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

#[cfg(test)]
impl Event {
    /// An event for unit tests, of a task that works.
    pub(crate) fn example(task: &TaskId, kind: EventKind) -> Self {
        Self {
            cursor: Cursor::START,
            at: Timestamp::UNIX_EPOCH,
            task: task.clone(),
            tool: "deploy".to_owned(),
            session: None,
            scope: Scope::anonymous(),
            hidden: false,
            status: TaskStatus::Working,
            kind,
        }
    }
}

/// What happened, with what a reader needs to act on it without asking again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EventKind {
    /// The task was stored and queued.
    Submitted {},
    /// A worker took it.
    Claimed {
        /// Which.
        worker: WorkerId,
        /// Which attempt this is, from 1.
        attempt: u32,
    },
    /// The tool reported progress.
    Progress(Progress),
    /// The tool asked: the task is `input_required`.
    Asked {
        /// The whole question, so that a relay need not fetch it.
        question: Question,
    },
    /// A question was answered. The content stays in the task: it may be private.
    Answered {
        /// Which question.
        question: QuestionId,
        /// How.
        action: Action,
        /// By whom.
        by: Answerer,
        /// Who it was, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        who: Option<Box<Who>>,
        /// Why, where a rule or a timeout answered.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// An open question got more time.
    Extended {
        /// Which question.
        question: QuestionId,
        /// When it answers itself now.
        deadline: Timestamp,
        /// When the task's ttl ends now, where that would have been too early.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<Timestamp>,
        /// By whom.
        by: Answerer,
        /// Who it was, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        who: Option<Box<Who>>,
    },
    /// A question still waits, at the time at which its asker wanted people to be told once more.
    Reminded {
        /// The whole question, as in `asked`.
        question: Question,
    },
    /// Nobody at the task's client can answer an open question, and it was left to people.
    Unanswerable {
        /// The whole question, as in `asked`.
        question: Question,
        /// Why the client cannot be asked.
        reason: String,
    },
    /// The tool returned a result.
    Completed {
        /// The tool itself calls its result an error.
        is_error: bool,
    },
    /// The task ended in a JSON-RPC error.
    Failed {
        /// Its code.
        code: i64,
        /// Its message.
        message: String,
    },
    /// Somebody cancelled the task.
    Cancelled {
        /// Who, or why.
        reason: String,
    },
    /// The task went back to the queue.
    Requeued {
        /// Why: the worker's lease ended, the worker stopped, the attempt failed.
        reason: String,
    },
    /// The task's ttl ended and it was deleted.
    Expired {
        /// Its ttl had not ended: somebody deleted it before.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        pruned: bool,
    },
    /// Something about the task that changed nothing, such as a prompt that could not be delivered.
    Noted {
        /// What.
        note: String,
    },
}

impl EventKind {
    /// How many words there are with one more.
    pub(crate) const NAMES: usize = 15;

    /// All events' words, and one more that is no event's: what people may ask for.
    pub(crate) const fn names_and(more: &'static str) -> [&'static str; Self::NAMES] {
        [
            "submitted",
            "claimed",
            "progress",
            "asked",
            "answered",
            "extended",
            "reminded",
            "unanswerable",
            "completed",
            "failed",
            "cancelled",
            "requeued",
            "expired",
            "noted",
            more,
        ]
    }

    /// The event's word, as in its JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Submitted {} => "submitted",
            Self::Claimed { .. } => "claimed",
            Self::Progress(_) => "progress",
            Self::Asked { .. } => "asked",
            Self::Answered { .. } => "answered",
            Self::Extended { .. } => "extended",
            Self::Reminded { .. } => "reminded",
            Self::Unanswerable { .. } => "unanswerable",
            Self::Completed { .. } => "completed",
            Self::Failed { .. } => "failed",
            Self::Cancelled { .. } => "cancelled",
            Self::Requeued { .. } => "requeued",
            Self::Expired { .. } => "expired",
            Self::Noted { .. } => "noted",
        }
    }

    /// The whole question, where the event has it.
    pub fn question(&self) -> Option<&Question> {
        match self {
            Self::Asked { question } | Self::Reminded { question } | Self::Unanswerable { question, .. } => {
                Some(question)
            }
            _ => None,
        }
    }

    /// Whether nothing follows it for the task, but for `expired`.
    pub fn is_end(&self) -> bool {
        matches!(
            self,
            Self::Completed { .. } | Self::Failed { .. } | Self::Cancelled { .. } | Self::Expired { .. }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_order_as_their_events_do() {
        let cursor = |text: &str| text.parse::<Cursor>().expect(text);
        assert!(cursor("9-5") < cursor("10-0"));
        assert!(cursor("10-9") < cursor("10-10"));
        assert!("10".parse::<Cursor>().is_err());
        assert!("a-b".parse::<Cursor>().is_err());
    }

    #[test]
    fn an_event_is_one_flat_object() {
        let event = Event {
            cursor: Cursor { millis: 5, sequence: 1 },
            at: Timestamp::from_millisecond(5).expect("small"),
            task: TaskId::generate(),
            tool: "plan_dinner".into(),
            session: None,
            scope: Scope::anonymous(),
            hidden: false,
            status: TaskStatus::Working,
            kind: EventKind::Progress(Progress { current: 1.0, total: Some(3.0), message: None }),
        };
        let json = serde_json::to_value(&event).expect("serialises");
        assert_eq!(json["event"], "progress");
        assert_eq!(json["current"], 1.0);
        assert_eq!(serde_json::from_value::<Event>(json).expect("parses"), event);
    }
}
