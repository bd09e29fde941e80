//! The inbox: what waits comes and goes by itself, and is answered, marked, filtered, shown and cancelled from one screen.

use rstest::rstest;
use serde_json::json;

use crate::place::{Background, Place};
use crate::redis::RedisServer;
use crate::screen::{Screen, TAB, words};
use crate::terminal::{CTRL_C, DOWN, ENTER, ESCAPE};

/// `allow` asks for a yes or no, `name` for a text.
pub(crate) const TOOLS: &str = r#"
[tools.allow]
description = "Asks whether."
input = { what = "text" }
steps = [{ ask = "May I delete {{ args.what }}?", as = "a", form = { ok = "boolean" } }, { return = "{{ a.action }}" }]

[tools.name]
description = "Asks for a name."
steps = [{ ask = "What is its name?", as = "a", form = { name = "text" } }, { return = "{{ a.content.name }}" }]
"#;

pub(crate) fn worker(place: &Place) -> Background {
    place.background(&["worker", "--json", "--yes", "--config", &place.file("tools.toml", TOOLS)])
}

/// A task of that session that asks whether something may be deleted.
pub(crate) fn allowing(place: &Place, what: &str, session: &str) -> String {
    let id = place.ok(&["submit", "allow", "--yes", "--session", session, "--arg", &format!("what={what}")]);
    place.until(&id, "asked");
    id
}

pub(crate) fn answer(place: &Place, id: &str) -> serde_json::Value {
    place.json(&["show", id])[0]["questions"][0]["answer"].clone()
}

#[rstest]
fn a_question_comes_by_itself_and_is_answered_where_it_stands(#[values(60, 80, 120)] columns: u16) {
    let place = Place::new();
    let _worker = worker(&place);
    // A store that nobody has asked anything yet.
    let mut screen = Screen::sized(&place, &["inbox"], (columns, 24));
    screen.sees("Nothing waits. A new question appears here by itself.");
    screen.forget_written();
    let id = allowing(&place, "table 1", "friday");
    let shown = screen.sees("[ 1 waiting ]");
    assert!(shown.contains("> ") && shown.contains("May I delete table 1?"), "{shown}");
    assert!(shown.contains("allow") && shown.contains("friday") && shown.contains("Enter answer"), "{shown}");
    let wide = shown.lines().map(|line| line.chars().count()).max();
    assert!(wide.is_some_and(|wide| wide < usize::from(columns)), "{shown}");
    // The title, and the bell behind it.
    screen.writes("\u{1b}]2;(1) mcptask inbox\u{7}\u{7}");
    screen.press(ENTER);
    let shown = screen.at_form("> ok");
    assert!(shown.contains("arguments: what=table 1") && shown.contains("session: friday"), "{shown}");
    screen.press("y");
    screen.sees("accept with ok=yes");
    screen.sees("[ 0 waiting ]");
    assert_eq!(answer(&place, &id)["content"], json!({ "ok": true }));
    screen.press("q");
    let (rest, code) = screen.ends();
    assert!(code == 0 && !rest.contains("waiting ]"), "{rest}");
}

#[rstest]
fn what_ends_a_question_is_told_alike_in_list_and_form(#[values(false, true)] on_redis: bool) {
    let redis = on_redis.then(RedisServer::start);
    let place = redis.as_ref().map_or_else(Place::new, |redis| Place::on_redis(&redis.url()));
    let _worker = worker(&place);
    let brief = |what: &str| {
        let id = place.ok(&["submit", "allow", "--ttl", "20m", "--arg", &format!("what={what}")]);
        place.until(&id, "asked");
    };
    brief("table");
    let mut screen = Screen::sized(&place, &["inbox"], (100, 24));
    screen.at_row("May I delete table?");
    screen.sees("the task ends in 20 min");
    // One that comes while it is looked at, and one whose own end is earlier.
    brief("chair");
    screen.at_row("May I delete table?");
    screen.press(DOWN);
    screen.at_row("May I delete chair?");
    screen.sees("the task ends in 20 min");
    screen.press(ENTER);
    let shown = screen.at_form("> ok");
    assert!(words(&shown).contains("asks, just now; the task ends in 20 min"), "{shown}");
    assert_eq!(shown.matches("the task ends").count(), 1, "{shown}");
    screen.press(ESCAPE);
    allowing(&place, "lamp", "friday");
    screen.sees("May I delete lamp?");
    screen.at_row("May I delete chair?");
    screen.press(DOWN);
    screen.at_row("May I delete lamp?");
    screen.sees("cancels itself in 60 min");
    screen.press("q");
    assert_eq!(screen.ends().1, 0);
}

#[test]
fn after_an_answer_the_next_one_is_at_hand_and_each_goes_where_it_belongs() {
    let place = Place::new();
    let _worker = worker(&place);
    let ids = ["a", "b", "c"].map(|what| allowing(&place, what, "friday"));
    let mut screen = Screen::run(&place, &["inbox", "--as", "ann", "--note", "ticket 7"]);
    screen.at("May I delete c?", DOWN);
    screen.at_row("May I delete b?");
    screen.press(ENTER);
    screen.at_form("> ok");
    screen.press("n");
    screen.sees("[ 2 waiting ]");
    screen.at_row("May I delete c?");
    screen.press("k");
    screen.at_row("May I delete a?");
    screen.press(CTRL_C);
    let (rest, code) = screen.ends();
    assert!(code == 130 && rest.contains("what was not answered stays open"), "{rest}");
    let answer = answer(&place, &ids[1]);
    assert_eq!(answer["content"], json!({ "ok": false }));
    let who = json!({ "name": "ann", "known": "given", "note": "ticket 7" });
    assert_eq!(answer["who"], who);
    assert_eq!(place.json(&["list", "--waiting"]).len(), 2);
}

#[test]
fn escape_goes_back_from_the_form_and_news_lose_nothing_that_was_typed() {
    let place = Place::new();
    let _worker = worker(&place);
    let id = place.asking("name");
    let mut screen = Screen::run(&place, &["inbox"]);
    screen.at("What is its name?", ENTER);
    screen.at_form("> name");
    screen.press("Ann");
    screen.sees("> name  Ann");
    allowing(&place, "table", "friday");
    screen.writes("\u{1b}]2;(2) mcptask inbox\u{7}");
    screen.press("a");
    screen.sees("> name  Anna");
    screen.press(ESCAPE);
    screen.at("Leave it open?", ESCAPE);
    let shown = screen.sees("[ 2 waiting ]");
    assert!(words(&shown).contains("the question stays open"), "{shown}");
    // Somebody else is faster: the list comes back and says so, with what had been typed.
    screen.press(ENTER);
    screen.at_form("> name");
    screen.press("Bea");
    screen.sees("> name  Bea");
    place.ok(&["respond", &id, "--set", "name=Carl"]);
    // What is typed on goes nowhere, neither into the form nor to the list behind it.
    let shown = screen.sees("This form is closed");
    assert!(shown.contains("> name  Bea"), "{shown}");
    screen.press("x");
    screen.press("y");
    screen.press("q");
    screen.forget_written();
    screen.press("\u{c}");
    screen.writes("closed,");
    let shown = screen.sees("> name  Bea\n");
    assert!(words(&shown).contains("already answered: accept by operator"), "{shown}");
    screen.press(ENTER);
    let shown = screen.sees("[ 1 waiting ]");
    assert_eq!(place.json(&["list", "--waiting"]).len(), 1, "nothing was cancelled");
    assert!(words(&shown).contains("what you had filled in: name=Bea"), "{shown}");
    screen.press("q");
    assert_eq!(screen.ends().1, 0);
}

#[test]
fn several_of_one_form_are_answered_alike_after_it_is_shown_what_goes_to_whom() {
    let place = Place::new();
    let _worker = worker(&place);
    let ids = ["a", "b", "c"].map(|what| allowing(&place, what, "friday"));
    place.asking("name");
    let mut screen = Screen::run(&place, &["inbox"]);
    screen.at("[ 4 waiting ]", " ");
    screen.at("1 marked", " ");
    screen.at("2 marked", " ");
    screen.sees("3 marked");
    screen.at_row("What is its name?");
    screen.press(" ");
    screen.sees("its form is another one than that of those that are marked");
    screen.press(ENTER);
    let shown = screen.at_form("> ok");
    assert!(words(&shown).contains("answers: 3 questions alike"), "{shown}");
    screen.press("y");
    let shown = screen.sees("Send this to 3 questions?");
    assert!(shown.contains("accept with ok=yes"), "{shown}");
    for (id, what) in ids.iter().zip(["a", "b", "c"]) {
        assert!(shown.contains(&id[..8]) && shown.contains(&format!("delete {what}?")), "{shown}");
    }
    assert!(ids.iter().all(|id| answer(&place, id).is_null()), "nothing is sent before somebody says yes");
    place.ok(&["respond", &ids[1], "--decline"]);
    screen.press("y");
    screen.sees(&format!("2 answered, 1 refused: {}: ", &ids[1][..8]));
    screen.sees("[ 1 waiting ]");
    assert_eq!(answer(&place, &ids[1])["action"], "decline");
    assert_eq!(answer(&place, &ids[2])["content"], json!({ "ok": true }));
    screen.press("q");
    assert_eq!(screen.ends().1, 0);
}

#[test]
fn the_questions_that_are_counted_are_those_that_are_listed() {
    let place = Place::new();
    let _worker = worker(&place);
    let ids = ["a", "b", "c"].map(|what| allowing(&place, what, "friday"));
    let mut screen = Screen::run(&place, &["inbox"]);
    screen.at("[ 3 waiting ]", " ");
    screen.at("1 marked", " ");
    screen.at("2 marked", " ");
    screen.at("3 marked", ENTER);
    screen.at_form("> ok");
    place.ok(&["respond", &ids[1], "--decline"]);
    // The inbox behind the form has heard of it.
    screen.writes("\u{1b}]2;(2) mcptask inbox\u{7}");
    screen.press("y");
    let shown = screen.sees("Send this to 2 questions?");
    assert!(!shown.contains("delete b?"), "{shown}");
    screen.press("y");
    screen.sees("[ 0 waiting ]");
    screen.press("q");
    assert_eq!(screen.ends().1, 0);
}

#[test]
fn a_filter_a_tasks_sheet_and_the_tab_of_tasks() {
    let place = Place::new();
    let _worker = worker(&place);
    let (one, _) = (allowing(&place, "table", "Friday"), allowing(&place, "chair", "monday"));
    let mut screen = Screen::run(&place, &["inbox"]);
    screen.at("[ 2 waiting ]", "/");
    screen.at("filter:", "friday del");
    screen.sees("1 of 2 match: friday del");
    screen.press(ENTER);
    let shown = screen.sees("Enter answer");
    assert!(shown.contains("delete table") && !shown.contains("delete chair"), "{shown}");
    screen.press("s");
    let shown = screen.sees(&format!("task {one}"));
    assert!(words(&shown).contains("status ? input_required tool allow"), "{shown}");
    screen.press("G");
    screen.sees("asked q1: May I delete table?");
    screen.press(ESCAPE);
    screen.at("Enter answer", ESCAPE);
    screen.at("delete chair", TAB);
    let shown = screen.sees("[ tasks and workers ]");
    assert!(shown.contains("2 waiting"), "{shown}");
    let shown = screen.sees("running");
    assert!(words(&shown).contains("runs allow") && shown.contains("nothing has ended"), "{shown}");
    // It is read anew by itself.
    place.ok(&["cancel", &one]);
    screen.gone("nothing has ended");
    screen.press(TAB);
    screen.at("[ 1 waiting ]", "?");
    screen.at("marks a question; Enter then answers", ESCAPE);
    screen.at("[ 1 waiting ]", ESCAPE);
    assert_eq!(screen.ends().1, 0);
}

#[rstest]
fn the_tasks_of_the_other_tab_are_chosen_shown_and_cancelled(#[values(60, 80, 120)] columns: u16) {
    let place = Place::new();
    let _worker = worker(&place);
    let first = allowing(&place, "table", "friday");
    let second =
        allowing(&place, "a chair that is so long that its row is broken into two of them", "friday");
    let mut screen = Screen::sized(&place, &["inbox"], (columns, 24));
    screen.at("[ 2 waiting ]", TAB);
    screen.sees("what is wrong");
    screen.press("x");
    screen.sees("↓ chooses a task first");
    // The newest one is first.
    screen.press(DOWN);
    screen.at_row(&second[..8]);
    screen.press(DOWN);
    screen.at_row(&first[..8]);
    screen.press(ENTER);
    let shown = screen.sees(&format!("task {first}"));
    assert!(words(&shown).contains("tool allow"), "{shown}");
    screen.press(ESCAPE);
    screen.at_row(&first[..8]);
    screen.press("k");
    screen.at_row(&second[..8]);
    screen.press("x");
    screen.at(&format!("Cancel task {}?", &second[..8]), "n");
    screen.at("nothing was changed", "x");
    screen.at(&format!("Cancel task {}?", &second[..8]), "y");
    screen.sees(&format!("task {} is cancelled", &second[..8]));
    // The cursor stays with it, among what has ended.
    screen.at_row("- cancelled");
    assert_eq!(place.json(&["show", &second])[0]["status"], "cancelled");
    assert_eq!(place.json(&["show", &first])[0]["status"], "input_required");
    screen.press(TAB);
    screen.at("[ 1 waiting ]", "q");
    assert_eq!(screen.ends().1, 0);
}

#[test]
fn a_task_is_cancelled_only_after_a_yes() {
    let place = Place::new();
    let _worker = worker(&place);
    let id = allowing(&place, "table", "friday");
    let mut screen = Screen::run(&place, &["inbox"]);
    screen.at("[ 1 waiting ]", "x");
    screen.at(&format!("Cancel task {}?", &id[..8]), "n");
    screen.at("nothing was changed", "x");
    screen.sees("Cancel task");
    assert_eq!(place.json(&["show", &id])[0]["status"], "input_required");
    screen.press("y");
    screen.sees(&format!("task {} is cancelled", &id[..8]));
    screen.sees("[ 0 waiting ]");
    assert_eq!(place.json(&["show", &id])[0]["status"], "cancelled");
    screen.press("q");
    assert_eq!(screen.ends().1, 0);
}

#[test]
fn what_is_sent_to_several_and_called_off_says_how_many_have_it() {
    let redis = RedisServer::start();
    let place = Place::on_redis(&redis.url());
    let _worker = worker(&place);
    let ids = ["a", "b"].map(|what| allowing(&place, what, "friday"));
    let mut screen = Screen::sized(&place, &["inbox"], (120, 24));
    screen.at("[ 2 waiting ]", " ");
    screen.at("1 marked", " ");
    screen.at("2 marked", ENTER);
    screen.at_form("> ok");
    screen.press("y");
    screen.sees("Send this to 2 questions?");
    redis.signal("STOP");
    screen.press("y");
    screen.at("answering 2 questions", ESCAPE);
    screen.sees("not waited for any longer; 0 answered");
    redis.signal("CONT");
    assert!(ids.iter().all(|id| answer(&place, id).is_null()), "nothing was sent");
    // What was not sent is still marked.
    screen.at("2 marked", "q");
    assert_eq!(screen.ends().1, 0);
}
