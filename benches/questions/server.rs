//! The server's side: a process of its own, on a redis-server of its own unless one is given.

use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mcptask::engine::{Engine, Limits};
use mcptask::server::{self, ServeConfig};
use mcptask::store::Store;
use mcptask::store::redis::RedisStore;
use mcptask::store::sqlite::SqliteStore;
use mcptask::task::WorkerId;
use mcptask::worker::{Tool, Worker, WorkerConfig};
use tokio_util::sync::CancellationToken;

use crate::tool::AskTool;

/// Where the state is.
pub(crate) enum Place {
    /// A URL or a path that was given.
    Given(String),
    /// A redis-server of this run.
    Own(Child, u16),
}

impl Place {
    /// Starts a redis-server that keeps nothing, and waits until it answers.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let child = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--save", "", "--appendonly", "no", "--bind", "127.0.0.1"])
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server starts; install it: apt-get install redis-server");
        let began = Instant::now();
        while std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(began.elapsed() < Duration::from_secs(10), "redis-server does not listen");
            std::thread::sleep(Duration::from_millis(5));
        }
        Self::Own(child, port)
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::Given(url) => url.clone(),
            Self::Own(_, port) => format!("redis://127.0.0.1:{port}"),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Self::Own(child, _) = self {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The server's process; killed on drop.
pub(crate) struct Process {
    child: Child,
    pub(crate) url: String,
}

impl Process {
    /// Starts this very program as the server, and waits until it listens.
    pub(crate) fn start(store: &str) -> Self {
        let program = std::env::current_exe().expect("this program's path");
        let mut child = Command::new(program)
            .env(super::ROLE, store)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut url = String::new();
        let stdout = child.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut url).expect("the server says where it listens");
        Self { child, url: url.trim().to_owned() }
    }

    pub(crate) fn profile() -> &'static str {
        if cfg!(debug_assertions) { "debug" } else { "release" }
    }

    /// The server's resident memory, where the system shows it as Linux does; else 0.
    pub(crate) fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves until the process is killed; says where on stdout.
pub(crate) async fn serve(place: &str) {
    let store: Arc<dyn Store> = if place.starts_with("redis") {
        RedisStore::open(place, "bench").await.expect("the store opens")
    } else {
        SqliteStore::open(place.as_ref(), "bench").await.expect("the store opens")
    };
    let stop = CancellationToken::new();
    let engine = Engine::new(store, Limits::default(), stop.clone());
    let tool: Arc<dyn Tool> = Arc::new(AskTool::new());
    let tools = [("ask".to_owned(), tool)].into();
    let config = WorkerConfig::new(WorkerId::generate("bench"), tools, 64);
    let worker = Worker::enlist(engine.clone(), config).await.expect("enlists");
    tokio::spawn(worker.run(stop.clone()));
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    println!("http://{address}/mcp");
    server::http(engine, ServeConfig { listen: address, ..ServeConfig::default() }, listener, stop)
        .await
        .expect("serves");
}

/// Latencies of Redis round trips, in nanoseconds.
pub(crate) async fn pings(url: &str, count: usize) -> Vec<u64> {
    let client = redis::Client::open(url).expect("an address");
    let mut connection = client.get_multiplexed_async_connection().await.expect("connects");
    let mut nanos = Vec::new();
    for _ in 0..count {
        let began = Instant::now();
        let _: String = redis::cmd("PING").query_async(&mut connection).await.expect("answers");
        nanos.push(u64::try_from(began.elapsed().as_nanos()).expect("short"));
    }
    nanos
}
