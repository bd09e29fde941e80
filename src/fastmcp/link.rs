//! The connection to one Redis node, and what it can be asked.

use std::collections::BTreeSet;

use redis::{Client, Cmd, FromRedisValue, Pipeline, RedisError, RedisResult, ScriptInvocation, Value};

use super::{FastmcpError, FastmcpResult};
use crate::redis_link::{self, Address, Route, Steady};

/// Keys examined by one SCAN: enough for few round trips, few enough not to hold the server up.
const SCANNED_AT_ONCE: usize = 2000;

/// A cheap handle.
#[derive(Clone)]
pub(super) struct Link {
    commands: Steady,
    location: String,
}

impl Link {
    /// One link for a Redis, or one for each master of a cluster (`redis+cluster://`). All keys of a docket
    /// lie in one slot of a cluster, so that one node is enough for one deployment.
    pub(super) async fn open(url: &str) -> FastmcpResult<Vec<Self>> {
        let location = redis_link::shown(url);
        let explained = |error: RedisError| FastmcpError::from_redis(&location, "connecting", &error);
        let nodes = match Address::parse(url).map_err(explained)? {
            Address::Cluster { seeds } => redis_link::masters(&seeds).await.map_err(explained)?,
            one => return Ok(vec![Self::to(one, location.clone()).await.map_err(explained)?]),
        };
        let mut links = Vec::new();
        for node in nodes {
            let location = format!("redis://{}", node.addr());
            links.push(Self::to(Address::One(node), location).await.map_err(explained)?);
        }
        Ok(links)
    }

    async fn to(node: Address, location: String) -> RedisResult<Self> {
        // Whose keys lie where was found out before.
        let commands = Steady::open(Route::new(node, "")).await?;
        Ok(Self { commands, location })
    }

    /// Where it leads, without secrets.
    pub(super) fn location(&self) -> &str {
        &self.location
    }

    /// What further connections to the same node are made from.
    pub(super) async fn client(&self) -> RedisResult<Client> {
        self.commands.client().await
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
        if redis_link::is_unreachable(error) {
            // It may be another node that is the primary now.
            self.commands.suspect();
        }
        FastmcpError::from_redis(&self.location, command, error)
    }
}

/// The replies of a pipeline, taken one after the other in the order of its reads.
pub(super) struct Replies {
    left: std::vec::IntoIter<RedisResult<Value>>,
    location: String,
}

impl Replies {
    /// Replies that nobody asked for.
    #[cfg(any(test, fuzzing))]
    pub(super) fn of(replies: Vec<RedisResult<Value>>) -> Self {
        Self { left: replies.into_iter(), location: String::new() }
    }

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
