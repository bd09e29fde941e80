//! Beginning to speak with a node: signing in, and choosing the database.

use std::io;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ErrorKind, RedisError, RedisResult};
use tokio::time::timeout;

use super::{CONNECT, said};

/// A connection of that client, in its database. The handshake takes no longer than [`CONNECT`], whatever a reply may
/// take afterwards.
pub(crate) async fn connect(
    client: &Client,
    config: AsyncConnectionConfig,
) -> RedisResult<MultiplexedConnection> {
    connect_within(CONNECT, client, config).await
}

/// The same, where there is less time.
pub(super) async fn connect_within(
    most: Duration,
    client: &Client,
    config: AsyncConnectionConfig,
) -> RedisResult<MultiplexedConnection> {
    let config = config.set_connection_timeout(Some(most));
    let made = timeout(most, handshake(client, &config)).await;
    made.unwrap_or_else(|_| {
        Err(io::Error::new(io::ErrorKind::TimedOut, "the connection was not made in time").into())
    })
}

/// The library would choose the database too, but forgets the code of a refusal, such as BUSY.
async fn handshake(client: &Client, config: &AsyncConnectionConfig) -> RedisResult<MultiplexedConnection> {
    let information = client.get_connection_info();
    let settings = information.redis_settings();
    let database = settings.db();
    let first = information.clone().set_redis_settings(settings.clone().set_db(0));
    let mut connection = Client::open(first)?.get_multiplexed_async_connection_with_config(config).await?;
    if database != 0 {
        let chosen = redis::cmd("SELECT").arg(database).query_async::<()>(&mut connection).await;
        chosen.map_err(
            |error| if error.code() == Some("ERR") { no_database(database, &error) } else { error },
        )?;
    }
    Ok(connection)
}

/// The error of a database that the Redis has not.
fn no_database(database: i64, error: &RedisError) -> RedisError {
    let detail = format!(
        "there is no database {database} in this Redis ({}); the number at the end of the URL chooses one of those that it \
         has, 0 to 15 unless it is set up otherwise",
        said(error)
    );
    (ErrorKind::InvalidClientConfig, "no such database", detail).into()
}
