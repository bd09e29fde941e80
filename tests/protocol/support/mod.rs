//! A real server over a real store in this process, and clients that speak the wire by hand.
#![allow(dead_code, reason = "each test binary uses a part of it")]

pub(crate) mod http;
pub(crate) mod tools;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mcptask::engine::{Engine, Limits};
use mcptask::server::{self, ServeConfig, ServeError};
use mcptask::store::Store;
use mcptask::store::sqlite::SqliteStore;
use mcptask::task::{Task, TaskId, WorkerId};
use mcptask::worker::{Worker, WorkerConfig};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long a test waits for what must happen. Never reached when all is well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for what must happen.
pub(crate) async fn soon<T>(what: &str, wait: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("did not happen: {what}"))
}

/// A server with an embedded worker.
pub(crate) struct Server {
    pub(crate) engine: Engine,
    pub(crate) address: SocketAddr,
    pub(crate) stop: CancellationToken,
    pub(crate) served: JoinHandle<Result<(), ServeError>>,
    background: CancellationToken,
    directory: Arc<TempDir>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut ServeConfig)) -> Self {
        let directory = Arc::new(tempfile::tempdir().expect("a temporary directory"));
        let background = CancellationToken::new();
        let engine = engine(&directory, &background).await;
        work(&engine, &background).await;
        Self::over(engine, directory, background, change).await
    }

    /// A second server on the same store, as another process would be: with an engine of its own.
    pub(crate) async fn beside(&self, change: impl FnOnce(&mut ServeConfig)) -> Self {
        let background = CancellationToken::new();
        let engine = engine(&self.directory, &background).await;
        Self::over(engine, self.directory.clone(), background, change).await
    }

    async fn over(
        engine: Engine,
        directory: Arc<TempDir>,
        background: CancellationToken,
        change: impl FnOnce(&mut ServeConfig),
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let mut config = ServeConfig { listen: address, ..ServeConfig::default() };
        change(&mut config);
        let stop = CancellationToken::new();
        let served = tokio::spawn(server::http(engine.clone(), config, listener, stop.clone()));
        Self { engine, address, stop, served, background, directory }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    /// The task as the store has it.
    pub(crate) async fn task(&self, id: &str) -> Task {
        let id: TaskId = id.parse().expect("a task id");
        self.engine.store().get(&id).await.expect("the store works").expect("the task is there")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
        self.background.cancel();
    }
}

/// An engine over the SQLite store in `directory`.
pub(crate) async fn engine(directory: &TempDir, stop: &CancellationToken) -> Engine {
    // Shown where a test fails; a second test in the process finds it in place.
    let filter = tracing_subscriber::EnvFilter::new("mcptask=debug,rmcp=warn");
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init();
    let path = directory.path().join("mcptask.db");
    let store: Arc<dyn Store> = SqliteStore::open(&path, "default").await.expect("the store opens");
    let engine = Engine::new(store, Limits::default(), stop.clone());
    let timekeeper = engine.clone();
    let stop = stop.clone();
    tokio::spawn(async move { timekeeper.keep_time(stop).await });
    engine
}

/// A worker of all tools.
pub(crate) async fn work(engine: &Engine, stop: &CancellationToken) {
    let config = WorkerConfig::new(WorkerId::generate("test"), tools::all(), 8);
    let worker = Worker::enlist(engine.clone(), config).await.expect("the worker enlists");
    let stop = stop.clone();
    tokio::spawn(async move { worker.run(stop).await });
}
