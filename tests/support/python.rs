//! Real MCP peers written in Python: found in a cache folder, started on a free port, killed on drop.

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a server may take to listen. Imports alone take seconds on a busy machine.
const START: Duration = Duration::from_secs(60);

/// The Python of a virtual environment such as `fastmcp-3.4.10` or `mcp-1.30`, from the folder
/// `MCPTASK_TEST_CACHE`, else `~/.cache/mcptask-tests`.
pub fn python(environment: &str) -> PathBuf {
    let cache = std::env::var_os("MCPTASK_TEST_CACHE").map_or_else(default_cache, PathBuf::from);
    let python = cache.join(environment).join("bin/python");
    assert!(python.exists(), "{} is missing: run tests/run, which installs it", python.display());
    python
}

fn default_cache() -> PathBuf {
    PathBuf::from(std::env::var_os("HOME").expect("HOME is set")).join(".cache/mcptask-tests")
}

/// The path of a server's source under `tests/interop/servers`.
pub fn script(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/interop/servers").join(name)
}

/// A server on HTTP.
pub struct PythonServer {
    process: Child,
    port: u16,
}

impl PythonServer {
    /// Starts `script http PORT` and waits until it listens.
    pub fn start(environment: &str, name: &str, variables: &[(&str, &str)]) -> Self {
        let port = free_port();
        let mut command = Command::new(python(environment));
        command.arg(script(name)).args(["http", &port.to_string()]).envs(variables.iter().copied());
        // A docket that the machine's environment names is not the test's.
        command.env_remove("FASTMCP_DOCKET_URL").stdin(Stdio::null()).stdout(Stdio::null());
        let process = command.spawn().expect("the server starts");
        let mut server = Self { process, port };
        server.await_listening();
        server
    }

    /// Its MCP endpoint.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/mcp", self.port)
    }

    /// Kills it with SIGKILL.
    pub fn kill(&mut self) {
        self.process.kill().expect("the server is ours");
        self.process.wait().expect("the server is ours");
    }

    fn await_listening(&mut self) {
        let deadline = Instant::now() + START;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let ended = self.process.try_wait().expect("the server is ours");
            assert!(ended.is_none(), "the server ended at its start: {ended:?}");
            assert!(Instant::now() < deadline, "the server does not listen after {START:?}");
            // There is nothing that tells when another process listens.
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for PythonServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A port that nobody uses now.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    listener.local_addr().expect("it is bound").port()
}
