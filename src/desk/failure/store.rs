//! The library's errors as failures of a command: their kind, and what helps.

use jiff::Timestamp;

use super::{CERTIFICATE_HELP, Failure, Kind};
use crate::desk::suggest::{Advice, Suggested};
use crate::desk::word::quoted;
use crate::desk::{text, time};
use crate::engine::{Engine, EngineError};
use crate::redis_link;
use crate::store::StoreError;
use crate::task::{Answer, QuestionId, Task, TaskId};

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let failure = explained(&error);
        failure.of_outage(is_outage(&error)).of_refusal(error.refusal())
    }
}

/// The failure of a store's error: its kind, and what helps.
fn explained(error: &StoreError) -> Failure {
    let message = error.to_string();
    match error {
        StoreError::NoTask(_) => Failure::new(Kind::NotFound, message).hint(Advice::command(
            Suggested::new("list"),
            "shows the tasks; one that was pruned, or whose ttl ended, is deleted",
        )),
        StoreError::NoQuestion { task, .. } => {
            Failure::new(Kind::NotFound, message).hint(about("show", task, "shows its questions"))
        }
        StoreError::AlreadyAnswered { task, question, answer } => already_answered(task, question, answer),
        StoreError::WaitsLonger { task, question, until } => waits_longer(task, question, *until),
        StoreError::Ended { task, .. } => {
            Failure::new(Kind::NothingChanged, message).hint(about("result", task, "shows how"))
        }
        StoreError::TooManyTasks { .. } => Failure::new(Kind::Unexpected, message)
            .hint(Advice::command(Suggested::new("list").option("--status", "working"), "shows them")),
        StoreError::Unreadable { task, .. } => Failure::new(Kind::Unexpected, message).hint(
            about("cancel", task, "ends it; ")
                .and_command(Suggested::new("doctor").about(task.as_str()), "says more"),
        ),
        StoreError::Refused { .. } | StoreError::Address { .. } => Failure::usage(message),
        StoreError::Refuses { refusal, .. } => {
            let kind = if refusal.is_about_rights() { Kind::Unauthorised } else { Kind::Unreachable };
            Failure::new(kind, message).hint(refusal.advice())
        }
        StoreError::Untrusted { .. } => Failure::new(Kind::Unreachable, message).hint(CERTIFICATE_HELP),
        StoreError::Unreachable { location, .. } => {
            Failure::new(Kind::Unreachable, message).hint(help_to_reach(location))
        }
        StoreError::NoStore { .. } => Failure::new(Kind::Unreachable, message)
            .hint(Advice::command(Suggested::new("serve"), "begins a store")),
        StoreError::OlderLayout { worker, .. } => {
            Failure::new(Kind::Unexpected, message).hint(bring_up_to_date(worker.as_deref()))
        }
        _ => Failure::new(Kind::Unexpected, message),
    }
}

/// What brings a store up to date. While a worker of the older program lives, nothing does.
fn bring_up_to_date(worker: Option<&str>) -> Advice {
    let serve = Advice::command(Suggested::new("serve"), "brings a store up to date");
    let Some(worker) = worker else { return serve };
    let place = match worker_place(worker) {
        Some((host, process)) => format!(" (process {process} on {host})"),
        None => String::new(),
    };
    let worker = text::line(worker);
    serve.after(&format!("stop worker {worker}{place} and all else of the older version; then "))
}

/// The host and the process that a worker's id is made of, where it is.
fn worker_place(worker: &str) -> Option<(String, u32)> {
    let (start, _) = worker.rsplit_once('-')?;
    let (host, process) = start.rsplit_once('-')?;
    Some((text::line(host), process.parse().ok()?))
}

/// A command about a task, and what it does.
fn about(verb: &'static str, task: &TaskId, does: &str) -> Advice {
    Advice::command(Suggested::new(verb).about(task.as_str()), does)
}

/// Whether a command that waits rides it out. Rights and passwords are for the person at the terminal to look at, and
/// a file that cannot be opened does not come back by waiting.
pub(crate) fn is_outage(error: &StoreError) -> bool {
    match error {
        StoreError::Unreachable { location, .. } => is_redis(location),
        StoreError::Refuses { refusal, .. } => refusal.is_passing() && !refusal.is_about_rights(),
        _ => false,
    }
}

/// Who answered first, and when: a second answer changes nothing.
pub(crate) fn already_answered(task: &TaskId, question: &QuestionId, answer: &Answer) -> Failure {
    let when = time::relative(answer.at, Timestamp::now());
    let why = answer.reason.as_deref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    let (action, by, at) = (answer.action, text::line(&answer.answerer()), answer.at);
    Failure::new(
        Kind::NothingChanged,
        format!(
            "question {question} of task {task} was already answered: {action} by {by}{why}, {when} ({at})"
        ),
    )
}

/// That a question waits as long already.
fn waits_longer(task: &TaskId, question: &QuestionId, until: Option<Timestamp>) -> Failure {
    let Some(until) = until else {
        let message = format!("question {question} of task {task} has no end: it waits until it is answered");
        return Failure::new(Kind::NothingChanged, message);
    };
    let stands = format!("{} ({until})", time::relative(until, Timestamp::now()));
    Failure::new(
        Kind::NothingChanged,
        format!("question {question} of task {task} waits longer than that already: it ends {stands}"),
    )
}

fn help_to_reach(location: &str) -> String {
    if is_redis(location) {
        ping(location)
    } else {
        "check --db, and that its directory can be written".to_owned()
    }
}

/// How to look whether anybody answers at the place of that URL, which may be followed by other words.
pub(crate) fn ping(location: &str) -> String {
    let url = location.split_whitespace().next().unwrap_or_default();
    let options = redis_link::cli_options(url).unwrap_or_else(|| ["-h", "HOST"].map(str::to_owned).to_vec());
    let options: Vec<_> = options.iter().map(|option| quoted(option)).collect();
    format!("check --redis or MCPTASK_REDIS_URL, and that `redis-cli {} ping` answers", options.join(" "))
}

fn is_redis(location: &str) -> bool {
    ["redis", "valkey", "unix:", "the given Redis URL"].iter().any(|start| location.starts_with(start))
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        let message = error.to_string();
        match error {
            EngineError::NoPrefix { .. } => Self::new(Kind::NotFound, message)
                .hint(Advice::command(Suggested::new("list"), "shows the tasks")),
            EngineError::Ambiguous { .. } => Self::usage(message).hint("type more of the id"),
            EngineError::UnknownTool { known, .. } if known.is_empty() => {
                Self::new(Kind::NotFound, message).hint(Advice::worker("start one: "))
            }
            EngineError::UnknownTool { .. } => Self::new(Kind::NotFound, message)
                .hint(Advice::command(Suggested::new("tools"), "shows the tools")),
            EngineError::Arguments { tool, .. } => Self::usage(message)
                .hint(Advice::command(Suggested::new("tools").about(tool), "shows what it takes")),
            EngineError::Extension { .. } => Self::usage(message),
            EngineError::Answer { task, .. } => Self::usage(message).hint(
                Advice::from("the question is still open; ")
                    .and_command(Suggested::new("show").about(task.as_str()), "shows what it takes"),
            ),
            EngineError::Store(error) => error.into(),
            EngineError::Question { .. } => Self::new(Kind::Unexpected, message),
        }
    }
}

/// The failure of an error that was met while a task was waited for. A task that is gone has expired if its ttl has
/// ended, and the archive may have it; else it was lost with its store.
pub(crate) async fn gone_or(engine: &Engine, task: &Task, error: EngineError) -> Failure {
    match error {
        EngineError::Store(StoreError::NoTask(id)) if is_archived(engine, &id).await => archived(&id),
        EngineError::Store(StoreError::NoTask(id)) if is_expired(task) => expired(id.as_str()),
        EngineError::Store(StoreError::NoTask(id)) => Failure::new(
            Kind::NotFound,
            format!(
                "task {id} is not there any more, though its ttl has not ended: the store was emptied, or came back \
                     without its data"
            ),
        ),
        other => other.into(),
    }
}

/// Whether the archive has it. Where that cannot be told now, it is not said.
async fn is_archived(engine: &Engine, id: &TaskId) -> bool {
    matches!(engine.resolve_archived(id.as_str()).await, Ok(Some(_)))
}

/// The failure of who wants more of an archived task than to read it.
pub(crate) fn archived(id: &TaskId) -> Failure {
    let message = format!("task {id} expired: its ttl ended; it is in the history, and can only be read");
    Failure::new(Kind::Cancelled, message).hint(about("show", id, "shows it, with its result"))
}

/// The failure of a task that was waited for and is deleted, as its ttl said.
pub(crate) fn expired(id: &str) -> Failure {
    let id = text::line(id);
    Failure::new(Kind::Cancelled, format!("task {id} expired: its ttl ended and it was deleted"))
}

/// The failure of a task that was waited for and that somebody deleted before its ttl ended.
pub(crate) fn pruned(id: &str) -> Failure {
    Failure::new(Kind::Cancelled, format!("task {} was pruned: somebody deleted it", text::line(id)))
}

/// Whether the task's ttl has ended.
pub(crate) fn is_expired(task: &Task) -> bool {
    task.expires_at().is_some_and(|at| at <= Timestamp::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_worker_is_to_be_stopped_before_anything_else_is() {
        let hint = |worker: Option<&str>| {
            let worker = worker.map(str::to_owned);
            let (location, problem) = ("here".to_owned(), "older".to_owned());
            let failure = Failure::from(StoreError::OlderLayout { location, found: 1, problem, worker });
            failure.hints()[0].to_string()
        };
        assert!(hint(None).starts_with("`mcptask serve` brings"), "{}", hint(None));
        let known = hint(Some("vm-311-d4jwtw"));
        assert!(known.starts_with("stop worker vm-311-d4jwtw (process 311 on vm) and"), "{known}");
        assert!(known.ends_with("then `mcptask serve` brings a store up to date"), "{known}");
        assert!(hint(Some("mine")).starts_with("stop worker mine and"), "{}", hint(Some("mine")));
    }
}
