//! Going on when the store comes back.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::store::{StoreError, StoreResult};

/// Pauses between attempts: doubled from the first to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LAST_PAUSE: Duration = Duration::from_secs(2);

/// Repeats a verb while the store cannot be reached, until `give_up`. Only for reads, and for verbs under a
/// claim: these can be repeated safely, since the claim and the journal show what was done already.
pub(crate) async fn patiently<T, F>(
    give_up: &CancellationToken,
    verb: impl Fn() -> F + Send,
) -> StoreResult<T>
where
    F: Future<Output = StoreResult<T>> + Send,
{
    let mut pause = FIRST_PAUSE;
    loop {
        let error = match verb().await {
            Err(error @ StoreError::Unreachable { .. }) => error,
            done => return done,
        };
        tracing::debug!(%error, "the store is away; trying again");
        tokio::select! {
            () = give_up.cancelled() => return Err(error),
            () = tokio::time::sleep(pause) => {}
        }
        pause = (pause * 2).min(LAST_PAUSE);
    }
}
