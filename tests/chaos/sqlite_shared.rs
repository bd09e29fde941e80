//! Several processes on one SQLite file, killed at any moment.

use serde_json::Value;

use crate::place::Background;
use crate::protocol::redis::free_port;
use crate::stage::{CUISINE, Stage, Views as _};

#[test]
fn a_worker_and_a_server_killed_at_once_lose_nothing() {
    let stage = Stage::sqlite();
    let worker = stage.worker();
    let server = stage.serve_on(free_port(), &["--workers", "0"]);
    let task = stage.asking("plan_dinner");
    worker.signal("KILL");
    server.signal("KILL");
    worker.kill();
    server.kill();
    assert_eq!(stage.asked(&task), [CUISINE]);
    stage.answer_cuisine(&task);
    let _server = stage.serve_on(free_port(), &[]);
    stage.until_asked(&task, "q2");
    stage.answer_vegetarian(&task);
    stage.menu(&task);
}

#[test]
fn processes_killed_while_they_write_leave_a_file_that_works() {
    let stage = Stage::sqlite();
    let mut tasks = Vec::new();
    // Fewer rounds than a task has attempts.
    for _ in 0..2 {
        let (worker, second) = (stage.worker(), stage.worker());
        for _ in 0..8 {
            tasks.push(stage.ok(&["submit", "plan_dinner"]));
        }
        // Both are busy with claims, reports and questions at this moment.
        worker.kill();
        second.kill();
    }
    let _last = stage.worker();
    for task in &tasks {
        stage.ok(&["respond", task, "--wait", "--question", "q1", "--accept", "--set", "cuisine=Thai"]);
        stage.until_asked(task, "q2");
        stage.answer_vegetarian(task);
        stage.menu(task);
    }
}

#[test]
fn two_watchers_of_two_servers_and_two_workers_see_the_same() {
    let stage = Stage::sqlite();
    let _servers = [stage.serve_on(free_port(), &[]), stage.serve_on(free_port(), &[])];
    let _workers = [stage.worker(), stage.worker()];
    let first = stage.ok(&["submit", "plan_dinner"]);
    let watchers = [0, 1].map(|_| stage.background(&["watch", "--json"]));
    let mut tasks = vec![first];
    for _ in 0..7 {
        tasks.push(stage.ok(&["submit", "plan_dinner"]));
    }
    for task in &tasks {
        stage.until_asked(task, "q1");
        stage.answer_cuisine(task);
    }
    for task in &tasks {
        stage.until_asked(task, "q2");
        stage.answer_vegetarian(task);
        stage.menu(task);
    }
    let [one, other] = watchers.map(|watch| until_completed(watch, tasks.len()));
    assert_eq!(one, other);
    assert_eq!(one, stage.json(&["watch", "--no-follow"]));
}

/// Reads on until that many tasks have completed.
fn until_completed(mut watch: Background, mut left: usize) -> Vec<Value> {
    let mut event = watch.first.clone();
    let mut seen = Vec::new();
    loop {
        seen.push(event.clone());
        left -= usize::from(event["event"] == "completed");
        if left == 0 {
            return seen;
        }
        event = watch.next();
    }
}
