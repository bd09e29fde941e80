//! One run of one task, from its claim to what is recorded of it.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{BoxFuture, OptionFuture};
use tokio_util::sync::CancellationToken;

use super::clock::RunClock;
use super::held::Hold;
use super::roster::{Entry, Slot};
use super::{Interrupted, RunSettings, Shared, TaskContext, ToolOutcome};
use crate::engine::patiently;
use crate::store::{ClaimKey, Requeue, StoreError};
use crate::task::{Outcome, Task};

/// A tool that runs. It holds all that the run has, on the heap, so that nothing around it does.
type Running<'a> = Pin<Box<dyn Future<Output = ToolOutcome> + Send + 'a>>;

/// Ends when a run has taken the time that it may.
type Limit = OptionFuture<BoxFuture<'static, ()>>;

/// How long a task waits that could not begin for want of something.
const AFTER_SHORTAGE: Duration = Duration::from_secs(1);

/// Runs one claimed task to its outcome, or until it is taken away.
#[expect(clippy::manual_async_fn, reason = "an async function would keep its arguments twice while it waits")]
pub(super) fn run_one(
    shared: Arc<Shared>,
    task: Box<Task>,
    held: Hold,
    (entry, mut slot): (Option<Arc<Entry>>, Option<Slot>),
) -> impl Future<Output = ()> + Send {
    async move {
        let claim = held.claim();
        let Some(entry) = &entry else {
            // The tool was withdrawn after the claim; whoever still offers it may have the task.
            let reason =
                format!("worker {} does not offer the tool {:?} any more", shared.config.id, task.new.tool);
            return Box::pin(record(&shared, claim, Err(Requeue::returned(reason)))).await;
        };
        if slot.is_none() {
            slot = Box::pin(shared.roster.take(entry)).await;
        }
        let Some(slot) = slot.take() else { return };
        let attempt = task.attempt;
        let (running, limit) = begin(&shared, entry, task, held.taken(), slot);
        let outcome = finished(&shared, entry, (running, limit), held.taken()).await;
        if let Some(end) = end(&shared, &entry.settings, attempt, outcome) {
            Box::pin(record(&shared, claim, end)).await;
        }
    }
}

/// Takes the task in its box: a box that is emptied elsewhere keeps its room until its owner is done.
fn begin<'a>(
    shared: &Arc<Shared>,
    entry: &'a Arc<Entry>,
    task: Box<Task>,
    taken: &CancellationToken,
    slot: Slot,
) -> (Running<'a>, Limit) {
    let context = TaskContext::new(shared.clone(), entry.clone(), *task, taken.clone(), slot);
    let limit = entry.settings.timeout.map(|limit| reached(context.clock(), limit).boxed());
    (entry.tool.run(context), limit.into())
}

async fn reached(clock: Arc<RunClock>, limit: Duration) {
    clock.reaches(limit).await;
}

/// Runs the tool until it ends or somebody ends it. A panic in it is that task's failure, never the worker's.
async fn finished(
    shared: &Shared,
    entry: &Entry,
    (running, mut limit): (Running<'_>, Limit),
    taken: &CancellationToken,
) -> ToolOutcome {
    let mut running = AssertUnwindSafe(running).catch_unwind();
    let interrupted = tokio::select! {
        ended = &mut running => return unpanicked(ended),
        () = taken.cancelled() => Interrupted::Taken,
        () = shared.held.given_back().cancelled() => Interrupted::GivenBack,
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
fn end(
    shared: &Shared,
    settings: &RunSettings,
    attempt: u32,
    outcome: ToolOutcome,
) -> Option<Result<Outcome, Requeue>> {
    let delay = settings.retry.map(|backoff| backoff.after(attempt));
    Some(match outcome {
        Ok(outcome) if outcome.is_tool_error() && settings.retry.is_some() => {
            let reason = outcome.first_text().unwrap_or("the result is an error").chars().take(500).collect();
            Err(Requeue { delay, exhausted: Some(outcome), ..Requeue::failed(reason) })
        }
        Ok(outcome) => Ok(outcome),
        Err(Interrupted::Failed(error)) => Ok(Outcome::Error(error)),
        Err(Interrupted::Refused(error)) => Ok(Outcome::tool_error(error.to_string())),
        Err(Interrupted::Retry(reason)) => Err(Requeue { delay, ..Requeue::failed(reason) }),
        Err(Interrupted::Shortage(reason)) => {
            Err(Requeue { delay: Some(AFTER_SHORTAGE), ..Requeue::returned(reason) })
        }
        Err(Interrupted::GivenBack) => {
            Err(Requeue::returned(format!("worker {} is stopping", shared.config.id)))
        }
        Err(Interrupted::Taken) => return None,
    })
}

async fn record(shared: &Shared, claim: &ClaimKey, end: Result<Outcome, Requeue>) {
    let store = shared.engine.store();
    let done = patiently(shared.held.given_back(), || async {
        match &end {
            Ok(outcome) => store.finish(claim, outcome).await,
            Err(requeue) => store.requeue(claim, requeue).await,
        }
    })
    .await;
    match done {
        Ok(()) | Err(StoreError::ClaimLost { .. } | StoreError::NoTask(_)) => {}
        // The lease will end, and another worker will run the task again from its journal.
        Err(error) => tracing::error!(task = %claim.task, %error, "could not record how a task ended"),
    }
}
