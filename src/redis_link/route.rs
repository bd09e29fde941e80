//! Which node takes the writes now: looked up afresh for each connection, since it can be another one.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ConnectionInfo, ErrorKind, RedisError, RedisResult, Value};

use super::Address;
use super::address::at;
use super::handshake::connect_within;

/// How long a node may take to say where another one is. There are others to ask.
const LOOK_UP: Duration = Duration::from_secs(2);

/// The way to the node that takes the writes.
pub(crate) struct Route {
    address: Address,
    /// A key of the namespace: in a cluster, the node that has it has all of them.
    key: String,
    /// A cluster's nodes as they were last seen: those of the URL can all have gone meanwhile.
    seen: Mutex<Vec<ConnectionInfo>>,
}

impl Route {
    /// The way to where that key is; nothing is connected yet.
    pub(crate) fn new(address: Address, key: &str) -> Self {
        Self { address, key: key.to_owned(), seen: Mutex::new(Vec::new()) }
    }

    /// A client for the node that takes the writes now.
    pub(crate) async fn client(&self) -> RedisResult<Client> {
        match &self.address {
            Address::One(information) => Client::open(information.clone()),
            Address::Sentinel { sentinels, name, node } => {
                first(sentinels.iter().map(|sentinel| told(sentinel, name, node))).await
            }
            Address::Cluster { seeds } => {
                let mut nodes = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
                nodes.extend(seeds.iter().cloned());
                first(nodes.iter().map(|node| self.owner(node))).await
            }
        }
    }

    /// The database of every connection.
    pub(crate) fn database(&self) -> i64 {
        match &self.address {
            Address::One(node) | Address::Sentinel { node, .. } => node.redis_settings().db(),
            Address::Cluster { .. } => 0,
        }
    }

    /// The node that has the key, by what that one says.
    async fn owner(&self, node: &ConnectionInfo) -> RedisResult<Client> {
        let mut connection = connect(node).await?;
        let slot: u64 =
            redis::cmd("CLUSTER").arg("KEYSLOT").arg(&self.key).query_async(&mut connection).await?;
        let ranges = ranges(&mut connection, node).await?;
        let all: Vec<_> = ranges.iter().flat_map(|range| range.nodes.iter().cloned()).collect();
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = all;
        let owner = ranges.iter().find(|range| (range.first..=range.last).contains(&slot));
        let owner = owner.and_then(|range| range.nodes.first());
        writes(owner.ok_or_else(|| away(format!("slot {slot} of the cluster has no node")))?).await
    }
}

/// The masters of a cluster, as the first node that answers sees them.
pub(crate) async fn masters(seeds: &[ConnectionInfo]) -> RedisResult<Vec<ConnectionInfo>> {
    first(seeds.iter().map(masters_by)).await
}

async fn masters_by(seed: &ConnectionInfo) -> RedisResult<Vec<ConnectionInfo>> {
    let ranges = ranges(&mut connect(seed).await?, seed).await?;
    let mut masters: Vec<ConnectionInfo> = Vec::new();
    for master in ranges.into_iter().filter_map(|range| range.nodes.into_iter().next()) {
        // A master can have several ranges.
        if masters.iter().all(|known| known.addr() != master.addr()) {
            masters.push(master);
        }
    }
    Ok(masters)
}

/// What the first of the asked nodes says that says anything; else the last one's error.
async fn first<T, F: Future<Output = RedisResult<T>> + Send>(
    asked: impl Iterator<Item = F> + Send,
) -> RedisResult<T> {
    let mut last = away("the URL names no node".to_owned());
    for one in asked {
        match one.await {
            Ok(found) => return Ok(found),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// The primary that a sentinel tells.
async fn told(sentinel: &ConnectionInfo, name: &str, node: &ConnectionInfo) -> RedisResult<Client> {
    let mut connection = connect(sentinel).await?;
    let mut command = redis::cmd("SENTINEL");
    command.arg("GET-MASTER-ADDR-BY-NAME").arg(name);
    let told: Option<(String, u16)> = command.query_async(&mut connection).await?;
    let unknown = || {
        (ErrorKind::MasterNameNotFoundBySentinel, "the sentinels know no primary of that name", name.into())
    };
    let (host, port) = told.ok_or_else(unknown)?;
    writes(&at(node, &host, port)).await
}

/// A client for a node, if it is one that takes writes: who told of it may not know yet that another one does.
async fn writes(node: &ConnectionInfo) -> RedisResult<Client> {
    let role: Vec<Value> = redis::cmd("ROLE").query_async(&mut connect(node).await?).await?;
    match role.first().map(redis::from_redis_value_ref::<String>) {
        Some(Ok(role)) if role == "master" => Client::open(node.clone()),
        _ => Err(away(format!("{} is not the primary any more", node.addr()))),
    }
}

async fn connect(node: &ConnectionInfo) -> RedisResult<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new().set_response_timeout(Some(LOOK_UP));
    connect_within(LOOK_UP, &Client::open(node.clone())?, config).await
}

/// What ends by itself.
fn away(problem: String) -> RedisError {
    io::Error::new(io::ErrorKind::NotConnected, problem).into()
}

/// A range of a cluster's slots.
struct Range {
    first: u64,
    last: u64,
    /// The master first.
    nodes: Vec<ConnectionInfo>,
}

async fn ranges(connection: &mut MultiplexedConnection, asked: &ConnectionInfo) -> RedisResult<Vec<Range>> {
    let slots: Vec<Vec<Value>> = redis::cmd("CLUSTER").arg("SLOTS").query_async(connection).await?;
    Ok(slots.iter().filter_map(|slot| range(slot, asked)).collect())
}

/// `[first, last, [host, port, id, …], replicas…]`.
fn range(slot: &[Value], asked: &ConnectionInfo) -> Option<Range> {
    let [first, last, nodes @ ..] = slot else { return None };
    let nodes = nodes.iter().filter_map(|node| {
        let Value::Array(node) = node else { return None };
        let host = redis::from_redis_value_ref::<Option<String>>(node.first()?).ok()?.unwrap_or_default();
        let port = redis::from_redis_value_ref(node.get(1)?).ok()?;
        // A node that does not know its own name is the one that was asked.
        Some(if host.is_empty() { at(asked, &host_of(asked), port) } else { at(asked, &host, port) })
    });
    let number = |value| redis::from_redis_value_ref(value).ok();
    Some(Range { first: number(first)?, last: number(last)?, nodes: nodes.collect() })
}

fn host_of(node: &ConnectionInfo) -> String {
    match node.addr() {
        redis::ConnectionAddr::Tcp(host, _) | redis::ConnectionAddr::TcpTls { host, .. } => host.clone(),
        other => other.to_string(),
    }
}
