//! A page in a real browser, with the TypeScript SDK's client, against the server.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use mcptask::server::Tokens;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::python::cache;
use crate::support::Server;

/// The bound on one page's life; a browser takes seconds to begin on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// The page's program with all that it needs, as one file.
async fn bundle(into: &Path) -> PathBuf {
    let home = cache("browser");
    let source = folder().join("page.mjs");
    let out = into.join("page.js");
    let mut command = Command::new(home.join("node_modules/.bin/esbuild"));
    command.arg(source).args(["--bundle", "--format=esm", "--target=es2022", "--log-level=error"]);
    command.arg(format!("--outfile={}", out.display())).env("NODE_PATH", home.join("node_modules"));
    let done = command.output().await.expect("esbuild runs: tests/run --all installs it");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    out
}

/// What serves the page, and what the page tells.
struct Page {
    origin: String,
    lines: Lines<BufReader<ChildStdout>>,
    _server: Child,
}

impl Page {
    async fn serve(script: &Path) -> Self {
        let mut command = Command::new("python3");
        command.arg(folder().join("serve.py")).arg(script);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut server = command.spawn().expect("python3 runs");
        let mut lines = BufReader::new(server.stdout.take().expect("its output")).lines();
        let port = lines.next_line().await.expect("readable").expect("a port");
        Self { origin: format!("http://localhost:{port}"), lines, _server: server }
    }

    /// What it tells once a browser shows it.
    async fn tells(&mut self, server: &Server, profile: &Path) -> Value {
        let page = format!("{}/?server={}&token=secret", self.origin, server.url());
        let _browser = browse(&page, profile);
        let told = tokio::time::timeout(PATIENCE, self.lines.next_line()).await;
        let told = told.expect("the page tells in time").expect("readable").expect("a line");
        serde_json::from_str(&told).expect("JSON")
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/interop/browser")
}

fn browse(page: &str, profile: &Path) -> Child {
    let mut command = Command::new("chromium");
    command.args([
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
    ]);
    command.arg(format!("--user-data-dir={}", profile.display())).arg(page);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    command.spawn().expect("chromium runs")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: tests/run --all runs it"]
async fn a_page_in_chromium_uses_the_server_with_the_typescript_sdk() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut page = Page::serve(&bundle(folder.path()).await).await;
    let server = Server::with(|config| {
        config.allowed_origins = vec![page.origin.clone()];
        config.tokens = Tokens::new(&[("secret".into(), "anna".into())]);
    })
    .await;
    let seen = page.tells(&server, folder.path()).await;
    assert_eq!(seen["error"], Value::Null, "{seen:#}");
    assert_eq!(seen["refused"], json!({ "status": 401, "challenge": "Bearer" }), "it can read a refusal");
    assert_eq!((&seen["session"], &seen["tools"]), (&json!("string"), &json!(true)), "{seen:#}");
    assert_eq!(
        (&seen["call"], &seen["task"]),
        (&json!("accept \"Ada\""), &json!("accept \"Ada\"")),
        "{seen:#}"
    );
    assert_eq!(seen["asked"], json!(["What is your name?", "What is your name?"]), "{seen:#}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: tests/run --all runs it"]
async fn a_page_of_another_origin_in_chromium_gets_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut page = Page::serve(&bundle(folder.path()).await).await;
    let server = Server::start().await;
    let seen = page.tells(&server, folder.path()).await;
    assert!(seen["error"].as_str().expect("an error").contains("fetch"), "{seen:#}");
    assert_eq!(seen.get("refused"), None, "{seen:#}");
}
