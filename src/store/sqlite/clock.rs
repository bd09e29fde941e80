//! This machine's clock, in whole milliseconds: what is stored compares equal to what was returned.

use std::time::Duration;

use jiff::Timestamp;

/// Now.
pub(super) fn now() -> Timestamp {
    Timestamp::from_millisecond(Timestamp::now().as_millisecond()).expect("a whole part of a time is a time")
}

/// That long after `time`; `None` when it is past the end of time, which is as good as never.
pub(super) fn later(time: Timestamp, wait: Duration) -> Option<Timestamp> {
    let wait = i64::try_from(wait.as_millis()).ok()?;
    Timestamp::from_millisecond(time.as_millisecond().checked_add(wait)?).ok()
}
