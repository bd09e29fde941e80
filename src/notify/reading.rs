//! Reading the log for a notifier: what happens now, and a second time, later, which questions still wait.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;

use super::notice::{Notice, Ways};
use super::wanted::Wanted;
use crate::engine::{Engine, EngineError, EngineResult, Viewer};
use crate::store::notifiers::NotifierCursors;
use crate::store::{EventFilter, StoreError};
use crate::task::{Cursor, Event, EventKind};

/// Events that are read at once.
const PAGE: usize = 200;

/// Reads the log.
#[derive(Debug)]
pub(super) struct Reading {
    engine: Engine,
    wanted: Wanted,
    ways: Ways,
    cursors: NotifierCursors,
    /// Whether there may be more than was read.
    is_behind: bool,
    /// Events that were read for those questions that still wait, and whether there may be more.
    later: VecDeque<Event>,
    is_later_behind: bool,
}

/// What is to be told, and of which event.
pub(super) type Told = (Event, Notice);

impl Reading {
    /// Reads on from there.
    pub(super) fn new(engine: &Engine, wanted: &Wanted, ways: &Ways, cursors: NotifierCursors) -> Self {
        Self {
            engine: engine.clone(),
            wanted: wanted.clone(),
            ways: ways.clone(),
            cursors,
            is_behind: true,
            later: VecDeque::new(),
            is_later_behind: true,
        }
    }

    /// How far it is.
    pub(super) fn cursors(&self) -> NotifierCursors {
        match (self.wanted.has_events(), self.wanted.after) {
            // What nobody wants is as far as the rest: whoever wants it later begins there.
            (true, None) => NotifierCursors { unanswered: self.cursors.events, ..self.cursors },
            (false, Some(_)) => NotifierCursors { events: self.cursors.unanswered, ..self.cursors },
            _ => self.cursors,
        }
    }

    /// Notes that something happened.
    pub(super) fn look(&mut self) {
        self.is_behind = true;
        self.is_later_behind = true;
    }

    /// Whether there may be something to read now.
    pub(super) fn is_behind(&self) -> bool {
        self.is_behind && self.wanted.has_events()
    }

    /// Goes no further than the log's end. A log that ends before what was read is another one.
    pub(super) async fn stay_within(&mut self) -> EngineResult<()> {
        let last = self.engine.store().last().await?;
        if self.cursors.events > last || self.cursors.unanswered > last {
            tracing::warn!(%last, "the event log ends before what was told of it, and is another one; going on at its end");
            self.cursors.events = self.cursors.events.min(last);
            self.cursors.unanswered = self.cursors.unanswered.min(last);
            self.later.clear();
        }
        Ok(())
    }

    /// Says what the log has lost before it was read, if it has.
    pub(super) async fn tell_of_gap(&self, notifier: &str) -> EngineResult<()> {
        let first = self.engine.store().history(&EventFilter::All, Cursor::START, 1).await?;
        let cursors = self.cursors();
        if let Some(words) =
            first.events.first().and_then(|first| gap(cursors.events.min(cursors.unanswered), first))
        {
            tracing::warn!(notifier, "{words}");
        }
        Ok(())
    }

    /// The next of what happened, as much as is read at once.
    pub(super) async fn next_events(&mut self) -> EngineResult<Vec<Told>> {
        let page = self.engine.store().history(&EventFilter::All, self.cursors.events, PAGE).await?;
        self.is_behind = page.next.is_some();
        let last = page.events.last().map(|event| event.cursor).max(page.next);
        self.cursors.events = last.unwrap_or(self.cursors.events);
        let wanted = page.events.into_iter().filter(|event| self.wanted.admits(event));
        let told = wanted.map(|event| {
            let notice = Notice::of(&event, &self.ways);
            (event, notice)
        });
        Ok(told.collect())
    }

    /// When the next question will have waited long enough; `None` where none is known.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        let after = self.wanted.after?;
        self.later.front().map(|event| due(event, after))
    }

    /// What is to be told of the next question that has waited long enough, if it still does. Whether there may be more of
    /// them now.
    pub(super) async fn next_unanswered(&mut self, now: Timestamp) -> EngineResult<(Option<Told>, bool)> {
        let Some(after) = self.wanted.after else { return Ok((None, false)) };
        self.read_later().await?;
        let Some(event) = self.later.front().filter(|event| due(event, after) <= now).cloned() else {
            return Ok((None, false));
        };
        let told = self.still_open(&event, now).await?;
        self.cursors.unanswered = event.cursor;
        self.later.pop_front();
        Ok((told, true))
    }

    /// Reads on until a question is found, or there is no more.
    async fn read_later(&mut self) -> EngineResult<()> {
        while self.later.is_empty() && self.is_later_behind {
            let page = self.engine.store().history(&EventFilter::All, self.cursors.unanswered, PAGE).await?;
            self.is_later_behind = page.next.is_some();
            let last = page.events.last().map(|event| event.cursor).max(page.next);
            let asks =
                |event: &Event| matches!(event.kind, EventKind::Asked { .. }) && self.wanted.is_about(event);
            self.later = page.events.into_iter().filter(asks).collect();
            // What stands before a question is passed; what stands behind the last one is read again with that.
            match (self.later.is_empty(), last) {
                (true, Some(last)) => self.cursors.unanswered = last,
                _ => self.is_later_behind |= !self.later.is_empty(),
            }
        }
        Ok(())
    }

    /// What is told of the question of an event, where nobody has answered it.
    async fn still_open(&self, event: &Event, now: Timestamp) -> EngineResult<Option<Told>> {
        let EventKind::Asked { question } = &event.kind else { return Ok(None) };
        let task = match self.engine.get(&Viewer::Operator, &event.task).await {
            Ok(task) => task,
            Err(EngineError::Store(StoreError::NoTask(_) | StoreError::Unreadable { .. })) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let open = task.open_questions().find(|open| open.id == question.id).cloned();
        Ok(open.map(|open| (event.clone(), Notice::unanswered(event, &open, &self.ways, now))))
    }
}

fn due(event: &Event, after: Duration) -> Timestamp {
    event.at.checked_add(after).unwrap_or(Timestamp::MAX)
}

/// What may be missing between a place and the first event that the log still has.
fn gap(read: Cursor, first: &Event) -> Option<String> {
    if read == Cursor::START || first.cursor <= read {
        return None;
    }
    // Only these places count events.
    if read.millis == 0 && first.cursor.millis == 0 {
        let missing = first.cursor.sequence - read.sequence - 1;
        return (missing > 0)
            .then(|| format!("the event log was cut before it was told: {missing} events are missing"));
    }
    let since = Timestamp::from_millisecond(read.millis.cast_signed()).ok()?;
    Some(format!(
        "the event log was cut before it was told: events from {since} to {} may be missing",
        first.at
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::{Scope, TaskId, TaskStatus};

    fn event(millis: u64, sequence: u64) -> Event {
        Event {
            cursor: Cursor { millis, sequence },
            at: Timestamp::from_second(1_700_000_000).expect("a time"),
            task: TaskId::generate(),
            tool: "deploy".into(),
            session: None,
            scope: Scope::anonymous(),
            hidden: false,
            status: TaskStatus::Working,
            kind: EventKind::Submitted {},
        }
    }

    #[test]
    fn a_log_that_was_cut_is_told_of() {
        let at = |sequence| Cursor { millis: 0, sequence };
        assert_eq!(gap(at(5), &event(0, 6)), None);
        assert_eq!(gap(at(5), &event(0, 1)), None);
        assert!(gap(at(5), &event(0, 9)).is_some_and(|words| words.contains("3 events")));
        assert_eq!(gap(Cursor::START, &event(0, 9)), None, "it began there");
        assert!(
            gap(Cursor { millis: 1_000, sequence: 0 }, &event(9_000, 0))
                .is_some_and(|words| words.contains("may be"))
        );
    }
}
