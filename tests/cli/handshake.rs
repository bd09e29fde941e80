//! A Redis that answers, but does not let in who connects: for a while, a password or the choice of a database is
//! refused.

use crate::outage::{Waiting, busy};
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
    let endpoint = serving.serve(&["--workers", "0"]);
    let id = operator.asking("plan_dinner");
    let waits = waiting.background(&["watch", "--json", "--task", &id]);
    for user in USERS {
        does(&server, &["ACL", "SETUSER", user, "resetpass", ">other"]);
        does(&server, &["CLIENT", "KILL", "USER", user]);
    }
    let is_refused_to_all = |log: &::redis::Value| {
        let log = format!("{log:?}");
        USERS.iter().all(|user| log.contains(user))
    };
    server.until(&["ACL", "LOG"], is_refused_to_all);
    for user in USERS {
        does(&server, &["ACL", "SETUSER", user, ">pw"]);
    }
    operator.ok(&["respond", &id, "--question", "q1", "--set", "cuisine=Thai"]);
    operator.until_asked(&id, "q2");
    let through = ["--server", endpoint.url(), "--era", "modern"];
    operator.ok(&[&["respond", &id, "--set", "vegetarian=yes"][..], &through].concat());
    assert_eq!(waits.code(), 0, "{}", waiting.heard(""));
    operator.ok(&["submit", "wait", "--arg", "seconds=0", "--wait", "--timeout", "30s"]);
}

#[test]
fn a_busy_redis_is_waited_for_whichever_the_database() {
    let server = RedisServer::start_with(&["--lua-time-limit", "50"]);
    let url = server.url();
    let place = Place::on_redis(&url.replace("/0", "/5"));
    let _worker = place.worker();
    let mut script = busy(&server);
    for command in [&["list"][..], &["submit", "wait"]] {
        let ran = place.run(command);
        assert_eq!(ran.code, 4, "{command:?}: {ran:?}");
        assert!(ran.err.contains("refuses: BUSY") && ran.err.contains("SCRIPT KILL"), "{ran:?}");
    }
    let waits = Waiting::begin(&place, &["submit", "wait", "--arg", "seconds=0", "--wait"]);
    place.heard("waiting until it is back");
    server.ask::<()>(&["SCRIPT", "KILL"]).expect("is ended");
    assert_eq!(waits.code(), Some(0), "{}", place.heard(""));
    script.wait().expect("ours");
}
