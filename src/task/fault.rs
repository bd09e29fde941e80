//! Faults: ways in which a task server misbehaves on purpose, for people who write MCP clients.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One way to misbehave. Never on unless somebody asked for it by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// Every question is asked a second time, word for word, once it was answered.
    SameQuestionTwice,
    /// Questions have a schema that is no form.
    MalformedQuestion,
    /// When a task was cancelled, its client is still asked a question of it.
    QuestionAfterCancel,
    /// A question that timed out is not withdrawn from the client, whose late answer is taken without an error.
    LateAnswerAccepted,
    /// The worker dies while its question is open; another one runs the task again.
    CrashWhileAsking,
    /// Over HTTP, the connection is dropped in the middle of the first response about a task.
    DroppedConnection,
    /// Streams stay open and bring nothing of the task: no notification, no question, no response of a call.
    StalledStream,
    /// Changes of the task are not notified; its questions are.
    MissingNotification,
    /// The task's ttl ends, and the task with it, while its question is open.
    TtlEndsMidQuestion,
}

/// The ttl of a task under [`Fault::TtlEndsMidQuestion`], in milliseconds: long enough to see the question.
pub const ENDING_TTL_MS: u64 = 3000;

/// What the note of a fault begins with.
const NOTE: &str = "fault: ";

impl Fault {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::SameQuestionTwice,
        Self::MalformedQuestion,
        Self::QuestionAfterCancel,
        Self::LateAnswerAccepted,
        Self::CrashWhileAsking,
        Self::DroppedConnection,
        Self::StalledStream,
        Self::MissingNotification,
        Self::TtlEndsMidQuestion,
    ];

    /// Its name in files and options.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SameQuestionTwice => "same-question-twice",
            Self::MalformedQuestion => "malformed-question",
            Self::QuestionAfterCancel => "question-after-cancel",
            Self::LateAnswerAccepted => "late-answer-accepted",
            Self::CrashWhileAsking => "crash-while-asking",
            Self::DroppedConnection => "dropped-connection",
            Self::StalledStream => "stalled-stream",
            Self::MissingNotification => "missing-notification",
            Self::TtlEndsMidQuestion => "ttl-ends-mid-question",
        }
    }

    /// Whether it shows on the way to the client, so that only a server can have it.
    pub fn is_servers(self) -> bool {
        matches!(
            self,
            Self::QuestionAfterCancel
                | Self::LateAnswerAccepted
                | Self::DroppedConnection
                | Self::StalledStream
                | Self::MissingNotification
        )
    }

    /// The note in a task's log by which the server learns of a fault that a script asks for.
    pub fn note(self) -> String {
        format!("{NOTE}{self}")
    }

    /// The fault of such a note.
    pub fn of_note(note: &str) -> Option<Self> {
        note.strip_prefix(NOTE)?.parse().ok()
    }

    /// What a good client does about it.
    pub fn good_client(self) -> &'static str {
        match self {
            Self::SameQuestionTwice => {
                "Asks its user again: the key is new, so it is a new question. It never answers from memory."
            }
            Self::MalformedQuestion => {
                "Shows no broken form: it refuses the request with an error (legacy) or answers with \
                 action `cancel` (modern), says why in its log, and stays connected."
            }
            Self::QuestionAfterCancel => {
                "Does not bother its user: it answers `cancel`, or with an error, since it knows that the \
                 task is over."
            }
            Self::LateAnswerAccepted => {
                "Takes the task's state from `tasks/get`, not from the acknowledgement of its answer: the \
                 task went on without it."
            }
            Self::CrashWhileAsking => {
                "Notices nothing: the question keeps its key, and the answer counts for the next run. It \
                 does not ask its user a second time for the same key."
            }
            Self::DroppedConnection => {
                "Connects again and goes on with the task id that it kept (`tasks/get`, `tasks/result`, or \
                 `Last-Event-ID`); it does not launch the task a second time."
            }
            Self::StalledStream => {
                "Does not wait on one stream for ever: it polls `tasks/get` at `pollIntervalMs` beside it."
            }
            Self::MissingNotification => {
                "Sees the change at the next poll of `tasks/get`: notifications are a hint, never the truth."
            }
            Self::TtlEndsMidQuestion => {
                "Withdraws its prompt once the task is not found any more, and says that the task expired."
            }
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Text that is not a fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a fault; there are {}", Fault::ALL.map(Fault::as_str).join(", "))]
pub struct InvalidFault {
    text: String,
}

impl FromStr for Fault {
    type Err = InvalidFault;
    fn from_str(text: &str) -> Result<Self, InvalidFault> {
        let found = Self::ALL.into_iter().find(|fault| fault.as_str() == text);
        found.ok_or_else(|| InvalidFault { text: text.chars().take(60).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_one_name() {
        for fault in Fault::ALL {
            assert_eq!(fault.as_str().parse(), Ok(fault));
            assert_eq!(serde_json::to_value(fault).expect("serialises"), fault.as_str());
        }
        assert!("explode".parse::<Fault>().expect_err("unknown").to_string().contains("stalled-stream"));
    }
}
