//! What a notifier is about.

use std::time::Duration;

use crate::task::{Event, EventKind, Pattern};

/// That a question has waited long enough: the only word here that is no event of the log.
pub(crate) const UNANSWERED: &str = "unanswered";

/// The word of tasks that ended in an error, or with one as their result.
const FAILED: &str = "failed";

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
        // Whoever wants to hear of failures means scripts that fail, too: their tasks are completed, with an error as result.
        let has_failed = matches!(event.kind, EventKind::Completed { is_error: true });
        let is_wanted = |word: &String| word == event.kind.name() || has_failed && word == FAILED;
        self.on.iter().any(is_wanted) && self.is_about(event)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::TaskId;

    #[test]
    fn a_result_that_is_an_error_is_a_failure_for_people() {
        let wants = |words: &[&str], is_error: bool| {
            let on = words.iter().map(|word| (*word).to_owned()).collect();
            let event = Event::example(&TaskId::generate(), EventKind::Completed { is_error });
            Wanted { on, ..Wanted::default() }.admits(&event)
        };
        assert!(wants(&["failed"], true) && wants(&["completed"], true) && wants(&["completed"], false));
        assert!(!wants(&["failed"], false) && !wants(&["cancelled"], true));
    }
}
