//! The store's time, in whole milliseconds: what is stored compares equal to what was returned.
//!
//! Deadlines, ttls and leases are times that one process writes and another one compares with its own clock. A clock
//! that runs ahead (a container's, a virtual machine's, one that was set by hand) would end other people's questions
//! and take living workers' tasks. So each process compares its clock with one that they share and none of them sets:
//! the file system's, which stamps the bell file when it is touched. A process that differs by more than
//! [`TOLERANCE_MS`] goes by the file system's clock; one that differs by less goes by its own, which is finer.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

/// Where a process has its time from.
pub type TimeSource = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// File systems stamp in steps of up to two seconds, so less than this says nothing.
const TOLERANCE_MS: i64 = 3000;

/// One process's clock, set right by the file system's.
pub(super) struct Clock {
    own: TimeSource,
    ahead_ms: AtomicI64,
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock").field("ahead_ms", &self.ahead_ms).finish_non_exhaustive()
    }
}

impl Clock {
    pub(super) fn new(own: TimeSource) -> Self {
        Self { own, ahead_ms: AtomicI64::new(0) }
    }

    /// Now.
    pub(super) fn now(&self) -> Timestamp {
        let millis = self.own_ms().saturating_sub(self.ahead_ms.load(Ordering::Relaxed));
        Timestamp::from_millisecond(millis).unwrap_or_default()
    }

    fn own_ms(&self) -> i64 {
        (self.own)().as_millisecond()
    }

    /// Compares it with the file system's clock, read a moment ago.
    pub(super) fn compare(&self, witness_ms: i64) {
        let ahead_ms = self.own_ms().saturating_sub(witness_ms);
        let ahead_ms = if ahead_ms.saturating_abs() > TOLERANCE_MS { ahead_ms } else { 0 };
        let before_ms = self.ahead_ms.swap(ahead_ms, Ordering::Relaxed);
        if ahead_ms.abs_diff(before_ms) > TOLERANCE_MS.unsigned_abs() {
            tracing::warn!("{}", difference(ahead_ms));
        }
    }
}

/// How far the clock is off, in words.
fn difference(ahead_ms: i64) -> String {
    let seconds = ahead_ms.unsigned_abs() as f64 / 1000.0;
    match ahead_ms {
        0 => "this process's clock agrees with the file system's again".to_owned(),
        1.. => format!("this process's clock is {seconds} s ahead of the file system's, which counts"),
        _ => format!("this process's clock is {seconds} s behind the file system's, which counts"),
    }
}

/// That long after `time`; `None` when it is past the end of time, which is as good as never.
pub(super) fn later(time: Timestamp, wait: Duration) -> Option<Timestamp> {
    let wait = i64::try_from(wait.as_millis()).ok()?;
    Timestamp::from_millisecond(time.as_millisecond().checked_add(wait)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_has_its_direction() {
        assert!(difference(7_200_000).contains("is 7200 s ahead of"));
        assert!(difference(-7_200_000).contains("is 7200 s behind"));
        assert!(difference(0).contains("agrees"));
    }
}
