//! What an operator may say of how a tool is run, whatever kind of tool it is.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::{TaskContext, Tool, ToolOutcome};
use crate::task::ToolSpec;

/// How a tool is run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunSettings {
    /// How long one run may take, waiting for people and for slots not counted.
    pub timeout: Option<Duration>,
    /// The pauses before a failed run is tried again; with `None`, a result that is an error is final. How
    /// often it is tried is [`ToolSpec::max_attempts`].
    pub retry: Option<Backoff>,
    /// How many tasks of the tool one worker runs at once; waiting ones do not count.
    pub concurrency: Option<usize>,
}

/// Pauses that grow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backoff {
    /// Before the second attempt.
    pub first: Duration,
    /// By how much each pause is longer than the one before.
    pub factor: f64,
    /// No pause is longer.
    pub longest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_secs(1), factor: 2.0, longest: Duration::from_secs(60) }
    }
}

impl Backoff {
    /// The pause after the attempt of that number, counted from 1.
    pub fn after(&self, attempt: u32) -> Duration {
        let grown = self.first.as_secs_f64() * self.factor.powi(attempt.saturating_sub(1).min(1000) as i32);
        Duration::try_from_secs_f64(grown).map_or(self.longest, |pause| pause.min(self.longest))
    }
}

/// A tool with an operator's settings.
pub struct Configured {
    tool: Arc<dyn Tool>,
    settings: RunSettings,
}

impl Configured {
    /// The tool, run with these settings in place of its own.
    pub fn new(tool: Arc<dyn Tool>, settings: RunSettings) -> Self {
        Self { tool, settings }
    }
}

#[async_trait]
impl Tool for Configured {
    fn spec(&self) -> &ToolSpec {
        self.tool.spec()
    }

    fn settings(&self) -> RunSettings {
        self.settings.clone()
    }

    fn grace(&self) -> Duration {
        self.tool.grace()
    }

    // Passes the tool's own future on: one around it would stay for as long as the tool waits.
    fn run<'this, 'run>(
        &'this self,
        task: TaskContext,
    ) -> Pin<Box<dyn Future<Output = ToolOutcome> + Send + 'run>>
    where
        'this: 'run,
        Self: 'run,
    {
        self.tool.run(task)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_the_longest() {
        let seconds = Duration::from_secs;
        let backoff = Backoff { first: seconds(1), factor: 3.0, longest: seconds(10) };
        assert_eq!([1, 2, 3, 4].map(|attempt| backoff.after(attempt)), [1, 3, 9, 10].map(seconds));
        assert_eq!(backoff.after(u32::MAX), seconds(10));
    }
}
