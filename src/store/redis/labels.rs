//! Whose task it is: the four labels of a task, in one field of its record and of its events.

use crate::task::{Scope, SessionId};

/// Whose task a task or an event is, as `prelude.lua` says that it is written.
pub(super) struct Labels {
    pub(super) tool: String,
    pub(super) session: Option<SessionId>,
    pub(super) scope: Scope,
    pub(super) hidden: bool,
}

impl Labels {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (hidden, labels) = match text.split_at_checked(1)? {
            ("0", labels) => (false, labels),
            ("1", labels) => (true, labels),
            _ => return None,
        };
        let [tool, session, scope] = labels.split('\n').collect::<Vec<_>>().try_into().ok()?;
        if tool.is_empty() || scope.is_empty() {
            return None;
        }
        let session = if session.is_empty() { None } else { Some(session.parse().ok()?) };
        Some(Self { tool: tool.to_owned(), session, scope: Scope::named(scope), hidden })
    }
}
