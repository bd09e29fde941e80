//! Taking tasks off the queue, as many as can be run.

use std::sync::Arc;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::roster::Turn;
use super::run::{self, Place};
use super::{Shared, lease};
use crate::engine::Retry;
use crate::store::{ClaimKey, StoreError, StoreResult};
use crate::task::Task;

/// Claims tasks and has them run until `stop`.
pub(super) async fn claim_until(shared: &Arc<Shared>, tracker: &TaskTracker, stop: &CancellationToken) {
    let mut retry = Retry::new("claiming tasks");
    // Whether the store was away, so that any reply says that it is back. One that refused claims has to take one.
    let mut was_away = false;
    while stop.run_until_cancelled(shared.roster.any_free()).await.is_some() && !stop.is_cancelled() {
        let turn = shared.roster.turn(stop);
        let claimed = match look_around(shared, &turn).await {
            Ok(()) => {
                if turn.doubtful && std::mem::take(&mut was_away) {
                    retry.worked();
                }
                claim(shared, &turn).await
            }
            Err(error) => Err(error),
        };
        match claimed {
            Ok(tasks) => {
                if !tasks.is_empty() {
                    retry.worked();
                }
                for task in tasks {
                    begin(shared, tracker, task);
                }
            }
            Err(error) => {
                // It may have been done, and only its reply was lost; or it was refused because the lease has
                // ended.
                shared.roster.call_off(true);
                was_away = matches!(error, StoreError::Unreachable { .. });
                let pause = retry.failed(&error);
                stop.run_until_cancelled(sleep(pause)).await;
            }
        }
    }
}

/// No claim is under way now, so whatever the store knows more of than this worker is not on its way.
async fn look_around(shared: &Shared, turn: &Turn) -> StoreResult<()> {
    if !turn.doubtful {
        return Ok(());
    }
    lease::renew_once(shared).await?;
    lease::give_back_unknown(shared).await
}

/// Waits for the next tasks; none when there is a reason to look around first.
async fn claim(shared: &Shared, turn: &Turn) -> StoreResult<Vec<Task>> {
    if turn.most == 0 {
        return Ok(Vec::new());
    }
    if turn.tools.is_empty() {
        turn.until.cancelled().await;
        return Ok(Vec::new());
    }
    shared.engine.store().claim(&shared.config.id, &turn.tools, turn.most, &turn.until).await
}

fn begin(shared: &Arc<Shared>, tracker: &TaskTracker, task: Task) {
    // Held from here on, so that nothing takes it for a task that nobody knows of.
    let claim = shared.claims.hold(&ClaimKey { task: task.id().clone(), attempt: task.attempt });
    let place = match shared.roster.find(&task.new.tool) {
        None => Place::Withdrawn,
        Some(entry) => match shared.roster.take_now(&entry) {
            None => Place::Full,
            Some(slot) => Place::Free(entry, slot),
        },
    };
    tracker.spawn(run::run_one(shared.clone(), Box::new(task), claim, place));
}
