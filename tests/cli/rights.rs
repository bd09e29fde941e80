//! The rights that docs/REDIS.md gives are enough, and the reader's are not too many.

use crate::place::Place;
use crate::redis::RedisServer;

const PAGE: &str = include_str!("../../docs/REDIS.md");

/// Makes the users exactly as the page says, and returns the URL of each by name.
fn users(server: &RedisServer) -> impl Fn(&str) -> String {
    let lines: Vec<_> = PAGE.lines().filter(|line| line.starts_with("ACL SETUSER mcptask")).collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    for line in lines {
        let words: Vec<_> = line.split(' ').collect();
        server.ask::<()>(&words).unwrap_or_else(|error| panic!("{line}: {error}"));
    }
    server.ask::<()>(&["ACL", "SETUSER", "default", "off"]).expect("nobody needs it");
    let url = server.url();
    move |name| url.replace("redis://", &format!("redis://{name}:PASSWORD@"))
}

#[test]
fn the_whole_life_of_a_task_runs_under_the_documented_rights() {
    let server = RedisServer::start();
    let url = users(&server);
    let (writes, reads) = (Place::on_redis(&url("mcptask")), Place::on_redis(&url("mcptask-reader")));
    let endpoint = writes.serve(&["--workers", "0"]);
    let worker = writes.worker();
    let id = writes.ok(&["submit", "plan_dinner", "--session", "dinner"]);
    reads.until(&id, "asked");
    for command in [
        &["list"][..],
        &["show", &id],
        &["watch", "dinner", "--no-follow"],
        &["watch", "--task", &id, "--until", "asked"],
        &["tools"],
    ] {
        assert!(!reads.ok(command).is_empty(), "{command:?}");
    }
    let told = reads.run(&["doctor"]);
    assert_eq!(told.code, 0, "{told:?}");
    for command in [&["respond", &id, "--decline"][..], &["cancel", &id], &["submit", "wait"]] {
        let ran = reads.run(command);
        assert_eq!(ran.code, 3, "{command:?}: {ran:?}");
        assert!(ran.err.contains("docs/REDIS.md"), "{ran:?}");
    }
    writes.ok(&["respond", &id, "--question", "q1", "--set", "cuisine=Thai"]);
    writes.until_asked(&id, "q2");
    let modern = ["--server", endpoint.url(), "--era", "modern"];
    writes.ok(&[&["respond", &id, "--set", "vegetarian=yes"][..], &modern].concat());
    assert!(reads.ok(&["result", &id, "--wait"]).starts_with("A vegetarian Thai dinner"));
    let second = writes.asking("plan_dinner");
    writes.ok(&["cancel", &second]);
    assert_eq!(writes.run(&["doctor"]).code, 0, "nothing is missing: {:?}", writes.run(&["doctor"]));
    worker.signal("TERM");
    assert_eq!(worker.code(), 0);
    let said = writes.heard("");
    assert!(!said.contains("NOPERM"), "nobody was refused: {said}");
}

/// A Redis with a docket named `fastmcp` that has had no task yet.
fn docket() -> RedisServer {
    let server = RedisServer::start();
    let group = ["XGROUP", "CREATE", "fastmcp:stream", "docket-workers", "$", "MKSTREAM"];
    server.ask::<()>(&group).expect("a docket");
    server
}

#[test]
fn the_documented_rights_of_a_deployments_reader_are_enough() {
    let server = docket();
    let line = PAGE.lines().find(|line| line.starts_with("ACL SETUSER fastmcp-reader ")).expect("a line");
    server.ask::<()>(&line.split(' ').collect::<Vec<_>>()).expect("a user");
    let place = Place::on_redis(&server.url().replace("redis://", "redis://fastmcp-reader:PASSWORD@"));
    for command in [&["list"][..], &["workers"], &["doctor"]] {
        let ran = place.run(&[&["--docket", "fastmcp"], command].concat());
        assert_eq!(ran.code, 0, "{command:?}: {ran:?}");
    }
}

#[test]
fn it_is_said_whether_the_right_to_a_command_or_to_keys_is_missing() {
    let server = docket();
    for (name, rights, said) in [
        (
            "other",
            &["%R~other:*", "+@read", "+@connection"][..],
            "and not on these keys: ACL SETUSER … ~DOCKET:*",
        ),
        ("few", &["~*", "+@connection"], "needs the right to run XINFO"),
    ] {
        let words = [&["ACL", "SETUSER", name, "on", ">PASSWORD"], rights].concat();
        server.ask::<()>(&words).expect("a user");
        let place = Place::on_redis(&server.url().replace("redis://", &format!("redis://{name}:PASSWORD@")));
        let ran = place.run(&["--docket", "fastmcp", "list"]);
        let words = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(ran.code == 3 && words.contains(said), "{ran:?}");
    }
}
