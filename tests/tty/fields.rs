//! Every kind of field, filled in, corrected and sent.

use serde_json::{Value, json};

use crate::place::Place;
use crate::screen::{BACK_TAB, SEND, Screen, TAB, words};
use crate::terminal::{BACKSPACE, CTRL_C, CTRL_U, DOWN, ENTER, ESCAPE};

/// What is on the screen of every question.
pub(crate) const OPEN: &str = "Esc leave it open";

#[test]
fn every_kind_of_field_is_filled_in_and_what_is_wrong_stands_beside_it() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("fill_form");
    let mut screen = Screen::run(&place, &["respond"]);
    screen.at("> Name", "x\r");
    screen.at("shorter than 2 characters", "y\r");
    screen.at("> E-mail", "nobody\r");
    screen.at("! \"nobody\" is not an e-mail address", "@example.com\r");
    screen.at("> Website", ENTER);
    // Dates and numbers are checked as they are typed.
    screen.at("> Day", "tomorrow");
    screen.at("is not a date, as YYYY-MM-DD", CTRL_U);
    screen.fill("Day", "2026-12-01");
    screen.fill("Arrival", "2026-12-01T18:30:00Z");
    screen.at("> Seats          2", CTRL_U);
    screen.at("> Seats", "nine");
    screen.at("\"nine\" is not a whole number", CTRL_U);
    screen.at("> Seats", "9");
    screen.at("greater than the maximum of 8", BACKSPACE);
    screen.fill("Seats", "3");
    screen.fill("Budget", "12.5");
    screen.at("> By the window  yes", "n");
    screen.at("> Class", DOWN);
    screen.at("(x) first", ENTER);
    screen.at("> Meal", &[DOWN, DOWN].concat());
    screen.at("(x) Vegetarian", ENTER);
    screen.at("> Extras", "\u{1}");
    screen.at("3 are chosen: choose at most 2", " ");
    screen.at("2 of 3 chosen: Quiet car, Room for a bicycle", ENTER);
    screen.at(SEND, ENTER);
    let (rest, code) = screen.ends();
    assert_eq!(code, 0, "{rest}");
    let content: Value = serde_json::from_str(&place.ok(&["result", &id, "--wait"])).expect("JSON");
    let wanted = json!({ "name": "xy", "email": "nobody@example.com", "day": "2026-12-01",
        "arrival": "2026-12-01T18:30:00Z", "seats": 3, "budget": 12.5, "window": false, "class": "first",
        "meal": "veg", "extras": ["quiet", "bike"] });
    assert_eq!(content, wanted);
}

#[test]
fn every_field_can_be_gone_back_to_and_nothing_wrong_is_sent() {
    let place = Place::new();
    let _worker = place.worker();
    place.asking("fill_form");
    let mut screen = Screen::run(&place, &["respond"]);
    screen.sees("1 of 11");
    screen.press(&TAB.repeat(4));
    screen.sees("5 of 11");
    screen.press(BACK_TAB);
    screen.at("4 of 11", "never");
    screen.at("is not a date", &TAB.repeat(8));
    screen.at(SEND, ENTER);
    // The first that is wrong is the first that is needed and empty.
    let shown = screen.sees("nothing was sent: 2 fields are not right yet");
    assert!(shown.contains("1 of 11") && shown.contains("> Name"), "{shown}");
    assert!(shown.contains("! a value is needed here"), "{shown}");
    screen.press(ESCAPE);
    screen.at("Leave it open? What you filled in is lost.", "x");
    screen.gone("Leave it open?");
    screen.press(CTRL_C);
    assert_eq!(screen.ends().1, 130);
}

#[test]
fn what_is_typed_at_once_reaches_the_field_key_by_key() {
    let place = Place::new();
    let _worker = place.worker();
    place.asking("fill_form");
    let mut screen = Screen::run(&place, &["respond"]);
    // A name that is too long, another in its place, with a slip of the finger.
    screen.at("> Name", &["x", CTRL_U, "Ann", "e", BACKSPACE, ENTER].concat());
    screen.sees("  Name           Ann\n");
    screen.at("> E-mail", &["ab", BACKSPACE, "nn@example.com", ENTER].concat());
    screen.sees("  E-mail         ann@example.com\n");
    screen.at("> Website", CTRL_C);
    assert_eq!(screen.ends().1, 130);
}

#[test]
fn what_is_typed_before_the_form_is_seen_fills_in_and_presses_nothing() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    place.ok(&["respond", &id, "--set", "cuisine=Thai"]);
    place.until_asked(&id, "q2");
    let script = format!("echo ready; sleep 0.3; exec \"$MCPTASK\" respond {id}");
    let mut screen = Screen::shell(&place, &script);
    screen.at("ready", "y\ry\r\r");
    screen.at("> Vegetarian  no", ESCAPE);
    let (rest, code) = screen.ends();
    assert_eq!(code, 10, "{rest}");
}

#[test]
fn an_answer_can_be_edited_before_it_is_sent() {
    let place = Place::new();
    let _worker = place.worker();
    place.asking("plan_dinner");
    let mut screen = Screen::run(&place, &["respond"]);
    screen.fill("Cuisine", "Tahi");
    screen.at(SEND, BACK_TAB);
    screen.at("> Cuisine  Tahi", CTRL_U);
    screen.fill("Cuisine", "Thai");
    screen.at(SEND, ENTER);
    let (rest, code) = screen.ends();
    assert_eq!(code, 0, "{rest}");
    assert!(rest.contains("cuisine=Thai") && !rest.contains(OPEN), "{rest}");
}

#[test]
fn declining_and_cancelling_are_two_things() {
    let place = Place::new();
    let _worker = place.worker();
    for (steps, button, action) in [(2, "> [ Decline ]", "decline"), (3, "> [ Dismiss ]", "cancel")] {
        let id = place.asking("plan_dinner");
        let mut screen = Screen::run(&place, &["respond", &id]);
        screen.at("> Cuisine", &TAB.repeat(steps));
        screen.at(button, ENTER);
        let (rest, code) = screen.ends();
        assert_eq!(code, 0, "{rest}");
        assert_eq!(place.json(&["show", &id])[0]["questions"][0]["answer"]["action"], action);
    }
}

#[test]
fn one_key_says_yes_or_no_or_declines() {
    let place = Place::new();
    let _worker = place.worker();
    for (key, said) in [("y", "vegetarian=yes"), ("n", "vegetarian=no"), ("d", "declined")] {
        let id = place.asking("plan_dinner");
        place.ok(&["respond", &id, "--set", "cuisine=Thai"]);
        place.until_asked(&id, "q2");
        let mut screen = Screen::run(&place, &["respond", &id]);
        let shown = screen.sees("> Vegetarian  no");
        assert!(shown.contains("y yes · n no · d decline"), "{shown}");
        assert!(shown.contains("before: ") && shown.contains("→ cuisine=Thai by operator"), "{shown}");
        screen.press(key);
        let (rest, code) = screen.ends();
        assert_eq!(code, 0, "{rest}");
        assert!(rest.contains(said), "{rest}");
    }
}

#[test]
fn a_form_of_defaults_is_sent_as_it_is() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    place.ok(&["respond", &id, "--set", "cuisine=Thai"]);
    place.until_asked(&id, "q2");
    let mut screen = Screen::run(&place, &["respond", &id]);
    screen.at("> Vegetarian  no", ENTER);
    screen.at(SEND, ENTER);
    assert_eq!(screen.ends().1, 0);
    assert!(place.ok(&["result", &id, "--wait"]).starts_with("A Thai dinner"));
}

#[test]
fn submit_asks_round_after_round_and_prints_the_result() {
    let place = Place::new();
    let _worker = place.worker();
    let mut screen = Screen::run(&place, &["submit", "plan_dinner", "--wait"]);
    dinner(&mut screen);
}

#[test]
fn submit_through_a_server_asks_here_in_both_eras() {
    let place = Place::new();
    let server = place.serve(&[]);
    for era in ["legacy", "modern"] {
        let arguments = ["submit", "plan_dinner", "--wait", "--server", server.url(), "--era", era];
        let mut screen = Screen::run(&place, &arguments);
        screen.sees(&format!("mcptask ({})", server.url()));
        let shown = screen.sees("What cuisine would you like?");
        let said = words(&shown);
        assert!(
            said.contains("plan_dinner (task ") && said.contains("; the task ends in 24 h"),
            "{era}: {shown}"
        );
        dinner(&mut screen);
    }
}

#[test]
fn the_demo_asks() {
    let place = Place::new();
    let mut screen = Screen::sized(&place, &["demo"], (80, 70));
    let shown = screen.sees("What cuisine would you like?");
    let said = words(&shown);
    assert!(said.contains("asks; the task ends in 24 h") && said.contains("plan_dinner (task "), "{shown}");
    dinner(&mut screen);
}

fn dinner(screen: &mut Screen) {
    screen.sees("What cuisine would you like?");
    cuisine(screen);
    vegetarian(screen);
}

/// Fills in the first question.
pub(crate) fn cuisine(screen: &mut Screen) {
    screen.fill("Cuisine", "Thai");
    screen.at(SEND, ENTER);
}

/// Fills in the second one, and sees the command to its end.
pub(crate) fn vegetarian(screen: &mut Screen) {
    screen.sees("Shall it be vegetarian?");
    screen.at("> Vegetarian", "y");
    let (rest, code) = screen.ends();
    assert_eq!(code, 0, "{rest}");
    assert!(rest.contains("A vegetarian Thai dinner for 2:"), "{rest}");
}

#[test]
fn where_no_task_is_named_the_person_says_which_question_is_meant() {
    let place = Place::new();
    let _worker = place.worker();
    let (first, second) = (place.asking("plan_dinner"), place.asking("plan_dinner"));
    // Where several wait, in the inbox.
    let mut screen = Screen::run(&place, &["respond"]);
    screen.sees("[ 2 waiting ]");
    screen.at(&first[..8], DOWN);
    screen.at(&second[..8], ENTER);
    screen.fill("Cuisine", "Thai");
    screen.at(SEND, ENTER);
    screen.at("accept with cuisine=Thai", "q");
    assert_eq!(screen.ends().1, 0);
    let answered = |id: &String| !place.json(&["show", id])[0]["questions"][0]["answer"].is_null();
    assert_eq!((answered(&first), answered(&second)), (false, true));
    // An answer that was typed before the question was seen is given only to the one that is chosen.
    place.ok(&["cancel", &second]);
    let mut screen = Screen::run(&place, &["respond", "--set", "cuisine=Greek"]);
    screen.at(&first[..8], ESCAPE);
    let (rest, code) = screen.ends();
    assert_eq!(code, 10, "{rest}");
    assert!(rest.contains("all stay open") && !answered(&first), "{rest}");
}

#[test]
fn what_will_be_sent_is_shown_whole() {
    let place = Place::new();
    let tools = "[tools.t]\ndescription = \"d\"\nsteps = [{ as = \"q\", ask = \"Why?\", form = { why = \"text\" } }]\n";
    let _worker = place.background(&["worker", "--json", "--config", &place.file("tools.toml", tools)]);
    place.asking("t");
    let why = "noodles".repeat(30) + "END";
    let mut screen = Screen::run(&place, &["respond"]);
    screen.at("> why", &why);
    let shown = screen.sees("END");
    assert!(words(&shown).replace(' ', "").contains(&why), "{shown}");
    screen.press(CTRL_C);
    let (rest, code) = screen.ends();
    assert_eq!(code, 130, "{rest}");
    assert!(words(&rest).contains("what you had filled in: why=noodles"), "{rest}");
}

#[test]
fn down_stays_on_the_row_of_buttons_and_up_leaves_it() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    let mut screen = Screen::run(&place, &["respond"]);
    screen.fill("Cuisine", "Thai");
    // One step back from another button would not be the field.
    screen.at(SEND, DOWN);
    screen.press(BACK_TAB);
    screen.at("> Cuisine", ENTER);
    screen.at(SEND, ENTER);
    let (rest, code) = screen.ends();
    assert_eq!(code, 0, "{rest}");
    let answer = &place.json(&["show", &id])[0]["questions"][0]["answer"];
    assert_eq!(answer["action"], "accept", "{answer}");
}

#[test]
fn what_the_demo_says_is_so() {
    let place = Place::new();
    let mut screen = Screen::sized(&place, &["demo"], (80, 50));
    screen.sees("What cuisine would you like?");
    cuisine(&mut screen);
    screen.sees(" by you");
    screen.at("Esc leave without an answer", ESCAPE);
    let (rest, code) = screen.ends();
    assert_eq!(code, 6, "{rest}");
    assert!(rest.contains("thrown away") && !rest.contains("mcptask --redis URL respond"), "{rest}");
}
