//! Connections to one Redis: a shared one for commands, and separate ones for whatever blocks.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig, MultiplexedConnection};
use redis::{AsyncConnectionConfig, Client, Cmd, FromRedisValue, RedisError};
use tokio::sync::Mutex;

use crate::redis_link::{self, CONNECT, RESPONSE};
use crate::store::{StoreError, StoreResult};

/// How long one blocking command waits. A bound, so that a server that vanished without a word is noticed.
pub(super) const BLOCK: Duration = Duration::from_secs(10);

/// How much longer than [`BLOCK`] its reply may take.
const BLOCK_MARGIN: Duration = Duration::from_secs(5);

/// A cheap handle.
#[derive(Clone)]
pub(super) struct Connection {
    shared: Arc<Shared>,
}

struct Shared {
    client: Client,
    commands: ConnectionManager,
    waiting: Mutex<Option<MultiplexedConnection>>,
    location: String,
}

impl Connection {
    pub(super) async fn open(url: &str, namespace: &str) -> StoreResult<Self> {
        let location = location(url, namespace);
        let client = redis_link::client(url).map_err(|error| explained(&location, &error))?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(RESPONSE))
            .set_number_of_retries(1)
            .set_min_delay(Duration::from_millis(50));
        let commands = client
            .get_connection_manager_with_config(config)
            .await
            .map_err(|error| explained(&location, &error))?;
        Ok(Self { shared: Arc::new(Shared { client, commands, waiting: Mutex::new(None), location }) })
    }

    /// Where it leads, without secrets.
    pub(super) fn location(&self) -> &str {
        &self.shared.location
    }

    /// The connection for commands that do not block.
    pub(super) fn commands(&self) -> ConnectionManager {
        self.shared.commands.clone()
    }

    /// A new connection for blocking commands.
    pub(super) async fn dedicated(&self) -> StoreResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(BLOCK + BLOCK_MARGIN));
        let made = self.shared.client.get_multiplexed_async_connection_with_config(&config).await;
        made.map_err(|error| self.error(&error))
    }

    /// Runs a blocking command that takes nothing from anybody. Dropping the future, or an error, drops the
    /// connection: its reply would otherwise meet the next command.
    pub(super) async fn waiting<T: FromRedisValue>(&self, command: &Cmd) -> StoreResult<T> {
        let mut place = self.shared.waiting.lock().await;
        let mut connection = match place.take() {
            Some(connection) => connection,
            None => self.dedicated().await?,
        };
        let reply = command.query_async(&mut connection).await.map_err(|error| self.error(&error))?;
        *place = Some(connection);
        Ok(reply)
    }

    /// The store's error for a Redis error.
    pub(super) fn error(&self, error: &RedisError) -> StoreError {
        explained(&self.shared.location, error)
    }
}

fn explained(location: &str, error: &RedisError) -> StoreError {
    let (location, problem) = (location.to_owned(), error.to_string());
    if redis_link::is_unreachable(error) {
        StoreError::Unreachable { location, problem }
    } else {
        StoreError::Backend { location, problem }
    }
}

/// The URL without its password, with the namespace.
fn location(url: &str, namespace: &str) -> String {
    let shown = redis_link::shown(url);
    if namespace == "default" { shown } else { format!("{shown} (namespace {namespace})") }
}
