//! A Redis that answers, but does not let in who connects: for a while, a password or the choice of a database is
//! refused.

use std::process::{Child, Command, Stdio};

use crate::place::Place;
use crate::redis::RedisServer;

/// Whoever is of the test connects as one of these, and nobody else does.
const USERS: [&str; 3] = ["working", "serving", "waiting"];

fn does(server: &RedisServer, words: &[&str]) {
    let _: ::redis::Value = server.ask(words).unwrap_or_else(|error| panic!("{words:?}: {error}"));
}

/// The place of processes that connect as that user.
fn place(server: &RedisServer, user: &str) -> Place {
    does(server, &["ACL", "SETUSER", user, "on", ">pw", "~*", "&*", "+@all"]);
    Place::on_redis(&server.url().replace("redis://", &format!("redis://{user}:pw@")))
}

#[test]
fn who_was_not_let_in_for_a_while_goes_on_afterwards() {
    let server = RedisServer::start();
    let operator = Place::on_redis(&server.url());
    let [working, serving, waiting] = USERS.map(|user| place(&server, user));
    let _worker = working.worker();
    let serves = serving.serve(&["--workers", "0"]);
    let waits = waiting.background(&["submit", "plan_dinner", "--wait", "--json"]);
    let id = waits.first["id"].as_str().or(waits.first["task"].as_str()).expect("its id").to_owned();
    operator.until_asked(&id, "q1");
    for user in USERS {
        does(&server, &["ACL", "SETUSER", user, "resetpass", ">other"]);
        does(&server, &["CLIENT", "KILL", "USER", user]);
    }
    let all_refused = |log: &::redis::Value| {
        let log = format!("{log:?}");
        USERS.iter().all(|user| log.contains(&format!("'{user}'")) || log.contains(&format!("\"{user}\"")))
    };
    server.until(&["ACL", "LOG"], all_refused);
    for user in USERS {
        does(&server, &["ACL", "SETUSER", user, ">pw"]);
    }
    operator.ok(&["respond", &id, "--question", "q1", "--set", "cuisine=Thai"]);
    operator.until_asked(&id, "q2");
    let through = ["--server", serves.url(), "--era", "modern"];
    operator.ok(&[&["respond", &id, "--set", "vegetarian=yes"][..], &through].concat());
    assert_eq!(waits.code(), 0, "{}", waiting.heard(""));
    operator.ok(&["submit", "wait", "--arg", "seconds=0", "--wait", "--timeout", "30s"]);
}

/// Keeps the server busy until somebody ends the script.
fn busy(server: &RedisServer) -> Child {
    let port = server.port().to_string();
    let mut script = Command::new("redis-cli");
    script.args(["-p", &port, "EVAL", "while true do end", "0"]).stdout(Stdio::null()).stderr(Stdio::null());
    let script = script.spawn().expect("starts");
    let is_busy = || server.ask::<()>(&["GET", "x"]).is_err_and(|error| error.code() == Some("BUSY"));
    let begun = std::time::Instant::now();
    while !is_busy() {
        assert!(begun.elapsed() < crate::place::BOUND, "it is never busy");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    script
}

#[test]
fn a_busy_redis_is_waited_for_whichever_the_database() {
    let server = RedisServer::start_with(&["--busy-reply-threshold", "50"]);
    let url = server.url();
    let place = Place::on_redis(&url.replace("/0", "/5"));
    let _worker = place.worker();
    let mut script = busy(&server);
    for command in [&["list"][..], &["submit", "wait"]] {
        let ran = place.run(command);
        assert_eq!(ran.code, 4, "{command:?}: {ran:?}");
        assert!(ran.err.contains("refuses: BUSY") && ran.err.contains("SCRIPT KILL"), "{ran:?}");
    }
    std::thread::scope(|scope| {
        let submit = ["submit", "wait", "--arg", "seconds=0", "--wait", "--timeout", "30s"];
        let waits = scope.spawn(|| place.run(&submit));
        // Something else than the command above is among those that were refused by now, or will be none the worse.
        server.ask::<()>(&["SCRIPT", "KILL"]).expect("is ended");
        let ran = waits.join().expect("runs");
        assert_eq!(ran.code, 0, "{ran:?}");
    });
    script.wait().expect("ours");
}
