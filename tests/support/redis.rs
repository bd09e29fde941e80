//! A real redis-server for one test.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The server; killed on drop.
#[derive(Debug)]
pub struct RedisServer {
    child: Child,
    port: u16,
    directory: TempDir,
    options: Vec<String>,
}

impl RedisServer {
    /// Starts an empty server that keeps nothing on disk, and waits until it answers.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same, with every write on disk before it answers.
    pub fn persistent() -> Self {
        Self::start_with(&["--appendonly", "yes", "--appendfsync", "always"])
    }

    /// The same, with further options.
    pub fn start_with(options: &[&str]) -> Self {
        let options: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
        // Another process may take the free port first; then this server ends at once.
        (0..10)
            .find_map(|_| Self::try_start(options.clone()))
            .expect("a redis-server that found a free port ten times")
    }

    /// Kills it with SIGKILL and waits until it is gone.
    pub fn kill(&mut self) {
        self.child.kill().expect("the server is ours");
        self.child.wait().expect("the server is ours");
    }

    /// Starts it again after [`RedisServer::kill`], on the same port and files.
    pub fn restart(&mut self) {
        self.child = spawn(self.port, &self.directory, &self.options);
        assert!(self.answers(), "redis-server does not start again on port {}", self.port);
    }

    /// Where it listens on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{signal}"), &id]).status().expect("kill runs");
        assert!(sent.success());
    }

    /// Asks it something, on a connection of its own.
    pub fn ask<T: redis::FromRedisValue>(&self, words: &[&str]) -> redis::RedisResult<T> {
        let mut connection = redis::Client::open(self.url())?.get_connection()?;
        redis::cmd(words[0]).arg(&words[1..]).query(&mut connection)
    }

    /// Asks it until the answer is as wanted.
    pub fn until<T: redis::FromRedisValue>(&self, words: &[&str], wanted: impl Fn(&T) -> bool) -> T {
        let began = Instant::now();
        loop {
            if let Ok(answer) = self.ask(words)
                && wanted(&answer)
            {
                return answer;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "{words:?} is never answered as wanted");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Its address by TCP.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// Its address by unix socket.
    pub fn socket_url(&self) -> String {
        format!("unix://{}?db=0", self.socket().display())
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("redis.sock")
    }

    fn try_start(options: Vec<String>) -> Option<Self> {
        let directory = TempDir::new().expect("a temporary directory");
        let port = free_port();
        let child = spawn(port, &directory, &options);
        let mut server = Self { child, port, directory, options };
        server.answers().then_some(server)
    }

    /// Waits for the answer to PING; false when the server has ended.
    fn answers(&mut self) -> bool {
        let began = Instant::now();
        while !self.ping() {
            if self.child.try_wait().expect("its state can be read").is_some() {
                return false;
            }
            assert!(began.elapsed() < Duration::from_secs(20), "redis-server does not answer PING");
            std::thread::sleep(Duration::from_millis(5));
        }
        true
    }

    /// The socket's path is this server's alone, so that no other one answers.
    fn ping(&self) -> bool {
        let Ok(mut stream) = UnixStream::connect(self.socket()) else {
            return false;
        };
        let mut answer = [0; 7];
        let asked = stream.set_read_timeout(Some(Duration::from_secs(1))).and(stream.write_all(b"PING\r\n"));
        asked.and(stream.read_exact(&mut answer)).is_ok() && &answer == b"+PONG\r\n"
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // It may have ended by itself, which the test will have noticed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(port: u16, directory: &TempDir, options: &[String]) -> Child {
    Command::new(program())
        .args(["--bind", "127.0.0.1", "--save", "", "--port", &port.to_string()])
        .args(["--appendonly", "no", "--unixsocket"])
        .arg(directory.path().join("redis.sock"))
        .args(options)
        .current_dir(directory.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| {
            panic!(
                "redis-server does not start ({error}); install redis-server: apt-get install redis-server"
            )
        })
}

/// The server's program: another version of Redis, or Valkey, where the environment names one.
fn program() -> String {
    std::env::var("MCPTASK_TEST_REDIS_SERVER").unwrap_or_else(|_| "redis-server".to_owned())
}

/// A port that nobody listens on.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("a bound address").port()
}
