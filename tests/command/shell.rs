//! `mcptask ask` and `mcptask report` inside shell scripts, as an operator writes them.

use std::env;
use std::path::Path;
use std::process::Command;

use mcptask::task::{Action, Answer, Answerer, Task};
use mcptask::worker::command::CommandSpec;
use serde_json::{Value, json};

use crate::bench::{Bench, accept, error, quick, text};

const MCPTASK: &str = env!("CARGO_BIN_EXE_mcptask");

/// A command that finds `mcptask`, as one that a worker of the program starts does.
pub fn finding_mcptask(mut command: CommandSpec) -> CommandSpec {
    let folder = Path::new(MCPTASK).parent().expect("a folder");
    let path = format!("{}:{}", folder.display(), env::var("PATH").unwrap_or_default());
    command.environment.set.insert("PATH".to_owned(), path);
    command
}

async fn shell(script: &str) -> Bench {
    let bench = Bench::new().await;
    let path = bench.script("run.sh", &format!("#!/usr/bin/env bash\n{script}\n"));
    bench.command(finding_mcptask(quick(path)))
}

/// Runs a script whose one question is answered so.
async fn answered(script: &str, answer: Answer) -> Task {
    let bench = shell(script).await;
    let running = bench.start().await;
    let task = bench.submit(json!({})).await;
    bench.asked(&task, 1).await;
    bench.answer(&task, 1, answer).await;
    let ended = bench.ended(&task).await;
    running.drain().await;
    ended
}

fn asked(task: &Task) -> Value {
    task.questions[0].ask.to_params()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_asks_its_form_and_prints_its_answer() {
    let kinds = [
        ("--text --title Name", json!("a b"), "a b", json!({ "type": "string", "title": "Name" })),
        ("--number --default 2.5", json!(0.5), "0.5", json!({ "type": "number", "default": 2.5 })),
        ("--integer", json!(3), "3", json!({ "type": "integer" })),
        ("--choose a,b", json!("b"), "b", json!({ "type": "string", "enum": ["a", "b"] })),
        ("--date", json!("2026-02-28"), "2026-02-28", json!({ "type": "string", "format": "date" })),
        ("--email", json!("a@b.example"), "a@b.example", json!({ "type": "string", "format": "email" })),
        (
            "--choose-many a,b,c --default a,c",
            json!(["a", "b"]),
            "a\nb",
            json!({ "type": "array", "items": { "type": "string", "enum": ["a", "b", "c"] }, "default": ["a", "c"] }),
        ),
    ];
    for (options, value, printed, field) in kinds {
        let task =
            answered(&format!("mcptask ask 'Well?' {options}"), accept(&json!({ "answer": value }))).await;
        assert_eq!(text(&task), printed, "{options}");
        assert_eq!(asked(&task)["requestedSchema"]["properties"]["answer"], field, "{options}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn confirm_reads_like_shell() {
    let script = "if mcptask ask --confirm 'Deploy?'; then echo yes; else echo \"no $?\"; fi";
    let accepted = |sure: bool| accept(&json!({ "answer": sure }));
    assert_eq!(text(&answered(script, accepted(true)).await), "yes");
    assert_eq!(text(&answered(script, accepted(false)).await), "no 1");
    assert_eq!(text(&answered(script, Answer::new(Action::Decline, Answerer::Client)).await), "no 11");
    assert_eq!(text(&answered(script, Answer::new(Action::Cancel, Answerer::Client)).await), "no 8");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_nobody_answers_in_time_has_its_own_exit_code() {
    let task = shell("mcptask ask 'Anybody?' --timeout 0.3 || echo $?").await.once().await;
    assert_eq!(text(&task), "7");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_says_what_is_so_when_nobody_answers_in_time() {
    let script = "mcptask ask 'Where?' --choose prod,staging --default staging --timeout 0.3 --on-timeout default; echo $?
        mcptask ask 'Sure?' --confirm --timeout 0.3 --on-timeout decline; echo $?
        mcptask ask 'Name?' --timeout 0.3 --on-timeout default; echo $?
        mcptask ask 'Name?' --on-timeout never; echo $?";
    let task = shell(script).await.once().await;
    assert_eq!(text(&task), "staging\n0\n11\n2\n2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_says_when_people_are_told_once_more() {
    let script =
        "mcptask ask 'Name?' --remind-after 10m --timeout 0.3; mcptask ask 'Name?' --remind-after 0; echo $?";
    let task = shell(script).await.once().await;
    assert_eq!(text(&task), "2");
    assert_eq!(task.questions[0].ask.remind_after_ms, Some(600_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_and_a_schema_can_be_asked_for() {
    let page = "mcptask ask 'Sign in?' --url https://login.example/x && echo went";
    let task = answered(page, Answer::new(Action::Accept, Answerer::Client)).await;
    assert_eq!(text(&task), "went");
    assert_eq!(asked(&task)["url"], "https://login.example/x");

    let schema = "echo '{\"type\": \"object\", \"properties\": {\"x\": {\"type\": \"integer\"}}}' |
        mcptask ask 'Fill in' --schema - --title Form";
    let task = answered(schema, accept(&json!({ "x": 4 }))).await;
    assert_eq!(text(&task), "{\"x\":4}");
    assert_eq!(asked(&task)["requestedSchema"]["title"], "Form");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_answer_is_there_as_json() {
    let task = answered("mcptask ask 'Well?' --json", accept(&json!({ "answer": "x" }))).await;
    let answer: Value = serde_json::from_str(text(&task)).expect("JSON");
    assert_eq!(
        (&answer["action"], &answer["content"]["answer"], &answer["by"]),
        (&json!("accept"), &json!("x"), &json!("operator"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_question_says_what_is_wrong() {
    let task = shell("echo '{\"type\": \"array\"}' | mcptask ask '?' --schema -").await.once().await;
    let error = error(&task);
    assert!(error.contains("exit code 2") && error.contains("requestedSchema"), "{error}");
    let task =
        shell("mcptask ask '?' --choose a,b --default c; echo $?; mcptask ask '?' --number --text; echo $?");
    assert_eq!(text(&task.await.once().await), "2\n2");
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_become_progress_and_the_status_message() {
    let task = shell("echo noise >&2; mcptask report 3/10 copying; echo more >&2").await.once().await;
    let progress = task.progress.clone().expect("reported");
    assert_eq!(
        (progress.current, progress.total, progress.message.as_deref()),
        (3.0, Some(10.0), Some("copying"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn outside_a_task_they_say_so() {
    for command in [&["ask", "Well?"][..], &["report", "1/2"]] {
        let mut outside = Command::new(MCPTASK);
        let output = outside.args(command).env_remove("MCPTASK_SOCKET").output().expect("mcptask runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("not inside a task") && said.contains("--local"), "{said}");
    }
    let gone = Command::new(MCPTASK).args(["ask", "?"]).env("MCPTASK_SOCKET", "/no/socket").output();
    assert_eq!(gone.expect("mcptask runs").status.code(), Some(4));
}

#[test]
fn with_local_a_script_can_be_tried_by_hand() {
    let script =
        format!("if '{MCPTASK}' ask --confirm 'Deploy?' --local; then echo went; else echo not=$?; fi");
    let mut shell = Command::new("bash");
    shell.args(["-c", &script]).env_remove("CI").env_remove("MCPTASK_SOCKET").env("TERM", "xterm");
    let mut terminal = rexpect::session::spawn_command(shell, Some(30_000)).expect("a terminal");
    terminal.exp_string("Deploy?").expect("the question");
    terminal.exp_string("n no").expect("the keys that answer");
    terminal.send("n").and_then(|_| terminal.flush()).expect("says no with one key");
    terminal.exp_string("not=1").expect("the exit code");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_local_they_need_a_terminal_and_no_worker() {
    let mut local = Command::new(MCPTASK);
    let output = local.args(["ask", "Well?", "--local"]).env_remove("MCPTASK_SOCKET").output();
    let output = output.expect("mcptask runs");
    assert_eq!(output.status.code(), Some(6), "{}", String::from_utf8_lossy(&output.stderr));
    let report = Command::new(MCPTASK).args(["report", "1/2", "copying", "--local"]).output();
    assert_eq!(String::from_utf8_lossy(&report.expect("mcptask runs").stderr).trim(), "1/2 copying");
}
