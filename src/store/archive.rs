//! The archive: tasks whose ttl has ended, kept for operators alone, for a while and within a number of bytes.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::{PageCursor, Trouble, Unreadable};
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

/// How long what a process [retains](super::Store::retain) is the store's, after it said so last: those that were not told
/// archive what they let expire as well, also while it is started anew.
pub(super) const SAID_FOR: Duration = Duration::from_secs(24 * 3600);

/// How often a process says it again.
pub(super) const SAID_EVERY: Duration = Duration::from_secs(60);

/// Who said something else so lately says it still.
const SAID_LATELY: Duration = Duration::from_secs(180);

/// What a process said, and how long ago.
pub(super) type Said = (Retention, Duration);

/// How tasks are archived by those that were not told: as the one says who keeps them longest.
pub(super) fn longest(said: &[Said]) -> Option<Retention> {
    let counts = said.iter().filter(|(_, ago)| *ago < SAID_FOR);
    counts.map(|(retention, _)| *retention).max_by_key(|one| (one.time, one.bytes))
}

/// What is wrong with an archive that processes keep as they said, and that forgot tasks before their time so long ago.
pub(super) fn troubles(said: &[Said], forgot: Option<Duration>) -> Vec<Trouble> {
    let lately: BTreeSet<String> = said
        .iter()
        .filter(|(_, ago)| *ago < SAID_LATELY)
        .map(|(one, _)| format!("{} (at most {} bytes)", in_units(one.time), one.bytes))
        .collect();
    let differ = (lately.len() > 1).then(|| Trouble {
        cause: "archive_kept_differently",
        problem: format!("processes keep tasks beyond their ttl for {}", Vec::from_iter(lately).join(" and for ")),
        advice: "a task is kept as the process says that finds its ttl ended: give the same --keep and --keep-bytes to \
                 every serve and worker"
            .to_owned(),
    });
    let full = forgot.map(|ago| Trouble {
        cause: "archive_full",
        problem: format!(
            "tasks beyond their ttl are deleted before --keep says, since they need more bytes than may be kept; the last \
             one {} min ago",
            ago.as_secs() / 60
        ),
        advice: "give every serve and worker a larger --keep-bytes, or a shorter --keep".to_owned(),
    });
    differ.into_iter().chain(full).collect()
}

/// A time in the largest unit of which it has whole ones, as options are given.
fn in_units(time: Duration) -> String {
    let seconds = time.as_secs();
    let units = [(24 * 3600, "d"), (3600, "h"), (60, "min"), (1, "s")];
    let fits = |(unit, _): &(u64, &str)| seconds > 0 && seconds.is_multiple_of(*unit);
    let whole = units.into_iter().find(fits).map(|(unit, name)| format!("{}{name}", seconds / unit));
    whole.unwrap_or_else(|| format!("{}ms", time.as_millis()))
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
