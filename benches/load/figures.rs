//! Percentiles, and the clock that all processes read.

use std::time::{SystemTime, UNIX_EPOCH};

/// Nanoseconds since 1970.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    u64::try_from(since.as_nanos()).expect("a clock before 2554")
}

/// Percentiles of durations, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Figures {
    pub(crate) count: usize,
    pub(crate) p50: f64,
    pub(crate) p95: f64,
    pub(crate) p99: f64,
}

impl Figures {
    /// The figures of some durations in nanoseconds; `None` of none.
    pub(crate) fn of(mut nanos: Vec<u64>) -> Option<Self> {
        if nanos.is_empty() {
            return None;
        }
        nanos.sort_unstable();
        let at = |share: f64| micros(nanos[((nanos.len() - 1) as f64 * share).round() as usize]);
        Some(Self { count: nanos.len(), p50: at(0.50), p95: at(0.95), p99: at(0.99) })
    }
}

fn micros(nanos: u64) -> f64 {
    rounded(nanos as f64 / 1000.0)
}

/// To three digits or to a whole number, whichever says more.
pub(crate) fn rounded(value: f64) -> f64 {
    let digits = if value.abs() >= 100.0 {
        0
    } else if value.abs() >= 10.0 {
        1
    } else {
        2
    };
    let factor = 10_f64.powi(digits);
    (value * factor).round() / factor
}
