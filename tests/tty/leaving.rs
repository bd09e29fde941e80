//! Esc, Ctrl-C, signals, and somebody who is faster: nothing is lost, and the terminal is as it was.

use rexpect::process::Signal;

use crate::place::Place;
use crate::screen::{SEND, Screen, TAB, words};
use crate::terminal::{CTRL_C, ENTER, ESCAPE};

fn is_open(place: &Place, id: &str) -> bool {
    place.json(&["show", id])[0]["status"] == "input_required"
}

/// Goes to a button, types a line of text, or goes to a yes or no.
fn at_form(place: &Place, id: &str, kind: &str) -> Screen {
    let mut screen = Screen::run(place, &["respond", id]);
    screen.sees("> Name");
    match kind {
        "button" => {
            screen.press(&TAB.repeat(11));
            screen.sees(SEND);
        }
        "text" => {
            screen.press("Ann");
            screen.sees("> Name           Ann");
        }
        _ => {
            screen.press(&TAB.repeat(7));
            screen.sees("> By the window");
        }
    }
    screen
}

const KINDS: [&str; 3] = ["button", "text", "yes or no"];

#[test]
fn escape_leaves_the_question_open_and_says_so() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("fill_form");
    for kind in KINDS {
        let mut screen = at_form(&place, &id, kind);
        screen.press(ESCAPE);
        if kind == "text" {
            screen.at("Leave it open? What you filled in is lost. Esc leaves", ESCAPE);
        }
        let (rest, code) = screen.ends();
        assert_eq!(code, 10, "{kind}: {rest}");
        assert!(rest.contains("the question stays open"), "{kind}: {rest}");
        assert!(rest.contains(&format!("mcptask respond {}", &id[..8])), "{kind}: {rest}");
        assert!(!rest.contains("Name") && is_open(&place, &id), "{kind}: {rest}");
    }
}

#[test]
fn an_arrow_that_a_slow_line_brings_in_two_parts_is_no_escape() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("fill_form");
    let mut screen = at_form(&place, &id, "yes or no");
    screen.press(ESCAPE);
    std::thread::sleep(std::time::Duration::from_millis(10));
    screen.press("[B");
    screen.at("> Class", CTRL_C);
    assert_eq!(screen.ends().1, 130);
}

#[test]
fn the_terminal_has_its_line_editing_back_afterwards() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    for key in [ESCAPE, CTRL_C] {
        let script = format!(
            "stty -a > before; \"$MCPTASK\" respond {id}; stty -a > after; cmp before after && echo as it was"
        );
        let mut screen = Screen::shell(&place, &script);
        screen.at("> Cuisine", key);
        screen.sees("as it was");
        assert_eq!(screen.ends().1, 0);
    }
}

#[test]
fn ctrl_c_leaves_the_question_open_says_so_and_shows_the_cursor() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("fill_form");
    for kind in KINDS {
        let mut screen = at_form(&place, &id, kind);
        screen.press(CTRL_C);
        let (rest, code) = screen.ends();
        assert_eq!(code, 130, "{kind}: {rest}");
        assert!(rest.contains("interrupted; the question stays open"), "{kind}: {rest}");
        assert!(screen.cursor().1, "{kind}: {rest}");
        assert_eq!(rest.contains("what you had filled in: name=Ann"), kind == "text", "{kind}: {rest}");
        assert!(is_open(&place, &id), "{kind}");
    }
}

#[test]
fn a_signal_from_elsewhere_at_the_form_leaves_the_question_open() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("fill_form");
    for (signal, wanted) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let mut screen = at_form(&place, &id, "text");
        screen.signal(signal);
        let (rest, code) = screen.ends();
        assert_eq!(code, wanted, "{rest}");
        assert!(rest.contains("the question stays open"), "{rest}");
        assert!(rest.contains("what you had filled in: name=Ann") && screen.cursor().1, "{rest}");
        assert!(is_open(&place, &id));
    }
}

#[test]
fn leaving_it_open_is_also_a_button() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    let mut screen = Screen::run(&place, &["respond", &id]);
    screen.at("> Cuisine", &TAB.repeat(4));
    screen.at("> [ Leave open ]", ENTER);
    let (rest, code) = screen.ends();
    assert_eq!(code, 10, "{rest}");
    assert!(is_open(&place, &id));
}

#[test]
fn an_answer_from_elsewhere_takes_the_form_off_the_screen_and_what_was_typed_stays() {
    let place = Place::new();
    let _worker = place.worker();
    for kind in KINDS {
        let id = place.asking("fill_form");
        let mut screen = at_form(&place, &id, kind);
        place.ok(&["respond", &id, "--decline"]);
        screen.sees("This form is closed");
        // What is typed on goes nowhere, not to the shell either.
        screen.forget_written();
        screen.press("rm\u{c}");
        screen.writes("closed,");
        screen.press(ESCAPE);
        let (rest, code) = screen.ends();
        assert_eq!(code, 10, "{kind}: {rest}");
        assert!(words(&rest).contains("already answered: decline by operator"), "{kind}: {rest}");
        assert!(screen.cursor().1 && !rest.contains("[ Send ]"), "{kind}: {rest}");
        assert_eq!(rest.contains("what you had filled in: name=Ann"), kind == "text", "{kind}: {rest}");
    }
}

#[test]
fn a_cancelled_task_takes_the_form_off_the_screen() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("fill_form");
    let mut screen = at_form(&place, &id, "text");
    place.ok(&["cancel", &id]);
    screen.at("This form is closed", ENTER);
    let (rest, code) = screen.ends();
    assert_eq!(code, 10, "{rest}");
    assert!(rest.contains("has ended meanwhile: cancelled"), "{rest}");
}

#[test]
fn submit_goes_on_with_the_next_question_when_the_first_is_answered_elsewhere() {
    let place = Place::new();
    let _worker = place.worker();
    let mut screen = Screen::run(&place, &["submit", "plan_dinner", "--wait"]);
    screen.at("> Cuisine", "Th");
    screen.sees("> Cuisine  Th");
    place.ok(&["respond", "--next", "--set", "cuisine=Mexican"]);
    screen.sees("already answered: accept by operator");
    // What is typed on is for the form, and goes nowhere; its Enter does not leave it at once.
    screen.press("ai");
    screen.press("\r");
    let shown = screen.sees("This form is closed");
    assert!(shown.contains("Cuisine  Th\n") && !shown.contains("vegetarian"), "{shown}");
    screen.press(ENTER);
    screen.sees("what you had filled in: cuisine=Th");
    screen.sees("Shall it be vegetarian?");
    screen.at("> Vegetarian", "n");
    screen.sees("A Mexican dinner for 2:");
    assert_eq!(screen.ends().1, 0);
}

#[test]
fn a_form_of_a_task_that_goes_on_goes_by_itself_where_nobody_is_at_the_keyboard() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    for command in ["attach", "submit"] {
        let arguments = if command == "attach" { ["attach", &id] } else { ["submit", "plan_dinner"] };
        let wait: &[&str] = if command == "attach" { &[] } else { &["--wait"] };
        let mut screen = Screen::run(&place, &[&arguments, wait].concat());
        screen.sees("> Cuisine");
        place.ok(&["respond", "--next", "--set", "cuisine=Mexican"]);
        let shown = screen.sees("By itself it goes after 5 s without a key.");
        assert!(words(&shown).contains("already answered: accept by operator"), "{shown}");
        screen.sees("Shall it be vegetarian?");
        screen.at("> Vegetarian", "n");
        screen.sees("A Mexican dinner for 2:");
        assert_eq!(screen.ends().1, 0);
    }
}

#[test]
fn only_the_announced_keys_press_a_button() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("fill_form");
    let mut screen = at_form(&place, &id, "text");
    screen.press(&TAB.repeat(11));
    screen.at(SEND, "d");
    screen.at("Enter declines; what you filled in is not sent", " ");
    screen.gone("Enter declines");
    let shown = screen.sees("> [ Decline ]");
    assert!(shown.contains("[ Send ]") && is_open(&place, &id), "{shown}");
    screen.press(ENTER);
    assert_eq!(screen.ends().1, 0);
    assert!(!is_open(&place, &id));
}

#[test]
fn an_enter_that_was_typed_for_the_form_does_not_leave_it_once_it_is_closed() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("fill_form");
    let mut screen = at_form(&place, &id, "text");
    place.ok(&["respond", &id, "--decline"]);
    screen.sees("Enter or Esc leaves it");
    screen.press("d");
    screen.press(ENTER);
    // It is there still, and says when it can be left.
    screen.sees("nor does an Enter of the first moment");
    screen.at("Enter or Esc leaves it", ENTER);
    assert_eq!(screen.ends().1, 10);
}

#[test]
fn a_timeout_at_the_form_leaves_the_question_open() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("fill_form");
    let mut screen = Screen::run(&place, &["respond", &id, "--timeout", "1s"]);
    let (rest, code) = screen.ends();
    assert_eq!(code, 7, "{rest}");
    assert!(screen.cursor().1, "{rest}");
    assert!(is_open(&place, &id));
}

#[test]
fn nobody_is_asked_where_it_was_forbidden() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    let mut forbidden = Screen::run(&place, &["respond", &id, "--no-input"]);
    assert_eq!(forbidden.ends().1, 6);
    let mut in_ci = Screen::run_with(&place, &["respond", &id], &[("CI", "true")]);
    let (rest, code) = in_ci.ends();
    assert_eq!(code, 6, "{rest}");
    assert!(rest.contains("--accept --set cuisine=TEXT"), "{rest}");
}
