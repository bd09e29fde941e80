//! One run of one task, from its claim to what is recorded of it.

use std::sync::Arc;
use std::time::Duration;

use super::held::{Hold, Signals};
use super::roster::{Entry, Slot};
use super::{Interrupted, RunSettings, Shared, TaskContext, ToolOutcome};
use crate::engine::patiently;
use crate::store::{ClaimKey, Requeue, StoreError};
use crate::task::{Outcome, Task};

/// Runs one claimed task to its outcome, or until it is taken away.
pub(super) async fn run_one(
    shared: Arc<Shared>,
    task: Task,
    held: Hold,
    (entry, slot): (Option<Arc<Entry>>, Option<Slot>),
) {
    let claim = ClaimKey { task: task.id().clone(), attempt: task.attempt };
    let signals = held.signals();
    let Some(entry) = entry else {
        // The tool was withdrawn after the claim; whoever still offers it may have the task.
        let reason =
            format!("worker {} does not offer the tool {:?} any more", shared.config.id, task.new.tool);
        return record(&shared, &claim, &signals, Err(Requeue::returned(reason))).await;
    };
    let slot = if slot.is_some() { slot } else { shared.roster.take(&entry).await };
    let Some(slot) = slot else { return };
    let attempt = task.attempt;
    let context = TaskContext::new(shared.clone(), entry.clone(), task, signals.clone(), slot);
    let outcome = finished(&entry, context, &signals).await;
    if let Some(end) = end(&shared, &entry.settings, attempt, outcome) {
        record(&shared, &claim, &signals, end).await;
    }
}

/// Runs the tool until it ends or somebody ends it.
async fn finished(entry: &Arc<Entry>, context: TaskContext, signals: &Signals) -> ToolOutcome {
    let clock = context.clock();
    let tool = entry.tool.clone();
    let grace = tool.grace();
    let limit = entry.settings.timeout;
    // A panic in a tool is that task's failure, never the worker's.
    let mut running = tokio::spawn(async move { tool.run(context).await });
    let interrupted = tokio::select! {
        joined = &mut running => return ended(joined),
        () = signals.taken.cancelled() => Interrupted::Taken,
        () = signals.given_back.cancelled() => Interrupted::GivenBack,
        () = clock.reaches(limit.unwrap_or(Duration::MAX)), if limit.is_some() => {
            running.abort();
            return Ok(late(limit.unwrap_or_default()));
        }
    };
    if let Ok(joined) = tokio::time::timeout(grace, &mut running).await {
        return ended(joined);
    }
    running.abort();
    Err(interrupted)
}

fn late(limit: Duration) -> Outcome {
    Outcome::tool_error(format!("The tool did not finish within its time limit of {limit:?}."))
}

fn ended(joined: Result<ToolOutcome, tokio::task::JoinError>) -> ToolOutcome {
    joined.unwrap_or_else(|error| Err(Interrupted::Retry(format!("the tool panicked: {error}"))))
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
        Err(Interrupted::GivenBack) => {
            Err(Requeue::returned(format!("worker {} is stopping", shared.config.id)))
        }
        Err(Interrupted::Taken) => return None,
    })
}

async fn record(shared: &Shared, claim: &ClaimKey, signals: &Signals, end: Result<Outcome, Requeue>) {
    let store = shared.engine.store();
    let done = patiently(&signals.given_back, || async {
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
