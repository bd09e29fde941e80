//! What a notifier is about.

use std::time::Duration;

use crate::task::{Event, EventKind, Pattern};

/// That a question has waited long enough: the only word here that is no event of the log.
pub(crate) const UNANSWERED: &str = "unanswered";

/// The words that may be wanted.
pub(crate) const EVENTS: [&str; EventKind::NAMES] = EventKind::names_and(UNANSWERED);

/// What a notifier is about.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Wanted {
    /// The words of events.
    pub(crate) on: Vec<String>,
    /// How long a question has waited when that is told.
    pub(crate) after: Option<Duration>,
    /// Only of these tools; of all where there are none.
    pub(crate) tools: Vec<Pattern>,
    /// Only of these sessions, likewise.
    pub(crate) sessions: Vec<Pattern>,
}

impl Wanted {
    /// Whether anything is told when it happens.
    pub(super) fn has_events(&self) -> bool {
        self.on.iter().any(|word| word != UNANSWERED)
    }

    /// Whether an event is told when it happens.
    pub(super) fn admits(&self, event: &Event) -> bool {
        self.on.iter().any(|word| word == event.kind.name()) && self.is_about(event)
    }

    /// Whether it is about the task of an event. Foreground calls are nobody's task but their caller's, unless that one cannot
    /// be asked.
    pub(super) fn is_about(&self, event: &Event) -> bool {
        let session = event.session.as_ref().map_or("", |session| session.as_str());
        let is_peoples = !event.hidden || matches!(event.kind, EventKind::Unanswerable { .. });
        is_peoples && admits(&self.tools, &event.tool) && admits(&self.sessions, session)
    }
}

fn admits(patterns: &[Pattern], name: &str) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| pattern.admits(name))
}
