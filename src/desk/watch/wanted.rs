//! Which events are wanted.

use super::Seen;
use crate::task::{Event, EventKind, TaskStatus};

/// The events' names, and `end` for each that ends a task.
pub(crate) const NAMES: [&str; EventKind::NAMES] = EventKind::names_and(END);

/// The word for each event that ends a task.
pub(crate) const END: &str = "end";

/// Which events are wanted: all, where nothing is said.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    /// Only those that leave their task in this status.
    pub(crate) status: Option<TaskStatus>,
    /// Only those of these names.
    pub(crate) events: Vec<String>,
}

impl Wanted {
    /// Whether it is one of them.
    pub(crate) fn admits(&self, seen: &Seen) -> bool {
        self.has_status(seen.status) && self.has_name(seen.name, seen.is_end)
    }

    /// Whether an event of our own log is one of them.
    pub(super) fn admits_event(&self, event: &Event) -> bool {
        self.has_status(event.status) && self.has_name(event.kind.name(), event.kind.is_end())
    }

    /// Whether they leave their task in a status that is wanted.
    pub(crate) fn has_status(&self, status: TaskStatus) -> bool {
        self.status.is_none_or(|wanted| wanted == status)
    }

    fn has_name(&self, name: &str, is_end: bool) -> bool {
        self.events.is_empty() || self.events.iter().any(|wanted| is_called(wanted, name, is_end))
    }
}

impl Seen {
    /// Whether it is of that name, or an end where that is the word.
    pub(crate) fn is(&self, wanted: &str) -> bool {
        is_called(wanted, self.name, self.is_end)
    }
}

fn is_called(wanted: &str, name: &str, is_end: bool) -> bool {
    wanted == name || (wanted == END && is_end)
}
