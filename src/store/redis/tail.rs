//! Reading the log as it grows, on a connection of its own.

use std::time::Duration;

use async_trait::async_trait;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, Value};
use tokio::time::Instant;

use super::connection::is_wrong_type;
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
    /// Whether changes of the tools can be read; the events are, whatever becomes of them.
    reads_tools: bool,
    /// The life of the namespace whose events are read.
    epoch: Epoch,
    looked: Instant,
    /// Whether the last look failed. The next one waits for nothing, so that whoever waits for the store hears of it.
    has_failed: bool,
}

/// What tells one life of a namespace from the next.
#[derive(Clone, PartialEq)]
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
        let (tools, epoch, looked) = ("0".to_owned(), Epoch::Unknown, Instant::now());
        Self { store, own: None, after, tools, reads_tools: true, epoch, looked, has_failed: false }
    }

    fn command(&self) -> Cmd {
        let mut command = redis::cmd("XREAD");
        command.arg("COUNT").arg(AT_ONCE);
        if !self.has_failed {
            command.arg("BLOCK").arg(BLOCK.as_millis() as u64);
        }
        command.arg("STREAMS").arg(self.store.key("events"));
        if self.reads_tools {
            command.arg(self.store.key("tools:changes"));
        }
        command.arg(self.after.to_string());
        if self.reads_tools {
            command.arg(&self.tools);
        }
        command
    }

    /// What is new. Where the changes of the tools are of another type, the events alone, until it is looked again.
    async fn read(&mut self) -> StoreResult<Streams> {
        loop {
            // Taken while in use, so that a dropped future or an error drops the connection with its reply.
            let mut own = match self.own.take() {
                Some(own) => own,
                None => self.store.connection.dedicated().await?,
            };
            let read: redis::RedisResult<Value> = self.command().query_async(&mut own).await;
            match read.map_err(|error| self.store.connection.lost(&error)) {
                Ok(read) => {
                    let streams = self.store.decode(redis::from_redis_value(codec::readable(read)))?;
                    self.own = Some(own);
                    return Ok(streams);
                }
                Err(error) if self.reads_tools && is_wrong_type(&error) => {
                    tracing::debug!(%error, "changes of the tools may be what cannot be read");
                    self.own = Some(own);
                    self.reads_tools = false;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The life of the namespace, as it was before where that cannot be read: events can be, all the same.
    async fn present_epoch(&self) -> StoreResult<Epoch> {
        match self.store.meta("epoch").await {
            Ok(epoch) => Ok(epoch.map_or(Epoch::None, Epoch::Of)),
            Err(error) if is_wrong_type(&error) => Ok(self.epoch.clone()),
            Err(error) => Err(error),
        }
    }

    /// Reads the changes of the tools from their beginning where they end before the last one that was told: the stream
    /// was lost or moved aside, and begins anew.
    async fn look_at_tools(&mut self) -> StoreResult<()> {
        let mut command = redis::cmd("XREVRANGE");
        command.arg(self.store.key("tools:changes")).arg("+").arg("-").arg("COUNT").arg(1);
        let last: Vec<codec::Entry> = match self.store.command(&command).await {
            Err(error) if is_wrong_type(&error) => return Ok(()),
            last => last?,
        };
        let place = |id: &str| id.parse().unwrap_or(Cursor::START);
        let last = last.last().map_or(Cursor::START, |(id, _)| place(id));
        if last < place(&self.tools) {
            "0".clone_into(&mut self.tools);
        }
        Ok(())
    }

    /// Whether the log is another one than before. It is looked at after each time without a connection, and then now
    /// and then.
    async fn is_another_log(&mut self) -> StoreResult<bool> {
        if self.own.is_some() && self.epoch != Epoch::Unknown && self.looked.elapsed() < BLOCK {
            return Ok(false);
        }
        let epoch = self.present_epoch().await?;
        let last = self.store.last_event().await?;
        self.look_at_tools().await?;
        let is_gone = epoch == Epoch::None;
        // One that begins where there was none is not another: whoever reads has been told, or has seen nothing.
        let is_another = match &self.epoch {
            Epoch::Of(_) if self.epoch != epoch => true,
            _ => last < self.after,
        };
        self.epoch = epoch;
        self.looked = Instant::now();
        self.reads_tools = true;
        if is_another {
            self.after = last;
            "0".clone_into(&mut self.tools);
            if is_gone {
                self.store.begin_again().await?;
            }
        }
        Ok(is_another)
    }

    async fn news(&mut self) -> StoreResult<News> {
        loop {
            if self.is_another_log().await? {
                return Ok(News { reset: true, tools: true, ..News::default() });
            }
            let streams = self.read().await?;
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
            if news != News::default() || self.has_failed {
                return Ok(news);
            }
        }
    }
}

#[async_trait]
impl Tail for RedisTail {
    async fn next(&mut self) -> StoreResult<News> {
        let news = self.news().await;
        self.has_failed = news.is_err();
        news
    }
}
