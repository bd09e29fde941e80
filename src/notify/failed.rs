//! Why something was not taken.

use std::time::Duration;

/// Why something was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failed {
    /// In words.
    pub(crate) problem: String,
    /// Whether trying again may help.
    pub(crate) is_passing: bool,
    /// When the receiver wants to be asked again.
    pub(crate) retry_after: Option<Duration>,
}

impl Failed {
    /// What may go better another time.
    pub(super) fn passing(problem: impl Into<String>) -> Self {
        Self { problem: problem.into(), is_passing: true, retry_after: None }
    }

    /// What will be so again.
    pub(super) fn for_good(problem: impl Into<String>) -> Self {
        Self { is_passing: false, ..Self::passing(problem) }
    }
}
