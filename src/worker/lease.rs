//! A worker's lease: one renewal for all its tasks, however many it holds.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{AFTER_FAILURE, Shared};
use crate::store::StoreResult;

/// Renews the lease at a third of its length until `stop`, so that one lost renewal does not end it.
pub(super) async fn renew(shared: Arc<Shared>, stop: CancellationToken) {
    let mut beat = tokio::time::interval(shared.config.lease / 3);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = beat.tick() => {}
        }
        if let Err(error) = renew_once(&shared).await {
            tracing::warn!(%error, "could not renew the worker's lease; trying again");
            // Soon: the lease may end before the next beat.
            beat.reset_after(AFTER_FAILURE.min(shared.config.lease / 3));
        }
    }
}

pub(super) async fn renew_once(shared: &Shared) -> StoreResult<()> {
    let (store, config) = (shared.engine.store(), &shared.config);
    if !store.renew(&config.id, config.lease).await? {
        tracing::warn!(worker = %config.id, "the lease had ended; enlisting again");
        store.enlist(&config.id, &shared.roster.specs(), config.lease).await?;
    }
    Ok(())
}
