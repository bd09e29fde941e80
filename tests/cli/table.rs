//! Each verb in each situation: the same exit code, words and JSON in every place.

use crate::place::Place;
use crate::redis::{RedisServer, free_port};
use crate::situations::{
    ABOUT_TASKS, ASKING_HINT, AT_A_BROKEN_PLACE, NEVER_ASKED, NEVER_ASKED_OR_ANSWERED, Row,
    about_legacy_tasks, tried,
};
use crate::stage::{Stage, assert_none, ran};

#[test]
fn each_verb_says_the_same_in_a_sqlite_store() {
    let stage = Stage::on(Place::new());
    assert_none(&stage.faults("sqlite", &[ABOUT_TASKS, &[NEVER_ASKED, ASKING_HINT]].concat(), &[]));
}

#[test]
fn each_verb_says_the_same_in_a_redis_store() {
    let redis = RedisServer::start();
    let stage = Stage::on(Place::on_redis(&redis.url()));
    assert_none(&stage.faults("redis", &[ABOUT_TASKS, &[NEVER_ASKED, ASKING_HINT]].concat(), &[]));
}

#[test]
fn each_verb_says_the_same_through_a_server_of_the_modern_era() {
    let stage = Stage::on(Place::new());
    let way = ["--server", stage.server.url(), "--era", "modern"];
    assert_none(&stage.faults(
        "modern",
        &[ABOUT_TASKS, &[NEVER_ASKED_OR_ANSWERED, ASKING_HINT]].concat(),
        &way,
    ));
}

#[test]
fn each_verb_says_the_same_through_a_server_of_the_legacy_era() {
    let stage = Stage::on(Place::new());
    let way = ["--server", stage.server.url(), "--era", "legacy"];
    assert_none(&stage.faults("legacy", &about_legacy_tasks(), &way));
}

/// A place that is not as it should be.
struct Broken<'a> {
    name: &'a str,
    way: &'a [&'a str],
    code: i32,
    words: &'static str,
    /// The value that has to be named.
    named: &'a str,
}

impl Broken<'_> {
    fn faults(&self, place: &Place) -> Vec<String> {
        let of = |command: &&'static [&'static str]| {
            let row = Row { command, code: self.code, words: self.words };
            let words: Vec<&str> =
                command.iter().map(|word| if *word == "UNKNOWN" { "nobodys0" } else { word }).collect();
            tried(self.name, &row, &words, Some(self.named), &mut |command| ran(place, command, self.way))
        };
        // To submit into a docket is refused before anybody is asked.
        let is_tried = |command: &&&[&str]| command[0] != "submit" || !self.way.contains(&"--docket");
        AT_A_BROKEN_PLACE.iter().filter(is_tried).flat_map(of).collect()
    }
}

#[test]
fn each_verb_says_the_same_where_nobody_answers() {
    let place = Place::new();
    let port = free_port();
    let (redis, server) = (format!("redis://127.0.0.1:{port}/0"), format!("http://127.0.0.1:{port}/mcp"));
    let at = format!("127.0.0.1:{port}");
    let places = [
        Broken { name: "redis", way: &["--redis", &redis], code: 4, words: "cannot reach", named: &at },
        Broken {
            name: "docket",
            way: &["--redis", &redis, "--docket", "x"],
            code: 4,
            words: "cannot reach",
            named: &at,
        },
        Broken {
            name: "db",
            way: &["--db", "/dev/null/t.db"],
            code: 4,
            words: "/dev/null/t.db",
            named: "/dev/null/t.db",
        },
        Broken { name: "server", way: &["--server", &server], code: 4, words: "cannot reach", named: &at },
        Broken {
            name: "stdio",
            way: &["--stdio", "/no/such/program x"],
            code: 4,
            words: "cannot reach",
            named: "/no/such/program",
        },
    ];
    assert_none(&places.iter().flat_map(|one| one.faults(&place)).collect::<Vec<_>>());
}

#[test]
fn each_verb_says_the_same_where_it_is_not_let_in() {
    let redis = RedisServer::start_with(&["--user", "guest", "on", ">guest", "+ping"]);
    redis.ask::<()>(&["CONFIG", "SET", "requirepass", "s3cret"]).expect("it has a password now");
    let place = Place::new();
    let tokens = place.file("tokens", "anna s3cret-token\n");
    let server = place.serve(&["--token-file", &tokens, "--workers", "0"]);
    let without = redis.url();
    let wrong = without.replace("redis://", "redis://:wrong@");
    let guest = without.replace("redis://", "redis://guest:guest@");
    let at = format!("127.0.0.1:{}", redis.port());
    let places = [
        Broken {
            name: "docket",
            way: &["--redis", &wrong, "--docket", "x"],
            code: 3,
            words: "refuses",
            named: &at,
        },
        Broken { name: "no password", way: &["--redis", &without], code: 3, words: "refuses", named: &at },
        Broken { name: "another password", way: &["--redis", &wrong], code: 3, words: "refuses", named: &at },
        Broken { name: "no rights", way: &["--redis", &guest], code: 3, words: "refuses", named: &at },
        Broken {
            name: "no token",
            way: &["--server", server.url()],
            code: 3,
            words: "refuses",
            named: server.url(),
        },
        Broken {
            name: "another token",
            way: &["--server", server.url(), "--token", "x"],
            code: 3,
            words: "refuses",
            named: server.url(),
        },
    ];
    assert_none(&places.iter().flat_map(|one| one.faults(&place)).collect::<Vec<_>>());
}

#[test]
fn each_verb_says_the_same_of_an_address_that_is_none() {
    let place = Place::new();
    let places = [
        Broken {
            name: "redis",
            way: &["--redis", "localhost:6379"],
            code: 2,
            words: "redis://USER:PASSWORD@HOST:PORT/DB",
            named: "--redis",
        },
        Broken { name: "empty redis", way: &["--redis", ""], code: 2, words: "empty", named: "--redis" },
        Broken {
            name: "server",
            way: &["--server", "localhost:8737"],
            code: 2,
            words: "http://",
            named: "localhost:8737",
        },
        Broken {
            name: "no scheme",
            way: &["--server", "127.0.0.1:8737/mcp"],
            code: 2,
            words: "http://127.0.0.1:8737/mcp",
            named: "127.0.0.1:8737",
        },
        Broken {
            name: "scheme",
            way: &["--server", "ftp://h/mcp"],
            code: 2,
            words: "http",
            named: "ftp://h/mcp",
        },
        Broken { name: "empty server", way: &["--server", ""], code: 2, words: "empty", named: "--server" },
        Broken {
            name: "stdio",
            way: &["--stdio", "server 'x"],
            code: 2,
            words: "open quote",
            named: "server",
        },
        Broken { name: "empty stdio", way: &["--stdio", " "], code: 2, words: "empty", named: "--stdio" },
        Broken {
            name: "namespace",
            way: &["--namespace", "{x}"],
            code: 2,
            words: "is not a namespace",
            named: "{x}",
        },
        Broken {
            name: "docket",
            way: &["--docket", "x"],
            code: 2,
            words: "--docket names a FastMCP deployment",
            named: "--docket",
        },
    ];
    assert_none(&places.iter().flat_map(|one| one.faults(&place)).collect::<Vec<_>>());
}
