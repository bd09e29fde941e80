//! How long drawing takes, told at the end to whoever wants to know: `MCPTASK_LOG=mcptask::tui=debug`.

use std::time::Duration;

/// A frame that takes longer is felt.
const SMOOTH: Duration = Duration::from_millis(50);

/// The frames so far.
#[derive(Debug, Default)]
pub(super) struct Pace {
    frames: u64,
    /// How many of them took longer than is smooth.
    slow: u64,
    slowest: Duration,
}

impl Pace {
    /// A frame took so long.
    pub(super) fn took(&mut self, took: Duration) {
        self.frames += 1;
        self.slow += u64::from(took > SMOOTH);
        self.slowest = self.slowest.max(took);
    }
}

impl Drop for Pace {
    fn drop(&mut self) {
        let slowest = self.slowest.as_micros();
        tracing::debug!(frames = self.frames, slow = self.slow, slowest_us = slowest, "the inbox was drawn");
    }
}
