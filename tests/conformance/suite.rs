//! A server of the fixture tools, and the suite as `tests/run` installs it.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// `mcptask serve` on a port and a store of its own; killed when dropped.
pub(crate) struct Server {
    child: Child,
    url: String,
    folder: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One scenario's checks.
pub(crate) struct Checks {
    pub(crate) scenario: String,
    checks: Vec<Value>,
}

impl Checks {
    /// The checks that did not pass, be they failed, warned of or skipped: id and message. Only what the suite notes
    /// without judging it is left out.
    pub(crate) fn failures(&self) -> impl Iterator<Item = (&str, &str)> {
        let failed = self.checks.iter().filter(|check| !["SUCCESS", "INFO"].contains(&text(check, "status")));
        failed.map(|check| (text(check, "id"), text(check, "errorMessage")))
    }

    /// Whether the suite looked at something.
    pub(crate) fn passed(&self) -> bool {
        self.checks.iter().any(|check| check["status"] == "SUCCESS")
    }
}

fn text<'a>(check: &'a Value, name: &str) -> &'a str {
    check[name].as_str().unwrap_or_default()
}

/// Where `tests/run` installs the suite.
pub(crate) fn installed(file: &str) -> PathBuf {
    let cache = std::env::var_os("MCPTASK_TEST_CACHE").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").expect("HOME is set")).join(".cache/mcptask-tests"),
        PathBuf::from,
    );
    let path = cache.join("conformance/node_modules").join(file);
    assert!(path.exists(), "{} is missing: run tests/run --install", path.display());
    path
}

impl Server {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // A copy, since one of its tools adds another one to it.
        for file in ["mcptask.toml", "json_schema_2020_12.json"] {
            let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance").join(file);
            std::fs::copy(source, folder.path().join(file)).expect("a copy");
        }
        // The port is named twice, as address and as origin, so the server cannot choose it. It is free until
        // the next line, and nobody else asks for it meanwhile.
        let free = TcpListener::bind("127.0.0.1:0").and_then(|one| one.local_addr()).expect("a free port");
        let mut child = Command::new(env!("CARGO_BIN_EXE_mcptask"))
            .args(["--json", "--db"])
            .arg(folder.path().join("tasks.db"))
            .args(["serve", "--workers", "16", "--listen", &free.to_string()])
            .args(["--allowed-origin", &format!("http://{free}"), "--config"])
            .arg(folder.path().join("mcptask.toml"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("mcptask starts");
        let mut line = String::new();
        let out = child.stdout.take().expect("stdout is piped");
        BufReader::new(out).read_line(&mut line).expect("it says where it listens");
        let listening: Value = serde_json::from_str(&line).expect("a JSON line");
        let url = listening["url"].as_str().expect("a URL").to_owned();
        Self { child, url, folder }
    }

    /// Runs the suite and reads what it found.
    pub(crate) fn run(&self, arguments: &[&str]) -> Vec<Checks> {
        let output = self.folder.path().join("output");
        let ran = suite()
            .args(["server", "--url", &self.url, "-o"])
            .arg(&output)
            .args(arguments)
            .output()
            .expect("node starts");
        let found = read(&output);
        assert!(!found.is_empty(), "no scenario ran: {}", String::from_utf8_lossy(&ran.stderr));
        found
    }
}

/// The suite's own program.
pub(crate) fn suite() -> Command {
    let mut suite = Command::new(installed("node/bin/node"));
    suite.arg(installed("@modelcontextprotocol/conformance/dist/index.js"));
    suite
}

/// The names of all scenarios.
pub(crate) fn listed() -> HashSet<String> {
    let listed = suite().arg("list").output().expect("node starts");
    let listed = String::from_utf8_lossy(&listed.stdout);
    let names = listed.lines().filter_map(|line| line.strip_prefix("  - ")?.split(' ').next());
    names.map(str::to_owned).collect()
}

/// Every `server-SCENARIO-TIME/checks.json`, or that of a client without `server-`; the time is the last 24 characters.
pub(crate) fn read(output: &Path) -> Vec<Checks> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(output).into_iter().flatten().flatten() {
        let Ok(text) = std::fs::read_to_string(entry.path().join("checks.json")) else { continue };
        let name = entry.file_name().to_string_lossy().into_owned();
        let name = name.strip_prefix("server-").unwrap_or(&name);
        let scenario = name.get(..name.len().saturating_sub(25)).unwrap_or(name).to_owned();
        let checks = serde_json::from_str(&text).expect("checks are JSON");
        found.push(Checks { scenario, checks });
    }
    found
}
