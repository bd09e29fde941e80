//! Why a task is stuck, and what helps. Each cause was provoked on a real FastMCP.

mod docket;
mod leg;
mod question;

use std::time::Duration;

use serde::Serialize;

use super::docket::Workers;
use super::hint::Help;
use super::signs::Asking;
use super::{DeployedTask, Deployment, Details, FastmcpError, FastmcpResult};
use crate::redis_link::Figures;

/// How long the sign of a lost question has to last: for about a millisecond, a good answer looks the same.
const SETTLES_WITHIN: Duration = Duration::from_millis(500);

/// Why a task is stuck, or soon will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// FastMCP wrote `responded` over the `waiting` of the next question: its answer will be refused.
    LostToStatusRace,
    /// The notification of the question was dropped undelivered, while its worker waits on.
    NotificationExpired,
    /// The notification of the question lies in a queue that no server reads.
    NoLiveSubscriber,
    /// The client got the question and is gone.
    SessionGone,
    /// The client has the question: its user is thinking, or it died without a word.
    ClientHasQuestion,
    /// The worker that runs it shows no sign of life.
    WorkerDead,
    /// All workers that know the function are busy.
    WorkersSaturated,
    /// No living worker knows the function.
    NoWorkerKnows,
    /// An answer lies in the list with no question open: the next question will take it.
    StaleAnswer,
    /// The question is answered, and no worker takes the answer.
    AnsweredNotConsumed,
    /// Something of it expires soon.
    TtlNearEnd,
    /// The task's own key has expired: clients are told "not found" while it runs.
    MetadataExpired,
    /// The record of the leg that asked has expired: it can no longer be answered.
    LegExpired,
    /// Who launched it is encrypted and cannot be shown.
    SnapshotEncrypted,
    /// It ended without a result on a worker that does not know its function.
    SwallowedElsewhere,
    /// An entry of the stream that kills every worker that takes it.
    DeadlyEntry,
    /// Something of it cannot be read.
    Unreadable,
}

impl Cause {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LostToStatusRace => "lost_to_status_race",
            Self::NotificationExpired => "notification_expired",
            Self::NoLiveSubscriber => "no_live_subscriber",
            Self::SessionGone => "session_gone",
            Self::ClientHasQuestion => "client_has_question",
            Self::WorkerDead => "worker_dead",
            Self::WorkersSaturated => "workers_saturated",
            Self::NoWorkerKnows => "no_worker_knows",
            Self::StaleAnswer => "stale_answer",
            Self::AnsweredNotConsumed => "answered_not_consumed",
            Self::TtlNearEnd => "ttl_near_end",
            Self::MetadataExpired => "metadata_expired",
            Self::LegExpired => "leg_expired",
            Self::SnapshotEncrypted => "snapshot_encrypted",
            Self::SwallowedElsewhere => "swallowed_elsewhere",
            Self::DeadlyEntry => "deadly_entry",
            Self::Unreadable => "unreadable",
        }
    }
}

/// One cause, what it was told from, and what helps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// The task, or nothing where the whole deployment is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// The cause.
    pub cause: Cause,
    /// What was seen.
    pub evidence: String,
    /// What to do.
    pub help: Help,
}

/// What is found about one task.
struct Findings<'a> {
    details: &'a Details,
    workers: &'a Workers,
    found: Vec<Diagnosis>,
}

impl Findings<'_> {
    fn add(&mut self, cause: Cause, evidence: impl Into<String>, help: impl Into<Help>) {
        let task = Some(self.details.task.id.clone());
        self.found.push(Diagnosis { task, cause, evidence: evidence.into(), help: help.into() });
    }

    fn task(&self) -> &DeployedTask {
        &self.details.task
    }

    /// The command that answers the task's question.
    fn respond(&self) -> Help {
        Help::respond(&self.task().id, self.question(), &[], "answers it from here")
    }

    /// The question that waits: answers name it, since the next one may be open when they are given.
    fn question(&self) -> Option<&str> {
        self.task().questions.first().map(|question| question.id.as_str())
    }
}

impl Deployment {
    /// Why the task whose id begins so is stuck; without one, the causes of all unfinished tasks and of the
    /// deployment itself. Empty when nothing is wrong.
    pub async fn diagnose(&self, prefix: Option<&str>) -> FastmcpResult<Vec<Diagnosis>> {
        if let Some(prefix) = prefix {
            return self.diagnose_task(self.find(prefix).await?).await;
        }
        let mut found = self.deadly_entries().await?;
        for task in self.list().await?.into_iter().filter(|task| !task.status.is_final()) {
            let id = task.id.clone();
            match self.diagnose_task(task).await {
                Ok(causes) => found.extend(causes),
                // It ended meanwhile and its record is gone.
                Err(FastmcpError::NoTask { id: gone, .. }) if gone == id => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// Whether the Redis refuses what is written for want of memory, with its figures. `None` as well where this user
    /// may not ask.
    pub async fn full_memory(&self) -> FastmcpResult<Option<String>> {
        let figures = match self.link.run::<String>(redis::cmd("INFO").arg("memory")).await {
            Err(FastmcpError::Refused { .. }) => return Ok(None),
            info => Figures::of(&info?),
        };
        let (used, most) = (figures.number("used_memory"), figures.number("maxmemory"));
        let is_full = most > 0 && used >= most && figures.text("maxmemory_policy") == Some("noeviction");
        Ok(is_full.then(|| {
            format!("the Redis refuses writes: {used} of {most} bytes are used, and nothing is evicted")
        }))
    }

    async fn diagnose_task(&self, task: DeployedTask) -> FastmcpResult<Vec<Diagnosis>> {
        let task = self.settled(task).await?;
        let (details, workers) = (self.details(task).await?, self.workers().await?);
        let mut findings = Findings { details: &details, workers: &workers, found: Vec::new() };
        match details.task.state {
            "queued" | "scheduled" => self.queued(&mut findings).await?,
            "running" => running(&mut findings),
            "completed" => self.swallowed(&mut findings).await?,
            _ => {}
        }
        match &details.task.signs.asking {
            Asking::Leg(leg) => leg::causes(leg, &mut findings),
            Asking::Elicitation { .. } => question::causes(&mut findings),
        }
        let keys = details.task.signs.own("");
        for note in &details.task.notes {
            let help = format!("look at the keys that begin with {keys}; nothing was changed");
            findings.add(Cause::Unreadable, note.clone(), help);
        }
        Ok(findings.found)
    }

    /// Reads a task again a moment later if it bears a sign that may be passing.
    async fn settled(&self, task: DeployedTask) -> FastmcpResult<DeployedTask> {
        if !question::may_be_passing(&task.signs) {
            return Ok(task);
        }
        tokio::time::sleep(SETTLES_WITHIN).await;
        self.find(&task.id).await
    }
}

fn running(findings: &mut Findings<'_>) {
    let Some(worker) = findings.task().worker.clone().filter(|worker| !worker.alive) else {
        return;
    };
    let seen = match worker.heartbeat {
        Some(beat) => format!("its last heartbeat was {} ago", span(since(beat, findings.workers))),
        None => "it has no heartbeat any more".to_owned(),
    };
    findings.add(
        Cause::WorkerDead,
        format!("worker {} runs it, and {seen}", worker.name),
        "start a worker: it takes the task over when Docket's redelivery timeout ends (300 s unless configured), \
         and runs it again from the start",
    );
}

fn since(then: jiff::Timestamp, workers: &Workers) -> i64 {
    workers.now.as_millisecond() - then.as_millisecond()
}

/// Milliseconds for people.
fn span(milliseconds: i64) -> String {
    match milliseconds.max(0) / 1000 {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}
