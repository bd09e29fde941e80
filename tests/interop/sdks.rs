//! Servers that are written with the SDKs, and our own commands against them: over HTTP, and over stdio.

use std::process::Stdio;
use std::time::Duration;

use rstest::rstest;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::programs::{Listening, Program, listen, program};

/// The bound on one command; a server's imports alone take seconds on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);
const THAI: &str = r#"{"vegetarian":true,"cuisine":"Thai"}"#;

/// A server and the options that reach it.
struct Kitchen {
    reached: [String; 2],
    _served: (Option<Listening>, Program),
    home: TempDir,
}

/// What a command left.
struct Left {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Kitchen {
    async fn open(environment: &str, script: &str, transport: &str) -> Self {
        let mut program = program(environment, "servers", script);
        let home = tempfile::tempdir().expect("a folder");
        if transport == "stdio" {
            program.command.arg("stdio");
            return Self { reached: ["--stdio".into(), program.line()], _served: (None, program), home };
        }
        let (listening, program) = listen(program).await;
        let reached = ["--server".into(), listening.url.clone()];
        Self { reached, _served: (Some(listening), program), home }
    }

    /// Runs a command with this on its stdin.
    async fn given(&self, stdin: &str, words: &[&str]) -> Left {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mcptask"));
        command.args(words).args(&self.reached).env_clear().env("HOME", self.home.path());
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        command.env("PATH", std::env::var_os("PATH").expect("a PATH")).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("mcptask starts");
        let mut input = child.stdin.take().expect("it is piped");
        // A command that reads nothing may be gone already.
        let _ = input.write_all(stdin.as_bytes()).await;
        drop(input);
        let output =
            tokio::time::timeout(PATIENCE, child.wait_with_output()).await.expect("the command ends");
        let output = output.expect("the command ran");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
        Left { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    async fn run(&self, words: &[&str]) -> Left {
        self.given("", words).await
    }

    /// Runs a tool to its end with these answers; the result's text.
    async fn answered(&self, answers: &str, words: &[&str]) -> String {
        let submit = ["submit", "--wait", "--no-input", "--answers", "-"];
        let left = self.given(answers, &[&submit, words].concat()).await;
        assert_eq!(left.code, Some(0), "{words:?}: {}\n{}", left.stdout, left.stderr);
        left.stdout
    }

    /// Launches a tool and leaves it; the task's id.
    async fn launched(&self, words: &[&str]) -> String {
        let left = self.run(&[&["--json", "submit"], words].concat()).await;
        let task: Value = serde_json::from_str(&left.stdout).unwrap_or_else(|_| panic!("{}", left.stderr));
        task["task"].as_str().expect("an id").to_owned()
    }

    /// Runs a command that must end so.
    async fn ends(&self, words: &[&str], code: i32, with: &str) {
        let left = self.run(words).await;
        assert_eq!(left.code, Some(code), "{words:?}: {}\n{}", left.stdout, left.stderr);
        assert!(format!("{}\n{}", left.stdout, left.stderr).contains(with), "{words:?}: {}", left.stderr);
    }

    /// What every server has whose tools ask.
    async fn asks_at_once(&self, era: &str) {
        self.ends(&["submit", "greet", "--arg", "name=Ada", "--era", era], 0, "Hello, Ada!").await;
        let thai = self.answered(THAI, &["ask_now", "--era", era]).await;
        assert_eq!(thai.to_lowercase(), "thai, vegetarian: true", "Python has its own true");
        let declined = self.answered(r#"{"action":"decline"}"#, &["ask_now", "--era", era]).await;
        assert_eq!(declined, "no dinner: decline");
    }

    /// What a server has beside whose tools run as tasks.
    async fn runs_tasks(&self) {
        let thai = self.answered(THAI, &["plan_dinner"]).await;
        assert_eq!(thai.to_lowercase(), "thai, vegetarian: true");
        let words = r#"[{"word":"one"},{"action":"decline"},{"word":"three"}]"#;
        assert_eq!(self.answered(words, &["survey", "--arg", "count=3"]).await, "one decline three");
        self.ends(&["submit", "explode", "--wait"], 5, "the kitchen is on fire").await;
    }

    /// A task that other sessions may see: looked at, cancelled, looked at again.
    async fn cancels(&self, task: &str) {
        self.ends(&["show", task], 0, "working").await;
        self.ends(&["result", task], 10, "has not ended").await;
        self.ends(&["cancel", task], 0, "is cancelled").await;
        self.ends(&["result", task], 8, "was cancelled").await;
        self.ends(&["cancel", task], 10, "has already ended: cancelled").await;
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn tasks_of_a_server_with_the_python_sdk_1_30_ask(#[values("http", "stdio")] transport: &str) {
    let kitchen = Kitchen::open("mcp-1.30", "sdk1.py", transport).await;
    kitchen.asks_at_once("auto").await;
    kitchen.runs_tasks().await;
}

/// This SDK shows a task to the session that launched it only, unless the server gives it an id of its own.
#[tokio::test(flavor = "multi_thread")]
async fn tasks_of_the_python_sdk_1_30_are_their_sessions_or_everybodys() {
    let kitchen = Kitchen::open("mcp-1.30", "sdk1.py", "http").await;
    let own = kitchen.launched(&["linger"]).await;
    for verb in ["show", "result", "cancel"] {
        kitchen.ends(&[verb, &own], 9, "stays with its task").await;
    }
    kitchen.ends(&["list"], 0, "no tasks").await;
    let shared = kitchen.launched(&["shared_linger"]).await;
    kitchen.cancels(&shared).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn tasks_of_a_server_with_the_typescript_sdk_1_32_ask(#[values("http", "stdio")] transport: &str) {
    let kitchen = Kitchen::open("typescript", "typescript1.mjs", transport).await;
    kitchen.asks_at_once("auto").await;
    kitchen.runs_tasks().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_of_the_typescript_sdk_1_32_are_listed_cancelled_and_have_results() {
    let kitchen = Kitchen::open("typescript", "typescript1.mjs", "http").await;
    let task = kitchen.launched(&["linger"]).await;
    kitchen.ends(&["list"], 0, &task).await;
    kitchen.cancels(&task).await;
    let hello = kitchen.launched(&["hello", "--arg", "name=Ada"]).await;
    kitchen.ends(&["result", &hello, "--wait"], 0, "Hello, Ada!").await;
}

/// This SDK has no tasks.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_the_python_sdk_2_3_asks(
    #[values("http", "stdio")] transport: &str,
    #[values("legacy", "modern")] era: &str,
) {
    let kitchen = Kitchen::open("mcp-2.3", "sdk2.py", transport).await;
    kitchen.asks_at_once(era).await;
    asks_in_rounds(&kitchen, era).await;
    // It refuses such a call in either era.
    kitchen.ends(&["submit", "ask_now", "--era", era], 6, "give --answers").await;
}

/// This SDK has no tasks; on HTTP it keeps no sessions either, so that a legacy client cannot be asked there.
#[rstest]
#[case("http", "modern")]
#[case("stdio", "modern")]
#[case("stdio", "legacy")]
#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_the_typescript_sdk_2_4_asks(#[case] transport: &str, #[case] era: &str) {
    let kitchen = Kitchen::open("typescript", "typescript2.mjs", transport).await;
    kitchen.asks_at_once(era).await;
    asks_in_rounds(&kitchen, era).await;
    if era == "modern" {
        kitchen.ends(&["submit", "ask_now", "--era", era], 6, "give --answers").await;
    }
}

/// The second question has a word of the first answer, so the server's state came back to it.
async fn asks_in_rounds(kitchen: &Kitchen, era: &str) {
    let words = r#"[{"message":"First word?","content":{"word":"one"}},
        {"message":"And after one?","content":{"word":"two"}}]"#;
    assert_eq!(kitchen.answered(words, &["ask_twice", "--era", era]).await, "one two");
    kitchen.ends(&["submit", "explode", "--era", era], 5, "calls its result an error").await;
    kitchen.ends(&["list", "--era", era], 0, "no tasks; this server has none").await;
}
