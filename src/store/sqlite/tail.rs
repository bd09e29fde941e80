//! A reader of the log that waits for more.

use async_trait::async_trait;
use rusqlite::Connection;
use tokio::sync::watch;

use super::super::{EventFilter, History, News, StoreResult, Stretch, Tail};
use super::failure::Failure;
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
    /// Whether the last look failed. The next one waits for nothing, so that whoever waits for the store hears of it.
    pub(super) has_failed: bool,
}

/// One look at the log.
struct Look {
    history: History,
    tools: i64,
    /// The log's end, where it is before what was read already: then it is another log.
    end_before: Option<Cursor>,
}

fn look(connection: &Connection, namespace: i64, after: Cursor) -> Result<Look, Failure> {
    let history = reading::history(connection, namespace, (&EventFilter::All, Stretch::After(after)), MOST)?;
    let is_silent = history.events.is_empty() && history.unreadable.is_empty();
    let end = if is_silent { Some(reading::last(connection, namespace)?) } else { None };
    let end_before = end.filter(|end| after.millis == 0 && *end < after);
    Ok(Look { history, tools: workers::tool_changes(connection, namespace)?, end_before })
}

impl SqliteTail {
    /// What the look has that is new, and where the next one begins.
    fn read(&mut self, look: Look) -> News {
        let History { events, unreadable, .. } = look.history;
        let places = events.iter().map(|event| Some(event.cursor));
        let passed = unreadable.iter().map(|event| event.name.parse().ok());
        self.after = places.chain(passed).flatten().max().unwrap_or(self.after);
        if let Some(end) = look.end_before {
            self.after = end;
        }
        let tools = look.tools != self.tools;
        self.tools = look.tools;
        News { events, unreadable, tools, reset: look.end_before.is_some() }
    }

    async fn news(&mut self) -> StoreResult<News> {
        loop {
            // Whatever rings from here on is either in this query's answer or ends the wait below.
            self.heard.mark_unchanged();
            let after = self.after;
            let look =
                self.store.read(move |connection, namespace| look(connection, namespace, after)).await?;
            let news = self.read(look);
            if news != News::default() || self.has_failed {
                return Ok(news);
            }
            super::next_ring(&mut self.heard).await;
        }
    }
}

#[async_trait]
impl Tail for SqliteTail {
    async fn next(&mut self) -> StoreResult<News> {
        let news = self.news().await;
        self.has_failed = news.is_err();
        news
    }
}
