//! The store is taken away in the middle of a command that acts on many: it says how far it came, and goes on when it is run
//! again.

use rstest::rstest;
use serde_json::Value;

use crate::json_shapes::is_line;
use crate::place::Background;
use crate::redis::RedisServer;
use crate::stock::{Stock, sure};

/// More than fits into a pipe: a command whose lines are not read is in the middle of its work.
const MANY: usize = 1500;

/// How the store goes.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Killed,
    Paused,
}

/// What is done with many, the word for what it was done with, and the status that it leaves.
struct Verb {
    command: &'static [&'static str],
    word: &'static str,
    /// How many tasks it was done with.
    done: fn(&Stock) -> usize,
}

const CANCEL: Verb = Verb {
    command: &["cancel", "--tool", "deploy", "--yes", "--json"],
    word: "cancelled",
    done: |stock| stock.count("mine", "cancelled"),
};

const RESPOND: Verb = Verb {
    command: &["respond", "--all", "--tool", "deploy", "--set", "ok=yes", "--json"],
    word: "answered",
    done: |stock| MANY - stock.count("mine", "input_required"),
};

const PRUNE: Verb = Verb {
    command: &["prune", "--ended", "--yes", "--json"],
    word: "deleted",
    done: |stock| MANY - stock.count("mine", "cancelled"),
};

fn filled(verb: &Verb, redis: Option<RedisServer>) -> Stock {
    let stock = Stock::at(redis);
    stock.fill(MANY, "deploy", "mine", (verb.word == "answered").then(sure).as_ref());
    if verb.word == "deleted" {
        stock.place.ok(&["cancel", "--tool", "deploy", "--yes"]);
    }
    stock
}

/// The error that the command ended with.
fn failure(stock: &Stock) -> Value {
    let said = stock.place.heard("\"message\"");
    serde_json::from_str(said.lines().last().expect("an error")).expect("JSON")
}

/// Reads the rest of what a command says: how many it was done with, by its lines, by its tally, and how many of the rest
/// nobody knows of.
fn told(stock: &Stock, verb: &Verb, mut running: Background) -> (u64, u64) {
    let mut lines = 1;
    let tally = loop {
        let line = running.next_or_end().expect("a tally comes last");
        if line["tally"].is_string() {
            break line;
        }
        lines += 1;
    };
    assert_eq!(running.code(), 4);
    is_line("tally", &tally);
    assert_eq!(tally["done"].as_u64(), Some(lines), "as many as were told");
    let failure = failure(stock);
    let message = failure["message"].as_str().expect("a message");
    assert!(message.starts_with(&format!("{lines} {}, then the store was gone: ", verb.word)), "{message}");
    let hint = failure["hint"].as_str().expect("a hint");
    assert!(hint.contains("the same command goes on with the rest"), "{hint}");
    let number = hint.split("of ").nth(1).and_then(|rest| rest.split(' ').next());
    (lines, number.map_or(0, |word| word.parse().unwrap_or(1)))
}

#[rstest]
fn a_redis_that_goes_in_the_middle_leaves_a_right_count(
    #[values(&CANCEL, &RESPOND, &PRUNE)] verb: &Verb,
    #[values(Way::Killed, Way::Paused)] way: Way,
) {
    let mut stock = filled(verb, Some(RedisServer::persistent()));
    let running = stock.place.background(verb.command);
    let redis = stock.redis.as_mut().expect("is on one");
    match way {
        Way::Killed => redis.kill(),
        Way::Paused => redis.signal("STOP"),
    }
    let (done, unsure) = told(&stock, verb, running);
    let redis = stock.redis.as_mut().expect("is on one");
    match way {
        Way::Killed => redis.restart(),
        Way::Paused => redis.signal("CONT"),
    }
    let found = u64::try_from((verb.done)(&stock)).expect("fits");
    assert!(
        (done..=done + unsure).contains(&found),
        "{done} and perhaps {unsure} were told, and {found} are"
    );
    assert!(found < MANY as u64, "it was in the middle");
    let ran = stock.place.run(verb.command);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!((verb.done)(&stock), MANY, "it went on with the rest");
}

#[rstest]
fn a_file_that_goes_in_the_middle_leaves_a_right_count(#[values(&CANCEL, &RESPOND, &PRUNE)] verb: &Verb) {
    let stock = filled(verb, None);
    let running = stock.place.background(verb.command);
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", stock.place.database().display()));
    }
    told(&stock, verb, running);
}

#[test]
fn an_export_says_how_many_came_before_the_store_went() {
    let stock = Stock::at(Some(RedisServer::start()));
    stock.fill(1000, "deploy", "mine", Some(&sure()));
    let mut running = stock.place.background(&["export", "--json"]);
    let mut rows = 1;
    stock.redis.as_ref().expect("is on one").signal("STOP");
    while running.next_or_end().is_some() {
        rows += 1;
    }
    assert_eq!(running.code(), 4);
    let failure = failure(&stock);
    let message = failure["message"].as_str().expect("a message");
    assert!(
        message.starts_with(&format!("{rows} questions exported, then the store was gone: ")),
        "{message}"
    );
    assert!((1..1000).contains(&rows), "{rows}");
}
