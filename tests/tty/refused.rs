//! What a store refuses does not take from anybody what was typed: the form comes back with it, and says why.

use rstest::rstest;
use serde_json::json;

use crate::inbox::{allowing, answer, worker};
use crate::place::Place;
use crate::redis::RedisServer;
use crate::screen::{SEND, Screen, TAB, words};
use crate::terminal::{ENTER, ESCAPE};

/// A Redis with a user who loses the right to write, and a place of that user's with a worker of somebody else's.
fn guarded() -> (RedisServer, Place, Place) {
    let redis = RedisServer::start();
    may(&redis, "+@all");
    let own = redis.url().replace("redis://", "redis://ann:secret@");
    let (everybodys, anns) = (Place::on_redis(&redis.url()), Place::on_redis(&own));
    (redis, everybodys, anns)
}

fn may(redis: &RedisServer, what: &str) {
    let words: Vec<&str> =
        ["ACL", "SETUSER", "ann", "on", ">secret", "~*", "&*"].into_iter().chain(what.split(' ')).collect();
    redis.ask::<String>(&words).expect("a user");
}

#[rstest]
fn a_refused_answer_is_in_its_form_once_more(#[values("inbox", "respond", "attach")] command: &str) {
    let (redis, everybodys, anns) = guarded();
    let _worker = worker(&everybodys);
    let id = everybodys.asking("name");
    let arguments = if command == "inbox" { vec!["inbox"] } else { vec![command, &id] };
    let mut screen = Screen::sized(&anns, &arguments, (120, 30));
    if command == "inbox" {
        screen.at("[ 1 waiting ]", ENTER);
    }
    screen.at_form("> name");
    screen.press("Ann");
    screen.sees("> name  Ann");
    may(&redis, "-@scripting");
    screen.press(TAB);
    screen.at(SEND, ENTER);
    let shown = screen.at_form("> name  Ann");
    assert!(words(&shown).contains("the last answer was refused:"), "{shown}");
    assert!(answer(&everybodys, &id).is_null());
    may(&redis, "+@all");
    screen.press(TAB);
    screen.at(SEND, ENTER);
    if command == "inbox" {
        screen.sees("accept with name=Ann");
        screen.press("q");
    }
    assert_eq!(screen.ends().1, 0);
    assert_eq!(answer(&everybodys, &id)["content"], json!({ "name": "Ann" }));
}

#[test]
fn what_was_filled_in_for_several_is_in_the_form_once_more_where_it_is_refused() {
    let (redis, everybodys, anns) = guarded();
    let _worker = worker(&everybodys);
    let ids = ["a", "b"].map(|what| allowing(&everybodys, what, "friday"));
    let mut screen = Screen::sized(&anns, &["inbox"], (120, 30));
    screen.at("[ 2 waiting ]", " ");
    screen.at("1 marked", " ");
    screen.at("2 marked", ENTER);
    screen.at_form("> ok");
    screen.press("y");
    screen.sees("Send this to 2 questions?");
    may(&redis, "-@scripting");
    screen.press("y");
    let shown = screen.at_form("> ok  yes");
    assert!(words(&shown).contains("the last answer was refused:"), "{shown}");
    may(&redis, "+@all");
    screen.press("y");
    screen.at("Send this to 2 questions?", "y");
    screen.sees("2 answered");
    screen.press("q");
    assert_eq!(screen.ends().1, 0);
    assert!(ids.iter().all(|id| answer(&everybodys, id)["content"] == json!({ "ok": true })));
}

#[test]
fn a_place_that_is_away_keeps_nobody_from_the_others_and_is_there_when_it_comes() {
    let mut redis = RedisServer::persistent();
    let (place, far) = (Place::new(), Place::on_redis(&redis.url()));
    let _worker = worker(&place);
    let far_worker = worker(&far);
    std::fs::create_dir_all(place.path().join(".config/mcptask")).expect("a folder");
    let profile = format!("[profile.far]\nredis = \"{}\"\n", redis.url());
    place.file(".config/mcptask/config.toml", &profile);
    allowing(&far, "lamp", "friday");
    far_worker.kill();
    redis.kill();
    let id = allowing(&place, "table", "friday");
    let dead = "http://127.0.0.1:9/mcp";
    let mut screen = Screen::sized(&place, &["inbox", "--also", "far", "--also", dead], (120, 30));
    screen.at_row("delete table");
    let shown = screen.sees("`mcptask config show --profile far` says where it leads");
    assert!(words(&shown).contains("far: "), "{shown}");
    let shown = screen.sees("127.0.0.1:9/mcp: ");
    assert!(words(&shown).contains("waiting until it is back"), "{shown}");
    screen.press(ENTER);
    // It stands above the form as well.
    let shown = screen.at_form("> ok");
    assert!(words(&shown).contains("says where it leads"), "{shown}");
    screen.press("y");
    screen.sees("accept with ok=yes");
    assert_eq!(answer(&place, &id)["content"], json!({ "ok": true }));
    redis.restart();
    let shown = screen.sees("May I delete lamp?");
    assert!(shown.lines().any(|row| row.contains("delete lamp") && row.contains("far")), "{shown}");
    screen.gone("says where it leads");
    screen.press(ESCAPE);
    assert_eq!(screen.ends().1, 0);
}
