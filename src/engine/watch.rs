//! Reading the log from any place, then on as it grows.

use std::collections::VecDeque;

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::hub::PassedOver;
use super::{Engine, EngineResult, Signal, patiently};
use crate::store::EventFilter;
use crate::task::{Cursor, Event};

/// Events fetched at once from the past.
const PAGE: usize = 500;

/// A reader of the log. It takes nothing from anybody else, and waits out a store that is away.
#[derive(Debug)]
pub struct Watch {
    engine: Engine,
    signals: broadcast::Receiver<Signal>,
    filter: EventFilter,
    after: Cursor,
    ready: VecDeque<Event>,
    behind: bool,
    passed_over: PassedOver,
}

impl Watch {
    pub(super) fn new(
        engine: Engine,
        signals: broadcast::Receiver<Signal>,
        filter: EventFilter,
        after: Cursor,
    ) -> Self {
        Self {
            engine,
            signals,
            filter,
            after,
            ready: VecDeque::new(),
            behind: true,
            passed_over: PassedOver::default(),
        }
    }

    /// The next event; waits for it once the past is read.
    pub async fn next(&mut self) -> EngineResult<Event> {
        loop {
            if let Some(event) = self.next_past().await? {
                return Ok(event);
            }
            match self.signals.recv().await {
                Ok(Signal::Event(event)) => {
                    if event.cursor > self.after && self.filter.admits(&event) {
                        self.after = event.cursor;
                        return Ok(Event::clone(&event));
                    }
                }
                Ok(Signal::Resync) | Err(RecvError::Lagged(_)) => self.look_back().await?,
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
        self.behind = true;
        Ok(())
    }
}
