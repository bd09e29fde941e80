//! A Redis that goes away, refuses, or lets nobody in.

use std::process::{Child, Command, Stdio};

use crate::place::Place;
use crate::redis::RedisServer;

/// A command in the background whose words and output go to files.
pub(crate) struct Waiting {
    child: Child,
}

impl Waiting {
    pub(crate) fn begin(place: &Place, arguments: &[&str]) -> Self {
        let file = |name: &str| {
            let path = place.path().join(name);
            std::fs::OpenOptions::new().create(true).append(true).open(path).expect("a file")
        };
        let mut command = place.command(&[arguments, &["--timeout", "60s"]].concat());
        command.stdin(Stdio::null()).stderr(file("said")).stdout(file("printed"));
        Self { child: command.spawn().expect("starts") }
    }

    pub(crate) fn code(mut self) -> Option<i32> {
        self.child.wait().expect("ours").code()
    }
}

#[test]
fn a_command_that_waits_rides_out_an_outage_that_it_began_in() {
    let mut server = RedisServer::persistent();
    let place = Place::on_redis(&server.url());
    let worker = place.worker();
    let id = place.asking("plan_dinner");
    worker.signal("TERM");
    assert_eq!(worker.code(), 0);
    server.kill();
    for command in [&["list"][..], &["show", &id], &["respond", &id, "--decline"], &["submit", "wait"]] {
        let ran = place.run(command);
        assert_eq!(ran.code, 4, "a plain command does not wait: {ran:?}");
        assert!(ran.err.contains("redis-cli -"), "{ran:?}");
    }
    let commands = [
        &["respond", &id, "--wait", "--set", "cuisine=Thai"][..],
        &["result", &id, "--wait"],
        &["watch", "--task", &id],
        &["submit", "wait", "--wait", "--arg", "seconds=0"],
    ];
    let waiting: Vec<_> = commands.iter().map(|command| Waiting::begin(&place, command)).collect();
    let count = |words: &str| place.heard("").matches(words).count();
    until(|| count("waiting until it is back") == waiting.len());
    server.restart();
    let _worker = place.worker();
    place.until_asked(&id, "q2");
    place.ok(&["respond", &id, "--question", "q2", "--set", "vegetarian=yes"]);
    for (command, waiting) in commands.iter().zip(waiting) {
        assert_eq!(waiting.code(), Some(0), "{command:?}: {}", place.heard(""));
    }
    assert_eq!(count("the store is back"), commands.len(), "each says so once: {}", place.heard(""));
    assert_eq!(count("waiting until it is back"), commands.len(), "each says so once: {}", place.heard(""));
    let printed = std::fs::read_to_string(place.path().join("printed")).expect("a file");
    assert!(printed.contains("A vegetarian Thai dinner"), "{printed}");
}

/// Waits until it is so, for a bounded time.
pub(crate) fn until(holds: impl Fn() -> bool) {
    let begun = std::time::Instant::now();
    while !holds() {
        assert!(begun.elapsed() < crate::place::BOUND, "it never is");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[test]
fn who_may_not_is_unauthorised_and_told_what_helps() {
    let server = RedisServer::start();
    let place = Place::on_redis(&server.url());
    drop(place.worker());
    server
        .ask::<()>(&["ACL", "SETUSER", "guest", "on", ">pw", "~*", "&*", "-@all", "+ping"])
        .expect("is set");
    let guest = server.url().replace("redis://", "redis://guest:pw@");
    let wrong = server.url().replace("redis://", "redis://guest:planted-password@");
    server.ask::<()>(&["CONFIG", "SET", "requirepass", "x"]).expect("is set");
    for (url, help) in [(guest, "docs/REDIS.md"), (wrong, "password"), (server.url(), "password")] {
        for command in [&["list"][..], &["result", "abcdef", "--wait"], &["watch"], &["submit", "wait"]] {
            let ran = place.run(&[command, &["--redis", &url]].concat());
            assert_eq!(ran.code, 3, "{ran:?}");
            assert!(ran.err.contains(help) && !ran.err.contains("planted"), "{ran:?}");
            assert!(!ran.err.contains("redis-cli -"), "somebody answered: {ran:?}");
        }
    }
}

/// Keeps the server busy until somebody ends the script.
pub(crate) fn busy(server: &RedisServer) -> Child {
    let port = server.port().to_string();
    let mut script = Command::new("redis-cli");
    script.args(["-p", &port, "EVAL", "while true do end", "0"]).stdout(Stdio::null()).stderr(Stdio::null());
    let script = script.spawn().expect("starts");
    until(|| server.ask::<()>(&["GET", "x"]).is_err_and(|error| error.code() == Some("BUSY")));
    script
}

#[test]
fn a_busy_redis_is_there_and_says_so() {
    let server = RedisServer::start_with(&["--lua-time-limit", "50"]);
    let place = Place::on_redis(&server.url());
    drop(place.worker());
    let mut busy = busy(&server);
    let ran = place.run(&["list"]);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(ran.err.contains("SCRIPT KILL") && !ran.err.contains("redis-cli -"), "{ran:?}");
    server.ask::<()>(&["SCRIPT", "KILL"]).expect("is ended");
    busy.wait().expect("ours");
    assert_eq!(place.run(&["list"]).code, 0);
}

/// A store that was emptied has none of the tasks that somebody waits for, and nobody writes an event about that.
#[test]
fn who_waits_for_a_task_of_a_store_that_was_emptied_is_told() {
    let server = RedisServer::start();
    let place = Place::on_redis(&server.url());
    let worker = place.worker();
    let submits = place.background(&["submit", "wait", "--arg", "seconds=600", "--wait", "--json"]);
    let id = submits.first["id"].as_str().or(submits.first["task"].as_str()).expect("its id").to_owned();
    place.until(&id, "claimed");
    // The worker's claim and its tail, and the tail of who waits.
    server.until(&["INFO", "clients"], |text: &String| text.contains("blocked_clients:3\r\n"));
    server.ask::<()>(&["FLUSHALL"]).expect("empties it");
    assert_eq!(submits.code(), 9, "there is no such task any more");
    drop(worker);
}

/// The same through a server: the id was whole, and known.
#[test]
fn who_waits_through_a_server_for_a_task_of_an_emptied_store_is_told() {
    for era in ["legacy", "modern"] {
        let redis = RedisServer::start();
        let place = Place::on_redis(&redis.url());
        let server = place.serve(&[]);
        let remote = ["--json", "--server", server.url(), "--era", era];
        let submits =
            place.background(&[&["submit", "wait", "--wait", "--arg", "seconds=600"][..], &remote].concat());
        let id = submits.first["id"].as_str().or(submits.first["task"].as_str()).expect("its id").to_owned();
        place.until(&id, "claimed");
        redis.ask::<()>(&["FLUSHALL"]).expect("empties it");
        assert_eq!(submits.code(), 9, "{era}: {}", place.heard(""));
        let said = place.heard("");
        let words = format!("the server knows task {id} no longer");
        assert!(said.contains(&words) && !said.contains("whole id"), "{era}: {said}");
    }
}

#[test]
fn a_store_that_takes_nothing_is_back_only_when_it_takes_something() {
    let server = RedisServer::start();
    let place = Place::on_redis(&server.url());
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    server.ask::<()>(&["CONFIG", "SET", "maxmemory", "1"]).expect("is set");
    let stuck = place.run(&["doctor"]);
    assert_eq!(stuck.code, 5, "{stuck:?}");
    assert!(stuck.out.contains("store refuses writes"), "{stuck:?}");
    let waiting = Waiting::begin(&place, &["respond", &id, "--wait", "--set", "cuisine=Thai"]);
    let count = |words: &str| place.heard("").matches(words).count();
    until(|| count("waiting until it is back") == 1);
    // Between two tries that are refused it reads, which works.
    let refusals = || {
        let stats: String = server.ask(&["INFO", "errorstats"]).expect("tells");
        let count = stats.lines().find_map(|line| line.strip_prefix("errorstat_OOM:count="));
        count.and_then(|count| count.trim().parse::<u64>().ok()).unwrap_or_default()
    };
    let before = refusals();
    until(|| refusals() > before + 4);
    assert_eq!(count("the store is back"), 0, "{}", place.heard(""));
    server.ask::<()>(&["CONFIG", "SET", "maxmemory", "0"]).expect("is set");
    assert_eq!(waiting.code(), Some(0), "{}", place.heard(""));
    assert_eq!(
        (count("the store is back"), count("waiting until it is back")),
        (1, 1),
        "{}",
        place.heard("")
    );
}

#[test]
fn workers_that_a_full_store_keeps_from_renewing_are_not_called_dead() {
    let server = RedisServer::start();
    let place = Place::on_redis(&server.url());
    let _worker = place.background(&["worker", "--json", "--lease", "1s"]);
    let id = place.asking("plan_dinner");
    server.ask::<()>(&["CONFIG", "SET", "maxmemory", "1"]).expect("is set");
    let ended = || {
        place.json(&["show", &id])[0]["worker"].is_string() && {
            let leases: Vec<(String, f64)> = server
                .ask(&["ZRANGE", "mcptask:{default}:2:leases", "0", "-1", "WITHSCORES"])
                .expect("tells");
            let (seconds, _): (f64, f64) = server.ask(&["TIME"]).expect("tells");
            leases.iter().all(|(_, until)| *until < seconds * 1000.0)
        }
    };
    until(ended);
    for command in [&["doctor", "--json"][..], &["doctor", &id, "--json"]] {
        let ran = place.run(command);
        assert_eq!(ran.code, 5, "{ran:?}");
        assert!(ran.out.contains("store_refuses_writes") && !ran.out.contains("worker_dead"), "{ran:?}");
    }
}

#[test]
fn a_store_that_says_nothing_is_named_where_the_time_is_up() {
    let server = RedisServer::start();
    let place = Place::on_redis(&server.url());
    drop(place.worker());
    server.signal("STOP");
    for command in [&["list"][..], &["show", "abcdef"], &["result", "abcdef", "--wait"], &["submit", "wait"]]
    {
        let ran = place.run(&[command, &["--timeout", "1s"]].concat());
        assert_eq!(ran.code, 7, "{ran:?}");
        assert!(ran.err.contains(&format!("gave up after 1s: {} did not answer", server.url())), "{ran:?}");
    }
    server.signal("CONT");
}

#[test]
fn a_task_that_an_idle_worker_does_not_take_is_trouble() {
    let place = Place::new();
    place.worker().kill();
    let id = place.ok(&["submit", "wait", "--arg", "seconds=0"]);
    until(|| {
        let ran = place.run(&["doctor", &id]);
        ran.code == 5 && ran.out.contains("not taken up") && ran.out.contains("counts as dead")
    });
}

/// An answered task goes on at its own worker only, which may have no room while another one has nothing to do.
#[test]
fn an_answered_task_that_waits_for_a_slot_of_its_worker_is_told() {
    let place = Place::new();
    let full = ["worker", "--json", "--concurrency", "1"];
    let _full = place.background(&full);
    let id = place.asking("plan_dinner");
    let runs = place.ok(&["submit", "wait", "--arg", "seconds=600"]).trim().to_owned();
    place.until(&runs, "claimed");
    let _idle = place.background(&full);
    place.ok(&["respond", &id, "--set", "cuisine=Thai"]);
    until(|| {
        let ran = place.run(&["doctor", &id]);
        let said = ["runs 1 at once and has 2 to run", "1 other worker(s) have room", "--concurrency N"];
        ran.code == 0 && said.iter().all(|said| ran.out.contains(said))
    });
    let ran = place.run(&["doctor", "--json"]);
    let told = ran.out.lines().filter(|line| line.contains("waits_for_slot")).count();
    assert!(told == 1 && ran.out.contains(&id), "the one that runs waits for nothing: {ran:?}");
    place.ok(&["cancel", &runs]);
    place.until_asked(&id, "q2");
}

/// What a worker tells of, each thing by the words of its log.
const TOLD: [&str; 5] = [
    "reading the event log",
    "claiming tasks",
    "renewing the worker's lease",
    "looking for what is due",
    "settling what is due",
];

#[test]
fn a_workers_log_says_of_each_thing_that_did_not_work_that_it_works_again() {
    let mut server = RedisServer::persistent();
    let place = Place::on_redis(&server.url());
    let _worker = place.worker();
    server.until(&["INFO", "clients"], |text: &String| text.contains("blocked_clients:2\r\n"));
    server.kill();
    for what in ["claiming tasks", "reading the event log", "renewing the worker's lease"] {
        place.heard(&format!("{what} does not work"));
    }
    server.restart();
    // Nothing is submitted: a worker without a task says it as well.
    let failed = TOLD.into_iter().filter(|what| place.heard("").contains(&format!("{what} does not work")));
    for what in failed.collect::<Vec<_>>() {
        place.heard(&format!("{what} works again"));
    }
}
