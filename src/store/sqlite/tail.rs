//! A reader of the log that waits for more.

use async_trait::async_trait;
use tokio::sync::watch;

use super::super::{EventFilter, StoreResult, Tail};
use super::SqliteStore;
use crate::task::{Cursor, Event};

/// The most events that are read at once.
const MOST: usize = 500;

/// The reader.
pub(super) struct SqliteTail {
    /// Where the log is.
    pub(super) store: SqliteStore,
    /// Hears the bell from before the first query on.
    pub(super) heard: watch::Receiver<()>,
    /// The last event that was returned.
    pub(super) after: Cursor,
}

#[async_trait]
impl Tail for SqliteTail {
    async fn next(&mut self) -> StoreResult<Vec<Event>> {
        loop {
            // Whatever rings from here on is either in this query's answer or ends the wait below.
            self.heard.mark_unchanged();
            let events = self.store.events(EventFilter::All, self.after, MOST).await?;
            if let Some(last) = events.last() {
                self.after = last.cursor;
                return Ok(events);
            }
            super::next_ring(&mut self.heard).await;
        }
    }
}
