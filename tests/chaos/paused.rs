//! Processes that are paused for longer than a lease, as a container or a whole machine may be, and go on.

use std::time::Duration;

use crate::stage::{Stage, Views as _};

on_both_engines!(
    the_only_process_goes_on_with_what_it_ran_before_its_pause,
    processes_paused_together_take_nothing_from_each_other,
);

/// A lease, and a pause that is longer.
const LEASE: &str = "2s";
const PAUSE: Duration = Duration::from_millis(3500);

/// How long after the others the worker wakes: machines do not wake all their processes at the same moment.
const LATER: Duration = Duration::from_millis(200);

fn the_only_process_goes_on_with_what_it_ran_before_its_pause(stage: &Stage) {
    let server = stage.serve(&["--lease", LEASE]);
    let (running, asking) = begin(stage);
    server.signal("STOP");
    std::thread::sleep(PAUSE);
    server.signal("CONT");
    go_on(stage, &running, &asking);
}

fn processes_paused_together_take_nothing_from_each_other(stage: &Stage) {
    let server = stage.serve(&["--workers", "0", "--lease", LEASE]);
    let worker = stage.background(&["worker", "--json", "--lease", LEASE]);
    let (running, asking) = begin(stage);
    for process in [&server, &worker] {
        process.signal("STOP");
    }
    std::thread::sleep(PAUSE);
    server.signal("CONT");
    std::thread::sleep(LATER);
    worker.signal("CONT");
    go_on(stage, &running, &asking);
}

/// A task that works and one that waits for a person.
fn begin(stage: &Stage) -> (String, String) {
    let running = stage.ok(&["submit", "wait", "--arg", "seconds=6"]);
    stage.until(&running, "progress");
    (running, stage.asking("plan_dinner"))
}

/// Each of them comes to its end at its first attempt.
fn go_on(stage: &Stage, running: &str, asking: &str) {
    stage.until(running, "completed");
    stage.answer_cuisine(asking);
    stage.until_asked(asking, "q2");
    stage.answer_vegetarian(asking);
    stage.menu(asking);
    for task in [running, asking] {
        let claims = stage.events(task).iter().filter(|event| event["event"] == "claimed").count();
        assert_eq!(claims, 1, "{task} was run once: {:?}", stage.events(task));
    }
}
