//! The program as the first process of a container, without a shell: it ends when told, and buries what falls to it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::place::{Background, SERVE};
use crate::stage::Stage;

on_both_engines!(
    a_server_that_is_the_first_process_stops_when_told,
    a_first_process_gives_back_what_does_not_end_within_its_grace_time,
    orphans_of_commands_are_buried_by_the_first_process,
);

/// What runs a program as the first process of its own process tree.
const CONTAINER: [&str; 6] = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc"];

/// How long a container is given to stop; Docker's own default.
const GRACE: Duration = Duration::from_secs(10);

/// Leaves orphans: in the group, out of it, and without a trace of the task.
const LEAVE: &str = "#!/bin/sh
(sleep 0.2) &
setsid sh -c 'sleep 0.1' &
setsid sh -c 'sleep 600' &
sh -c 'setsid env -i /bin/sleep 0.3 & exit 0'
echo left
";

const TOOLS: &str = r#"
[tools.leave]
description = "Leaves processes behind."
command = ["./leave.sh"]
"#;

fn a_server_that_is_the_first_process_stops_when_told(stage: &Stage) {
    let server = contained(stage, &SERVE);
    let task = stage.asking("plan_dinner");
    let began = Instant::now();
    signal(first(&server), "TERM");
    assert_eq!(server.code(), 0);
    assert!(began.elapsed() < GRACE, "it took {:?}", began.elapsed());
    assert_eq!(stage.json(&["list", "--status", "input_required"])[0]["id"], task.as_str());
    let server = contained(stage, &SERVE);
    let task = stage.ok(&["submit", "wait", "--arg", "seconds=3600"]);
    stage.until(&task, "progress");
    // Two kinds: two of one kind that come before the first is handled are one signal.
    signal(first(&server), "INT");
    signal(first(&server), "TERM");
    assert!(matches!(server.code(), 130 | 143));
}

fn a_first_process_gives_back_what_does_not_end_within_its_grace_time(stage: &Stage) {
    let server = contained(stage, &SERVE);
    let task = stage.ok(&["submit", "wait", "--arg", "seconds=3600"]);
    stage.until(&task, "progress");
    let began = Instant::now();
    signal(first(&server), "TERM");
    assert_eq!(server.code(), 0);
    assert!(began.elapsed() < GRACE, "it took {:?}", began.elapsed());
    assert_eq!(stage.json(&["list", "--status", "working"])[0]["id"], task.as_str());
}

fn orphans_of_commands_are_buried_by_the_first_process(stage: &Stage) {
    let script = stage.file("leave.sh", LEAVE);
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("makes it executable");
    let tools = stage.file("tools.toml", TOOLS);
    let worker = contained(stage, &["worker", "--json", "--config", &tools]);
    let first = first(&worker);
    for _ in 0..3 {
        // It is an error of the tool that it left processes, which were ended.
        stage.run(&["submit", "leave", "--wait"]);
    }
    let began = Instant::now();
    while let Some(child) = children(first).into_iter().next() {
        let stat = fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
        assert!(began.elapsed() < crate::place::BOUND, "nobody buries {stat}");
        std::thread::sleep(Duration::from_millis(20));
    }
    signal(first, "TERM");
    assert_eq!(worker.code(), 0);
}

/// Runs the program so.
fn contained(stage: &Stage, arguments: &[&str]) -> Background {
    stage.background_in(&CONTAINER, arguments)
}

/// The first process of the container, as it is called outside.
fn first(container: &Background) -> u32 {
    *children(container.id()).first().expect("a first process")
}

fn children(process: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).expect("the process lives");
    let lists =
        tasks.flatten().map(|task| fs::read_to_string(task.path().join("children")).unwrap_or_default());
    lists
        .flat_map(|list| list.split_whitespace().map(|id| id.parse().expect("an id")).collect::<Vec<_>>())
        .collect()
}

fn signal(process: u32, signal: &str) {
    let sent = Command::new("kill").args([&format!("-{signal}"), &process.to_string()]).status();
    assert!(sent.expect("kill runs").success());
}
