//! A task of a deployment, as an operator sees it.

use jiff::Timestamp;
use serde::Serialize;

use super::identity::is_uuid;
use super::signs::{Asking, Lifetime, Signs};
use super::{Component, Generation, Lifetimes};
use crate::task::{Ask, Progress, TaskStatus, Violation};

/// One task.
#[derive(Debug, Clone, Serialize)]
pub struct DeployedTask {
    /// What MCP clients call it.
    pub id: String,
    /// The docket it is in.
    pub docket: String,
    /// Which FastMCP wrote it.
    pub generation: Generation,
    /// What it runs.
    pub component: Component,
    /// MCP's status, with the `input_required` that FastMCP 3 does not report.
    pub status: TaskStatus,
    /// Docket's word for its run: `queued`, `running`, …
    pub state: &'static str,
    /// The client connection that launched it, where the generation keeps it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Whose it is, where the generation keeps it: `anonymous`, or the authenticated principal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// When it was launched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When its present run began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// Milliseconds since it was launched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_ms: Option<i64>,
    /// Milliseconds for which its oldest open question has been waiting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting_ms: Option<i64>,
    /// The last step that the tool reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// Who runs it, or ran it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker: Option<WorkerSeen>,
    /// The open questions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<DeployedQuestion>,
    /// How it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What could not be read, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    #[serde(skip)]
    pub(super) signs: Signs,
}

impl DeployedTask {
    /// Whether its result is there. It is a Python pickle, which is never opened.
    pub fn has_result(&self) -> bool {
        self.signs.run.has_result
    }

    /// The open question of that id, or else of that name, by which its tool knows it.
    pub fn question(&self, wanted: &str) -> Option<&DeployedQuestion> {
        let named = || self.questions.iter().find(|one| one.ask.name.as_deref() == Some(wanted));
        self.questions.iter().find(|one| one.id == wanted).or_else(named)
    }

    /// Whether FastMCP may have given one of the task's questions this id, or its tool this name. It keeps the open ones
    /// alone, so that of most ids nobody can tell whether they were asked: version 3 gives a UUID to each question, 4 the
    /// task's id and 16 hex digits, besides the tool's name, of which any text may be one once a question was answered.
    pub fn may_have_asked(&self, question: &str) -> bool {
        match self.generation {
            Generation::V3_0 | Generation::V3_4 => is_uuid(question),
            Generation::V4 => {
                self.has_answered()
                    || question.rsplit_once(':').is_some_and(|(task, number)| {
                        task == self.id
                            && number.len() == 16
                            && number.bytes().all(|byte| byte.is_ascii_hexdigit())
                    })
            }
        }
    }

    fn has_answered(&self) -> bool {
        matches!(&self.signs.asking, Asking::Leg(leg) if leg.has_answers || leg.number > 1)
    }

    /// What lives how long.
    pub fn lifetimes(&self) -> Lifetimes {
        self.signs.lifetimes()
    }

    /// Whether FastMCP 4 has dropped the task's arguments, which its server begins the next leg with. Answered there, the
    /// task would run again with none; a leg has a copy of its own.
    pub fn arguments_have_expired(&self) -> bool {
        let parked = (self.status == TaskStatus::InputRequired && self.signs.metadata != Lifetime::Missing)
            .then_some(&self.signs.asking);
        matches!(parked, Some(Asking::Leg(leg)) if leg.arguments == Lifetime::Missing)
    }
}

impl DeployedQuestion {
    /// Its id, and what its tool calls it.
    pub(super) fn in_words(&self) -> String {
        match &self.ask.name {
            Some(name) => format!("{} ({name:?})", self.id),
            None => self.id.clone(),
        }
    }
}

/// One open question.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DeployedQuestion {
    /// Unique for the task's life.
    pub id: String,
    /// What is asked; in FastMCP 4 with the tool's name for it, which may be asked again later.
    #[serde(flatten)]
    pub ask: Ask,
    /// When it was asked, told by how long its key has left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<Timestamp>,
    /// Why its answer cannot be checked against a form; empty when it can.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Violation>,
}

/// A worker and its last sign of life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WorkerSeen {
    /// `host#pid`, or its configured name.
    pub name: String,
    /// Its last heartbeat; gone once other workers have noticed its death.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<Timestamp>,
    /// Whether that was lately.
    pub alive: bool,
}

/// All that is known of one task.
#[derive(Debug, Clone, Serialize)]
pub struct Details {
    /// The task.
    #[serde(flatten)]
    pub task: DeployedTask,
    /// What lives how long.
    pub ttl: Lifetimes,
    /// How its notification reaches the client; only in FastMCP 3, where the session is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
    /// Entries of the docket's stream that no worker has taken yet.
    pub queued: u64,
    /// Entries that workers have taken and not finished.
    pub taken: u64,
    /// Workers that live and know this function.
    pub able_workers: Vec<String>,
    /// Whether its result is there. It is a Python pickle, which is never opened.
    pub has_result: bool,
}

/// The road of notifications from the worker to the session's client.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// Notifications of this task that nobody has taken from the session's queue.
    pub undelivered: u64,
    /// Milliseconds until that queue is dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_ms: Option<i64>,
    /// Milliseconds since a server last said that it serves the session; absent when none does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscriber_seen_ms: Option<i64>,
}
