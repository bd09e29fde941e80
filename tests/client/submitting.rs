//! `mcptask submit --wait` as a whole process, against real FastMCP servers.

use std::process::{Command, Stdio};

use rstest::rstest;
use tempfile::TempDir;

use crate::python::PythonServer;

#[rstest]
#[case("fastmcp-3.4.11", "legacy.py")]
#[case("fastmcp-4.1.4", "modern.py")]
fn submit_and_wait_answers_from_a_file(#[case] version: &str, #[case] script: &str) {
    let server = PythonServer::start(version, script, &[]);
    let home = TempDir::new().expect("a temporary directory");
    let answers = home.path().join("answers.json");
    std::fs::write(&answers, r#"{"cuisine": "Thai", "vegetarian": true}"#).expect("written");
    let output = Command::new(env!("CARGO_BIN_EXE_mcptask"))
        .env_clear()
        .env("HOME", home.path())
        .args(["submit", "plan_dinner", "--wait", "--timeout", "90s", "--server", &server.url(), "--answers"])
        .arg(&answers)
        .stdin(Stdio::null())
        .output()
        .expect("mcptask runs");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "Thai, vegetarian: True\n", "{error}");
}

/// Runs `submit --wait` where nobody can be asked; the exit code, stdout and stderr.
fn unattended(version: &str, script: &str) -> (Option<i32>, String, String) {
    let server = PythonServer::start(version, script, &[]);
    let home = TempDir::new().expect("a temporary directory");
    let output = Command::new(env!("CARGO_BIN_EXE_mcptask"))
        .env_clear()
        .env("HOME", home.path())
        .args(["submit", "plan_dinner", "--wait", "--timeout", "90s", "--server", &server.url()])
        .stdin(Stdio::null())
        .output()
        .expect("mcptask runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn without_anybody_to_ask_a_legacy_question_gets_no_answer_and_has_its_own_exit_code() {
    let (code, out, error) = unattended("fastmcp-3.4.11", "legacy.py");
    assert_eq!((code, out.as_str()), (Some(6), ""), "{error}");
    assert!(error.contains("asks, and nobody may be asked here: What shall we cook?"), "{error}");
    // The task is there: submitting another one helps nobody.
    assert!(error.contains("mcptask attach ") && error.contains(" respond "), "{error}");
    assert!(!error.contains("run it at a terminal with --wait"), "{error}");
}

#[test]
fn without_anybody_to_ask_a_modern_question_stays_open_and_has_its_own_exit_code() {
    let (code, _, error) = unattended("fastmcp-4.1.4", "modern.py");
    assert_eq!(code, Some(6), "{error}");
    assert!(error.contains("mcptask respond "), "the command that answers is shown: {error}");
}
