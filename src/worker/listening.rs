//! Hearing of tasks that were cancelled or taken while they run here.

use std::sync::Arc;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::claims::Heard;
use crate::engine::Signal;

/// Listens until `stop`.
pub(super) async fn listen(shared: Arc<Shared>, mut signals: Receiver<Signal>, stop: CancellationToken) {
    while let Some(signal) = stop.run_until_cancelled(signals.recv()).await {
        match signal {
            Ok(Signal::Event(event)) => {
                if shared.claims.hear(&event) == Heard::Doubtful {
                    shared.doubt.notify_one();
                }
            }
            // Events were missed, or the store is not what it was: all claims are doubtful.
            Ok(Signal::Resync) | Err(RecvError::Lagged(_)) => shared.doubt.notify_one(),
            Err(RecvError::Closed) => return,
        }
    }
}
