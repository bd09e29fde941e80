//! A primary with a replica, watched by three sentinels.

use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::protocol::redis::{RedisServer, free_port};

/// One sentinel; killed when dropped.
struct Sentinel {
    child: Child,
    port: u16,
    _directory: TempDir,
}

impl Sentinel {
    /// Watches the server on that port. Two sentinels that miss it for a second are enough.
    fn of(watched: u16) -> Self {
        let directory = TempDir::new().expect("a temporary directory");
        let (port, file) = (free_port(), directory.path().join("sentinel.conf"));
        let settings = format!(
            "port {port}\nbind 127.0.0.1\nsentinel monitor kitchen 127.0.0.1 {watched} 2\n\
             sentinel down-after-milliseconds kitchen 1000\nsentinel failover-timeout kitchen 3000\n"
        );
        std::fs::write(&file, settings).expect("writes the settings");
        let mut command = Command::new("redis-server");
        command.arg(&file).arg("--sentinel").current_dir(directory.path()).stdin(Stdio::null());
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Self { child: child.expect("redis-server starts"), port, _directory: directory }
    }

    fn ask<T: redis::FromRedisValue>(&self, words: &[&str]) -> redis::RedisResult<T> {
        let url = format!("redis://127.0.0.1:{}", self.port);
        let mut connection = redis::Client::open(url)?.get_connection()?;
        redis::cmd("SENTINEL").arg(words).query(&mut connection)
    }

    /// The port of the primary.
    fn primary(&self) -> redis::RedisResult<u16> {
        self.ask::<(String, u16)>(&["GET-MASTER-ADDR-BY-NAME", "kitchen"]).map(|(_, port)| port)
    }

    /// Whether enough sentinels know each other, and a replica that can take over.
    fn is_ready(&self) -> bool {
        let replicas: redis::RedisResult<Vec<redis::Value>> = self.ask(&["REPLICAS", "kitchen"]);
        let sentinels: redis::RedisResult<Vec<redis::Value>> = self.ask(&["SENTINELS", "kitchen"]);
        matches!((replicas, sentinels), (Ok(replicas), Ok(sentinels)) if replicas.len() == 1 && sentinels.len() == 2)
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Everything.
pub(crate) struct Guarded {
    servers: Vec<RedisServer>,
    sentinels: Vec<Sentinel>,
}

impl Guarded {
    pub(crate) fn start() -> Self {
        let primary = RedisServer::persistent();
        let port = primary.port().to_string();
        let options = ["--appendonly", "yes", "--replicaof", "127.0.0.1", &port];
        let replica = RedisServer::start_with(&options);
        primary.until(&["INFO", "replication"], |state: &String| state.contains("state=online"));
        let sentinels = (0..3).map(|_| Sentinel::of(primary.port())).collect();
        let all = Self { servers: vec![primary, replica], sentinels };
        until("the sentinels know each other", || all.sentinels.iter().all(Sentinel::is_ready));
        all
    }

    /// The address of what they watch.
    pub(crate) fn url(&self) -> String {
        let hosts: Vec<_> = self.sentinels.iter().map(|one| format!("127.0.0.1:{}", one.port)).collect();
        format!("redis+sentinel://{}/kitchen/0", hosts.join(","))
    }

    /// The server that is the primary, by what all sentinels say.
    fn primary(&mut self) -> &mut RedisServer {
        let port = self.sentinels[0].primary().expect("a sentinel answers");
        self.servers.iter_mut().find(|server| server.port() == port).expect("one of them")
    }

    /// Waits until the replica has everything that was acknowledged before: replication is asynchronous.
    pub(crate) fn replicated(&mut self) {
        self.primary().until(&["WAIT", "1", "5000"], |replicas: &u64| *replicas == 1);
    }

    /// Kills the primary. Another one takes over in its own time.
    pub(crate) fn kill_primary(&mut self) -> u16 {
        let primary = self.primary();
        primary.kill();
        primary.port()
    }

    /// Starts a killed server again, and waits until it is a replica that can take over.
    pub(crate) fn return_as_replica(&mut self, port: u16) {
        let server = self.servers.iter_mut().find(|server| server.port() == port).expect("one of them");
        server.restart();
        server.until(&["INFO", "replication"], |state: &String| state.contains("master_link_status:up"));
        until("the sentinels see the replica", || {
            self.sentinels
                .iter()
                .all(|one| one.primary().is_ok_and(|primary| primary != port) && one.is_ready())
        });
    }
}

/// Waits for what nobody tells.
pub(crate) fn until(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(60), "did not happen: {what}");
        sleep(Duration::from_millis(50));
    }
}
