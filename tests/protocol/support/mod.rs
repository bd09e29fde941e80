//! A real server over a real store in this process, and clients that speak the wire by hand.
#![allow(dead_code, reason = "each test binary uses a part of it")]

#[path = "../../support/bench.rs"]
#[allow(unreachable_pub, reason = "shared with test binaries that need more of it")]
pub(crate) mod bench;
#[path = "../../support/cluster.rs"]
#[allow(unreachable_pub, reason = "shared with test binaries that need more of it")]
pub(crate) mod cluster;
pub(crate) mod http;
#[path = "../../support/redis.rs"]
#[allow(unreachable_pub, reason = "shared with test binaries that need more of it")]
pub(crate) mod redis;
pub(crate) mod tools;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mcptask::engine::{Engine, Limits};
use mcptask::server::{self, ServeConfig, ServeError};
use mcptask::store::EventFilter;
use mcptask::task::{Cursor, Task, TaskId, WorkerId};
use mcptask::worker::{Worker, WorkerConfig};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use bench::Bench;

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
    bench: Arc<Bench>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut ServeConfig)) -> Self {
        Self::on(Bench::sqlite(), change).await
    }

    pub(crate) async fn on(bench: Bench, change: impl FnOnce(&mut ServeConfig)) -> Self {
        let bench = Arc::new(bench);
        let background = CancellationToken::new();
        let engine = engine(&bench, &background).await;
        work(&engine, &background).await;
        keep_time(&engine, &background);
        Self::over(engine, bench, background, change).await
    }

    /// A second server on the same store, as another process would be: with an engine of its own.
    pub(crate) async fn beside(&self, change: impl FnOnce(&mut ServeConfig)) -> Self {
        let background = CancellationToken::new();
        let engine = engine(&self.bench, &background).await;
        keep_time(&engine, &background);
        Self::over(engine, self.bench.clone(), background, change).await
    }

    async fn over(
        engine: Engine,
        bench: Arc<Bench>,
        background: CancellationToken,
        change: impl FnOnce(&mut ServeConfig),
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let mut config = ServeConfig::default();
        change(&mut config);
        let stop = CancellationToken::new();
        let served = tokio::spawn(server::http(engine.clone(), config, listener, stop.clone()));
        Self { engine, address, stop, served, background, bench }
    }

    /// Where its store is.
    pub(crate) fn bench(&self) -> &Bench {
        &self.bench
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    /// The first task that was ever launched here, be it a call's hidden one.
    pub(crate) async fn first_task(&self) -> String {
        let mut log = self.engine.watch(EventFilter::All, Cursor::START).await.expect("a watch");
        soon("a first event", log.next()).await.expect("an event").task.to_string()
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

/// An engine of its own over the store. The log is not read yet: whose tools are enlisted first tells nobody of a change.
pub(crate) async fn engine(bench: &Bench, stop: &CancellationToken) -> Engine {
    // Shown where a test fails; a second test in the process finds it in place.
    let filter = tracing_subscriber::EnvFilter::new("mcptask=debug,rmcp=warn");
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init();
    let store = bench.store().await;
    Engine::new(store, Limits::default(), stop.clone())
}

/// Has the engine settle what is due.
pub(crate) fn keep_time(engine: &Engine, stop: &CancellationToken) {
    let (engine, stop) = (engine.clone(), stop.clone());
    tokio::spawn(async move { engine.keep_time(stop).await });
}

/// A worker of all tools.
pub(crate) async fn work(engine: &Engine, stop: &CancellationToken) {
    let config = WorkerConfig::new(WorkerId::generate("test"), tools::all(), 8);
    let worker = Worker::enlist(engine.clone(), config).await.expect("the worker enlists");
    let stop = stop.clone();
    tokio::spawn(async move { worker.run(stop).await });
}
