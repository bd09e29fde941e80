//! A FastMCP deployment for one test: `server.py` and `client.py` on one version of FastMCP.

use std::future::Future;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use mcptask::fastmcp::{DeployedTask, Deployment, FastmcpResult};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::support::redis::RedisServer;

/// The bound on every wait: Python takes its time to start on a busy machine.
pub(crate) const BOUND: Duration = Duration::from_secs(120);

pub(crate) const V3_0: &str = "3.0.2";
pub(crate) const V3_4: &str = "3.4.11";
pub(crate) const V4: &str = "4.1.4";

/// What a process of the deployment does; see `server.py`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// An endpoint with its embedded worker.
    Serve,
    /// An endpoint without a worker.
    Front,
    /// A worker.
    Worker,
}

/// The deployment.
pub(crate) struct Kitchen {
    pub(crate) redis: RedisServer,
    version: &'static str,
    settings: Vec<(&'static str, String)>,
    port: u16,
    processes: Vec<Process>,
    directory: TempDir,
}

/// One process; killed on drop.
pub(crate) struct Process {
    pub(crate) child: Child,
}

impl Process {
    /// Sends it a signal, such as `STOP`.
    pub(crate) fn signal(&self, name: &str) {
        let mut command = Command::new("kill");
        command.args([&format!("-{name}"), &self.child.id().to_string()]);
        assert!(command.status().expect("kill runs").success(), "{name} is sent");
    }

    /// Ends it without a word, as a crash would.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Kitchen {
    /// A deployment with an endpoint and a worker in one process.
    pub(crate) fn open(version: &'static str) -> Self {
        Self::with(version, &[])
    }

    /// The same, with further settings in its environment.
    pub(crate) fn with(version: &'static str, settings: &[(&'static str, &str)]) -> Self {
        let mut kitchen = Self::empty(version, settings);
        kitchen.start(Role::Serve);
        kitchen.serves();
        kitchen
    }

    /// A deployment whose worker is a process of its own, and that worker.
    pub(crate) fn apart(version: &'static str, settings: &[(&'static str, &str)]) -> (Self, Process) {
        let mut kitchen = Self::empty(version, settings);
        kitchen.start(Role::Front);
        let worker = kitchen.process(Role::Worker, &[]);
        kitchen.serves();
        (kitchen, worker)
    }

    /// Nothing but its Redis yet.
    pub(crate) fn empty(version: &'static str, settings: &[(&'static str, &str)]) -> Self {
        Self::at(RedisServer::start(), version, settings)
    }

    /// The same on a Redis of one's own.
    pub(crate) fn at(redis: RedisServer, version: &'static str, settings: &[(&'static str, &str)]) -> Self {
        let settings = settings.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let directory = TempDir::new().expect("a temporary directory");
        Self { redis, version, settings, port: free_port(), processes: Vec::new(), directory }
    }

    /// Starts a process that lives as long as the deployment.
    pub(crate) fn start(&mut self, role: Role) {
        let process = self.process(role, &[]);
        self.processes.push(process);
    }

    /// Sends a signal to everything started with it.
    pub(crate) fn signal(&self, name: &str) {
        self.processes.iter().for_each(|process| process.signal(name));
    }

    /// Ends everything started with it.
    pub(crate) fn stop(&mut self) {
        self.processes.clear();
    }

    /// Starts a process with settings of its own.
    pub(crate) fn process(&self, role: Role, settings: &[(&str, &str)]) -> Process {
        let mut command = self.python("server.py");
        match role {
            Role::Serve => command.args(["serve", &self.port.to_string()]),
            Role::Front => command.args(["front", &self.port.to_string()]),
            Role::Worker => command.arg("worker"),
        };
        command.envs(settings.iter().copied()).stdin(Stdio::null()).stdout(Stdio::null());
        Process { child: command.spawn().expect("python starts") }
    }

    /// Waits until the endpoint takes connections.
    pub(crate) fn serves(&self) {
        let began = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            assert!(began.elapsed() < BOUND, "FastMCP {} does not serve; see its words above", self.version);
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Where MCP clients reach it.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}/mcp", self.port)
    }

    /// A client that launches a tool; see `client.py` for its manners.
    pub(crate) fn client(&self, tool: &str, arguments: &Value, manner: &str) -> Client {
        let mut command = self.python("client.py");
        command.arg(self.endpoint()).arg(tool).arg(arguments.to_string()).arg(manner);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("python starts");
        let (input, output) = (child.stdin.take(), child.stdout.take().expect("a piped output"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            // Ends with the process, or with the test that no longer listens.
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Client { process: Process { child }, input, lines }
    }

    /// The deployment, as an operator finds it once its server or worker has written a first key: the endpoint
    /// takes connections before that.
    pub(crate) async fn deployment(&self) -> Deployment {
        let mut found =
            until("the docket", async || Deployment::discover(&self.redis.url(), None).await.ok()).await;
        assert_eq!(found.len(), 1, "one docket");
        found.remove(0)
    }

    /// Waits until the task is as `wanted`, and returns it.
    pub(crate) async fn until(&self, id: &str, wanted: impl Fn(&DeployedTask) -> bool) -> DeployedTask {
        let deployment = self.deployment().await;
        let began = Instant::now();
        loop {
            let found = deployment.find(id).await;
            match found {
                Ok(task) if wanted(&task) => return task,
                found => assert!(began.elapsed() < BOUND, "task {id} after {BOUND:?}: {found:?}"),
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// Waits until the task asks a question with that message.
    pub(crate) async fn asks(&self, id: &str, message: &str) -> DeployedTask {
        self.until(id, |task| task.questions.iter().any(|question| question.ask.message == message)).await
    }

    /// Waits until a tool has returned something, and tells what all have.
    pub(crate) async fn served(&self) -> String {
        let file = self.directory.path().join("served");
        until("a result", async || {
            std::fs::read_to_string(&file)
                .ok()
                .filter(|text| text.ends_with('\n'))
                .map(|text| text.trim().to_owned())
        })
        .await
    }

    /// Runs a Redis command, as another program would.
    pub(crate) async fn redis<T: redis::FromRedisValue>(&self, words: &[&str]) -> T {
        let client = redis::Client::open(self.redis.url()).expect("a client");
        let mut connection = client.get_multiplexed_async_connection().await.expect("connects");
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        command.query_async(&mut connection).await.expect("the command works")
    }

    fn python(&self, script: &str) -> Command {
        let python = home(self.version).join("bin/python");
        assert!(
            python.exists(),
            "{} is missing; install the real parts with: tests/run --install",
            python.display()
        );
        let mut command = Command::new(python);
        command.arg("-W").arg("ignore");
        command.arg(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fastmcp").join(script));
        command.env("FASTMCP_DOCKET_URL", self.redis.url()).env("FASTMCP_LOG_LEVEL", "WARNING");
        command.env("SERVED", self.directory.path().join("served"));
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// A client of the deployment.
pub(crate) struct Client {
    pub(crate) process: Process,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Client {
    /// The next line that it prints.
    pub(crate) fn line(&self) -> String {
        match self.lines.recv_timeout(BOUND) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => panic!("the client said nothing for {BOUND:?}"),
            Err(RecvTimeoutError::Disconnected) => panic!("the client ended; see its words above"),
        }
    }

    /// The id of the task it launched: its first line.
    pub(crate) fn task(&self) -> String {
        self.line()
    }

    /// How its task ended, past the questions that it was asked.
    pub(crate) fn result(&self) -> String {
        loop {
            let line = self.line();
            if !line.starts_with("asked: ") {
                return line;
            }
        }
    }

    /// Lets a client of the manner `later` answer.
    pub(crate) fn go(&mut self) {
        self.input.as_mut().expect("a piped input").write_all(b"go\n").expect("the client reads");
    }
}

/// Waits until `look` finds something.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(began.elapsed() < BOUND, "{what} is not as expected after {BOUND:?}");
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

/// The content of an answer.
pub(crate) fn content(value: &Value) -> Map<String, Value> {
    value.as_object().expect("an object").clone()
}

/// What an answer that names the wrong cuisine looks like.
pub(crate) fn plan() -> Map<String, Value> {
    content(&json!({ "cuisine": "thai", "guests": 4 }))
}

/// A user of that Redis with those rights, and its URL.
pub(crate) async fn user(kitchen: &Kitchen, rights: &[&str]) -> String {
    let mut words = vec!["ACL", "SETUSER", "guest", "on", ">secret", "allkeys", "allchannels"];
    words.extend(rights);
    kitchen.redis::<()>(&words).await;
    kitchen.redis.url().replace("redis://", "redis://guest:secret@")
}

/// The error of a result that has to be one.
pub(crate) fn refused<T: std::fmt::Debug>(result: FastmcpResult<T>) -> mcptask::fastmcp::FastmcpError {
    result.expect_err("is refused")
}

/// The version that is run for that one: another of its generation, where `MCPTASK_TEST_FASTMCP` names one. 3.0 and the
/// later 3.x are two generations.
fn chosen(version: &str) -> String {
    let generation =
        |version: &str| version.get(..1).map(|major| (major.to_owned(), version.starts_with("3.0")));
    let other = std::env::var("MCPTASK_TEST_FASTMCP").ok();
    let other = other.filter(|other| generation(other) == generation(version));
    other.unwrap_or_else(|| version.to_owned())
}

fn home(version: &str) -> PathBuf {
    let version = chosen(version);
    let cache = std::env::var_os("MCPTASK_TEST_CACHE").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache/mcptask-tests")));
    cache.expect("MCPTASK_TEST_CACHE or HOME").join(format!("fastmcp-{version}"))
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("a bound address").port()
}
