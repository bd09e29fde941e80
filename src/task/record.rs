//! A task's record and its status machine.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Question, QuestionId, SessionId, TaskId, WorkerId};

/// MCP's five task statuses. The last three are final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    /// Queued or running.
    Working,
    /// At least one question is open.
    InputRequired,
    /// The tool returned a result.
    Completed,
    /// The task ended in a JSON-RPC error.
    Failed,
    /// Somebody cancelled it.
    Cancelled,
}

impl TaskStatus {
    /// All of them, in the order of a task's life.
    pub const ALL: [Self; 5] =
        [Self::Working, Self::InputRequired, Self::Completed, Self::Failed, Self::Cancelled];

    /// MCP's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::InputRequired => "input_required",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether the status can change no more.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

impl fmt::Display for TaskStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Text that is not a task status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a status: working, input_required, completed, failed or cancelled")]
pub struct InvalidStatus(String);

impl std::str::FromStr for TaskStatus {
    type Err = InvalidStatus;
    fn from_str(text: &str) -> Result<Self, InvalidStatus> {
        let found = Self::ALL.into_iter().find(|status| status.as_str() == text);
        found.ok_or_else(|| InvalidStatus(text.chars().take(60).collect()))
    }
}

/// Whose task it is: an authenticated principal, or `anonymous`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scope(String);

impl Scope {
    /// The scope of everybody who brings no token.
    pub fn anonymous() -> Self {
        Self("anonymous".into())
    }

    /// The scope of a named principal.
    pub fn named(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The scope's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether nobody authenticated.
    pub fn is_anonymous(&self) -> bool {
        self.0 == "anonymous"
    }
}

/// What is fixed about a task from its submission on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewTask {
    /// Its id.
    pub id: TaskId,
    /// The tool to run.
    pub tool: String,
    /// The tool's arguments, checked against its input schema.
    pub arguments: Map<String, Value>,
    /// Whose it is.
    pub scope: Scope,
    /// Who launched it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// A foreground call: run as a task, not shown as one.
    #[serde(default)]
    pub hidden: bool,
    /// Milliseconds from creation to deletion; `None` keeps it for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_ms: Option<u64>,
    /// How often it may be started, at least 1.
    pub max_attempts: u32,
}

/// A step of a running tool, as it reported it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// How far.
    pub current: f64,
    /// Of how much, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<f64>,
    /// What it is doing; becomes the task's status message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl Progress {
    /// Whether its numbers are numbers: JSON has no infinity and no NaN, so others cannot be stored.
    pub fn is_finite(&self) -> bool {
        self.current.is_finite() && self.total.is_none_or(f64::is_finite)
    }
}

/// A JSON-RPC error: how a task fails outside its tool's own result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RpcError {
    /// The error's code, for example -32603.
    pub code: i64,
    /// What went wrong.
    pub message: String,
    /// More of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

impl RpcError {
    /// "Internal error", the code of a tool that could not be run to its end.
    pub fn internal(message: impl Into<String>) -> Self {
        Self { code: -32603, message: message.into(), data: None }
    }

    /// The error of a task whose attempts are used up.
    pub fn gave_up(last_failure: &str) -> Self {
        Self::internal(format!("gave up: its attempts are used up; the last one: {last_failure}"))
    }
}

/// How a task ended by itself. A cancelled task has no outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// An MCP `CallToolResult`, `isError` ones included.
    Result(Value),
    /// A JSON-RPC error.
    Error(RpcError),
}

impl Outcome {
    /// A result of one text block.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Result(serde_json::json!({
            "content": [{ "type": "text", "text": text.into() }], "isError": false
        }))
    }

    /// A result of one text block that the tool itself calls an error.
    pub fn tool_error(text: impl Into<String>) -> Self {
        Self::Result(serde_json::json!({
            "content": [{ "type": "text", "text": text.into() }], "isError": true
        }))
    }

    /// The result's first text block.
    pub fn first_text(&self) -> Option<&str> {
        let Self::Result(result) = self else { return None };
        result.get("content")?.as_array()?.iter().find_map(|block| block.get("text")?.as_str())
    }

    /// Whether the tool calls its own result an error.
    pub fn is_tool_error(&self) -> bool {
        matches!(self, Self::Result(result) if result.get("isError") == Some(&Value::Bool(true)))
    }

    /// The status that it ends the task in.
    pub fn status(&self) -> TaskStatus {
        match self {
            Self::Result(_) => TaskStatus::Completed,
            Self::Error(_) => TaskStatus::Failed,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// A task as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// What was submitted.
    #[serde(flatten)]
    pub new: NewTask,
    /// Where it stands.
    pub status: TaskStatus,
    /// Why it stands there, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_message: Option<String>,
    /// When it was submitted.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often a worker took it: the number of its claim. People are told [`Task::counted_attempt`].
    pub attempt: u32,
    /// How many of its attempts failed, of those that count.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failures: u32,
    /// Who holds it now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<WorkerId>,
    /// When the present attempt began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// The last step that the tool reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// How it ended by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Why the last attempt ended without an outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<String>,
    /// All questions so far, in the order asked: the journal.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<Question>,
}

impl Task {
    /// A task as it is stored at first.
    pub fn queued(new: NewTask, at: Timestamp) -> Self {
        Self {
            new,
            status: TaskStatus::Working,
            status_message: None,
            created_at: at,
            updated_at: at,
            attempt: 0,
            failures: 0,
            worker: None,
            claimed_at: None,
            finished_at: None,
            progress: None,
            outcome: None,
            last_failure: None,
            questions: Vec::new(),
        }
    }

    /// The task as a worker begins it for the first time.
    #[must_use]
    pub fn begun_by(self, worker: WorkerId, at: Timestamp) -> Self {
        let claimed_at = Some(at);
        Self { attempt: 1, worker: Some(worker), claimed_at, updated_at: at, ..self }
    }

    /// Its id.
    pub fn id(&self) -> &TaskId {
        &self.new.id
    }

    /// Which of the attempts that count the present or the last one is: what was given back by a worker that stopped, or
    /// for a machine that was short of something, is none.
    pub fn counted_attempt(&self) -> u32 {
        self.attempt.min(self.failures.saturating_add(1)).min(self.new.max_attempts)
    }

    /// The questions that nobody answered. Empty once the task has ended.
    pub fn open_questions(&self) -> impl Iterator<Item = &Question> {
        let ended = self.status.is_final();
        self.questions.iter().filter(move |question| !ended && question.is_open())
    }

    /// The question of that id, open or not.
    pub fn question(&self, id: &QuestionId) -> Option<&Question> {
        self.questions.iter().find(|question| &question.id == id)
    }

    /// The key of one of its questions in `inputRequests`: the tool's name for it, unless an earlier question
    /// had that name or it reads like an id; else the id. So no key is used twice in the task's life.
    pub fn question_key<'a>(&self, question: &'a Question) -> &'a str {
        let name = question.ask.name.as_deref().filter(|name| {
            let mut earlier = self.questions.iter().take_while(|one| one.id != question.id);
            let reads_like_id = name.parse::<QuestionId>().is_ok_and(|id| id.position().is_some());
            !reads_like_id && earlier.all(|one| one.ask.name.as_deref() != Some(*name))
        });
        name.unwrap_or(question.id.as_str())
    }

    /// When its ttl ends.
    pub fn expires_at(&self) -> Option<Timestamp> {
        let ttl = i64::try_from(self.new.ttl_ms?).ok()?;
        Timestamp::from_millisecond(self.created_at.as_millisecond().checked_add(ttl)?).ok()
    }
}
