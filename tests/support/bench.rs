//! A place for state, to which a test opens as many handles as it likes.

use std::path::PathBuf;
use std::sync::Arc;

use mcptask::store::Store;
use mcptask::store::redis::RedisStore;
use mcptask::store::sqlite::SqliteStore;
use tempfile::TempDir;

use super::cluster::RedisCluster;
use super::redis::RedisServer;

/// The place. Dropping it removes the file or stops the server.
#[derive(Debug)]
pub enum Bench {
    /// A file of its own.
    Sqlite(TempDir),
    /// A server of its own.
    Redis(RedisServer),
    /// A cluster, shared with other tests, in which this one's namespaces begin so.
    Cluster(Arc<RedisCluster>, String),
}

impl Bench {
    /// An empty SQLite file.
    pub fn sqlite() -> Self {
        Self::Sqlite(TempDir::new().expect("a temporary directory"))
    }

    /// An empty redis-server.
    pub fn redis() -> Self {
        Self::Redis(RedisServer::start())
    }

    /// An empty part of a cluster.
    pub fn cluster(cluster: &Arc<RedisCluster>, name: &str) -> Self {
        Self::Cluster(cluster.clone(), name.to_owned())
    }

    /// A handle as another process would have it: nothing is shared but the state.
    pub async fn store(&self) -> Arc<dyn Store> {
        self.namespace("test").await
    }

    /// A handle on another namespace.
    pub async fn namespace(&self, name: &str) -> Arc<dyn Store> {
        match self {
            Self::Sqlite(directory) => {
                SqliteStore::open(&file(directory), name).await.expect("opens the file")
            }
            Self::Redis(server) => RedisStore::open(&server.url(), name).await.expect("opens the server"),
            Self::Cluster(cluster, part) => {
                let name = format!("{part}-{name}");
                RedisStore::open(&cluster.url(), &name).await.expect("opens the cluster")
            }
        }
    }
}

fn file(directory: &TempDir) -> PathBuf {
    directory.path().join("tasks.db")
}
