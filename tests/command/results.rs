//! What stdout, stderr and the exit code become.

use mcptask::task::{EventKind, ToolSpec};
use serde_json::json;

use crate::bench::{Bench, error, quick, result, text};

#[tokio::test(flavor = "multi_thread")]
async fn stdout_is_the_result() {
    let task = Bench::new().await.bash("echo 'two lines'; echo 'of text'").once().await;
    assert_eq!(text(&task), "two lines\nof text");
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_are_on_stdin_and_in_variables_and_meet_no_shell() {
    let bench = Bench::new().await.bash("cat; echo \"$MCPTASK_ARG_DRY_RUN|$MCPTASK_ARG_NAME\"");
    let running = bench.start().await;
    let task = bench.submit(json!({ "dry-run": true, "name": "$(id) `id` ; ls" })).await;
    let task = bench.ended(&task).await;
    let expected = "{\"dry-run\":true,\"name\":\"$(id) `id` ; ls\"}\ntrue|$(id) `id` ; ls";
    assert_eq!(text(&task), expected);
    running.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_is_checked_against_the_output_schema() {
    let bench = Bench::new().await;
    let path = bench.script("run.sh", "#!/bin/sh\ncat\n");
    let wanted = json!({ "type": "object", "properties": { "n": { "type": "integer" } }, "required": ["n"] });
    let spec = ToolSpec {
        output_schema: Some(wanted),
        ..ToolSpec::new("tool", "Prints its arguments.", json!({ "type": "object" }))
    };
    let bench = bench.tool(spec, quick(path));
    let running = bench.start().await;
    let (good, bad) = (bench.submit(json!({ "n": 1 })).await, bench.submit(json!({ "n": "x" })).await);
    assert_eq!(result(&bench.ended(&good).await)["structuredContent"], json!({ "n": 1 }));
    let task = bench.ended(&bad).await;
    assert!(error(&task).contains("breaks the tool's output schema: n: "), "{}", error(&task));
    running.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exit_code_is_an_error_with_the_end_of_stderr() {
    let script = "echo copied; for n in $(seq 5000); do echo \"line $n\" >&2; done; exit 3";
    let bench = Bench::new().await.bash(script);
    let task = bench.once().await;
    let error = error(&task);
    assert!(error.contains("it ended with exit code 3"), "{error}");
    assert!(error.ends_with("line 4999\nline 5000") && error.len() < 5000, "{error}");
    assert_eq!(result(&task)["content"][1]["text"], "copied");
    let said = bench.events(task.id()).await.into_iter();
    let noted =
        said.filter(|event| matches!(&event.kind, EventKind::Noted { note } if note.contains("code 3")));
    assert_eq!(noted.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_is_named() {
    let task = Bench::new().await.bash("kill -SEGV $$").once().await;
    assert!(error(&task).contains("it was killed by signal 11 (SIGSEGV)"), "{}", error(&task));
}

#[tokio::test(flavor = "multi_thread")]
async fn stderr_is_streamed_within_a_budget() {
    let script =
        "echo first >&2; for n in $(seq 10000); do echo \"line $n\" >&2; done; sleep 1; echo last >&2";
    let bench = Bench::new().await.bash(script);
    let task = bench.once().await;
    let said = |event: mcptask::task::Event| match event.kind {
        EventKind::Progress(progress) => progress.message,
        _ => None,
    };
    let lines: Vec<_> = bench.events(task.id()).await.into_iter().filter_map(said).collect();
    assert!(lines.iter().any(|line| line.contains("lines before it left out")), "{lines:?}");
    assert!(lines.last().is_some_and(|line| line.starts_with("last")), "{lines:?}");
    assert!(lines.len() < 200, "{}", lines.len());
}
