//! Reading the log as it grows, on a connection of its own.

use async_trait::async_trait;
use redis::Cmd;
use redis::aio::MultiplexedConnection;

use super::codec;
use super::connection::{BLOCK, Connection};
use crate::store::{StoreError, StoreResult, Tail};
use crate::task::{Cursor, Event};

/// Events read at once.
const AT_ONCE: usize = 1000;

pub(super) struct RedisTail {
    connection: Connection,
    own: Option<MultiplexedConnection>,
    key: String,
    after: Cursor,
}

type Streams = Option<Vec<(String, Vec<codec::Entry>)>>;

impl RedisTail {
    pub(super) fn new(connection: Connection, key: String, after: Cursor) -> Self {
        Self { connection, own: None, key, after }
    }

    fn command(&self) -> Cmd {
        let mut command = redis::cmd("XREAD");
        command.arg("COUNT").arg(AT_ONCE).arg("BLOCK").arg(BLOCK.as_millis() as u64);
        command.arg("STREAMS").arg(&self.key).arg(self.after.to_string());
        command
    }
}

#[async_trait]
impl Tail for RedisTail {
    async fn next(&mut self) -> StoreResult<Vec<Event>> {
        loop {
            // Taken while in use, so that a dropped future or an error drops the connection with its reply.
            let mut own = match self.own.take() {
                Some(own) => own,
                None => self.connection.dedicated().await?,
            };
            let read: redis::RedisResult<Streams> = self.command().query_async(&mut own).await;
            let streams = read.map_err(|error| self.connection.error(&error))?;
            self.own = Some(own);
            let entries: Vec<_> = streams.into_iter().flatten().flat_map(|(_, entries)| entries).collect();
            if entries.is_empty() {
                continue;
            }
            let location = self.connection.location();
            let broken = |problem| StoreError::Backend { location: location.to_owned(), problem };
            let events = codec::events(entries).map_err(broken)?;
            if let Some(last) = events.last() {
                self.after = last.cursor;
                return Ok(events);
            }
        }
    }
}
