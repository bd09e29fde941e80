//! The archive: tasks whose ttl has ended, kept for operators alone, for a while and within a number of bytes.

use std::time::Duration;

use jiff::Timestamp;

use super::{PageCursor, Unreadable};
use crate::task::{Event, Task};

/// The most bytes of archived tasks where nothing else is said.
pub const MAX_ARCHIVE_BYTES: u64 = 256 * 1024 * 1024;

/// The most events that are archived of one task: its newest.
pub const MAX_ARCHIVED_EVENTS: usize = 1000;

/// The most bytes of events that are archived of one task.
pub const MAX_ARCHIVED_EVENT_BYTES: usize = 1024 * 1024;

/// How long tasks stay in the archive, and how many bytes of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// How long after the end of its ttl a task is deleted.
    pub time: Duration,
    /// The most bytes of all archived tasks of a namespace; beyond them those that would go soonest are deleted.
    pub bytes: u64,
}

impl Retention {
    /// The time in milliseconds, as the stores count.
    pub(super) fn millis(&self) -> u64 {
        u64::try_from(self.time.as_millis()).unwrap_or(u64::MAX)
    }
}

/// A task of the archive, as it was when its ttl ended.
#[derive(Debug, Clone, PartialEq)]
pub struct ArchivedTask {
    /// The task. One that had not ended is cancelled.
    pub task: Task,
    /// Its newest events that this version can read, oldest first; `expired` is the last one.
    pub events: Vec<Event>,
    /// When it was archived.
    pub expired_at: Timestamp,
    /// When it is deleted, unless its bytes are needed sooner.
    pub kept_until: Timestamp,
}

/// A page of archived tasks.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ArchivePage {
    /// The tasks. Bounded in bytes too, so a page can be shorter than was asked for and still have a next one.
    pub tasks: Vec<ArchivedTask>,
    /// Tasks that belong here by what could be read of them.
    pub unreadable: Vec<Unreadable>,
    /// Where the next page begins; `None` when there is none.
    pub next: Option<PageCursor>,
}
