//! One run of one task, from its claim to what is recorded of it.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{BoxFuture, OptionFuture};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::claims::Claim;
use super::clock::RunClock;
use super::record::{End, record};
use super::roster::{Entry, RunSlot, Slot};
use super::{Backoff, Interrupted, RunSettings, Shared, TaskContext, ToolOutcome};
use crate::store::Requeue;
use crate::task::{Outcome, Task};

/// The pauses after a shortage: they grow, since what is short now is mostly short for longer, and stay short of
/// what a person would take for a task that hangs.
const SHORTAGE: Backoff =
    Backoff { first: Duration::from_millis(250), factor: 2.0, longest: Duration::from_secs(5) };

/// A tool that runs. It holds all that the run has, on the heap, so that nothing around it does.
type Running<'a> = Pin<Box<dyn Future<Output = ToolOutcome> + Send + 'a>>;

/// Ends when a run has taken the time that it may.
type Limit = OptionFuture<BoxFuture<'static, ()>>;

/// Where a claimed task can be run.
pub(super) enum Place {
    /// Here and now.
    Free(Arc<Entry>, Slot),
    /// Not here: the last slot was taken meanwhile.
    Full,
    /// Not here: the tool was withdrawn after the claim.
    Withdrawn,
}

/// Runs one claimed task to its outcome, or until it is taken away.
#[expect(clippy::manual_async_fn, reason = "an async function would keep its arguments twice while it waits")]
pub(super) fn run_one(
    shared: Arc<Shared>,
    task: Box<Task>,
    claim: Claim,
    place: Place,
) -> impl Future<Output = ()> + Send {
    async move {
        let (entry, slot) = match place {
            Place::Free(entry, slot) => (entry, Arc::new(Mutex::new(Some(slot)))),
            elsewhere => {
                let end = given_back(&shared, &elsewhere);
                return Box::pin(record(&shared, &claim, end, None)).await;
            }
        };
        let attempt = task.attempt;
        let (running, limit) = begin(&shared, &entry, task, (claim.taken(), slot.clone()));
        let outcome = finished(&shared, &entry, (running, limit), claim.taken()).await;
        if let Some(end) = end(&shared, &entry.settings, attempt, outcome) {
            Box::pin(record(&shared, &claim, end, Some(slot))).await;
        }
    }
}

/// Why a task is not run here.
fn given_back(shared: &Shared, place: &Place) -> End {
    let worker = &shared.config.id;
    let reason = match place {
        Place::Full => format!("worker {worker} has no slot free any more"),
        _ => format!("worker {worker} does not offer the tool any more"),
    };
    End::GiveBack(Requeue::returned(reason))
}

/// Takes the task in its box: a box that is emptied elsewhere keeps its room until its owner is done.
fn begin<'a>(
    shared: &Arc<Shared>,
    entry: &'a Arc<Entry>,
    task: Box<Task>,
    (taken, slot): (&CancellationToken, RunSlot),
) -> (Running<'a>, Limit) {
    let context = TaskContext::new(shared.clone(), entry.clone(), *task, taken.clone(), slot);
    let limit = entry.settings.timeout.map(|limit| reached(context.clock(), limit).boxed());
    (entry.tool.run(context), limit.into())
}

async fn reached(clock: Arc<RunClock>, limit: Duration) {
    clock.reaches(limit).await;
}

/// Runs the tool until it ends or somebody ends it. What was taken or given back before is not begun. A panic in it
/// is that task's failure, never the worker's.
async fn finished(
    shared: &Shared,
    entry: &Entry,
    (running, mut limit): (Running<'_>, Limit),
    taken: &CancellationToken,
) -> ToolOutcome {
    let given_back = shared.claims.given_back();
    if taken.is_cancelled() {
        return Err(Interrupted::Taken);
    }
    if given_back.is_cancelled() {
        return Err(Interrupted::GivenBack);
    }
    let mut running = AssertUnwindSafe(running).catch_unwind();
    let interrupted = tokio::select! {
        biased;
        // First, since what has ended has something to say.
        ended = &mut running => return unpanicked(ended),
        () = taken.cancelled() => Interrupted::Taken,
        () = given_back.cancelled() => Interrupted::GivenBack,
        Some(()) = &mut limit => return Ok(late(entry.settings.timeout.unwrap_or_default())),
    };
    match Box::pin(tokio::time::timeout(entry.tool.grace(), running)).await {
        Ok(ended) => unpanicked(ended),
        Err(_) => Err(interrupted),
    }
}

fn unpanicked(ended: std::thread::Result<ToolOutcome>) -> ToolOutcome {
    ended.unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<&str>().copied();
        let words = words.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        Err(Interrupted::Retry(format!("the tool panicked: {}", words.unwrap_or("without a message"))))
    })
}

fn late(limit: Duration) -> Outcome {
    Outcome::tool_error(format!("The tool did not finish within its time limit of {limit:?}."))
}

/// What to record: an outcome, or that the task goes back to the queue. Nothing when it was taken away.
fn end(shared: &Shared, settings: &RunSettings, attempt: u32, outcome: ToolOutcome) -> Option<End> {
    let delay = settings.retry.map(|backoff| backoff.after(attempt));
    Some(match outcome {
        Ok(outcome) if outcome.is_tool_error() && settings.retry.is_some() => {
            let reason = outcome.first_text().unwrap_or("the result is an error").chars().take(500).collect();
            End::GiveBack(Requeue { delay, exhausted: Some(outcome), ..Requeue::failed(reason) })
        }
        Ok(outcome) => End::Finish(outcome),
        Err(Interrupted::Failed(error)) => End::Finish(Outcome::Error(error)),
        Err(Interrupted::Refused(error)) => End::Finish(Outcome::tool_error(error.to_string())),
        Err(Interrupted::Lasting(problem)) => End::Finish(Outcome::tool_error(problem)),
        Err(Interrupted::Retry(reason)) => End::GiveBack(Requeue { delay, ..Requeue::failed(reason) }),
        Err(Interrupted::Shortage(reason)) => {
            let delay = Some(SHORTAGE.after(attempt));
            tracing::warn!(%reason, ?delay, "a task could not begin; it is given back and tried again");
            End::GiveBack(Requeue { delay, ..Requeue::returned(reason) })
        }
        Err(Interrupted::GivenBack) => {
            End::GiveBack(Requeue::returned(format!("worker {} is stopping", shared.config.id)))
        }
        Err(Interrupted::Taken) => return None,
    })
}
