//! Reading the log as it grows, on a connection of its own.

use std::time::Duration;

use async_trait::async_trait;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, Value};
use tokio::time::Instant;

use super::{RedisStore, codec};
use crate::store::{News, StoreResult, Tail};
use crate::task::Cursor;

/// Events read at once.
const AT_ONCE: usize = 1000;

/// How long one read waits for news, and how often the tail looks whether the log is still the one that it read: a Redis
/// that was emptied tells nobody.
const BLOCK: Duration = Duration::from_secs(4);

pub(super) struct RedisTail {
    store: RedisStore,
    own: Option<MultiplexedConnection>,
    after: Cursor,
    /// The last change of the tools that was told.
    tools: String,
    /// The life of the namespace whose events are read.
    epoch: Epoch,
    looked: Instant,
}

/// What tells one life of a namespace from the next.
#[derive(PartialEq)]
enum Epoch {
    /// Nobody has looked yet.
    Unknown,
    /// There is no namespace.
    None,
    /// This one.
    Of(String),
}

type Streams = Option<Vec<(String, Vec<codec::Entry>)>>;

impl RedisTail {
    pub(super) fn new(store: RedisStore, after: Cursor) -> Self {
        Self { store, own: None, after, tools: "0".to_owned(), epoch: Epoch::Unknown, looked: Instant::now() }
    }

    fn command(&self) -> Cmd {
        let mut command = redis::cmd("XREAD");
        command.arg("COUNT").arg(AT_ONCE).arg("BLOCK").arg(BLOCK.as_millis() as u64).arg("STREAMS");
        command.arg(self.store.key("events")).arg(self.store.key("tools:changes"));
        command.arg(self.after.to_string()).arg(&self.tools);
        command
    }

    /// Whether the log is another one than before. It is looked at after each time without a connection, and then now
    /// and then.
    async fn is_another_log(&mut self) -> StoreResult<bool> {
        if self.own.is_some() && self.epoch != Epoch::Unknown && self.looked.elapsed() < BLOCK {
            return Ok(false);
        }
        let epoch = self.store.meta("epoch").await?.map_or(Epoch::None, Epoch::Of);
        let last = self.store.last_event().await?;
        let is_gone = epoch == Epoch::None;
        let is_another = (self.epoch != Epoch::Unknown && self.epoch != epoch) || last < self.after;
        self.epoch = epoch;
        self.looked = Instant::now();
        if is_another {
            self.after = last;
            "0".clone_into(&mut self.tools);
            if is_gone {
                self.store.begin_again().await?;
            }
        }
        Ok(is_another)
    }
}

#[async_trait]
impl Tail for RedisTail {
    async fn next(&mut self) -> StoreResult<News> {
        loop {
            if self.is_another_log().await? {
                return Ok(News { reset: true, tools: true, ..News::default() });
            }
            // Taken while in use, so that a dropped future or an error drops the connection with its reply.
            let mut own = match self.own.take() {
                Some(own) => own,
                None => self.store.connection.dedicated().await?,
            };
            let read: redis::RedisResult<Value> = self.command().query_async(&mut own).await;
            let read = read.map_err(|error| self.store.connection.lost(&error))?;
            let streams: Streams = self.store.decode(redis::from_redis_value(codec::readable(read)))?;
            self.own = Some(own);
            let mut news = News::default();
            for (key, entries) in streams.into_iter().flatten() {
                let last = entries.last().map(|(id, _)| id.clone());
                if key == self.store.key("events") {
                    let read = codec::events(self.store.complete(entries).await?);
                    (news.events, news.unreadable) = (read.rows, read.unreadable);
                    // Past what cannot be read, too: it would be read for ever.
                    self.after = last.and_then(|id| id.parse().ok()).unwrap_or(self.after);
                } else if let Some(id) = last {
                    (self.tools, news.tools) = (id, true);
                }
            }
            if news != News::default() {
                return Ok(news);
            }
        }
    }
}
