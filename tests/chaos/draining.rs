//! The first SIGTERM drains, the second ends at once; nothing is lost either way.

use std::time::Duration;

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use crate::protocol::redis::free_port;
use crate::stage::{Stage, Views as _};

on_both_engines!(
    the_first_signal_gives_a_waiting_task_back,
    the_first_signal_lets_a_running_task_finish,
    the_second_signal_ends_at_once_and_another_worker_goes_on,
    a_server_told_to_stop_leaves_its_questions_open,
    many_scripts_that_wait_are_ended_together,
);

fn the_first_signal_gives_a_waiting_task_back(stage: &Stage) {
    // With a long lease: were the task not given back, the next worker would have to wait for its end.
    let worker = stage.background(&["worker", "--json", "--lease", "1h"]);
    let task = stage.asking("plan_dinner");
    worker.signal("TERM");
    assert_eq!(worker.code(), 0);
    let names: Vec<_> = stage.events(&task).iter().map(|event| event["event"].clone()).collect();
    assert_eq!(names.last().expect("an event"), "requeued", "{names:?}");
    let _second = stage.worker();
    stage.answer_cuisine(&task);
    stage.until_asked(&task, "q2");
    stage.answer_vegetarian(&task);
    stage.menu(&task);
}

fn the_first_signal_lets_a_running_task_finish(stage: &Stage) {
    let worker = stage.background(&["worker", "--json", "--lease", "1h"]);
    let task = stage.ok(&["submit", "wait", "--arg", "seconds=2"]);
    stage.until(&task, "progress");
    worker.signal("TERM");
    assert_eq!(worker.code(), 0);
    let names: Vec<_> = stage.events(&task).iter().map(|event| event["event"].clone()).collect();
    assert_eq!(names.last().expect("an event"), "completed", "{names:?}");
}

fn the_second_signal_ends_at_once_and_another_worker_goes_on(stage: &Stage) {
    let worker = stage.worker();
    let task = stage.ok(&["submit", "wait", "--arg", "seconds=3600"]);
    stage.until(&task, "progress");
    // Two kinds: two of one kind that come before the first is handled are one signal.
    worker.signal("INT");
    worker.signal("TERM");
    assert!(matches!(worker.code(), 130 | 143));
    let _second = stage.worker();
    let mut watch = stage.background(&["watch", "--json", "--task", &task]);
    let mut event = watch.first.clone();
    while event["event"] != "claimed" || event["attempt"] != 2 {
        event = watch.next();
    }
    stage.ok(&["cancel", &task]);
}

fn a_server_told_to_stop_leaves_its_questions_open(stage: &Stage) {
    let server = stage.serve_on(free_port(), &[]);
    let task = stage.asking("plan_dinner");
    server.signal("TERM");
    assert_eq!(server.code(), 0);
    assert_eq!(stage.json(&["list", "--status", "input_required"]).len(), 1);
    let _second = stage.serve_on(free_port(), &[]);
    stage.answer_cuisine(&task);
    stage.until_asked(&task, "q2");
    stage.answer_vegetarian(&task);
    stage.menu(&task);
}

/// Scripts that wait, each with `mcptask ask` as a process of its own.
const SCRIPTS: usize = 40;

/// Readings of files that one look at a process costs.
const READINGS: usize = 5;

fn many_scripts_that_wait_are_ended_together(stage: &Stage) {
    let ask = format!(
        "[\"sh\", \"-c\", \"\\\"$0\\\" ask --confirm Sure? --json\", {:?}]",
        env!("CARGO_BIN_EXE_mcptask")
    );
    let tools = format!("[tools.sure]\ndescription = \"Asks.\"\ncommand = {ask}\n");
    let config = stage.file("tools.toml", &tools);
    let worker = stage.background(&["worker", "--json", "--lease", "1h", "--config", &config]);
    for _ in 0..SCRIPTS {
        stage.ok(&["submit", "sure"]);
    }
    while stage.json(&["list", "--waiting"]).len() < SCRIPTS {
        std::thread::sleep(Duration::from_millis(100));
    }
    let before = readings(worker.id());
    worker.signal("TERM");
    // What a process has read is told until somebody has waited for it.
    let id = i32::try_from(worker.id()).ok().and_then(Pid::from_raw).expect("an id");
    waitid(WaitId::Pid(id), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).expect("it ends");
    let read = readings(worker.id()) - before;
    assert_eq!(worker.code(), 0);
    // A look at the process table for each script would be more, and it took several.
    let all = std::fs::read_dir("/proc").expect("Linux").count();
    let most = SCRIPTS * READINGS * all;
    assert!(read < most, "{read} readings among {all} processes");
    let open = stage.json(&["list", "--waiting"]);
    assert_eq!(open.len(), SCRIPTS, "no question is lost");
    assert!(open.iter().all(|task| task["worker"].is_null()), "all were given back");
    assert!(stage.json(&["workers"]).is_empty());
}

/// How often a process has read.
fn readings(id: u32) -> usize {
    let counts = std::fs::read_to_string(format!("/proc/{id}/io")).expect("Linux tells");
    let read = counts.lines().find_map(|line| line.strip_prefix("syscr: ")).expect("a count");
    read.parse().expect("a number")
}
