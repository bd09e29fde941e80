//! One inbox over several places: each question says where it is, and each answer goes there.

use rstest::rstest;
use serde_json::json;

use crate::fastmcp_kitchen::{Kitchen, V3_4, V4};
use crate::inbox::{TOOLS, allowing, answer, worker};
use crate::place::Place;
use crate::redis::RedisServer;
use crate::screen::{Screen, TAB, words};
use crate::terminal::{DOWN, ENTER, ESCAPE};

/// A task at a server, once it asks.
fn asking_at(place: &Place, url: &str, what: &str) -> String {
    let line = ["submit", "allow", "--arg", &format!("what={what}"), "--server", url, "--era", "modern"];
    let id = place.ok(&line);
    place.until(&id, "asked");
    id
}

#[tokio::test]
async fn questions_of_a_fastmcp_deployment_stand_beside_those_of_our_own_store_in_the_same_redis() {
    let kitchen = Kitchen::open(V3_4);
    let client = kitchen.client("plan_dinner", &json!({}), "silent");
    let theirs = client.task();
    kitchen.asks(&theirs, "What kind of dinner?").await;
    let place = Place::on_redis(&kitchen.redis.url());
    let _worker = worker(&place);
    let mut screen = Screen::sized(&place, &["inbox"], (100, 24));
    // The cursor stays at the one that it was at first.
    screen.at_row("What kind of dinner?");
    let ours = allowing(&place, "table", "friday");
    let shown = screen.sees("[ 2 waiting ]");
    let row = |text: &str| shown.lines().find(|row| row.contains(text)).unwrap_or_else(|| panic!("{shown}"));
    assert!(row("What kind of dinner?").contains("FastMCP 3.4"), "{shown}");
    assert!(row("May I delete table?").contains("mcptask"), "{shown}");
    screen.at_row("What kind of dinner?");
    let shown = screen.sees("ends in");
    screen.press(ENTER);
    let form = screen.at_form("> cuisine");
    assert!(shown.contains("FastMCP 3.4") && form.contains("ends in"), "{shown}\n{form}");
    screen.press("thai");
    screen.at("filter: thai", ENTER);
    screen.at("> guests", TAB);
    screen.at(crate::screen::SEND, ENTER);
    // The next question of the same task comes by itself.
    screen.sees("Vegetarian?");
    screen.sees("[ 2 waiting ]");
    screen.at_row("May I delete table?");
    screen.press(ENTER);
    screen.at_form("> ok");
    screen.press("y");
    screen.sees("[ 1 waiting ]");
    assert_eq!(answer(&place, &ours)["content"], json!({ "ok": true }));
    // Both are on the other tab, with their workers.
    screen.press(TAB);
    screen.sees("[ tasks and workers ]");
    screen.sees("plan_dinner, FastMCP 3.4");
    screen.sees("allow, mcptask");
    screen.press("q");
    assert_eq!(screen.ends().1, 0);
}

#[test]
fn questions_of_another_software_s_server_are_answered_through_it_beside_our_own() {
    let (kitchen, place) = (Kitchen::open(V4), Place::new());
    let _worker = worker(&place);
    let endpoint = kitchen.endpoint();
    let theirs = place.ok(&["submit", "plan_dinner", "--server", &endpoint]);
    place.ok(&["watch", "--task", &theirs, "--until", "asked", "--server", &endpoint]);
    let mut screen = Screen::sized(&place, &["inbox", "--also", &endpoint], (120, 30));
    screen.at_row("What kind of dinner?");
    // It does not say when it asked, so that is since the submission at the earliest.
    screen.sees("asked <");
    allowing(&place, "table", "friday");
    let shown = screen.sees("[ 2 waiting ]");
    let host = endpoint.strip_prefix("http://").expect("http");
    let row = |text: &str| shown.lines().find(|row| row.contains(text)).unwrap_or_else(|| panic!("{shown}"));
    assert!(row("What kind of dinner?").contains(host), "{shown}");
    assert!(row("What kind of dinner?").contains("   <"), "{shown}");
    // Of several, it is said which one is meant.
    screen.sees(&format!("{host}: the tasks that were launched from here are looked at"));
    assert!(row("May I delete table?").contains("mcptask"), "{shown}");
    screen.press("/");
    screen.at("filter:", "dinner");
    screen.at("1 of 2 match", ENTER);
    screen.at_row("What kind of dinner?");
    screen.at("Enter answer", ENTER);
    screen.at_form("> cuisine");
    screen.press("thai");
    screen.at("filter: thai", ENTER);
    screen.at("> guests", TAB);
    screen.at(crate::screen::SEND, ENTER);
    screen.sees("accept with cuisine=thai");
    // Its next question is seen at one of the looks that have to be taken there.
    screen.press(ESCAPE);
    screen.at("Vegetarian?", TAB);
    screen.sees(&format!("plan_dinner, {host}"));
    screen.press("q");
    assert_eq!(screen.ends().1, 0);
}

#[rstest]
fn a_question_that_a_server_shows_of_the_same_store_is_there_once(#[values(false, true)] on_redis: bool) {
    let redis = on_redis.then(RedisServer::start);
    let place = redis.as_ref().map_or_else(Place::new, |redis| Place::on_redis(&redis.url()));
    let server = place.serve(&["--config", &place.file("tools.toml", TOOLS)]);
    let host = server.url().strip_prefix("http://").expect("http");
    let asked = |what: &str| asking_at(&place, server.url(), what);
    let first = asked("table");
    let mut screen = Screen::sized(&place, &["inbox", "--also", server.url()], (120, 30));
    screen.sees(&format!("also at {host}"));
    let shown = screen.sees("[ 1 waiting ]");
    assert_eq!(shown.matches("delete table").count(), 2, "a row and the preview: {shown}");
    // One that comes meanwhile, and is told of by both.
    let second = asked("chair");
    screen.at_row("May I delete table?");
    screen.press(DOWN);
    screen.at_row("May I delete chair?");
    let shown = screen.sees(&format!("also at {host}"));
    assert!(shown.contains("[ 2 waiting ]"), "{shown}");
    for id in [&second, &first] {
        screen.press(ENTER);
        screen.at_form("> ok");
        screen.press("y");
        screen.sees("accept with ok=yes");
        assert_eq!(answer(&place, id)["content"], json!({ "ok": true }));
    }
    screen.sees("[ 0 waiting ]");
    screen.press("q");
    assert_eq!(screen.ends().1, 0);
}

#[test]
fn a_server_that_shows_nobody_its_questions_is_told_once_and_not_waited_for() {
    let (kitchen, place) = (Kitchen::open(V3_4), Place::new());
    let _worker = worker(&place);
    allowing(&place, "table", "friday");
    let mut screen = Screen::sized(&place, &["inbox", "--also", &kitchen.endpoint()], (120, 30));
    let shown = screen.sees("a legacy server sends its questions only to the client");
    let shown = if shown.contains("[ 1 waiting ]") { shown } else { screen.sees("[ 1 waiting ]") };
    let said = words(&shown);
    assert!(said.contains("straight at the store"), "{shown}");
    for contradiction in ["tried again", "does it run", "not read yet"] {
        assert!(!said.contains(contradiction), "{contradiction}: {shown}");
    }
    screen.press("q");
    assert_eq!(screen.ends().1, 0);
}

#[test]
fn servers_and_profiles_are_looked_at_beside_our_own_store() {
    let (place, other, redis) = (Place::new(), Place::new(), RedisServer::start());
    let _worker = worker(&place);
    let server = other.serve(&["--config", &other.file("tools.toml", TOOLS)]);
    std::fs::create_dir_all(place.path().join(".config/mcptask")).expect("a folder");
    let profile = format!("[profile.prod]\nredis = \"{}\"\nas = \"duty\"\nconfirm = true\n", redis.url());
    place.file(".config/mcptask/config.toml", &profile);
    let far = Place::on_redis(&redis.url());
    let _far_worker = worker(&far);
    let ours = allowing(&place, "table", "friday");
    let id =
        place.ok(&["submit", "allow", "--arg", "what=chair", "--server", server.url(), "--era", "modern"]);
    other.until(&id, "asked");
    let prods = allowing(&far, "lamp", "friday");
    let arguments = ["inbox", "--also", server.url(), "--also", "prod"];
    let mut screen = Screen::sized(&place, &arguments, (120, 30));
    let host = server.url().strip_prefix("http://").expect("http");
    let shown = screen.sees("[ 3 waiting ]");
    let row = |text: &str| shown.lines().find(|row| row.contains(text)).unwrap_or_else(|| panic!("{shown}"));
    assert!(row("delete table").contains("mcptask"), "{shown}");
    assert!(row("delete chair").contains(host), "{shown}");
    assert!(row("delete lamp").contains("prod"), "{shown}");
    assert!(words(&shown).starts_with("profile prod: this changes tasks at"), "{shown}");
    // Only one of them wants to be asked before something is changed.
    for (what, is_guarded) in [("table", false), ("chair", false), ("lamp", true)] {
        screen.at_row(&format!("May I delete {what}?"));
        screen.press(ENTER);
        if is_guarded {
            screen.at("Change something there?", "y");
        }
        let shown = screen.at_form("> ok");
        assert!(shown.contains(&format!("delete {what}?")), "{shown}");
        screen.press("y");
        screen.sees("accept with ok=yes");
    }
    screen.sees("[ 0 waiting ]");
    assert_eq!(answer(&place, &ours)["content"], json!({ "ok": true }));
    assert_eq!(answer(&other, &id)["content"], json!({ "ok": true }));
    let answered = answer(&far, &prods);
    assert_eq!((&answered["content"], &answered["who"]["name"]), (&json!({ "ok": true }), &json!("duty")));
    // What comes later is named like the rest.
    allowing(&far, "desk", "friday");
    let shown = screen.sees("May I delete desk?");
    assert!(shown.lines().any(|row| row.contains("delete desk") && row.contains("prod")), "{shown}");
    screen.press("q");
    assert_eq!(screen.ends().1, 0);
}

#[test]
fn a_place_that_is_away_takes_nothing_from_the_others() {
    let mut redis = RedisServer::persistent();
    let (place, far) = (Place::new(), Place::on_redis(&redis.url()));
    let (_worker, _far_worker) = (worker(&place), worker(&far));
    std::fs::create_dir_all(place.path().join(".config/mcptask")).expect("a folder");
    let profile = format!("[profile.far]\nredis = \"{}\"\n", redis.url());
    place.file(".config/mcptask/config.toml", &profile);
    allowing(&far, "lamp", "friday");
    let mut screen = Screen::sized(&place, &["inbox", "--also", "far"], (120, 30));
    screen.sees("[ 1 waiting ]");
    redis.kill();
    screen.sees("waiting until it is back");
    let id = allowing(&place, "table", "friday");
    screen.sees("[ 2 waiting ]");
    screen.press("G");
    screen.at_row("delete table");
    screen.press(ENTER);
    screen.at_form("> ok");
    screen.press("y");
    screen.sees("[ 1 waiting ]");
    assert_eq!(answer(&place, &id)["content"], json!({ "ok": true }));
    screen.press(TAB);
    screen.sees("cannot be read now");
    screen.sees("ended");
    screen.press(TAB);
    redis.restart();
    allowing(&far, "desk", "friday");
    screen.sees("May I delete desk?");
    screen.sees("far is back");
    screen.press("q");
    assert_eq!(screen.ends().1, 0);
}

#[test]
fn the_other_tab_names_a_place_that_was_never_reached_and_where_workers_are() {
    let mut redis = RedisServer::persistent();
    let (place, far) = (Place::new(), Place::on_redis(&redis.url()));
    let (_worker, far_worker) = (worker(&place), worker(&far));
    allowing(&place, "table", "friday");
    allowing(&far, "lamp", "friday");
    std::fs::create_dir_all(place.path().join(".config/mcptask")).expect("a folder");
    place.file(".config/mcptask/config.toml", &format!("[profile.far]\nredis = \"{}\"\n", redis.url()));
    drop(far_worker);
    redis.kill();
    let mut screen = Screen::sized(&place, &["inbox", "--also", "far"], (120, 40));
    screen.sees("[ 1 waiting ]");
    screen.press(TAB);
    let shown = screen.sees("far: it cannot be reached yet");
    assert!(shown.contains("nothing else"), "{shown}");
    redis.restart();
    let _far_worker = worker(&far);
    screen.gone("it cannot be reached yet");
    screen.sees(", far, began");
    assert!(screen.text().contains(", mcptask, began"), "{}", screen.text());
    screen.press("q");
    assert_eq!(screen.ends().1, 0);
}

#[test]
fn a_server_that_goes_away_is_waited_for() {
    let place = Place::new();
    let file = place.file("tools.toml", TOOLS);
    let server = place.serve(&["--config", &file]);
    let url = server.url().to_owned();
    let address = url.trim_start_matches("http://").trim_end_matches("/mcp").to_owned();
    asking_at(&place, &url, "table");
    let mut screen = Screen::sized(&place, &["inbox", "--server", &url, "--era", "modern"], (120, 24));
    screen.sees("[ 1 waiting ]");
    drop(server);
    screen.sees("waiting until it is back");
    let _server = place.background(&["serve", "--json", "--listen", &address, "--config", &file]);
    asking_at(&place, &url, "chair");
    screen.sees("[ 2 waiting ]");
    screen.press("q");
    assert_eq!(screen.ends().1, 0);
}

#[test]
fn a_place_that_nobody_knows_is_refused_by_its_name() {
    let place = Place::new();
    let mut screen = Screen::run(&place, &["inbox", "--also", "nowhere"]);
    let (said, code) = screen.ends();
    assert!(code == 2 && said.contains("\"nowhere\" is"), "{said}");
    let twice = ["inbox", "--server", "http://127.0.0.1:1/mcp", "--also", "http://127.0.0.1:1/mcp"];
    let (said, code) = Screen::run(&place, &twice).ends();
    assert!(code == 2 && words(&said).contains("is looked at already"), "{said}");
}
