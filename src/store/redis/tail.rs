//! Reading the log as it grows, on a connection of its own.

use async_trait::async_trait;
use redis::Cmd;
use redis::aio::MultiplexedConnection;

use super::codec;
use super::connection::{BLOCK, Connection};
use crate::store::{News, StoreError, StoreResult, Tail};
use crate::task::Cursor;

/// Events read at once.
const AT_ONCE: usize = 1000;

pub(super) struct RedisTail {
    connection: Connection,
    own: Option<MultiplexedConnection>,
    /// The events and the changes of the tools.
    keys: [String; 2],
    after: Cursor,
    /// The last change of the tools that was told.
    tools: String,
}

type Streams = Option<Vec<(String, Vec<codec::Entry>)>>;

impl RedisTail {
    pub(super) fn new(connection: Connection, keys: [String; 2], after: Cursor) -> Self {
        Self { connection, own: None, keys, after, tools: "0".to_owned() }
    }

    fn command(&self) -> Cmd {
        let mut command = redis::cmd("XREAD");
        command.arg("COUNT").arg(AT_ONCE).arg("BLOCK").arg(BLOCK.as_millis() as u64);
        command.arg("STREAMS").arg(&self.keys).arg(self.after.to_string()).arg(&self.tools);
        command
    }

    fn broken(&self, problem: String) -> StoreError {
        StoreError::Backend { location: self.connection.location().to_owned(), problem }
    }
}

#[async_trait]
impl Tail for RedisTail {
    async fn next(&mut self) -> StoreResult<News> {
        loop {
            // Taken while in use, so that a dropped future or an error drops the connection with its reply.
            let mut own = match self.own.take() {
                Some(own) => own,
                None => self.connection.dedicated().await?,
            };
            let read: redis::RedisResult<Streams> = self.command().query_async(&mut own).await;
            let streams = read.map_err(|error| self.connection.lost(&error))?;
            self.own = Some(own);
            let mut news = News::default();
            for (key, entries) in streams.into_iter().flatten() {
                if key == self.keys[0] {
                    news.events = codec::events(entries).map_err(|problem| self.broken(problem))?;
                } else if let Some((id, _)) = entries.into_iter().next_back() {
                    (self.tools, news.tools) = (id, true);
                }
            }
            if let Some(last) = news.events.last() {
                self.after = last.cursor;
            }
            if news != News::default() {
                return Ok(news);
            }
        }
    }
}
