//! How a group of processes is stopped: it has time to end by itself, then SIGTERM, time again, and SIGKILL.

pub(crate) mod command;

use std::time::Duration;

use rustix::process::Signal;
use tokio::time::{Instant, sleep, timeout_at};

/// Looks for what is left of a group are this far apart, doubled from the first to the last: nobody tells when a process
/// ends that is not one's own child.
const FIRST_LOOK: Duration = Duration::from_millis(5);
const LAST_LOOK: Duration = Duration::from_millis(100);

/// Processes that are stopped together.
pub(crate) trait ProcessGroup {
    /// Returns when the process that was started has ended, be it long ago. Dropping the future loses nothing.
    async fn leader_ended(&mut self);

    /// Whether a process of it is alive, once the leader is not.
    async fn is_any_left(&self) -> bool;

    /// Sends a signal to all that are left.
    async fn signal(&self, signal: Signal);
}

/// Whether all of the group ends within that time.
pub(crate) async fn ends_within(group: &mut impl ProcessGroup, most: Duration) -> bool {
    let deadline = Instant::now() + most;
    if timeout_at(deadline, group.leader_ended()).await.is_err() {
        return false;
    }
    let mut pause = FIRST_LOOK;
    while group.is_any_left().await {
        let now = Instant::now();
        if now >= deadline {
            return false;
        }
        sleep(pause.min(deadline - now)).await;
        pause = (pause * 2).min(LAST_LOOK);
    }
    true
}

/// Ends the group: SIGTERM, and SIGKILL for what is there after `grace`. Whether all of it ended, for which the kernel has
/// `after_kill`.
pub(crate) async fn stop(group: &mut impl ProcessGroup, grace: Duration, after_kill: Duration) -> bool {
    group.signal(Signal::TERM).await;
    // A stopped process takes the signal only when it goes on.
    group.signal(Signal::CONT).await;
    if ends_within(group, grace).await {
        return true;
    }
    group.signal(Signal::KILL).await;
    ends_within(group, after_kill).await
}
