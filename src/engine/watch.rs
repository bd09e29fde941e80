//! Reading the log from any place, then on as it grows.

use std::collections::VecDeque;

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};

use super::hub::PassedOver;
use super::{Engine, EngineResult, Hub, Signal, patiently};
use crate::store::EventFilter;
use crate::task::{Cursor, Event};

/// Events fetched at once from the past.
const PAGE: usize = 500;

/// What a reader of the log comes upon.
#[derive(Debug, Clone, PartialEq)]
pub enum Watched {
    /// The next event.
    Event(Box<Event>),
    /// The log is another one from here on: the store was emptied, or came back without what it had last. Of tasks that
    /// are gone there will be no event.
    Reset,
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
    /// That the log is another one has been found, and not been told.
    is_reset: bool,
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
            is_reset: false,
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
                Ok(Signal::Resync) | Err(RecvError::Lagged(_)) => {
                    self.look_back().await?;
                    if std::mem::take(&mut self.is_reset) {
                        return Ok(Watched::Reset);
                    }
                }
                // The process is ending: there will be no more.
                Err(RecvError::Closed) => std::future::pending().await,
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
        if last < self.after {
            tracing::warn!(after = %self.after, %last, "the event log is another one now; going on at its end");
            self.after = last;
        }
        // Taken note of once the log's end is known: this may be called again where it could not be.
        self.is_reset |= self.lives.has_changed().unwrap_or(false);
        self.lives.mark_unchanged();
        self.behind = true;
        Ok(())
    }
}
