//! What a form and the inbox say of where an answer goes, and of who takes it.

use rstest::rstest;
use serde_json::json;

use crate::fastmcp_kitchen::{Kitchen, V4};
use crate::inbox::{TOOLS, allowing, answer, worker};
use crate::place::Place;
use crate::redis::RedisServer;
use crate::screen::{Screen, TAB, words};
use crate::terminal::{DOWN, ENTER, ESCAPE};

/// What the first row of a place says.
fn host(url: &str) -> &str {
    url.strip_prefix("http://").expect("http")
}

#[rstest]
fn a_form_through_a_server_has_the_header_of_its_store_s_form(#[values(60, 80, 120)] columns: u16) {
    let place = Place::new();
    let server = place.serve(&["--config", &place.file("tools.toml", TOOLS)]);
    let at = ["--server", server.url(), "--era", "modern"];
    let id = place.ok(&[&["submit", "allow", "--arg", "what=table"][..], &at].concat());
    place.until(&id, "asked");
    let is_whole = |shown: &str| {
        let said = words(shown);
        let whole = format!("allow (task {}, question a) asks, ", &id[..8]);
        assert!(said.contains(&whole) && said.contains("; the task ends in 24 h"), "{shown}");
        assert!(said.contains("place: mcptask ") && said.contains(host(server.url())), "{shown}");
        assert!(!said.contains("status:"), "{shown}");
        assert_eq!(said.matches("May I delete table?").count(), 1, "{shown}");
    };
    for verb in ["respond", "attach"] {
        let mut screen = Screen::sized(&place, &[&[verb, &id][..], &at].concat(), (columns, 24));
        is_whole(&screen.at_form("> ok"));
        screen.press(ESCAPE);
        screen.ends();
    }
    let mut screen = Screen::sized(&place, &[&["inbox"][..], &at].concat(), (columns, 24));
    let shown = screen.sees("[ 1 waiting ]");
    let top = shown.lines().next().expect("a row");
    let beginning = if columns == 60 { "http://127" } else { host(server.url()) };
    assert!(top.contains(beginning), "the place that is looked at: {shown}");
    screen.press(ENTER);
    is_whole(&screen.at_form("> ok"));
    screen.press("y");
    screen.sees("[ 0 waiting ]");
    assert_eq!(answer(&place, &id)["content"], json!({ "ok": true }));
    screen.press("q");
    screen.ends();
}

#[rstest]
fn where_a_profile_wants_it_each_form_of_the_inbox_says_where_its_answer_goes(
    #[values(60, 80, 120)] columns: u16,
) {
    let place = Place::new();
    std::fs::create_dir_all(place.path().join(".config/mcptask")).expect("a folder");
    place.file(".config/mcptask/config.toml", "default = \"prod\"\n[profile.prod]\nconfirm = true\n");
    let _worker = worker(&place);
    let ids = ["a", "b", "c"].map(|what| allowing(&place, what, "friday"));
    let mut screen = Screen::sized_with(&place, &["inbox"], (columns, 24), &[("CLICOLOR_FORCE", "1")]);
    let line = "profile prod: this changes tasks at";
    let says_once = |shown: &str| {
        let said = words(shown);
        assert!(said.starts_with(line) && said.matches(line).count() == 1, "{shown}");
    };
    screen.at_row("May I delete a?");
    screen.press(ENTER);
    says_once(&screen.sees("Change something there?"));
    screen.forget_written();
    screen.press("y");
    says_once(&screen.at_form("> ok"));
    assert!(screen.written().contains("profile prod: this changes"), "{}", screen.written());
    screen.press("y");
    screen.sees("[ 2 waiting ]");
    screen.at_row("May I delete b?");
    screen.press(" ");
    screen.press(DOWN);
    screen.at_row("May I delete c?");
    screen.press(" ");
    screen.at("2 marked", ENTER);
    says_once(&screen.at_form("> ok"));
    screen.press("y");
    screen.at("Send this to 2 questions?", "y");
    screen.sees("[ 0 waiting ]");
    for id in &ids {
        assert_eq!(answer(&place, id)["content"], json!({ "ok": true }));
    }
    screen.press("q");
    screen.ends();
}

#[rstest]
fn beside_many_fields_it_stays_said_who_asks_where_and_until_when(#[values(60, 80, 120)] columns: u16) {
    let place = Place::new();
    let fields: Vec<String> = (0..30).map(|at| format!("f{at:02} = \"text\"")).collect();
    let tool = "[tools.many]\ndescription = \"Asks much.\"\ninput = { for = \"text\" }\nsteps = [\n";
    let ask = format!("{{ ask = \"All of it?\", as = \"a\", form = {{ {} }} }},\n]\n", fields.join(", "));
    let file = place.file("many.toml", &format!("{tool}{ask}"));
    let _worker = place.background(&["worker", "--json", "--config", &file]);
    let id = place.ok(&["submit", "many", "--ttl", "20m", "--arg", "for=Ada"]);
    place.until(&id, "asked");
    let mut screen = Screen::sized(&place, &["respond", &id], (columns, 24));
    for at in 0..30 {
        let shown = screen.sees(&format!("> f{at:02}"));
        let said = words(&shown);
        assert!(said.contains(&format!("many (task {}, question q1) asks", &id[..8])), "{shown}");
        assert!(said.contains("the task ends in 20 min") && said.contains("place: /"), "{shown}");
        assert!(shown.lines().count() <= 24 && said.contains("[ Send ]"), "{shown}");
        screen.press(TAB);
    }
    screen.press(ESCAPE);
    screen.ends();
}

#[rstest]
fn the_second_tab_counts_what_is_wrong_as_doctor_does(#[values(false, true)] on_redis: bool) {
    let redis = on_redis.then(RedisServer::start);
    let place = redis.as_ref().map_or_else(Place::new, |redis| Place::on_redis(&redis.url()));
    let worker = worker(&place);
    for what in ["a", "b"] {
        allowing(&place, what, "friday");
    }
    worker.kill();
    let mut screen = Screen::sized(&place, &["inbox"], (100, 30));
    screen.at("[ 2 waiting ]", TAB);
    let shown = screen.sees("! 2 things, each told below its task");
    assert!(!words(&shown).contains("what is wrong nothing"), "{shown}");
    screen.sees("dead");
    screen.press("q");
    screen.ends();
    assert!(place.run(&["doctor"]).err.contains("2 things are wrong"), "{:?}", place.run(&["doctor"]));
}

#[rstest]
fn of_what_fastmcp_4_takes_through_its_server_alone_the_command_is_told_whole(
    #[values(80, 120)] columns: u16,
) {
    let kitchen = Kitchen::open(V4);
    let theirs = kitchen.client("plan_dinner", &json!({}), "silent").task();
    let place = Place::on_redis(&kitchen.redis.url());
    let mut screen = Screen::sized(&place, &["inbox"], (columns, 24));
    screen.at_row("What kind of dinner?");
    screen.press(ENTER);
    let shown = screen.sees("FastMCP 4 takes the answer through its server");
    let command = format!("respond {theirs} --server URL`");
    let row = shown.lines().find(|row| row.contains(&command)).unwrap_or_else(|| panic!("{shown}"));
    assert!(row.contains("`mcptask "), "{shown}");
    screen.press("q");
    screen.ends();
}
