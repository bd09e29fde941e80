//! What time brings: question timeouts, ttls, and the tasks of workers whose lease ended.

use std::time::Duration;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Engine, EngineResult, Hub, Signal};
use crate::store::{Due, Requeue, Store, StoreError};
use crate::task::{Answer, Answerer, EventKind};

/// A deadline can come from another process at any time; its event moves the next look here.
const SETTLE: Duration = Duration::from_millis(100);

/// The longest sleep between two looks: a bound on how late a lost event can make a deadline.
const LONGEST: Duration = Duration::from_secs(30);

/// The pause after a look that failed.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

pub(super) async fn keep(engine: &Engine, stop: CancellationToken) {
    let mut signals = None;
    while !stop.is_cancelled() {
        // Subscribed before the look, so that a deadline set while looking is not overlooked.
        if signals.is_none() {
            signals = engine.hub().await.ok().map(Hub::subscribe);
        }
        let pause = match look(engine).await {
            Ok(next) => next.unwrap_or(LONGEST).min(LONGEST),
            Err(error) => {
                tracing::debug!(%error, "could not look for what is due");
                AFTER_FAILURE
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = sleep_or_sooner(signals.as_mut(), Instant::now() + pause) => {}
        }
    }
}

/// Sleeps until `until`, or until shortly after something with a deadline was submitted or asked.
async fn sleep_or_sooner(signals: Option<&mut Receiver<Signal>>, mut until: Instant) {
    let Some(signals) = signals else { return tokio::time::sleep_until(until).await };
    loop {
        let signal = tokio::select! {
            () = tokio::time::sleep_until(until) => return,
            signal = signals.recv() => signal,
        };
        match signal {
            Ok(Signal::Event(event)) if !brings_deadline(&event.kind) => {}
            Ok(_) | Err(RecvError::Lagged(_)) => until = until.min(Instant::now() + SETTLE),
            Err(RecvError::Closed) => return tokio::time::sleep_until(until).await,
        }
    }
}

fn brings_deadline(kind: &EventKind) -> bool {
    matches!(
        kind,
        EventKind::Submitted {}
            | EventKind::Asked { .. }
            | EventKind::Claimed { .. }
            | EventKind::Requeued { .. }
    )
}

/// Does all that is due and returns how long until there is more.
async fn look(engine: &Engine) -> EngineResult<Option<Duration>> {
    let store = engine.store();
    loop {
        let due = store.due().await?;
        if due.is_empty() {
            return Ok(due.next);
        }
        settle(&**store, due).await?;
    }
}

async fn settle(store: &dyn Store, due: Due) -> EngineResult<()> {
    for (task, question) in due.questions {
        let answer = Answer::cancel(Answerer::Timeout, "nobody answered in time");
        harmless(store.answer(&task, &question, &answer).await.map(drop))?;
    }
    for (claim, worker) in due.claims {
        let reason = format!("worker {worker} stopped without finishing it");
        harmless(store.requeue(&claim, &Requeue::failed(reason)).await)?;
    }
    for task in due.delayed {
        harmless(store.resume(&task).await)?;
    }
    for task in due.tasks {
        harmless(store.expire(&task).await)?;
    }
    Ok(())
}

/// Another process may have done the same a moment before; only a store that does not work is an error.
fn harmless(done: Result<(), StoreError>) -> EngineResult<()> {
    match done {
        Err(error @ (StoreError::Unreachable { .. } | StoreError::Backend { .. })) => Err(error.into()),
        _ => Ok(()),
    }
}
