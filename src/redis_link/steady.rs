//! One connection for everybody in the process, made again after an error that means it leads nowhere, and after
//! any error of making it.

use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{AsyncConnectionConfig, Client, Cmd, Pipeline, RedisFuture, RedisResult, Value};

use super::{RESPONSE, Route, connect, is_unreachable};

/// A connection, and where it leads.
#[derive(Clone)]
struct Made {
    client: Client,
    connection: MultiplexedConnection,
}

/// A connection that is there or is being made; everybody who comes meanwhile waits for the same one.
type Making = Shared<BoxFuture<'static, RedisResult<Made>>>;

/// A cheap handle. A command that meets a lost connection fails, since it may have been done; the next one
/// finds the way anew.
#[derive(Clone)]
pub(crate) struct Steady {
    route: Arc<Route>,
    making: Arc<Mutex<Making>>,
}

impl Steady {
    /// Connects.
    pub(crate) async fn open(route: Route) -> RedisResult<Self> {
        let route = Arc::new(route);
        let making = making(route.clone());
        making.clone().await?;
        Ok(Self { route, making: Arc::new(Mutex::new(making)) })
    }

    fn current(&self) -> Making {
        self.making.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The connection, once it is there. One that could not be made is made anew by the next command, whatever
    /// stood in its way: a server that refused a password or a database may take it by then.
    async fn made(&self) -> RedisResult<(Making, Made)> {
        let making = self.current();
        match making.clone().await {
            Ok(made) => Ok((making, made)),
            Err(error) => {
                self.renew(&making);
                Err(error)
            }
        }
    }

    /// A client for the node that commands go to, for further connections.
    pub(crate) async fn client(&self) -> RedisResult<Client> {
        Ok(self.made().await?.1.client)
    }

    /// Has the next command find the way anew, after an error on a further connection.
    pub(crate) fn suspect(&self) {
        let made = self.current();
        // One that is only being made finds it by itself.
        if made.peek().is_some() {
            self.renew(&made);
        }
    }

    fn renew(&self, used: &Making) {
        let mut making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if making.ptr_eq(used) {
            *making = self::making(self.route.clone());
        }
    }

    /// Passes a result on; after one of a connection that leads nowhere, the next command makes another one.
    fn checked<T>(&self, used: &Making, result: RedisResult<T>) -> RedisResult<T> {
        if result.as_ref().is_err_and(is_unreachable) {
            self.renew(used);
        }
        result
    }
}

fn making(route: Arc<Route>) -> Making {
    let make = async move {
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(RESPONSE));
        let client = route.client().await?;
        let connection = connect(&client, config).await?;
        Ok(Made { client, connection })
    };
    make.boxed().shared()
}

impl ConnectionLike for Steady {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        async move {
            let (used, mut made) = self.made().await?;
            let reply = made.connection.req_packed_command(command).await;
            // What the server says comes as a value, which says as well where the connection leads.
            self.checked(&used, reply.and_then(Value::extract_error))
        }
        .boxed()
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        commands: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        async move {
            let (used, mut made) = self.made().await?;
            let result = made.connection.req_packed_commands(commands, offset, count).await;
            let mut said = result.iter().flatten().filter(|reply| matches!(reply, Value::ServerError(_)));
            if said.any(|reply| reply.clone().extract_error().is_err_and(|error| is_unreachable(&error))) {
                self.renew(&used);
            }
            self.checked(&used, result)
        }
        .boxed()
    }

    fn get_db(&self) -> i64 {
        self.route.database()
    }
}
