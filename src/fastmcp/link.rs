//! The connection to one Redis node, and what it can be asked.

use std::collections::BTreeSet;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Cmd, FromRedisValue, Pipeline, RedisError, RedisResult, ScriptInvocation, Value};

use super::{FastmcpError, FastmcpResult};
use crate::redis_link::{self, CONNECT, RESPONSE};

/// Keys examined by one SCAN: enough for few round trips, few enough not to hold the server up.
const SCANNED_AT_ONCE: usize = 2000;

/// A cheap handle.
#[derive(Clone)]
pub(super) struct Link {
    client: Client,
    commands: ConnectionManager,
    location: String,
}

impl Link {
    /// One link for a Redis, or one for each master of a cluster (`redis+cluster://`). All keys of a docket
    /// lie in one slot of a cluster, so that one node is enough for one deployment.
    pub(super) async fn open(url: &str) -> FastmcpResult<Vec<Self>> {
        let Some((scheme, rest)) = url.split_once("+cluster://") else {
            return Ok(vec![Self::single(url).await?]);
        };
        let seed_url = format!("{scheme}://{rest}");
        let seed = Self::single(&seed_url).await?;
        let slots: Vec<Vec<Value>> = seed.run(redis::cmd("CLUSTER").arg("SLOTS")).await?;
        let masters: BTreeSet<(String, u16)> = slots.iter().filter_map(|slot| master(slot)).collect();
        let mut links = Vec::new();
        for (host, port) in masters {
            links.push(Self::single(&addressed(&seed_url, &host, port)).await?);
        }
        Ok(links)
    }

    async fn single(url: &str) -> FastmcpResult<Self> {
        let location = redis_link::shown(url);
        let explained = |error: RedisError| FastmcpError::from_redis(&location, "connecting", &error);
        let client = redis_link::client(url).map_err(explained)?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(RESPONSE))
            .set_number_of_retries(1);
        let commands = client.get_connection_manager_with_config(config).await.map_err(explained)?;
        Ok(Self { client, commands, location })
    }

    /// Where it leads, without secrets.
    pub(super) fn location(&self) -> &str {
        &self.location
    }

    /// What further connections to the same node are made from.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Runs one command.
    pub(super) async fn run<T: FromRedisValue>(&self, command: &Cmd) -> FastmcpResult<T> {
        let reply = command.query_async(&mut self.commands.clone()).await;
        reply.map_err(|error| self.error(&name(command), &error))
    }

    /// Runs a script that changes something.
    pub(super) async fn call<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> FastmcpResult<T> {
        let reply = script.invoke_async(&mut self.commands.clone()).await;
        reply.map_err(|error| self.error("EVALSHA", &error))
    }

    /// Runs many reads in one round trip. A read that does not fit the type of its key fails alone.
    pub(super) async fn read(&self, mut reads: Pipeline) -> FastmcpResult<Replies> {
        if reads.is_empty() {
            return Ok(Replies { left: Vec::new().into_iter(), location: self.location.clone() });
        }
        let replies: RedisResult<Vec<RedisResult<Value>>> =
            reads.ignore_errors().query_async(&mut self.commands.clone()).await;
        let replies = replies.map_err(|error| self.error("a read", &error))?;
        Ok(Replies { left: replies.into_iter(), location: self.location.clone() })
    }

    /// All keys that match the pattern, each once. Keys that are not text are none of FastMCP's.
    pub(super) async fn scan(&self, pattern: &str) -> FastmcpResult<BTreeSet<String>> {
        let (mut found, mut cursor) = (BTreeSet::new(), "0".to_owned());
        loop {
            let mut command = redis::cmd("SCAN");
            command.arg(&cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(SCANNED_AT_ONCE);
            let (next, keys): (String, Vec<Vec<u8>>) = self.run(&command).await?;
            found.extend(keys.into_iter().filter_map(|key| String::from_utf8(key).ok()));
            if next == "0" {
                return Ok(found);
            }
            cursor = next;
        }
    }

    pub(super) fn error(&self, command: &str, error: &RedisError) -> FastmcpError {
        FastmcpError::from_redis(&self.location, command, error)
    }
}

/// The replies of a pipeline, taken one after the other in the order of its reads.
pub(super) struct Replies {
    left: std::vec::IntoIter<RedisResult<Value>>,
    location: String,
}

impl Replies {
    /// The next reply. What is not of the expected type, or not text, is `Ok(None)` and leaves a note;
    /// what the user may not read is an error.
    pub(super) fn next<T: FromRedisValue>(
        &mut self,
        what: &str,
        notes: &mut Vec<String>,
    ) -> FastmcpResult<Option<T>> {
        let Some(reply) = self.left.next() else {
            return Ok(None);
        };
        let value = match reply {
            Ok(Value::Nil) => return Ok(None),
            Ok(value) => value,
            Err(error) => match FastmcpError::from_redis(&self.location, what, &error) {
                FastmcpError::Backend { problem, .. } => {
                    notes.push(format!("{what} cannot be read: {problem}"));
                    return Ok(None);
                }
                fatal => return Err(fatal),
            },
        };
        let value = redis::from_redis_value::<T>(value).ok();
        if value.is_none() {
            notes.push(format!("{what} cannot be read: it is not what FastMCP writes there"));
        }
        Ok(value)
    }
}

/// A pattern that matches this text literally, for SCAN, PSUBSCRIBE and PUBSUB.
pub(super) fn literally(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '*' | '?' | '[' | ']' | '\\' | '^') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

fn name(command: &Cmd) -> String {
    let first = command.args_iter().next();
    match first {
        Some(redis::Arg::Simple(name)) => String::from_utf8_lossy(name).into_owned(),
        _ => "a command".to_owned(),
    }
}

/// The master of one range of slots: `[first, last, [host, port, id, …], replicas…]`.
fn master(slot: &[Value]) -> Option<(String, u16)> {
    let (host, port, ..): (String, u16, String) = match slot.get(2)? {
        Value::Array(node) => {
            redis::from_redis_value(Value::Array(node.iter().take(3).cloned().collect())).ok()?
        }
        _ => return None,
    };
    Some((host, port))
}

/// The same URL for another node. A node that does not know its own name is the one that was asked.
fn addressed(url: &str, host: &str, port: u16) -> String {
    let Ok(mut address) = url::Url::parse(url) else {
        return url.to_owned();
    };
    if !host.is_empty() {
        // Fails only for URLs without a host, which no cluster URL is.
        let _ = address.set_host(Some(host));
    }
    let _ = address.set_port(Some(port));
    address.to_string()
}
