//! `demo`, and what is the same on Redis.

use crate::place::Place;

#[test]
fn the_demo_runs_without_a_terminal_and_leaves_nothing() {
    let place = Place::new();
    let ran = place.run(&["demo"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.starts_with("A vegetarian Italian dinner"), "{ran:?}");
    assert!(ran.err.contains("these answers are given"), "{ran:?}");
    assert_eq!(std::fs::read_dir(place.path()).expect("a home").count(), 0, "nothing is left behind");
}

#[test]
fn the_demo_says_that_its_store_is_its_own() {
    let place = Place::new();
    let file = place.path().join("mine.db");
    let named = file.to_string_lossy().into_owned();
    for flag in [&["--db", &named][..], &["--redis", "redis://127.0.0.1:1"], &["--namespace", "mine"]] {
        let ran = place.run(&[&["demo"], flag].concat());
        let said = format!("{} has no effect here: the demo has a store of its own", flag[0]);
        assert!(ran.code == 0 && ran.err.contains(&said), "{ran:?}");
    }
    assert!(!file.exists(), "nothing was made there");
    assert!(!place.run(&["demo"]).err.contains("no effect"));
}

#[test]
fn the_whole_loop_runs_on_redis() {
    let server = crate::redis::RedisServer::start();
    let place = Place::on_redis(&server.url());
    let _server = place.serve(&["--workers", "0"]);
    let _worker = place.worker();
    let id = place.ok(&["submit", "plan_dinner", "--session", "dinner"]);
    place.ok(&["watch", "dinner", "--until", "asked"]);
    place.ok(&["respond", &id[..10], "--set", "cuisine=Thai"]);
    place.ok(&["watch", "--task", &id, "--status", "input_required", "--since", "1h", "--no-follow"]);
    let second = ["respond", "--question", "q2", &id, "--set", "vegetarian=yes"];
    place.until_asked(&id, "q2");
    assert_eq!(place.run(&second).code, 0);
    assert!(place.ok(&["result", &id, "--wait"]).starts_with("A vegetarian Thai dinner"));
    assert_eq!(place.run(&second).code, 10);
    assert_eq!(place.run(&["show", "zzzz"]).code, 9);
}

/// Keys of a FastMCP 3 task, such that its deployment is found.
const DEPLOYED: [&str; 3] = [
    "SET",
    "docket:fastmcp:task:anon:11111111-1111-4111-8111-111111111111:created_at",
    "2026-01-01T00:00:00Z",
];

#[test]
fn a_large_redis_with_tasks_of_our_own_is_not_searched_for_fastmcp() {
    let server = crate::redis::RedisServer::start();
    let place = Place::on_redis(&server.url());
    let _worker = place.worker();
    let id = place.ok(&["submit", "plan_dinner"]);
    server.ask::<()>(&DEPLOYED).expect("is set");
    let searched = |server: &crate::redis::RedisServer| -> bool {
        let stats: String = server.ask(&["INFO", "commandstats"]).expect("tells");
        server.ask::<()>(&["CONFIG", "RESETSTAT"]).expect("forgets");
        stats.contains("cmdstat_scan:")
    };
    assert_eq!(place.run(&["list"]).code, 0);
    assert!(searched(&server), "few keys are searched");
    let fill = "for i = 1, 12000 do redis.call('SET', 'key:' .. i, '') end";
    server.ask::<()>(&["EVAL", fill, "0"]).expect("is filled");
    for arguments in [&["list"][..], &["show", &id], &["watch", "--task", &id, "--no-follow"], &["doctor"]] {
        let ran = place.run(arguments);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!(ran.err.contains("--docket NAME"), matches!(arguments[0], "list" | "doctor"), "{ran:?}");
    }
    place.ok(&["respond", "--next", "--set", "cuisine=Thai"]);
    assert!(!searched(&server), "many are not");
    assert_eq!(place.run(&["list", "--docket", "docket"]).code, 0);
    assert!(searched(&server), "unless a deployment is named");
}

#[test]
fn a_script_answers_as_the_readme_says() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.ok(&["submit", "plan_dinner"]);
    place.ok(&["respond", &id, "--wait", "--set", "cuisine=Thai"]);
    place.ok(&["respond", &id, "--wait", "--set", "vegetarian=yes"]);
    assert!(place.ok(&["result", &id, "--wait"]).starts_with("A vegetarian Thai dinner"));
    let late = place.run(&["respond", &id, "--wait", "--set", "cuisine=Greek"]);
    assert_eq!(late.code, 10, "an ended task asks no more: {late:?}");
}

#[test]
fn a_worker_elsewhere_goes_on_with_what_a_stopped_one_had() {
    let place = Place::new();
    let first = place.worker();
    let id = place.asking("plan_dinner");
    first.signal("TERM");
    assert_eq!(first.code(), 0);
    assert_eq!(place.json(&["show", &id])[0]["status"], "input_required");
    place.ok(&["respond", &id, "--set", "cuisine=Thai"]);
    let _second = place.worker();
    place.until_asked(&id, "q2");
    place.ok(&["respond", &id, "--question", "q2", "--set", "vegetarian=no"]);
    assert!(place.ok(&["result", &id, "--wait"]).starts_with("A Thai dinner"));
}

#[test]
fn whoever_waits_is_told_that_no_worker_runs_the_task() {
    let place = Place::new();
    let worker = place.worker();
    let id = place.asking("plan_dinner");
    worker.signal("TERM");
    assert_eq!(worker.code(), 0);
    let words = "no worker runs \"plan_dinner\" now";
    for command in
        [&["result", &id, "--wait"][..], &["respond", &id, "--wait", "--question", "q2", "--decline"]]
    {
        let ran = place.run(&[command, &["--timeout", "0.5s"]].concat());
        assert_eq!((ran.code, ran.err.matches(words).count()), (7, 1), "{command:?}: {ran:?}");
    }
    let _worker = place.worker();
    let ran = place.run(&["result", &id, "--wait", "--timeout", "0.5s"]);
    assert!(ran.code == 7 && !ran.err.contains("no worker"), "{ran:?}");
}
