//! Why a task is stuck, and what helps. Each cause was provoked on a real FastMCP.

mod docket;
mod leg;
mod question;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use docket::Load;

use super::docket::{RunState, Workers};
use super::hint::Help;
use super::signs::Asking;
use super::{DeployedQuestion, DeployedTask, Deployment, Details, FastmcpError, FastmcpResult};
use crate::redis_link::Figures;
use crate::task::Ask;

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
    /// All workers that know the function are kept busy by tasks that wait for an answer.
    WorkersSaturated,
    /// All workers that know the function are busy, with tasks that go on.
    WorkersBusy,
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
    /// FastMCP has dropped the arguments: answered through its server, the task would run again with none.
    ArgumentsExpired,
    /// Docket says of its run what was not known when this was written.
    UnknownState,
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
            Self::WorkersBusy => "workers_busy",
            Self::NoWorkerKnows => "no_worker_knows",
            Self::StaleAnswer => "stale_answer",
            Self::AnsweredNotConsumed => "answered_not_consumed",
            Self::TtlNearEnd => "ttl_near_end",
            Self::MetadataExpired => "metadata_expired",
            Self::LegExpired => "leg_expired",
            Self::ArgumentsExpired => "arguments_expired",
            Self::UnknownState => "unknown_state",
            Self::SnapshotEncrypted => "snapshot_encrypted",
            Self::SwallowedElsewhere => "swallowed_elsewhere",
            Self::DeadlyEntry => "deadly_entry",
            Self::Unreadable => "unreadable",
        }
    }
}

/// One cause, what it was told from, and what helps.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diagnosis {
    /// The task, or nothing where the whole deployment is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// The cause.
    pub cause: Cause,
    /// What was seen.
    pub evidence: String,
    /// The question that it is about, where it is about one of several that may be open.
    #[serde(skip)]
    pub asked: Option<Ask>,
    /// What to do.
    pub help: Help,
}

/// What is found about one task.
struct Findings<'a> {
    details: &'a Details,
    workers: &'a Workers,
    load: &'a Load,
    found: Vec<Diagnosis>,
}

impl Findings<'_> {
    fn add(&mut self, cause: Cause, evidence: impl Into<String>, help: impl Into<Help>) {
        let task = Some(self.details.task.id.clone());
        self.found.push(Diagnosis { task, cause, evidence: evidence.into(), asked: None, help: help.into() });
    }

    /// The same about one of its questions.
    fn add_asked(&mut self, cause: Cause, evidence: &str, question: &DeployedQuestion, help: Help) {
        let evidence = format!("question {} was {evidence}", question.in_words());
        let (task, asked) = (Some(self.details.task.id.clone()), Some(question.ask.clone()));
        self.found.push(Diagnosis { task, cause, evidence, asked, help });
    }

    /// All that is wrong with the task.
    fn look(&mut self) {
        let signs = self.task().signs.clone();
        match signs.run.state {
            Some(RunState::Queued | RunState::Scheduled) => docket::queued(self),
            Some(RunState::Running) => running(self),
            Some(RunState::Unknown) => unknown(self, signs.run.unknown_state.as_deref().unwrap_or_default()),
            _ => {}
        }
        match &signs.asking {
            Asking::Leg(leg) => leg::causes(leg, self),
            Asking::Elicitation { .. } => question::causes(self),
        }
        for note in self.task().notes.clone() {
            let help = format!("look at the keys that begin with {}; nothing was changed", signs.own(""));
            self.add(Cause::Unreadable, note, help);
        }
    }

    fn task(&self) -> &DeployedTask {
        &self.details.task
    }

    /// The command that answers the task's question.
    fn respond(&self) -> Help {
        let is_form = self.task().questions.first().is_none_or(|question| question.problems.is_empty());
        let (options, does): (&'static [_], _) = if is_form {
            (&[], "answers it from here")
        } else {
            (&["--decline"], "lets its worker go on: what it asks is no form that could be filled in here")
        };
        Help::respond(&self.task().id, self.question(), options, does)
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
        let Some(prefix) = prefix else {
            let mut tasks = self.list().await?;
            let load = Load::of(&tasks);
            tasks.retain(|task| !task.status.is_final());
            let mut found = self.deadly_entries().await?;
            found.extend(self.diagnose_tasks(tasks, load).await?);
            return Ok(found);
        };
        let task = self.find(prefix).await?;
        // Who keeps a queued task waiting is told by all the others.
        let load = if task.state == "queued" { Load::of(&self.list().await?) } else { Load::default() };
        let swallowed = self.swallowed(&task).await?;
        let mut found = self.diagnose_tasks(vec![task], load).await?;
        found.extend(swallowed);
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

    /// Why those tasks are stuck. What it takes is read once for all of them.
    async fn diagnose_tasks(&self, tasks: Vec<DeployedTask>, load: Load) -> FastmcpResult<Vec<Diagnosis>> {
        let tasks = self.settled(tasks).await?;
        let workers = self.workers().await?;
        let mut found = Vec::new();
        for details in self.details(tasks, &workers).await? {
            let mut findings =
                Findings { details: &details, workers: &workers, load: &load, found: Vec::new() };
            findings.look();
            found.append(&mut findings.found);
        }
        Ok(gathered(found))
    }

    /// Reads those tasks again a moment later that bear a sign which may be passing. One that bears it at another question
    /// then has gone on in between.
    pub(super) async fn settled(&self, tasks: Vec<DeployedTask>) -> FastmcpResult<Vec<DeployedTask>> {
        let passing = |task: &DeployedTask| question::may_be_passing(&task.signs).map(str::to_owned);
        let (unsettled, mut settled): (Vec<_>, Vec<_>) =
            tasks.into_iter().partition(|task| passing(task).is_some());
        if unsettled.is_empty() {
            return Ok(settled);
        }
        tokio::time::sleep(SETTLES_WITHIN).await;
        let before: BTreeMap<_, _> = unsettled.iter().map(|task| (task.id.clone(), passing(task))).collect();
        let identities: Vec<_> = unsettled.into_iter().map(|task| task.signs.identity).collect();
        let now = self.read(&self.workers().await?, &identities).await?;
        let has_stayed = |task: &DeployedTask| {
            let question = passing(task);
            question.is_none() || before.get(&task.id) == Some(&question)
        };
        settled.extend(now.into_iter().filter(has_stayed));
        Ok(settled)
    }
}

/// The tasks of one cause that are told one by one; more are told at once.
const TOLD_ALONE: usize = 3;

/// What is said of many tasks in the same words, once, with their number and the first of them.
fn gathered(found: Vec<Diagnosis>) -> Vec<Diagnosis> {
    let words = |one: &Diagnosis| (one.cause.as_str(), one.evidence.clone(), one.help.to_string());
    let mut tasks: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for one in &found {
        tasks.entry(words(one)).or_default().extend(one.task.clone());
    }
    let mut told = Vec::new();
    for one in found {
        match tasks.get_mut(&words(&one)) {
            Some(alike) if alike.len() > TOLD_ALONE => {
                let first = alike[..TOLD_ALONE].join(", ");
                let evidence = format!("{} tasks ({first}, …): {}", alike.len(), one.evidence);
                alike.clear();
                told.push(Diagnosis { task: None, evidence, ..one });
            }
            // It has been told with the first of them.
            Some(alike) if alike.is_empty() && one.task.is_some() => {}
            _ => told.push(one),
        }
    }
    told
}

fn running(findings: &mut Findings<'_>) {
    let Some(worker) = findings.task().worker.clone().filter(|worker| !worker.alive) else {
        return;
    };
    let seen = match worker.heartbeat {
        Some(beat) => format!("its last heartbeat was {} ago", span(since(beat, findings.workers))),
        None => "it has no heartbeat any more".to_owned(),
    };
    let asked = match findings.task().waiting_ms {
        Some(asked) if !findings.task().questions.is_empty() => {
            format!("; it asked {} ago, and an answer would reach nobody", span(asked))
        }
        _ => String::new(),
    };
    let help = docket::taken_over(findings);
    findings.add(Cause::WorkerDead, format!("worker {} runs it, and {seen}{asked}", worker.name), help);
}

/// The longest word of somebody else that is shown.
const SHOWN: usize = 60;

fn unknown(findings: &mut Findings<'_>, state: &str) {
    let state: String = state.chars().take(SHOWN).collect();
    findings.add(
        Cause::UnknownState,
        format!("Docket calls its run {state:?}, which is not known here; it is shown as working"),
        "a newer FastMCP than this program knows may have written it: ask its server, or take a newer mcptask",
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
