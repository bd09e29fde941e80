//! The first SIGTERM drains, the second ends at once; nothing is lost either way.

use crate::protocol::redis::free_port;
use crate::stage::{Stage, Views as _};

on_both_engines!(
    the_first_signal_gives_a_waiting_task_back,
    the_first_signal_lets_a_running_task_finish,
    the_second_signal_ends_at_once_and_another_worker_goes_on,
    a_server_told_to_stop_leaves_its_questions_open,
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
