//! How long `serve` and `worker` keep tasks for operators after their ttl has ended.

use std::time::Duration;

use clap::Args;

use super::ui::time;
use crate::engine::Engine;
use crate::store::{MAX_ARCHIVE_BYTES, Retention};

/// `--keep`, and its bound.
#[derive(Debug, Args)]
#[command(next_help_heading = "History")]
pub(crate) struct RetentionArgs {
    /// Keep tasks this long after their ttl ended, for `list --history` and `show` [default: they are deleted then]
    ///
    /// For clients they are gone at the end of their ttl. It holds for the store: a `serve` or `worker` without it keeps
    /// tasks as another one of the same store has said within a day. Foreground calls are not kept.
    #[arg(long, value_name = "DURATION", value_parser = time::duration)]
    keep: Option<Duration>,
    /// The most bytes of tasks that are kept so; those that would go soonest are deleted
    #[arg(long, value_name = "BYTES", requires = "keep", default_value_t = MAX_ARCHIVE_BYTES, hide_short_help = true)]
    keep_bytes: u64,
}

impl RetentionArgs {
    /// Has the engine keep them.
    pub(crate) fn apply(&self, engine: &Engine) {
        if let Some(time) = self.keep {
            engine.retain(Retention { time, bytes: self.keep_bytes });
        }
    }
}
