//! Connections to the node that has the namespace: a shared one for commands, and separate ones for whatever
//! blocks.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, ErrorKind, FromRedisValue, RedisError};
use tokio::sync::Mutex;

use crate::certificate::CertificateFault;
use crate::redis_link::{self, Address, Route, Steady};
use crate::store::{Refusal, StoreError, StoreResult};

/// How long one blocking command waits. A bound, so that a server that vanished without a word is noticed.
pub(super) const BLOCK: Duration = Duration::from_secs(2);

/// How much longer than [`BLOCK`] its reply may take.
const BLOCK_MARGIN: Duration = Duration::from_secs(5);

/// A cheap handle.
#[derive(Clone)]
pub(super) struct Connection {
    shared: Arc<Shared>,
}

struct Shared {
    commands: Steady,
    waiting: Mutex<Option<MultiplexedConnection>>,
    location: String,
}

impl Connection {
    pub(super) async fn open(url: &str, namespace: &str) -> StoreResult<Self> {
        let location = location(url, namespace);
        let address = Address::parse(url).map_err(|error| explained(&location, &error))?;
        let route = Route::new(address, &super::open::shared_prefix(namespace));
        let commands = Steady::open(route).await.map_err(|error| explained(&location, &error))?;
        Ok(Self { shared: Arc::new(Shared { commands, waiting: Mutex::new(None), location }) })
    }

    /// Where it leads, without secrets.
    pub(super) fn location(&self) -> &str {
        &self.shared.location
    }

    /// The connection for commands that do not block.
    pub(super) fn commands(&self) -> Steady {
        self.shared.commands.clone()
    }

    /// A new connection for blocking commands.
    pub(super) async fn dedicated(&self) -> StoreResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(BLOCK + BLOCK_MARGIN));
        let made = match self.shared.commands.client().await {
            Ok(client) => redis_link::connect(&client, config).await,
            Err(error) => Err(error),
        };
        made.map_err(|error| self.lost(&error))
    }

    /// Runs a blocking command that takes nothing from anybody. Dropping the future, or an error, drops the
    /// connection: its reply would otherwise meet the next command.
    pub(super) async fn waiting<T: FromRedisValue>(&self, command: &Cmd) -> StoreResult<T> {
        let mut place = self.shared.waiting.lock().await;
        let mut connection = match place.take() {
            Some(connection) => connection,
            None => self.dedicated().await?,
        };
        let reply = command.query_async(&mut connection).await.map_err(|error| self.lost(&error))?;
        *place = Some(connection);
        Ok(reply)
    }

    /// The store's error for an error of a command.
    pub(super) fn error(&self, error: &RedisError) -> StoreError {
        explained(&self.shared.location, error)
    }

    /// The store's error for an error of a separate connection. After one that means that it led nowhere, the
    /// shared one looks for its way anew too, and separate ones follow it.
    pub(super) fn lost(&self, error: &RedisError) -> StoreError {
        if redis_link::is_unreachable(error) {
            self.shared.commands.suspect();
        }
        self.error(error)
    }
}

fn explained(location: &str, error: &RedisError) -> StoreError {
    let (location, problem) = (location.to_owned(), redis_link::said(error));
    if let Some(refusal) = refusal(error) {
        StoreError::Refuses { location, refusal, problem }
    } else if let Some(fault) = CertificateFault::of(error) {
        StoreError::Untrusted { location, fault }
    } else if redis_link::is_wrong_address(error) {
        StoreError::Address { location, problem }
    } else if redis_link::is_unreachable(error) {
        StoreError::Unreachable { location, problem }
    } else {
        StoreError::Backend { location, problem }
    }
}

/// Which refusal an error of the server is, if it is one.
pub(super) fn refusal(error: &RedisError) -> Option<Refusal> {
    if error.kind() == ErrorKind::AuthenticationFailed {
        return Some(Refusal::NotAuthenticated);
    }
    let by_code = error.code().and_then(Refusal::of_redis);
    // Redis 6 hides the code of an error inside a script in the message of another one.
    let hidden =
        || error.detail()?.split(": -").skip(1).find_map(|said| Refusal::of_redis(said.split(' ').next()?));
    by_code.or_else(hidden).or_else(|| {
        // Redis 7 gives a right that a script's user has not the code ERR.
        error.detail()?.contains(NOT_PERMITTED_IN_A_SCRIPT).then_some(Refusal::NotPermitted)
    })
}

/// Whether a key is of another type than the command is for.
pub(super) fn is_wrong_type(error: &StoreError) -> bool {
    matches!(error, StoreError::Backend { problem, .. } if problem.contains("WRONGTYPE"))
}

/// What Redis 7 says where a script runs a command that its user may not run, or on a key that it may not touch.
const NOT_PERMITTED_IN_A_SCRIPT: &str = "The user executing the script can't";

/// The URL without its password, with the namespace.
fn location(url: &str, namespace: &str) -> String {
    let shown = redis_link::shown(url);
    if namespace == "default" { shown } else { format!("{shown} (namespace {namespace})") }
}
