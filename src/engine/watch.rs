//! Reading the log from any place, then on as it grows.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tokio::time::Instant;

use super::hub::PassedOver;
use super::{Engine, EngineResult, Hub, Signal, patiently};
use crate::store::{EventFilter, History};
use crate::task::{Cursor, Event};

/// Events fetched at once from the past.
const PAGE: usize = 500;

/// How long something may take after which nothing can have been dropped from the log yet.
const SHORT: Duration = Duration::from_secs(1);

/// What a reader of the log comes upon.
#[derive(Debug, Clone, PartialEq)]
pub enum Watched {
    /// The next event.
    Event(Box<Event>),
    /// The log is another one from here on: the store was emptied, or came back without what it had last. Of tasks that
    /// are gone there will be no event.
    Reset,
    /// Events after the last one were dropped from the log, whose bounds they passed, before they were read here.
    Cut,
}

impl Engine {
    /// Where reading goes on after a place at which somebody has read before: there, or at the present end of a log that
    /// is another one. And whether something was dropped from the log that came after that place. A store that is away is
    /// an error.
    pub async fn go_on_after(&self, place: Cursor) -> EngineResult<(Cursor, bool)> {
        let store = &self.inner.store;
        Ok(going_on(place, store.last().await?, &store.history(&EventFilter::All, Cursor::START, 1).await?))
    }
}

/// The same, by where the log ends and what it begins with.
fn going_on(place: Cursor, last: Cursor, begin: &History) -> (Cursor, bool) {
    if last < place {
        return (last, true);
    }
    let unreadable = begin.unreadable.iter().filter_map(|one| one.name.parse().ok());
    let first = begin.events.iter().map(|event| event.cursor).chain(unreadable).min();
    // The log is dropped from its beginning on. Before its start there is nothing that could have been.
    let follows =
        |first: Cursor| first.millis == place.millis && first.sequence == place.sequence.saturating_add(1);
    (place, place != Cursor::START && first.is_some_and(|first| first > place && !follows(first)))
}

/// A reader of the log. It takes nothing from anybody else, and waits out a store that is away.
#[derive(Debug)]
pub struct Watch {
    engine: Engine,
    signals: broadcast::Receiver<Signal>,
    lives: watch::Receiver<u64>,
    filter: EventFilter,
    after: Cursor,
    ready: VecDeque<Event>,
    behind: bool,
    /// It has to be looked whether something was missed.
    missed: bool,
    /// That the log is another one, or was cut: it has been found, and not been told.
    found: Option<Watched>,
    passed_over: PassedOver,
}

impl Watch {
    pub(super) fn new(engine: Engine, hub: &Hub, filter: EventFilter, after: Cursor) -> Self {
        Self {
            engine,
            signals: hub.subscribe(),
            lives: hub.lives(),
            filter,
            after,
            ready: VecDeque::new(),
            behind: true,
            missed: false,
            found: None,
            passed_over: PassedOver::default(),
        }
    }

    /// The next event, of whichever log; waits for it once the past is read.
    pub async fn next(&mut self) -> EngineResult<Event> {
        loop {
            if let Watched::Event(event) = self.next_or_reset().await? {
                return Ok(*event);
            }
        }
    }

    /// [`Watch::next_or_reset`]; never, where there is no log to watch.
    pub async fn next_of(watch: &mut Option<Self>) -> EngineResult<Watched> {
        match watch {
            Some(watch) => watch.next_or_reset().await,
            None => std::future::pending().await,
        }
    }

    /// The next event, or that the log is another one from here on.
    pub async fn next_or_reset(&mut self) -> EngineResult<Watched> {
        loop {
            if self.missed {
                self.look_back().await?;
            }
            if let Some(found) = self.found.take() {
                return Ok(found);
            }
            if let Some(event) = self.next_past().await? {
                return Ok(Watched::Event(Box::new(event)));
            }
            match self.signals.recv().await {
                Ok(Signal::Event(event)) => {
                    if event.cursor > self.after && self.filter.admits(&event) {
                        self.after = event.cursor;
                        return Ok(Watched::Event(Box::new(Event::clone(&event))));
                    }
                }
                Ok(Signal::Resync) | Err(RecvError::Lagged(_)) => self.missed = true,
                // The process is ending: there will be no more.
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }

    /// The place of the last event that was read: reading again after it misses nothing.
    pub fn after(&self) -> Cursor {
        self.after
    }

    /// Does something that may take long, such as waiting for somebody slow. What happens meanwhile is read from the log
    /// afterwards, so that it waits for nobody here.
    pub async fn meanwhile<T>(&mut self, busy: impl Future<Output = T>) -> T {
        let begun = Instant::now();
        tokio::pin!(busy);
        loop {
            let signal = tokio::select! {
                biased;
                done = &mut busy => return done,
                signal = self.signals.recv() => signal,
            };
            match signal {
                Ok(Signal::Event(_)) => {
                    self.behind = true;
                    // The log may have been cut by then.
                    self.missed |= begun.elapsed() > SHORT;
                }
                Ok(Signal::Resync) | Err(RecvError::Lagged(_)) => self.missed = true,
                Err(RecvError::Closed) => return busy.await,
            }
        }
    }

    /// The next event of the past; `None` when there is no more of it.
    pub async fn next_past(&mut self) -> EngineResult<Option<Event>> {
        while self.ready.is_empty() && self.behind {
            let inner = &self.engine.inner;
            let page = patiently(&inner.stop, || inner.store.history(&self.filter, self.after, PAGE)).await?;
            self.passed_over.tell(&page.unreadable);
            self.behind = page.next.is_some();
            // A page of nothing but what cannot be read is gone past too.
            if let (true, Some(next)) = (page.events.is_empty(), page.next) {
                self.after = next;
            }
            self.ready = page.events.into();
        }
        let next = self.ready.pop_front();
        if let Some(event) = &next {
            self.after = event.cursor;
        }
        Ok(next)
    }

    /// Reads what may have been missed. A log that ends before the last event that was seen is another one, whose
    /// events count from its present end.
    async fn look_back(&mut self) -> EngineResult<()> {
        let last = self.engine.last().await?;
        let inner = &self.engine.inner;
        let begin =
            patiently(&inner.stop, || inner.store.history(&EventFilter::All, Cursor::START, 1)).await?;
        let (after, is_cut) = going_on(self.after, last, &begin);
        if after != self.after {
            tracing::warn!(after = %self.after, %last, "the event log is another one now; going on at its end");
            self.after = after;
        }
        // Of a part nobody knows whether what was dropped belonged to it.
        if is_cut && self.filter == EventFilter::All && self.found.is_none() {
            self.found = Some(Watched::Cut);
        }
        self.ready.clear();
        self.missed = false;
        // Taken note of once the log's end is known: this may be called again where it could not be.
        if self.lives.has_changed().unwrap_or(false) {
            self.found = Some(Watched::Reset);
        }
        self.lives.mark_unchanged();
        self.behind = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Unreadable;

    #[test]
    fn a_place_is_gone_on_from_where_the_log_still_has_what_came_after_it() {
        let place = |millis, sequence| Cursor { millis, sequence };
        let begins = |first: Cursor| {
            let unreadable = vec![Unreadable { name: first.to_string(), problem: String::new() }];
            History { unreadable, ..History::default() }
        };
        let last = place(0, 90);
        for (given, first, expected) in [
            (place(0, 40), place(0, 1), (place(0, 40), false)),
            (place(0, 40), place(0, 40), (place(0, 40), false)),
            (place(0, 40), place(0, 41), (place(0, 40), false)),
            (place(0, 40), place(0, 42), (place(0, 40), true)),
            (place(0, 90), place(0, 1), (last, false)),
            (place(0, 91), place(0, 1), (last, true)),
            (Cursor::START, place(0, 1), (Cursor::START, false)),
            (place(7, 3), place(0, 1), (last, true)),
        ] {
            assert_eq!(going_on(given, last, &begins(first)), expected, "{given} in a log from {first}");
        }
        assert_eq!(
            going_on(place(0, 4), Cursor::START, &History::default()),
            (Cursor::START, true),
            "emptied"
        );
    }
}
