//! What each client saw, scenario by scenario.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use mcptask::server::{self, ServeConfig};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::programs::program;
use crate::support::bench::Bench;
use crate::support::{Server, engine, work};

/// The bound on one client's run; imports alone take seconds on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);

/// Runs a client and returns the JSON that it printed.
async fn run(environment: &str, name: &str, transport: [&str; 2]) -> Value {
    let mut program = program(environment, "clients", name);
    let command = program.command.args(transport).stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await.expect("the client ends in time");
    let output = output.expect("the client runs");
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{environment} failed:\n{stdout}\n{stderr}");
    let last = stdout.lines().last().unwrap_or_else(|| panic!("{environment} printed nothing:\n{stderr}"));
    serde_json::from_str(last).unwrap_or_else(|error| panic!("{environment} printed {last}: {error}"))
}

pub(crate) async fn over_http(environment: &str, name: &str) -> Value {
    let server = Server::start().await;
    run(environment, name, ["http", &server.url()]).await
}

/// A stdio server for each connection to a local port; `bridge.py` joins the client's pipes to it.
pub(crate) struct Lines {
    pub(crate) port: String,
    stop: CancellationToken,
}

impl Lines {
    pub(crate) async fn start() -> Self {
        let stop = CancellationToken::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("bound").port().to_string();
        let serving = serve(listener, Arc::new(Bench::sqlite()), stop.clone());
        tokio::spawn(stop.clone().run_until_cancelled_owned(serving));
        Self { port, stop }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub(crate) async fn over_stdio(environment: &str, name: &str) -> Value {
    let lines = Lines::start().await;
    run(environment, name, ["stdio", &lines.port]).await
}

async fn serve(listener: TcpListener, bench: Arc<Bench>, stop: CancellationToken) {
    let engine = engine(&bench, &stop).await;
    work(&engine, &stop).await;
    while let Ok((stream, _)) = listener.accept().await {
        let (stdin, stdout) = stream.into_split();
        let config = ServeConfig::default();
        tokio::spawn(server::stdio(engine.clone(), config, stdin, stdout, stop.child_token()));
    }
}

fn check_fastmcp3(seen: &Value) {
    let text =
        |scenario: &str| seen[scenario]["text"].as_str().unwrap_or_else(|| panic!("{scenario}: {seen:#}"));
    assert_eq!(text("accept"), "accept \"n1\"");
    assert_eq!(seen["accept"]["last"], "completed", "{seen:#}");
    assert_eq!(text("decline"), "decline ");
    assert_eq!(text("cancel"), "cancel ");
    assert_eq!(text("slow"), "accept \"n1\"");
    assert_eq!(text("invalid"), "accept \"n2\"", "an invalid answer is asked again");
    assert_eq!(seen["invalid"]["asked"].as_array().expect("a list").len(), 2);
    let names: Vec<_> = (1..=20).map(|number| format!("n{number}")).collect();
    assert_eq!(text("row"), json!(names).to_string(), "each question got its own answer");
    assert_eq!(seen["both"]["asked"].as_array().expect("a list").len(), 2);
    assert!(text("structured").contains("Thai"), "{seen:#}");
    assert!(text("no_handler").contains("did not declare the elicitation capability"), "{seen:#}");
    assert!(seen["fails"]["error"].as_str().expect("an error").contains("It did not work."), "{seen:#}");
    assert_eq!(text("foreground"), "accept \"n1\"");
    assert_eq!(text("greets"), "Hello, Ada!");
    assert_eq!(seen["cancelled"], "cancelled");
}

#[tokio::test(flavor = "multi_thread")]
async fn fastmcp_3_0_is_asked_over_http() {
    check_fastmcp3(&over_http("fastmcp-3.0.2", "fastmcp3.py").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn fastmcp_3_4_is_asked_over_http() {
    check_fastmcp3(&over_http("fastmcp-3.4.11", "fastmcp3.py").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn fastmcp_3_4_is_asked_over_stdio() {
    check_fastmcp3(&over_stdio("fastmcp-3.4.11", "fastmcp3.py").await);
}

fn check_fastmcp4(seen: &Value) {
    let text =
        |scenario: &str| seen[scenario]["text"].as_str().unwrap_or_else(|| panic!("{scenario}: {seen:#}"));
    assert_eq!(text("accept"), "accept \"n1\"");
    assert_eq!(text("decline"), "decline ");
    assert_eq!(text("cancel"), "cancel ");
    assert_eq!(text("row"), json!(["n1", "n2", "n3", "n4", "n5"]).to_string());
    assert_eq!(seen["both"]["asked"].as_array().expect("a list").len(), 2);
    assert!(seen["fails"]["error"].as_str().expect("an error").contains("It did not work."), "{seen:#}");
    assert!(text("no_handler").contains("did not declare the elicitation capability"), "{seen:#}");
    assert_eq!(text("transparent"), "accept \"n1\"");
    assert_eq!(text("greets"), "Hello, Ada!");
}

#[tokio::test(flavor = "multi_thread")]
async fn fastmcp_4_1_is_asked_over_http() {
    check_fastmcp4(&over_http("fastmcp-4.1.4", "fastmcp4.py").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn fastmcp_4_1_is_asked_over_stdio() {
    check_fastmcp4(&over_stdio("fastmcp-4.1.4", "fastmcp4.py").await);
}

fn check_mcp1(seen: &Value) {
    assert!(seen["tasks"]["requests"]["tools"]["call"].is_object(), "{seen:#}");
    assert_eq!(seen["support"], json!({ "greet": "forbidden", "ask_name": "optional", "fail": "required" }));
    assert_eq!(seen["text"], json!(["n1", "n2", "n3"]).to_string(), "{seen:#}");
    assert_eq!(seen["asked"], json!(["Name 1?", "Name 2?", "Name 3?"]));
    for claim in ["same", "listed"] {
        assert_eq!(seen[claim], true, "{claim}: {seen:#}");
    }
    assert_eq!(seen["cancelled"], "cancelled");
    assert_eq!(seen["greets"], "Hello, Ada!");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_sdk_1_30_is_asked_over_http() {
    check_mcp1(&over_http("mcp-1.30", "mcp1.py").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_sdk_1_30_is_asked_over_stdio() {
    check_mcp1(&over_stdio("mcp-1.30", "mcp1.py").await);
}

fn check_mcp2(seen: &Value) {
    for (era, version, required) in [("legacy", "2025-11-25", -32601), ("modern", "2026-07-28", -32021)] {
        let seen = &seen[era];
        assert_eq!(seen["version"], version, "{seen:#}");
        let text = |scenario: &str| {
            seen[scenario]["text"].as_str().unwrap_or_else(|| panic!("{scenario}: {seen:#}"))
        };
        assert_eq!(text("accept"), "accept \"n1\"");
        assert_eq!((text("decline"), text("cancel")), ("decline ", "cancel "));
        assert_eq!(text("row"), json!(["n1", "n2", "n3", "n4", "n5"]).to_string());
        assert_eq!(seen["both"]["asked"], json!(["First?", "Second?"]));
        assert_eq!(text("greets"), "Hello, Ada!");
        assert_eq!(text("unasked"), "cancel the client did not declare the elicitation capability");
        assert_eq!((text("page"), &seen["page"]["asked"]), ("accept ", &json!(["Please sign."])));
        assert_eq!(seen["steps"], json!(["step 1", "step 2", "step 3"]));
        assert_eq!(seen["fail"]["code"], required, "{seen:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_sdk_2_3_is_asked_over_http() {
    check_mcp2(&over_http("mcp-2.3", "mcp2.py").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_sdk_2_3_is_asked_over_stdio() {
    check_mcp2(&over_stdio("mcp-2.3", "mcp2.py").await);
}
