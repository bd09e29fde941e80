//! Who takes part in a run: a redis-server, mcptask's server and workers, and FastMCP's server.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mcptask::store::Store;
use mcptask::store::redis::RedisStore;
use redis::aio::MultiplexedConnection;
use tempfile::TempDir;

use crate::processes::Process;

/// The namespace, and FastMCP's docket.
pub(crate) const NAMESPACE: &str = "bench";

/// Tasks that one process runs at once. Those that wait for an answer do not count.
const SLOTS: &str = "16";

/// A redis-server that keeps nothing on disk.
pub(crate) struct Redis {
    pub(crate) process: Process,
    pub(crate) url: String,
}

impl Redis {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let mut command = Command::new("redis-server");
        command.args([
            "--port",
            &port.to_string(),
            "--save",
            "",
            "--appendonly",
            "no",
            "--bind",
            "127.0.0.1",
        ]);
        let process = Process::silent(command.args(["--maxclients", "20000"]));
        let began = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(began.elapsed() < Duration::from_secs(10), "redis-server does not listen");
            std::thread::sleep(Duration::from_millis(5));
        }
        Self { process, url: format!("redis://127.0.0.1:{port}") }
    }

    pub(crate) async fn connect(&self) -> MultiplexedConnection {
        let client = redis::Client::open(self.url.as_str()).expect("an address");
        client.get_multiplexed_async_connection().await.expect("connects")
    }

    /// A handle as another process would have it.
    pub(crate) async fn store(&self) -> Arc<dyn Store> {
        RedisStore::open(&self.url, NAMESPACE).await.expect("the store opens")
    }

    /// How many connections there are, the one that asks not counted.
    pub(crate) async fn connections(&self) -> usize {
        let list: String =
            redis::cmd("CLIENT").arg("LIST").query_async(&mut self.connect().await).await.expect("lists");
        list.lines().count() - 1
    }
}

/// Where mcptask's state is, as its environment says it.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    Redis(String),
    Sqlite(PathBuf),
}

/// mcptask's processes.
pub(crate) struct Ours {
    place: Place,
    pub(crate) server: Process,
    pub(crate) workers: Vec<Process>,
    pub(crate) url: String,
    home: TempDir,
}

impl Ours {
    /// A server with workers in it, or with so many worker processes beside it.
    pub(crate) fn start(place: Place, worker_processes: usize) -> Self {
        Self::start_with(place, worker_processes, &[])
    }

    /// The same, with further options of its server.
    pub(crate) fn start_with(place: Place, worker_processes: usize, options: &[&str]) -> Self {
        let home = TempDir::new().expect("a temporary directory");
        let mut workers = Vec::new();
        for _ in 0..worker_processes {
            let mut command = program(&place, home.path());
            command.args(["--json", "worker", "--concurrency", SLOTS, "--config"]);
            workers.push(Process::start(command.arg(config())));
        }
        let slots = if worker_processes == 0 { SLOTS } else { "0" };
        let mut command = program(&place, home.path());
        command.args(["--json", "serve", "--listen", "127.0.0.1:0", "--workers", slots]);
        command.args(["--max-tasks", "10000000", "--unanswerable", "wait", "--config"]);
        let server = Process::start(command.arg(config()).args(options));
        let said: serde_json::Value = serde_json::from_str(&server.first).expect("a JSON line");
        let url = said["url"].as_str().expect("the server says where it listens").to_owned();
        Self { place, server, workers, url, home }
    }

    /// Another command on the same tasks.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program(&self.place, self.home.path());
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    pub(crate) fn worker_ids(&self) -> Vec<u32> {
        self.workers.iter().map(Process::id).collect()
    }
}

/// A command of a person on those tasks.
pub(crate) fn at_terminal(place: &Place, arguments: &[&str]) -> Command {
    let mut command = program(place, &std::env::temp_dir());
    command.args(arguments);
    command
}

fn program(place: &Place, home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mcptask"));
    // Nothing of this machine's own settings.
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).current_dir(home);
    command.env("HOME", home).env("MCPTASK_NAMESPACE", NAMESPACE).stderr(Stdio::null());
    match place {
        Place::Redis(url) => command.env("MCPTASK_REDIS_URL", url),
        Place::Sqlite(path) => command.env("MCPTASK_DB", path),
    };
    command
}

fn config() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("benches/ask.toml")
}

/// A script of `benches/fastmcp`.
pub(crate) fn script(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("benches/fastmcp").join(name)
}

/// The same tool on FastMCP.
pub(crate) struct FastMcp {
    _process: Process,
    pub(crate) url: String,
}

impl FastMcp {
    pub(crate) fn start(python: &Path, redis: &Redis) -> Self {
        Self::with_slots(python, redis, 10)
    }

    /// The same with so many slots for tasks. 10 is its default; each task that waits for an answer keeps one.
    pub(crate) fn with_slots(python: &Path, redis: &Redis, slots: usize) -> Self {
        let mut command = Command::new(python);
        command.arg(script("server.py")).env("FASTMCP_DOCKET_URL", &redis.url).stderr(Stdio::null());
        command.env("FASTMCP_DOCKET_CONCURRENCY", slots.to_string());
        let process = Process::start(command.env("FASTMCP_DOCKET_NAME", NAMESPACE));
        let url = format!("http://127.0.0.1:{}/mcp", process.first.trim());
        Self { _process: process, url }
    }
}
