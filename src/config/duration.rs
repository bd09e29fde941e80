//! How long times in a configuration may be.

use std::time::Duration;

pub(super) use crate::task::duration::parse;

/// Longer ones are a slip: they leave the range of the clocks that they are added to.
pub(super) const LONGEST: Duration = Duration::from_secs(10 * 366 * 24 * 60 * 60);
