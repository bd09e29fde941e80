//! What happens to a deployment's tasks, told by comparing what was read before with what is read now.

use jiff::Timestamp;
use serde::Serialize;

use super::signs::Asking;
use super::{DeployedQuestion, DeployedTask, Generation};
use crate::task::{Progress, TaskStatus};

/// One thing that happened to a task. Its JSON has the fields of the native events, and where it comes from.
#[derive(Debug, Clone, Serialize)]
pub struct DeployedEvent {
    /// When it was seen, or, where Docket says so, when it happened.
    pub at: Timestamp,
    /// The task.
    pub task: String,
    /// The task's tool.
    pub tool: String,
    /// The docket it is in.
    pub docket: String,
    /// Which FastMCP wrote it.
    pub generation: Generation,
    /// The client connection that launched it, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Whose it is, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The task's status after it.
    pub status: TaskStatus,
    /// What happened.
    #[serde(flatten)]
    pub kind: DeployedEventKind,
}

/// What happened.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum DeployedEventKind {
    /// The task was launched.
    Submitted {},
    /// A worker took it.
    Claimed {
        /// Which.
        worker: String,
    },
    /// The tool reported progress.
    Progress(Progress),
    /// The tool asked.
    Asked {
        /// What; `None` when it was answered before it could be read.
        question: Option<DeployedQuestion>,
    },
    /// A question was answered. FastMCP keeps neither how nor by whom.
    Answered {
        /// Which, if that was seen.
        question: Option<String>,
    },
    /// It ended with a result.
    Completed {},
    /// It ended with an error.
    Failed {
        /// The error.
        message: String,
    },
    /// It was cancelled.
    Cancelled {},
}

impl DeployedEventKind {
    /// The event's word, as in its JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Submitted {} => "submitted",
            Self::Claimed { .. } => "claimed",
            Self::Progress(_) => "progress",
            Self::Asked { .. } => "asked",
            Self::Answered { .. } => "answered",
            Self::Completed {} => "completed",
            Self::Failed { .. } => "failed",
            Self::Cancelled {} => "cancelled",
        }
    }

    /// Whether nothing follows it for the task.
    pub fn is_end(&self) -> bool {
        matches!(self, Self::Completed {} | Self::Failed { .. } | Self::Cancelled {})
    }
}

/// What happened to a task between two readings; `before` is `None` for a task that was not there.
pub(super) fn between(before: Option<&DeployedTask>, now: &DeployedTask) -> Vec<DeployedEventKind> {
    let were = before.map_or(&[][..], |before| &before.questions);
    let mut found = Vec::new();
    if before.is_none() {
        found.push(DeployedEventKind::Submitted {});
    }
    // A question that went with its task was not answered.
    if !matches!(now.status, TaskStatus::Cancelled | TaskStatus::Failed) {
        let answered = were.iter().filter(|question| !has(&now.questions, question));
        found.extend(
            answered.map(|question| DeployedEventKind::Answered { question: Some(question.id.clone()) }),
        );
    }
    for _ in 0..missed_legs(before, now) {
        found.push(DeployedEventKind::Asked { question: None });
        found.push(DeployedEventKind::Answered { question: None });
    }
    if let Some(worker) = &now.worker
        && (now.started_at.is_some() && before.and_then(|before| before.started_at) != now.started_at)
    {
        found.push(DeployedEventKind::Claimed { worker: worker.name.clone() });
    }
    let asked = now.questions.iter().filter(|question| !has(were, question));
    found.extend(asked.map(|question| DeployedEventKind::Asked { question: Some(question.clone()) }));
    if now.progress.is_some() && before.and_then(|before| before.progress.as_ref()) != now.progress.as_ref() {
        found.extend(now.progress.clone().map(DeployedEventKind::Progress));
    }
    if before.map(|before| before.status) != Some(now.status) {
        found.extend(ending(now));
    }
    found
}

/// The most legs that are told of: the number is whatever stands in Redis.
const MOST_MISSED: u32 = 1000;

/// Legs of a FastMCP 4 task that asked and were answered between the readings: only an answer ends a leg and
/// begins the next.
fn missed_legs(before: Option<&DeployedTask>, now: &DeployedTask) -> u32 {
    let number = |task: &DeployedTask| match &task.signs.asking {
        Asking::Leg(leg) => leg.number,
        Asking::Elicitation { .. } => 1,
    };
    let ended = number(now).saturating_sub(before.map_or(1, number));
    let was_seen = before.is_some_and(|before| !before.questions.is_empty());
    ended.saturating_sub(u32::from(was_seen)).min(MOST_MISSED)
}

fn has(questions: &[DeployedQuestion], wanted: &DeployedQuestion) -> bool {
    questions.iter().any(|question| question.id == wanted.id)
}

fn ending(now: &DeployedTask) -> Option<DeployedEventKind> {
    Some(match now.status {
        TaskStatus::Completed => DeployedEventKind::Completed {},
        TaskStatus::Cancelled => DeployedEventKind::Cancelled {},
        TaskStatus::Failed => DeployedEventKind::Failed {
            message: now.error.clone().unwrap_or_else(|| "no error was kept".to_owned()),
        },
        TaskStatus::Working | TaskStatus::InputRequired => return None,
    })
}

/// How often the key of a question was written or deleted, less what the readings account for. A question that
/// comes and goes between two readings leaves two.
pub(super) fn unseen(kinds: &[DeployedEventKind], touches: i32) -> i32 {
    let seen = |kind: &&DeployedEventKind| {
        matches!(kind, DeployedEventKind::Asked { .. } | DeployedEventKind::Answered { .. })
    };
    touches - kinds.iter().filter(seen).count() as i32
}

/// The event for one thing that happened to a task.
pub(super) fn event(task: &DeployedTask, kind: DeployedEventKind) -> DeployedEvent {
    let at = match &kind {
        DeployedEventKind::Completed {} | DeployedEventKind::Failed { .. } => task.finished_at,
        DeployedEventKind::Submitted {} => task.created_at,
        DeployedEventKind::Claimed { .. } => task.started_at,
        DeployedEventKind::Asked { question } => question.as_ref().and_then(|question| question.asked_at),
        _ => None,
    };
    DeployedEvent {
        at: at.unwrap_or_else(Timestamp::now),
        task: task.id.clone(),
        tool: task.component.name.clone(),
        docket: task.docket.clone(),
        generation: task.generation,
        session: task.session.clone(),
        scope: task.scope.clone(),
        status: after(&kind, task),
        kind,
    }
}

impl DeployedTask {
    /// The event of its end, for whoever begins to follow it afterwards; `None` as long as it has not ended.
    pub fn end(&self) -> Option<DeployedEvent> {
        let event = event(self, ending(self)?);
        Some(DeployedEvent { at: self.finished_at.unwrap_or(event.at), ..event })
    }
}

/// The status that a task had after that, which may have gone further by now.
fn after(kind: &DeployedEventKind, task: &DeployedTask) -> TaskStatus {
    match kind {
        DeployedEventKind::Asked { .. } => TaskStatus::InputRequired,
        DeployedEventKind::Submitted {} | DeployedEventKind::Claimed { .. } => TaskStatus::Working,
        DeployedEventKind::Answered { .. } | DeployedEventKind::Progress(_) if task.status.is_final() => {
            TaskStatus::Working
        }
        _ => task.status,
    }
}
