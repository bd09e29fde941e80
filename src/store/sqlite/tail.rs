//! A reader of the log that waits for more.

use async_trait::async_trait;
use tokio::sync::watch;

use super::super::{EventFilter, News, StoreResult, Tail};
use super::{SqliteStore, reading, workers};
use crate::task::Cursor;

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
    /// How many changes of the tools were told.
    pub(super) tools: i64,
}

#[async_trait]
impl Tail for SqliteTail {
    async fn next(&mut self) -> StoreResult<News> {
        loop {
            // Whatever rings from here on is either in this query's answer or ends the wait below.
            self.heard.mark_unchanged();
            let after = self.after;
            let (events, tools) = self
                .store
                .read(move |connection, namespace| {
                    let events = reading::history(connection, namespace, (&EventFilter::All, after), MOST)?;
                    Ok((events, workers::tool_changes(connection, namespace)?))
                })
                .await?;
            let news = News { events, tools: tools != self.tools, ..News::default() };
            self.tools = tools;
            if let Some(last) = news.events.last() {
                self.after = last.cursor;
            }
            if news != News::default() {
                return Ok(news);
            }
            super::next_ring(&mut self.heard).await;
        }
    }
}
