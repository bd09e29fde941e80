//! Commands that look: they make no file, no folder and no key, and say where there is nothing.

use crate::place::{BOUND, Place};
use crate::redis::RedisServer;

/// Commands that look at all there is, and the exit code where nobody has begun a store.
const LOOKING: [&[&str]; 5] =
    [&["list"], &["list", "--json"], &["tools"], &["watch", "--no-follow"], &["doctor"]];

/// Commands that name a task.
const NAMING: [&[&str]; 7] = [
    &["show", "abcdef"],
    &["result", "abcdef"],
    &["result", "abcdef", "--wait"],
    &["cancel", "abcdef"],
    &["respond", "abcdef", "--decline"],
    &["respond", "abcdef", "--wait", "--decline"],
    &["watch", "--task", "abcdef"],
];

#[test]
fn a_mistyped_file_is_named_and_not_made() {
    let place = Place::new();
    let path = place.path().join("typo/tasks.db");
    let shown = path.display().to_string();
    for command in LOOKING.iter().chain(&NAMING) {
        let ran = place.run(&[command, &["--db", &shown][..]].concat());
        assert_eq!(ran.code, 4, "{ran:?}");
        assert!(ran.err.contains(&shown) && ran.err.contains(" serve` makes the file"), "{ran:?}");
        assert!(!path.parent().expect("a folder").exists(), "{command:?} made it");
    }
    place.ok(&["completions", "bash"]);
}

#[test]
fn before_anybody_has_begun_there_are_no_tasks_and_nothing_is_made() {
    let place = Place::new();
    for command in LOOKING {
        assert_eq!(place.ok(command), "", "{command:?}");
    }
    for command in NAMING {
        let ran = place.run(command);
        assert_eq!(ran.code, 9, "{ran:?}");
        assert!(ran.err.contains("nobody has begun a store"), "{ran:?}");
    }
    assert_eq!(std::fs::read_dir(place.path()).expect("a home").count(), 0, "nothing is made");
    let ran = place.run(&["list"]);
    assert!(ran.err.contains("no tasks") && ran.err.contains("tasks.db"), "says where it looked: {ran:?}");
}

#[test]
fn looking_leaves_no_key_in_a_redis_that_is_not_ours() {
    let server = RedisServer::start();
    let place = Place::on_redis(&server.url());
    for command in LOOKING {
        assert_eq!(place.ok(command), "", "{command:?}");
    }
    for command in NAMING {
        assert_eq!(place.run(command).code, 9, "{command:?}");
    }
    assert_eq!(place.run(&["list", "--namespace", "other"]).code, 0);
    let keys: Vec<String> = server.ask(&["KEYS", "*"]).expect("tells");
    assert_eq!(keys, Vec::<String>::new());
}

#[test]
fn who_watches_before_anybody_has_begun_sees_the_first_task() {
    let server = RedisServer::start();
    for place in [Place::new(), Place::on_redis(&server.url())] {
        let mut watch = place.command(&["watch", "--until", "submitted", "--timeout", "60s"]);
        let said = std::fs::File::create(place.path().join("said")).expect("a file");
        let mut watch = watch.stderr(said).spawn().expect("starts");
        place.heard("watching for its first task");
        let _worker = place.worker();
        place.ok(&["submit", "plan_dinner"]);
        assert_eq!(watch.wait().expect("ours").code(), Some(0));
    }
}

#[test]
fn a_watched_task_that_has_ended_ends_the_watching() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.ok(&["submit", "wait", "--arg", "seconds=0"]);
    place.until(&id, "end");
    assert_eq!(place.ok(&["watch", "--task", &id, "--since", "now", "--timeout", "60s"]), "");
    let late = place.run(&["watch", "--task", &id, "--since", "now", "--until", "asked", "--timeout", "60s"]);
    assert_eq!(late.code, 10, "{late:?}");
}

#[test]
fn doctor_tells_trouble_from_waiting_by_its_exit_code() {
    let place = Place::new();
    let worker = place.worker();
    let asking = place.asking("plan_dinner");
    let waits = place.run(&["doctor"]);
    assert_eq!(waits.code, 0, "a person is waited for: {waits:?}");
    assert!(waits.out.contains("question open"), "{waits:?}");
    worker.signal("TERM");
    assert_eq!(worker.code(), 0);
    let queued = place.ok(&["submit", "wait"]);
    let stuck = place.run(&["doctor", "--json"]);
    assert_eq!(stuck.code, 5, "{stuck:?}");
    let found: Vec<serde_json::Value> =
        stuck.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let troubles: Vec<_> =
        found.iter().filter(|one| one["trouble"] == true).map(|one| &one["task"]).collect();
    assert_eq!(troubles, [&serde_json::json!(queued)]);
    assert_eq!(place.run(&["doctor", &queued]).code, 5);
    assert_eq!(place.run(&["doctor", &asking]).code, 0);
}

#[test]
fn doctor_says_of_a_task_that_has_ended_that_it_has() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    place.ok(&["cancel", &id, "--reason", "no appetite"]);
    let told = place.run(&["doctor", &id]);
    assert_eq!(told.code, 0, "{told:?}");
    assert!(told.out.contains("it has ended, cancelled: no appetite"), "{told:?}");
}

#[test]
fn doctor_says_why_a_task_was_given_back() {
    use std::os::unix::fs::PermissionsExt;
    for redis in [None, Some(RedisServer::start())] {
        let place = redis.as_ref().map_or_else(Place::new, |redis| Place::on_redis(&redis.url()));
        let program = place.path().join("program");
        std::fs::copy("/bin/true", &program).expect("copies");
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).expect("ours");
        // As long as somebody may write it, nobody may start it.
        let _writer = std::fs::OpenOptions::new().append(true).open(&program).expect("ours");
        let tools = format!("[tools.t]\ndescription = \"d\"\ncommand = [{program:?}]\n");
        let _worker = place.background(&["worker", "--json", "--config", &place.file("tools.toml", &tools)]);
        let id = place.ok(&["submit", "t"]);
        place.until(&id, "requeued");
        // It is tried again and again: in between it is a worker's.
        let begun = std::time::Instant::now();
        let told = loop {
            let told = place.run(&["doctor", &id]);
            if told.code != 0 {
                break told;
            }
            assert!(begun.elapsed() < BOUND, "{told:?}");
        };
        assert_eq!(told.code, 5, "{told:?}");
        assert!(told.out.contains("given back") && told.out.contains("busy"), "{told:?}");
    }
}
