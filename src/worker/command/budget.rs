//! How many events a command may cause.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How many events may come at once after a quiet time.
const BURST: f64 = 20.0;

/// A bucket of events that refills at a steady rate.
#[derive(Debug)]
pub(super) struct Budget {
    per_second: f64,
    /// What is left, and when that was so.
    left: Mutex<(f64, Instant)>,
}

impl Budget {
    pub(super) fn new(per_second: u32) -> Self {
        Self { per_second: f64::from(per_second.max(1)), left: Mutex::new((BURST, Instant::now())) }
    }

    /// Takes one event, where there is one.
    pub(super) fn try_take(&self) -> Result<(), Duration> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let refilled = left.0 + (now - left.1).as_secs_f64() * self.per_second;
        *left = (refilled.min(BURST), now);
        if left.0 < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - left.0) / self.per_second));
        }
        left.0 -= 1.0;
        Ok(())
    }

    /// Waits for one event and takes it.
    pub(super) async fn take(&self) {
        while let Err(wait) = self.try_take() {
            sleep(wait).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_bounded() {
        let budget = Budget::new(1);
        let taken = (0..100).filter(|_| budget.try_take().is_ok()).count();
        assert!((20..30).contains(&taken), "{taken}");
    }
}
