//! Real MCP peers written in Python: found in a cache folder, killed on drop.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// How long a server may take to listen. Imports alone take seconds on a busy machine.
const START: Duration = Duration::from_secs(60);

/// The Python of a virtual environment such as `fastmcp-3.4.11` or `mcp-1.30`, from the folder
/// `MCPTASK_TEST_CACHE`, else `~/.cache/mcptask-tests`.
pub(crate) fn python(environment: &str) -> PathBuf {
    let python = cache(environment).join("bin/python");
    assert!(python.exists(), "{} is missing: run tests/run, which installs it", python.display());
    python
}

/// A folder of what tests/run installs.
pub(crate) fn cache(name: &str) -> PathBuf {
    std::env::var_os("MCPTASK_TEST_CACHE").map_or_else(default_cache, PathBuf::from).join(name)
}

fn default_cache() -> PathBuf {
    PathBuf::from(std::env::var_os("HOME").expect("HOME is set")).join(".cache/mcptask-tests")
}

/// The path of a server's source under `tests/interop/servers`.
pub(crate) fn script(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/interop/servers").join(name)
}

/// A server on HTTP.
pub(crate) struct PythonServer {
    process: Child,
    port: u16,
}

impl PythonServer {
    /// Starts `script http` and waits until it listens.
    pub(crate) fn start(environment: &str, name: &str, variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(python(environment));
        command.arg(script(name)).arg("http").envs(variables.iter().copied());
        // A docket that the machine's environment names is not the test's.
        command.env_remove("FASTMCP_DOCKET_URL").stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("the server starts");
        let stdout = process.stdout.take().expect("it is piped");
        let mut server = Self { process, port: 0 };
        server.port = printed_port(stdout);
        server
    }

    /// Its MCP endpoint.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/mcp", self.port)
    }

    /// Kills it with SIGKILL and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        self.process.kill().expect("the server is ours");
        self.process.wait().expect("the server is ours");
    }
}

/// The port that the server prints once it listens.
fn printed_port(stdout: ChildStdout) -> u16 {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut lines = BufReader::new(stdout).lines();
        let _ = sender.send(lines.next());
        // The server may go on to print; a full pipe would stop it.
        lines.for_each(drop);
    });
    let line = receiver.recv_timeout(START).expect("the server listens in time");
    let line = line.expect("the server lives").expect("it prints text");
    line.trim().parse().unwrap_or_else(|_| panic!("the server prints {line:?}, not its port"))
}

impl Drop for PythonServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
