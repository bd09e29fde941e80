//! The Inspector's command lines: `--cli`, which calls once, and `mcpdo`, which keeps a connection behind a daemon,
//! runs tasks and is asked.

use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::clients::Lines;
use crate::programs::{node, packages};
use crate::support::Server;

/// The bound on one command; Node reads megabytes of program first.
const PATIENCE: Duration = Duration::from_secs(120);

/// A server, and the words that name it to the Inspector.
struct Target {
    words: Vec<String>,
    _served: (Option<Server>, Option<Lines>),
}

impl Target {
    async fn open(transport: &str) -> Self {
        if transport == "http" {
            let server = Server::start().await;
            return Self { words: vec![server.url()], _served: (Some(server), None) };
        }
        let lines = Lines::start().await;
        let bridge = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/interop/clients/bridge.py");
        let words = vec!["python3".into(), bridge.display().to_string(), lines.port.clone()];
        Self { words, _served: (None, Some(lines)) }
    }
}

/// The Inspector with a home of its own; its daemon is stopped in the end.
struct Inspector {
    home: TempDir,
}

impl Inspector {
    fn new() -> Self {
        Self { home: tempfile::tempdir().expect("a folder") }
    }

    fn command(&self, program: &str) -> std::process::Command {
        let mut command = std::process::Command::new(node());
        let programs = packages("inspector").join("@modelcontextprotocol/inspector/clients");
        command.arg(programs.join(program)).env("HOME", self.home.path()).stdin(Stdio::null());
        command.env("MCP_INSPECTOR_DAEMON_DIR", self.home.path().join("daemon"));
        command.env("MCP_INSPECTOR_DAEMON_TOKEN", "a-token-of-the-test");
        command
    }

    async fn run(&self, program: &str, words: &[&str]) -> Output {
        let mut command = tokio::process::Command::from(self.command(program));
        command.args(words).kill_on_drop(true);
        let output = tokio::time::timeout(PATIENCE, command.output()).await.expect("it ends in time");
        output.expect("it runs")
    }

    /// What `--cli` prints of one method.
    async fn call(&self, target: &Target, era: &str, words: &[&str]) -> Value {
        let mut all = vec!["--cli"];
        all.extend(target.words.iter().map(String::as_str));
        all.extend(["--protocol-era", era, "--format", "json", "--method"]);
        let output = self.run("launcher/build/index.js", &[&all, words].concat()).await;
        read(words, &output)["result"].take()
    }

    /// What `mcpdo` prints of one command.
    async fn keep(&self, words: &[&str]) -> Value {
        let output = self.run("mcpdo/build/mcp-bin.js", &[&["--format", "json"], words].concat()).await;
        read(words, &output)
    }

    /// A call of `mcpdo` that asks: the question, then the result.
    async fn asked(&self, connection: &str, call: &[&str], answer: &[&str]) -> (Value, Value) {
        let at = ["--connection", connection];
        let pending = self.keep(&[&at, call].concat()).await["elicitationPending"].take();
        let id = pending["elicitationId"]
            .as_str()
            .unwrap_or_else(|| panic!("no question: {pending:#}"))
            .to_owned();
        let result = self.keep(&[&at[..], &["elicitation/respond", &id], answer].concat()).await;
        (pending["message"].clone(), result["content"][0]["text"].clone())
    }
}

impl Drop for Inspector {
    fn drop(&mut self) {
        // There is none where no connection was made.
        let _ = self.command("mcpdo/build/mcp-bin.js").args(["daemon", "stop"]).output();
    }
}

fn read(words: &[&str], output: &Output) -> Value {
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{words:?} failed:\n{stdout}\n{stderr}");
    serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{words:?} printed {stdout}: {error}"))
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the Inspector: tests/run --all runs it"]
async fn the_inspectors_command_line_calls_tools(
    #[values("http", "stdio")] transport: &str,
    #[values("legacy", "modern")] era: &str,
) {
    let version = if era == "legacy" { "2025-11-25" } else { "2026-07-28" };
    let (inspector, target) = (Inspector::new(), Target::open(transport).await);
    let met = inspector.call(&target, era, &["initialize"]).await;
    assert_eq!((&met["protocolVersion"], &met["serverInfo"]["name"]), (&json!(version), &json!("mcptask")));
    // It finds nothing in the schemas that other clients could stumble over, else it fails.
    let listed = inspector.call(&target, era, &["tools/list", "--strict"]).await;
    assert!(listed["tools"].as_array().expect("a list").iter().any(|tool| tool["name"] == "ask_name"));
    let greet = ["tools/call", "--tool-name", "greet", "--tool-arg", "name=Ada"];
    assert_eq!(inspector.call(&target, era, &greet).await["content"][0]["text"], "Hello, Ada!");
    // This one cannot be asked and does not say that it could.
    let unasked = inspector.call(&target, era, &["tools/call", "--tool-name", "ask_name"]).await;
    assert_eq!(unasked["content"][0]["text"], "cancel the client did not declare the elicitation capability");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the Inspector: tests/run --all runs it"]
async fn the_inspectors_kept_connection_runs_tasks_and_is_asked(
    #[values("http", "stdio")] transport: &str,
    #[values("legacy", "modern")] era: &str,
) {
    let (inspector, target) = (Inspector::new(), Target::open(transport).await);
    let words: Vec<_> = target.words.iter().map(String::as_str).collect();
    let connected = inspector.keep(&[&["connect", "--era", era][..], &words].concat()).await;
    assert_eq!(connected["protocolEra"], era, "{connected:#}");
    let name = connected["name"].as_str().expect("a name");
    let asked = json!("What is your name?");
    let (message, text) =
        inspector.asked(name, &["tools/call", "ask_name", "--task"], &["name:=\"Ada\""]).await;
    assert_eq!((message, text), (asked.clone(), json!("accept \"Ada\"")));
    let (message, text) = inspector.asked(name, &["tools/call", "ask_name", "--task"], &["--decline"]).await;
    assert_eq!((message, text), (asked.clone(), json!("decline ")));
    let (message, text) = inspector.asked(name, &["tools/call", "ask_name"], &["{\"name\":\"Bob\"}"]).await;
    assert_eq!((message, text), (asked, json!("accept \"Bob\"")));
    let listed = inspector.keep(&["--connection", name, "tasks/list"]).await;
    let tasks = listed["tasks"].as_array().expect("a list");
    // A modern server does not list tasks.
    assert_eq!(tasks.len(), if era == "legacy" { 2 } else { 0 }, "{listed:#}");
    assert!(tasks.iter().all(|task| task["status"] == "completed"), "{listed:#}");
}
