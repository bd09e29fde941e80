//! How a run ends before its command does: cancelled, drained, out of time. Nothing is left running.

use std::time::Duration;

use mcptask::engine::Viewer;
use mcptask::task::TaskStatus;
use serde_json::json;

use crate::bench::{Bench, accept, assert_nothing_runs, error, quick, text};
use crate::support::within;

/// Ignores SIGTERM, and so does its child.
const STUBBORN: &str = "cd \"$(dirname \"$0\")\"; trap '' TERM
(echo $BASHPID > child.pid; while :; do sleep 0.1; done) & echo $$ > leader.pid
echo ready >&2; while :; do sleep 0.1; done";

async fn cancel(bench: &Bench, task: &mcptask::task::TaskId) {
    bench.said(task, "ready").await;
    bench.engine.cancel(&Viewer::Operator, task, "no longer wanted").await.expect("cancels");
}

/// Waits until the scripts' processes are gone, which the worker sees to after the task is cancelled.
async fn gone(bench: &Bench) {
    let all_gone = async {
        while crate::bench::pids(bench.folder.path()).iter().any(|pid| crate::bench::runs(pid)) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    within("the end of the processes", all_gone).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cancel_ends_even_what_ignores_sigterm() {
    let bench = Bench::new().await.bash(STUBBORN);
    let running = bench.start().await;
    let task = bench.submit(json!({})).await;
    cancel(&bench, &task).await;
    gone(&bench).await;
    running.drain().await;
    assert_nothing_runs(bench.folder.path(), 2);
    assert_eq!(bench.ended(&task).await.status, TaskStatus::Cancelled);
}

#[tokio::test(flavor = "multi_thread")]
async fn cancel_lets_a_command_clean_up() {
    let script = "cd \"$(dirname \"$0\")\"; trap 'echo tidy > cleaned; exit 0' TERM
echo $$ > leader.pid; echo ready >&2; while :; do sleep 0.05; done";
    let bench = Bench::new().await.bash(script);
    let running = bench.start().await;
    let task = bench.submit(json!({})).await;
    cancel(&bench, &task).await;
    gone(&bench).await;
    running.drain().await;
    assert!(bench.path("cleaned").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_after_a_cancel_is_refused() {
    let script = r#"
import signal
os.chdir(os.path.dirname(__file__))
def late(*_):
    open("late", "w").write(json.dumps(ask("Too late?")))
    os.rename("late", "reply")
    sys.exit(0)
signal.signal(signal.SIGTERM, late)
open("leader.pid", "w").write(str(os.getpid()))
print("ready", file=sys.stderr, flush=True)
time.sleep(1000)
"#;
    let bench = Bench::new().await.python(script);
    let running = bench.start().await;
    let task = bench.submit(json!({})).await;
    cancel(&bench, &task).await;
    gone(&bench).await;
    running.drain().await;
    let reply = std::fs::read_to_string(bench.path("reply")).expect("the command got a reply");
    assert!(reply.contains("\"cancelled\"") && reply.contains("nobody will answer"), "{reply}");
    assert!(bench.ended(&task).await.questions.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drained_worker_ends_its_commands_and_another_begins_again() {
    let script = "cd \"$(dirname \"$0\")\"; echo $$ > $$.pid
if [ -e again ]; then echo done; exit; fi; touch again; echo ready >&2; sleep 1000";
    let bench = Bench::new().await.bash(script);
    let first = bench.worker("first").await;
    let task = bench.submit(json!({})).await;
    bench.said(&task, "ready").await;
    first.drain().await;
    assert_nothing_runs(bench.folder.path(), 1);
    let second = bench.worker("second").await;
    assert_eq!(text(&bench.ended(&task).await), "done");
    second.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_waits_for_a_person_moves_to_another_worker_with_its_answers() {
    let script = "\nfor number in (1, 2): print(ask(f'Question {number}?')['answer']['content']['answer'])";
    let bench = Bench::new().await.python(script);
    let first = bench.worker("first").await;
    let task = bench.submit(json!({})).await;
    bench.asked(&task, 1).await;
    bench.answer(&task, 1, accept(&json!({ "answer": "one" }))).await;
    bench.asked(&task, 2).await;
    first.drain().await;
    bench.answer(&task, 2, accept(&json!({ "answer": "two" }))).await;
    let second = bench.worker("second").await;
    let ended = bench.ended(&task).await;
    assert_eq!(text(&ended), "one\ntwo");
    assert_eq!(ended.questions.len(), 2);
    second.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_never_ends_is_ended() {
    let bench = Bench::new().await;
    let mut command = quick(bench.script("run.sh", &format!("#!/usr/bin/env bash\n{STUBBORN}\n")));
    command.time_limit = Some(Duration::from_millis(1500));
    let bench = bench.command(command);
    let task = bench.once().await;
    assert!(error(&task).contains("longer than its time limit of 1.5s"), "{}", error(&task));
    assert_nothing_runs(bench.folder.path(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn time_for_answers_is_not_counted() {
    let bench = Bench::new().await;
    let script =
        bench.script("ask.py", &format!("{}print(ask('?')['answer']['action'])", crate::bench::PYTHON));
    let mut command = quick(script);
    command.time_limit = Some(Duration::from_secs(2));
    let bench = bench.command(command);
    let running = bench.start().await;
    let task = bench.submit(json!({})).await;
    bench.asked(&task, 1).await;
    tokio::time::sleep(Duration::from_millis(2500)).await;
    bench.answer(&task, 1, accept(&json!({ "answer": "x" }))).await;
    assert_eq!(text(&bench.ended(&task).await), "accept");
    running.drain().await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_worker_left_is_ended_before_the_next_run() {
    let bench = Bench::new().await.bash("echo second");
    let dead = crate::support::worker("dead");
    let spec = mcptask::task::ToolSpec::new("tool", "A command of a test.", json!({ "type": "object" }));
    let store = bench.engine.store();
    store.enlist(&dead, None, &[spec], Duration::from_secs(60)).await.expect("enlists");
    let task = bench.submit(json!({})).await;
    let stop = tokio_util::sync::CancellationToken::new();
    let claimed = store.claim(&dead, &["tool".to_owned()], 1, &stop).await.expect("claims");
    let mut left = std::process::Command::new("sleep");
    let mut left = left.arg("1000").env("MCPTASK_TASK", task.as_str()).spawn().expect("sleep starts");
    let crash = crate::support::crash("the worker was killed");
    store.requeue(&crate::support::key(&claimed[0]), &crash).await.expect("requeues");
    let running = bench.start().await;
    assert_eq!(text(&bench.ended(&task).await), "second");
    let status = left.try_wait().expect("can be looked at");
    assert!(status.is_some_and(|status| !status.success()), "{status:?}");
    running.drain().await;
}
