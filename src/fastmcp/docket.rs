//! Docket's own keys, the same under every FastMCP. Observed with Docket 0.27.
//!
//! `D` is the docket's prefix: its name, or `{name}` on a Redis Cluster. `K` is the key of one Docket task.
//!
//! | key | type | what |
//! |---|---|---|
//! | `D:stream` | stream | tasks to run and running; group `docket-workers`; an entry goes when its task ends |
//! | `D:queue` | zset | tasks for later, by epoch second |
//! | `D:runs:K` | hash | state, when, function, worker, started_at, completed_at, error, `args` and `kwargs` (pickled: never read), `known` and `stream_id` while queued; 900 s after the end it goes |
//! | `D:progress:K` | hash | current, total, message; goes with the end of the run |
//! | `D:workers` | zset | worker by heartbeat, every 2 s |
//! | `D:task-workers:FUNCTION` | zset | the same for the workers that know a function |
//! | `D:worker-tasks:W` | set | the functions that a worker knows; lives some 10 s past its last heartbeat |
//! | `D:state:K`, `D:progress:K`, `D:cancel:K` | channels | JSON of each change; a cancel's payload is `K` |

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use redis::Pipeline;

use super::FastmcpResult;
use super::link::{Link, Replies};
use crate::task::{Progress, TaskStatus};

/// The consumer group of Docket's workers.
pub(super) const GROUP: &str = "docket-workers";

/// A worker whose last heartbeat is older is dead: Docket itself gives up after 5 beats of 2 s.
const HEARTBEAT_LIFE_MS: i64 = 12_000;

/// How often a worker shows itself.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(2);

/// How long Docket keeps the record of a run that ended, in seconds.
pub(super) const RECORD_TTL: u64 = 900;

/// The keys of one docket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Docket {
    prefix: String,
}

impl Docket {
    pub(super) fn new(prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into() }
    }

    /// The name as the deployment's configuration has it.
    pub(super) fn name(&self) -> &str {
        self.prefix.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(&self.prefix)
    }

    /// What all its keys begin with.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(super) fn key(&self, rest: &str) -> String {
        format!("{}:{rest}", self.prefix)
    }

    pub(super) fn runs(&self, key: &str) -> String {
        self.key(&format!("runs:{key}"))
    }

    pub(super) fn progress(&self, key: &str) -> String {
        self.key(&format!("progress:{key}"))
    }

    pub(super) fn state_channel(&self, key: &str) -> String {
        self.key(&format!("state:{key}"))
    }

    pub(super) fn cancel_channel(&self, key: &str) -> String {
        self.key(&format!("cancel:{key}"))
    }
}

/// Docket's words for where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RunState {
    Scheduled,
    Queued,
    Running,
    Completed,
    Failed,
    Cancelled,
    /// A word that Docket did not have when this was written.
    Unknown,
}

impl RunState {
    fn parse(text: &str) -> Self {
        match text {
            "scheduled" => Self::Scheduled,
            "queued" => Self::Queued,
            "running" => Self::Running,
            "completed" => Self::Completed,
            "failed" => Self::Failed,
            "cancelled" => Self::Cancelled,
            _ => Self::Unknown,
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Unknown => "unknown",
        }
    }

    /// MCP's status for it, when no question is open.
    pub(super) fn status(self) -> TaskStatus {
        match self {
            // What is not known to have ended is shown, so that it can be looked at and cancelled.
            Self::Scheduled | Self::Queued | Self::Running | Self::Unknown => TaskStatus::Working,
            Self::Completed => TaskStatus::Completed,
            Self::Failed => TaskStatus::Failed,
            Self::Cancelled => TaskStatus::Cancelled,
        }
    }
}

/// The record of one run, without what is pickled.
#[derive(Debug, Clone, Default)]
pub(super) struct Run {
    pub(super) state: Option<RunState>,
    /// Docket's own word for the state, where it is not known here.
    pub(super) unknown_state: Option<String>,
    pub(super) when: Option<Timestamp>,
    pub(super) worker: Option<String>,
    pub(super) started_at: Option<Timestamp>,
    pub(super) completed_at: Option<Timestamp>,
    pub(super) error: Option<String>,
    pub(super) has_result: bool,
    /// Milliseconds that the record has left, once the run has ended.
    pub(super) ttl_ms: Option<i64>,
    pub(super) progress: Option<Progress>,
}

const RUN_FIELDS: [&str; 7] =
    ["state", "when", "worker", "started_at", "completed_at", "error", "result_key"];

impl Run {
    /// Asks for a run. Its pickles are not asked for.
    pub(super) fn ask(docket: &Docket, key: &str, reads: &mut Pipeline) {
        reads.cmd("HMGET").arg(docket.runs(key)).arg(&RUN_FIELDS);
        reads.cmd("PTTL").arg(docket.runs(key));
        reads.cmd("HMGET").arg(docket.progress(key)).arg(&["current", "total", "message"]);
    }

    /// Takes what [`Run::ask`] asked for.
    pub(super) fn take(replies: &mut Replies, notes: &mut Vec<String>) -> FastmcpResult<Self> {
        let fields: Vec<Option<String>> = replies.next("the record of its run", notes)?.unwrap_or_default();
        let mut fields = fields.into_iter();
        let mut next = || fields.next().flatten();
        let word = next();
        let state = word.as_deref().map(RunState::parse);
        let mut run = Self {
            state,
            unknown_state: word.filter(|_| state == Some(RunState::Unknown)),
            when: next().and_then(|epoch| seconds(&epoch)),
            worker: next(),
            started_at: next().and_then(|text| text.parse().ok()),
            completed_at: next().and_then(|text| text.parse().ok()),
            error: next(),
            has_result: next().is_some(),
            ..Self::default()
        };
        run.ttl_ms = replies.next("the record's ttl", notes)?.filter(|ttl: &i64| *ttl >= 0);
        run.progress = progress(replies.next("the progress", notes)?);
        Ok(run)
    }
}

fn progress(fields: Option<Vec<Option<String>>>) -> Option<Progress> {
    let mut fields = fields?.into_iter();
    let mut next = || fields.next().flatten();
    let current = next()?.parse().ok()?;
    let (total, message) = (next().and_then(|total| total.parse().ok()), next());
    // Docket fills in 0 of 100 before a tool has said anything.
    let is_default = current == 0.0 && total == Some(100.0) && message.is_none();
    (!is_default).then_some(Progress { current, total, message })
}

/// A time as text: seconds since the epoch, with a fraction.
fn seconds(text: &str) -> Option<Timestamp> {
    instant(text.parse().ok()?)
}

fn instant(seconds: f64) -> Option<Timestamp> {
    Timestamp::from_millisecond((seconds * 1000.0) as i64).ok()
}

/// Who works, by the server's clock.
#[derive(Debug, Clone)]
pub(super) struct Workers {
    pub(super) now: Timestamp,
    pub(super) beats: BTreeMap<String, Timestamp>,
    read_at: Instant,
}

impl Workers {
    /// The workers of a docket as they are now.
    pub(super) async fn read(link: &Link, docket: &Docket) -> FastmcpResult<Self> {
        let mut reads = redis::pipe();
        reads.cmd("ZRANGE").arg(docket.key("workers")).arg(0).arg(-1).arg("WITHSCORES").cmd("TIME");
        let (mut replies, mut notes) = (link.read(reads).await?, Vec::new());
        let found: Option<Vec<(String, f64)>> = replies.next("the workers", &mut notes)?;
        // A user who may only read may not ask for the time; then this machine's clock has to do.
        let time: Option<(i64, i64)> = replies.next("TIME", &mut notes).unwrap_or_default();
        let now = time.and_then(|(seconds, micros)| {
            Timestamp::from_millisecond(seconds.checked_mul(1000)?.checked_add(micros / 1000)?).ok()
        });
        let beats = found.into_iter().flatten();
        let beats = beats.filter_map(|(worker, score)| Some((worker, instant(score)?))).collect();
        Ok(Self { now: now.unwrap_or_else(Timestamp::now), beats, read_at: Instant::now() })
    }

    /// None, at the beginning of time.
    #[cfg(any(test, fuzzing))]
    pub(super) fn none() -> Self {
        Self { now: Timestamp::UNIX_EPOCH, beats: BTreeMap::new(), read_at: Instant::now() }
    }

    /// The same a little later, without asking again; `None` once that would be too old.
    pub(super) fn later(&self) -> Option<Self> {
        let since = self.read_at.elapsed();
        let now = SignedDuration::try_from(since).ok().and_then(|since| self.now.checked_add(since).ok())?;
        (since < HEARTBEAT_EVERY).then(|| Self { now, ..self.clone() })
    }

    /// When that worker last showed itself.
    pub(super) fn heartbeat(&self, worker: &str) -> Option<Timestamp> {
        self.beats.get(worker).copied()
    }

    /// Whether that worker showed itself lately.
    pub(super) fn is_alive(&self, worker: &str) -> bool {
        self.heartbeat(worker).is_some_and(|beat| self.is_fresh(beat))
    }

    /// Whether a heartbeat of then means a worker that lives now.
    pub(super) fn is_fresh(&self, beat: Timestamp) -> bool {
        self.now.as_millisecond() - beat.as_millisecond() < HEARTBEAT_LIFE_MS
    }

    /// Those that live.
    pub(super) fn alive(&self) -> impl Iterator<Item = &str> {
        self.beats.iter().filter(|(_, beat)| self.is_fresh(**beat)).map(|(worker, _)| worker.as_str())
    }
}
