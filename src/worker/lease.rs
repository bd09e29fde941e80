//! A worker's lease: one renewal for all its tasks, however many it holds. With it the worker looks whether the
//! store still knows what this worker knows: the worker itself, and which tasks it holds.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::Shared;
use crate::engine::{Living, RENEWED_AGAIN, Retry};
use crate::store::{ClaimKey, Requeue, StoreResult};

/// The clocks are compared so often: a machine that slept has to renew its leases as soon as it is awake.
const CLOCK_LOOK: Duration = Duration::from_millis(500);

/// How much more the time of day may advance than the clock that timers run by, before the machine has slept.
/// Somebody who sets the clock brings about a renewal too, which does no harm.
const SLEPT: Duration = Duration::from_secs(1);

/// Claims that are compared at each renewal; with more of them it is done less often, in proportion, so that very
/// many tasks that wait for people cost next to nothing.
const COMPARED: usize = 1000;

/// Renews the lease at a third of its length until `stop`, so that one lost renewal does not end it; at once when it
/// was found to have ended, when the machine wakes, and when what is held may have changed.
pub(super) async fn keep(shared: Arc<Shared>, living: Living, stop: CancellationToken) {
    let mut keeper = Keeper::new(&shared);
    let mut pause = shared.config.lease / 3;
    loop {
        let look_again = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = shared.doubt.notified() => true,
            () = living.overdue() => false,
            () = beat(pause) => false,
        };
        let Some(renewed) = stop.run_until_cancelled(keeper.renew(look_again)).await else { return };
        pause = keeper.next(renewed);
    }
}

/// Sleeps, and no longer than until the machine has slept.
async fn beat(pause: Duration) {
    let end = Instant::now() + pause;
    loop {
        let (before, time_of_day) = (Instant::now(), SystemTime::now());
        let left = end.saturating_duration_since(before);
        if left.is_zero() {
            return;
        }
        sleep(left.min(CLOCK_LOOK)).await;
        // A clock that was set back says nothing.
        if time_of_day.elapsed().unwrap_or_default() > before.elapsed() + SLEPT {
            return;
        }
    }
}

/// What is remembered from one renewal to the next.
struct Keeper<'a> {
    shared: &'a Shared,
    retry: Retry,
    /// Renewals since the claims were compared.
    uncompared: usize,
    /// What the store said that this worker holds, and it did not know of.
    unknown: HashSet<ClaimKey>,
}

impl<'a> Keeper<'a> {
    fn new(shared: &'a Shared) -> Self {
        // Soon: the lease may end before the next beat, and others judge it soon after the store takes writes again.
        let most = RENEWED_AGAIN.min(shared.config.lease / 3);
        let retry = Retry::new("renewing the worker's lease").pausing_at_most(most);
        Self { shared, retry, uncompared: 0, unknown: HashSet::new() }
    }

    /// The pause before the next renewal.
    fn next(&mut self, renewed: StoreResult<()>) -> Duration {
        match renewed {
            Ok(()) => {
                self.retry.worked();
                self.shared.config.lease / 3
            }
            Err(error) => self.retry.failed(&error),
        }
    }

    async fn renew(&mut self, look_again: bool) -> StoreResult<()> {
        let known = renew_once(self.shared).await?;
        self.uncompared += 1;
        if look_again || !known || self.uncompared * COMPARED >= self.shared.claims.count() {
            self.compare().await?;
        }
        Ok(())
    }

    /// Compares the claims. A run whose claim the store does not know has lost its task: to another worker, or
    /// with the store's data.
    async fn compare(&mut self) -> StoreResult<()> {
        // Looked up before the store is asked: what is claimed meanwhile is no difference.
        let held = self.shared.claims.arrived();
        let known = claims(self.shared).await?;
        self.uncompared = 0;
        for lost in held.difference(&known) {
            if self.shared.claims.end(lost) {
                tracing::info!(task = %lost.task, attempt = lost.attempt, "the claim is lost; its run ends");
            }
        }
        let now = self.shared.claims.held();
        let unknown: HashSet<_> = known.difference(&now).cloned().collect();
        // The reply to a claim may be on its way, and what was just recorded may still have been read.
        if !unknown.is_disjoint(&self.unknown) {
            self.shared.roster.call_off(true);
        }
        self.unknown = unknown;
        Ok(())
    }
}

async fn claims(shared: &Shared) -> StoreResult<HashSet<ClaimKey>> {
    Ok(shared.engine.store().claims(&shared.config.id).await?.into_iter().collect())
}

/// Renews the lease; false where the store did not know the worker or its tools any more, and it was enlisted again.
pub(super) async fn renew_once(shared: &Shared) -> StoreResult<bool> {
    let (store, config) = (shared.engine.store(), &shared.config);
    let known = store.renew(&config.id, config.lease).await?;
    if !known {
        tracing::warn!(worker = %config.id, "the store does not know this worker or its tools any more; enlisting again");
        store.enlist(&config.id, Some(&config.details()), &shared.roster.specs(), config.lease).await?;
    }
    Ok(known)
}

/// Gives back what the store says that this worker holds and it does not know of: the reply to its claim was
/// lost, or the store came back older. Only while no claim is under way, since its reply may bring them.
pub(super) async fn give_back_unknown(shared: &Shared) -> StoreResult<()> {
    let reason = format!("worker {} does not know of its claim", shared.config.id);
    for claim in claims(shared).await?.difference(&shared.claims.held()) {
        match shared.engine.store().requeue(claim, &Requeue::returned(reason.clone())).await {
            Ok(()) => tracing::info!(task = %claim.task, reason, "gave a task back"),
            Err(error) if error.is_passing() => return Err(error),
            // It has ended or gone elsewhere meanwhile, or cannot be read.
            Err(error) => tracing::debug!(%error, "could not give a task back"),
        }
    }
    Ok(())
}
