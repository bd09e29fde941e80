//! The approval gates under `examples/approval`, run as they are.

use std::path::Path;

use mcptask::task::{Action, Answer, Answerer, Task};
use serde_json::{Value, json};

use crate::bench::{Bench, accept, quick, result, text};
use crate::shell::finding_mcptask;

async fn gate(program: &str) -> Bench {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/approval").join(program);
    Bench::new().await.command(finding_mcptask(quick(path)))
}

/// Runs a gate with these answers to its questions.
async fn deployed(program: &str, answers: Vec<Answer>) -> Task {
    let bench = gate(program).await;
    let running = bench.start().await;
    let task = bench.submit(json!({ "version": "1.2" })).await;
    for (position, answer) in (1..).zip(answers) {
        bench.asked(&task, position).await;
        bench.answer(&task, position, answer).await;
    }
    let ended = bench.ended(&task).await;
    running.drain().await;
    ended
}

/// An answer to the field, whatever its name is in the example.
fn value(value: &Value) -> Answer {
    accept(&json!({ "answer": value }))
}

fn value_py(value: &Value) -> Answer {
    accept(&json!({ "value": value }))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gate_in_bash_lets_staging_through() {
    let task = deployed("deploy.sh", vec![value(&json!("staging"))]).await;
    assert_eq!(text(&task), "Version 1.2 is on staging.");
    assert_eq!(task.progress.expect("reported").message.as_deref(), Some("switching over"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gate_in_bash_wants_approval_for_production() {
    let production = || value(&json!("production"));
    let task = deployed("deploy.sh", vec![production(), value(&json!(true))]).await;
    assert_eq!(text(&task), "Version 1.2 is on production.");
    for no in [value(&json!(false)), Answer::new(Action::Decline, Answerer::Client)] {
        let task = deployed("deploy.sh", vec![production(), no]).await;
        assert_eq!(text(&task), "Version 1.2 was not deployed: production was not approved.");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gate_in_python_does_the_same() {
    let production = || value_py(&json!("production"));
    let task = deployed("deploy.py", vec![production(), value_py(&json!(true))]).await;
    let expected = json!({ "version": "1.2", "deployed": true, "environment": "production" });
    assert_eq!(result(&task)["structuredContent"], expected);
    let task = deployed("deploy.py", vec![Answer::new(Action::Cancel, Answerer::Policy)]).await;
    assert_eq!(result(&task)["structuredContent"]["reason"], "nobody chose an environment");
}

#[test]
fn the_file_offers_both_gates() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/approval/mcptask.toml");
    let tools = mcptask::config::load(&path).expect("the file has no mistakes").tools();
    assert_eq!(tools.keys().collect::<Vec<_>>(), ["deploy", "deploy_py"]);
}
