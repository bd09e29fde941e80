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
    assert_eq!(place.run(&["show", "zzz"]).code, 9);
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
