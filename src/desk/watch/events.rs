//! How all tasks of whoever asks are followed where their server tells events: those that were launched elsewhere too.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::looking::Look;
use crate::client::{ClientError, Occurrences, Told};
use crate::desk::failure::Failure;
use crate::desk::server::Server;
use crate::desk::text;
use crate::task::SessionId;

/// How long the server may take to begin to tell, before its tasks are followed in another way.
const BEGINS_WITHIN: Duration = Duration::from_secs(10);

/// Tasks whose end is remembered, so that a question of theirs that is told later is passed over.
const MOST_OVER: usize = 10_000;

/// The events' names that are told so.
const NAMES: [&str; 6] = ["asked", "completed", "failed", "cancelled", "expired", super::wanted::END];

/// Whether all that is wanted is told so.
pub(super) fn tell_of<'a>(mut names: impl Iterator<Item = &'a str>) -> bool {
    names.all(|name| NAMES.contains(&name))
}

/// What a server tells: what tasks ask, and how they end.
pub(super) struct Events {
    server: Arc<Server>,
    asked: Occurrences,
    ended: Occurrences,
    over: HashSet<String>,
}

/// Why there are none.
pub(super) enum Without {
    /// The server does not have them, or refuses them; why, where it says so.
    Refused(Option<String>),
    /// The server cannot be asked.
    Failed(Failure),
}

impl Events {
    /// Begins to hear what happens from now on, of one session where that is named.
    pub(super) async fn begin(server: &Arc<Server>, session: Option<&SessionId>) -> Result<Self, Without> {
        if !server.offers_events() {
            return Err(Without::Refused(None));
        }
        let session = session.map(SessionId::as_str);
        let mut events = Self {
            server: server.clone(),
            asked: Occurrences::asked(session),
            ended: Occurrences::ended(session),
            over: HashSet::new(),
        };
        let begun = async {
            server.begun(&mut events.asked).await?;
            server.begun(&mut events.ended).await
        };
        match tokio::time::timeout(BEGINS_WITHIN, begun).await {
            Ok(Ok(())) => Ok(events),
            Ok(Err(ClientError::Refused { error, .. })) => {
                Err(Without::Refused(Some(text::sentence(&error.message))))
            }
            Ok(Err(error)) => Err(Without::Failed(error.into())),
            Err(_) => Err(Without::Refused(Some("its stream does not begin".to_owned()))),
        }
    }

    /// How it hears of the tasks, in words.
    pub(super) fn way(session: Option<&SessionId>) -> String {
        let whose = if session.is_some() { "the session's tasks" } else { "its tasks" };
        format!("the server tells by events what {whose} ask and how they end")
    }

    /// Hears for as long as anybody takes what it brings.
    pub(super) async fn run(mut self, send: mpsc::UnboundedSender<Result<Look, Failure>>) {
        loop {
            let told = tokio::select! {
                told = self.server.told_of(&mut self.asked) => told,
                told = self.server.told_of(&mut self.ended) => told,
            };
            let look = match told {
                Ok(told) => self.look(told).map(Ok),
                Err(failure) => Some(Err(failure)),
            };
            if look.is_some_and(|look| send.send(look).is_err()) {
                return;
            }
        }
    }

    fn look(&mut self, told: Told) -> Option<Look> {
        match told {
            Told::Begun => None,
            Told::Event(occurrence) => {
                let id = &occurrence.view.id;
                let is_end = occurrence.view.status.is_final();
                if is_end {
                    if self.over.len() >= MOST_OVER {
                        self.over.clear();
                    }
                    self.over.insert(id.clone());
                }
                // The two come on streams of their own, in no order.
                (is_end || !self.over.contains(id)).then_some(Look::Told(occurrence))
            }
            Told::Missed => Some(Look::Warning(
                "the server does not tell all that has happened: it keeps some of it no more, or does not know the place"
                    .to_owned(),
            )),
            Told::Trouble(words) => Some(Look::Warning(format!("the server has trouble: {}", text::sentence(&words)))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_events_tell_is_left_to_them() {
        for (names, told) in [(&[][..], true), (&["asked", "end"], true), (&["asked", "answered"], false)] {
            assert_eq!(tell_of(names.iter().copied()), told, "{names:?}");
        }
    }
}
