//! Every kind of field, filled in, corrected and sent.

use serde_json::{Value, json};

use crate::place::Place;
use crate::terminal::{BACKSPACE, CTRL_C, CTRL_U, DOWN, ENTER, Terminal};

/// The menu before the form, and the one after it.
pub(crate) const BEFORE: &str = "leave it open (Esc)";
pub(crate) const AFTER: &str = "Send this answer?";

#[test]
fn every_kind_of_field_is_filled_in_and_asked_again_where_it_is_wrong() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("fill_form");
    let mut terminal = Terminal::run(&place, &["respond"]);
    terminal.at(BEFORE, &[ENTER]);
    terminal.at("Name: ", &["x", ENTER]);
    terminal.at("shorter than 2 characters", &["y", ENTER]);
    terminal.at("E-mail: ", &["nobody", ENTER]);
    terminal.at("\"nobody\" is not an e-mail address", &["@example.com", ENTER]);
    terminal.at("Website: ", &[ENTER]);
    terminal.at("Day: ", &["tomorrow", ENTER]);
    terminal.at("is not a date, as YYYY-MM-DD", &[CTRL_U, "2026-12-01", ENTER]);
    terminal.at("Arrival: ", &["2026-12-01T18:30:00Z", ENTER]);
    terminal.at("Seats: 2", &[CTRL_U, "nine", ENTER]);
    terminal.at("\"nine\" is not a whole number", &[CTRL_U, "9", ENTER]);
    terminal.at("greater than the maximum of 8", &[CTRL_U, "3", ENTER]);
    terminal.at("Budget: ", &["12.5", ENTER]);
    terminal.at("By the window [Y/n]", &["n"]);
    terminal.at("(skip)", &[DOWN]);
    terminal.at("(skip)", &[ENTER]);
    terminal.at("(skip)", &[DOWN]);
    terminal.at("(skip)", &[DOWN]);
    terminal.at("(skip)", &[ENTER]);
    terminal.at("Room for a bicycle", &["a"]);
    terminal.at("Room for a bicycle", &[ENTER]);
    terminal.at("3 are chosen: choose at most 2", &[]);
    terminal.at("Room for a bicycle", &[" "]);
    terminal.at("Room for a bicycle", &[ENTER]);
    terminal.at("Extras: Quiet car, Room for a bicycle", &[]);
    terminal.at(AFTER, &[ENTER]);
    let (rest, code) = terminal.ends();
    assert_eq!(code, 0, "{rest}");
    let content: Value = serde_json::from_str(&place.ok(&["result", &id, "--wait"])).expect("JSON");
    let wanted = json!({ "name": "xy", "email": "nobody@example.com", "day": "2026-12-01",
        "arrival": "2026-12-01T18:30:00Z", "seats": 3, "budget": 12.5, "window": false, "class": "first",
        "meal": "veg", "extras": ["quiet", "bike"] });
    assert_eq!(content, wanted);
}

#[test]
fn what_is_typed_ahead_reaches_the_prompt_key_by_key() {
    let place = Place::new();
    let _worker = place.worker();
    place.asking("fill_form");
    let mut terminal = Terminal::run(&place, &["respond"]);
    terminal.at(BEFORE, &[ENTER]);
    // All at once: a name that is too long, another in its place, with a slip of the finger.
    let keys = ["x", CTRL_U, "Ann", "e", BACKSPACE, ENTER];
    terminal.at("Name: ", &[&keys.concat()]);
    terminal.sees("Name: Ann\r\n");
    terminal.at("E-mail: ", &[&["ab", BACKSPACE, "nn@example.com", ENTER].concat()]);
    terminal.sees("E-mail: ann@example.com\r\n");
    terminal.at("Website: ", &[CTRL_C]);
    assert_eq!(terminal.ends().1, 130);
}

#[test]
fn an_answer_can_be_edited_before_it_is_sent() {
    let place = Place::new();
    let _worker = place.worker();
    place.asking("plan_dinner");
    let mut terminal = Terminal::run(&place, &["respond"]);
    terminal.at(BEFORE, &[ENTER]);
    terminal.at("Cuisine: ", &["Tahi", ENTER]);
    terminal.at(AFTER, &[]);
    terminal.at(BEFORE, &[DOWN]);
    terminal.at(BEFORE, &[ENTER]);
    terminal.at("Cuisine: Tahi", &[CTRL_U, "Thai", ENTER]);
    terminal.at("Cuisine: Thai", &[]);
    terminal.at(AFTER, &[ENTER]);
    let (rest, code) = terminal.ends();
    assert_eq!(code, 0, "{rest}");
    assert!(rest.contains("cuisine=Thai"), "{rest}");
}

#[test]
fn declining_and_cancelling_are_two_things() {
    let place = Place::new();
    let _worker = place.worker();
    for (steps, action) in [(1, "decline"), (2, "cancel")] {
        let id = place.asking("plan_dinner");
        let mut terminal = Terminal::run(&place, &["respond", &id]);
        for _ in 0..steps {
            terminal.at(BEFORE, &[DOWN]);
        }
        terminal.at(BEFORE, &[ENTER]);
        let (rest, code) = terminal.ends();
        assert_eq!(code, 0, "{rest}");
        assert_eq!(place.json(&["show", &id])[0]["questions"][0]["answer"]["action"], action);
    }
}

#[test]
fn a_form_of_defaults_is_sent_as_it_is() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    place.ok(&["respond", &id, "--set", "cuisine=Thai"]);
    place.until_asked(&id, "q2");
    let mut terminal = Terminal::run(&place, &["respond", &id]);
    terminal.sees("send it as it is, with the defaults");
    terminal.at(BEFORE, &[DOWN]);
    terminal.at(BEFORE, &[ENTER]);
    assert_eq!(terminal.ends().1, 0);
    assert!(place.ok(&["result", &id, "--wait"]).starts_with("A Thai dinner"));
}

#[test]
fn submit_asks_round_after_round_and_prints_the_result() {
    let place = Place::new();
    let _worker = place.worker();
    let mut terminal = Terminal::run(&place, &["submit", "plan_dinner", "--wait"]);
    dinner(&mut terminal);
}

#[test]
fn submit_through_a_server_asks_here_in_both_eras() {
    let place = Place::new();
    let server = place.serve(&[]);
    for era in ["legacy", "modern"] {
        let arguments = ["submit", "plan_dinner", "--wait", "--server", server.url(), "--era", era];
        let mut terminal = Terminal::run(&place, &arguments);
        terminal.sees(&format!("mcptask ({})", server.url()));
        dinner(&mut terminal);
    }
}

#[test]
fn the_demo_asks() {
    let place = Place::new();
    dinner(&mut Terminal::run(&place, &["demo"]));
}

fn dinner(terminal: &mut Terminal) {
    terminal.sees("What cuisine would you like?");
    terminal.sees(BEFORE);
    cuisine(terminal);
    vegetarian(terminal);
}

/// Fills in the first question, whose menu is on the screen.
pub(crate) fn cuisine(terminal: &mut Terminal) {
    terminal.press(&[ENTER]);
    terminal.at("Cuisine: ", &["Thai", ENTER]);
    terminal.at(AFTER, &[ENTER]);
}

/// Fills in the second one, and sees the command to its end.
pub(crate) fn vegetarian(terminal: &mut Terminal) {
    terminal.sees("Shall it be vegetarian?");
    terminal.at(BEFORE, &[ENTER]);
    terminal.at("Vegetarian [y/N]", &["y"]);
    terminal.at(AFTER, &[ENTER]);
    terminal.sees("A vegetarian Thai dinner for 2:");
    let (rest, code) = terminal.ends();
    assert_eq!(code, 0, "{rest}");
}

#[test]
fn where_no_task_is_named_the_person_says_which_question_is_meant() {
    let place = Place::new();
    let _worker = place.worker();
    let (first, second) = (place.asking("plan_dinner"), place.asking("plan_dinner"));
    let mut terminal = Terminal::run(&place, &["respond"]);
    terminal.sees("Which question will you answer?");
    terminal.sees(&first[..8]);
    terminal.at(&second[..8], &[DOWN]);
    terminal.at(&second[..8], &[ENTER]);
    terminal.at(BEFORE, &[ENTER]);
    terminal.at("Cuisine: ", &["Thai", ENTER]);
    terminal.at(AFTER, &[ENTER]);
    assert_eq!(terminal.ends().1, 0);
    let answered = |id: &String| !place.json(&["show", id])[0]["questions"][0]["answer"].is_null();
    assert_eq!((answered(&first), answered(&second)), (false, true));
    // An answer that was typed before the question was seen is given only to the one that is chosen.
    place.ok(&["cancel", &second]);
    let mut terminal = Terminal::run(&place, &["respond", "--set", "cuisine=Greek"]);
    terminal.at(&first[..8], &["\u{1b}"]);
    let (rest, code) = terminal.ends();
    assert_eq!(code, 10, "{rest}");
    assert!(rest.contains("all stay open") && !answered(&first), "{rest}");
}

#[test]
fn what_will_be_sent_is_shown_whole() {
    let place = Place::new();
    let tools = "[tools.t]\ndescription = \"d\"\nsteps = [{ as = \"q\", ask = \"Why?\", form = { why = \"text\" } }]\n";
    let _worker = place.background(&["worker", "--json", "--config", &place.file("tools.toml", tools)]);
    place.asking("t");
    let why = format!("{} and nothing else", "noodles ".repeat(30).trim_end());
    let mut terminal = Terminal::run(&place, &["respond"]);
    terminal.at(BEFORE, &[ENTER]);
    terminal.at("why: ", &[&why]);
    // Only then it is no part of a paste.
    terminal.at("nothing else", &[ENTER]);
    let before = terminal.sees(AFTER);
    let review = before.rsplit_once("  why: ").expect("a review").1;
    let review = review.split("\r\n\r\n").next().expect("its rows");
    let words: Vec<&str> = review.split_whitespace().collect();
    assert_eq!(words.join(" "), why, "{review:?}");
    terminal.at(BEFORE, &[CTRL_C]);
    terminal.ends();
}
