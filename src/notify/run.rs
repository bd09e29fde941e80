//! Holding a notifier: one process does at a time, and another one goes on where that leaves off.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::runner::Runner;
use super::session::{Ended, Session};
use crate::engine::{EngineError, EngineResult, Retry};
use crate::store::notifiers::{Hold, NotifierCursors};

/// Takes the lease and works under it; returns when the process stops or another one has it.
async fn held(runner: &Runner, retry: &mut Retry, stop: &CancellationToken) -> EngineResult<Ended> {
    // Whoever waits here for a store that is away would not see the stop.
    let last = runner.engine.store().last().await?;
    let known = runner.known();
    let began = Instant::now();
    // Whoever begins to tell does not tell of what has long been.
    let place = known.unwrap_or(NotifierCursors { events: last, unanswered: last });
    let Hold::Here { cursors, revision, is_new } = runner.hold(place).await? else {
        retry.worked();
        return Ok(Ended::Lost);
    };
    if is_new && known.is_some() {
        runner.tell_of_loss(None);
    }
    let notifier = runner.name.as_str();
    tracing::debug!(notifier, "this process tells");
    let mut session = Session::begin(runner, (cursors, revision), began + runner.lease).await?;
    retry.worked();
    let ended = session.run(stop).await?;
    if ended == Ended::Lost {
        tracing::info!(notifier, "another process tells now");
    }
    Ok(ended)
}

/// Tells whenever nobody else does, until `stop`.
pub(crate) async fn run(runner: Runner, stop: CancellationToken) {
    let mut retry = Retry::new("telling of events");
    while !stop.is_cancelled() {
        let pause = match held(&runner, &mut retry, &stop).await {
            Ok(Ended::Stopped) => break,
            Ok(Ended::Lost) => runner.lease / 3,
            Err(error) => paused(&mut retry, &error),
        };
        if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
            break;
        }
    }
    // An error only means that others wait for the lease to end.
    let _ = runner.engine.store().notifiers().release(&runner.name, &runner.holder).await;
}

fn paused(retry: &mut Retry, error: &EngineError) -> Duration {
    retry.failed(error).max(Duration::from_millis(200))
}
