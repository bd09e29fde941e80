//! Esc, Ctrl-C, signals, and somebody who is faster: nothing is lost, and the terminal is as it was.

use rexpect::process::Signal;

use crate::place::Place;
use crate::terminal::{CTRL_C, DOWN, ENTER, ESCAPE, SHOW_CURSOR, Terminal};

fn is_open(place: &Place, id: &str) -> bool {
    place.json(&["show", id])[0]["status"] == "input_required"
}

/// Goes as far as a list (the menu), a line of text, or a yes or no.
fn at_prompt(place: &Place, id: &str, kind: &str) -> Terminal {
    let mut terminal = Terminal::run(place, &["respond", id]);
    match kind {
        "list" => drop(terminal.sees("leave it open (Esc)")),
        "text" => {
            terminal.at("leave it open (Esc)", &[ENTER]);
            terminal.at("Name: ", &["Ann"]);
            terminal.sees("Ann");
        }
        _ => {
            terminal.at("leave it open (Esc)", &[ENTER]);
            terminal.at("Name: ", &["Ann", ENTER]);
            for field in ["E-mail: ", "Website: ", "Day: ", "Arrival: ", "Seats: 2", "Budget: "] {
                terminal.at(field, &[ENTER]);
            }
            terminal.sees("By the window");
        }
    }
    terminal
}

#[test]
fn escape_leaves_the_question_open_and_says_so() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("fill_form");
    for kind in ["list", "text", "yes or no"] {
        let mut terminal = at_prompt(&place, &id, kind);
        terminal.press(&[ESCAPE]);
        let (rest, code) = terminal.ends();
        assert_eq!(code, 10, "{kind}: {rest}");
        assert!(rest.contains("the question stays open"), "{kind}: {rest}");
        assert!(rest.contains(&format!("mcptask respond {}", &id[..8])), "{kind}: {rest}");
        assert!(is_open(&place, &id), "{kind}");
    }
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
        let mut terminal = Terminal::shell(&place, &script);
        terminal.at("leave it open (Esc)", &[key]);
        terminal.sees("as it was");
        assert_eq!(terminal.ends().1, 0);
    }
}

#[test]
fn ctrl_c_leaves_the_question_open_says_so_and_shows_the_cursor() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("fill_form");
    for kind in ["list", "text", "yes or no"] {
        let mut terminal = at_prompt(&place, &id, kind);
        terminal.press(&[CTRL_C]);
        let (rest, code) = terminal.ends();
        assert_eq!(code, 130, "{kind}: {rest}");
        assert!(rest.contains("interrupted; the question stays open"), "{kind}: {rest}");
        assert!(rest.contains(SHOW_CURSOR), "{kind}: {rest}");
        assert!(is_open(&place, &id), "{kind}");
    }
}

#[test]
fn a_signal_from_elsewhere_at_the_prompt_leaves_the_question_open() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("fill_form");
    for (signal, wanted) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let mut terminal = at_prompt(&place, &id, "text");
        terminal.signal(signal);
        let (rest, code) = terminal.ends();
        assert_eq!(code, wanted, "{rest}");
        assert!(rest.contains("the question stays open"), "{rest}");
        assert!(is_open(&place, &id));
    }
}

#[test]
fn leaving_it_open_is_also_a_choice() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    let mut terminal = Terminal::run(&place, &["respond", &id]);
    for _ in 0..3 {
        terminal.at("leave it open (Esc)", &[DOWN]);
    }
    terminal.at("leave it open (Esc)", &[ENTER]);
    let (rest, code) = terminal.ends();
    assert_eq!(code, 10, "{rest}");
    assert!(is_open(&place, &id));
}

#[test]
fn an_answer_from_elsewhere_takes_the_prompt_off_the_screen() {
    let place = Place::new();
    let _worker = place.worker();
    for kind in ["list", "text", "yes or no"] {
        let id = place.asking("fill_form");
        let mut terminal = at_prompt(&place, &id, kind);
        place.ok(&["respond", &id, "--decline"]);
        let (rest, code) = terminal.ends();
        assert_eq!(code, 10, "{kind}: {rest}");
        assert!(rest.contains("already answered: decline by operator"), "{kind}: {rest}");
        assert!(rest.contains(SHOW_CURSOR), "{kind}: {rest}");
    }
}

#[test]
fn a_cancelled_task_takes_the_prompt_off_the_screen() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("fill_form");
    let mut terminal = at_prompt(&place, &id, "text");
    place.ok(&["cancel", &id]);
    let (rest, code) = terminal.ends();
    assert_eq!(code, 10, "{rest}");
    assert!(rest.contains("has ended meanwhile: cancelled"), "{rest}");
}

#[test]
fn submit_goes_on_with_the_next_question_when_the_first_is_answered_elsewhere() {
    let place = Place::new();
    let _worker = place.worker();
    let mut terminal = Terminal::run(&place, &["submit", "plan_dinner", "--wait"]);
    terminal.at("leave it open (Esc)", &[ENTER]);
    terminal.at("Cuisine: ", &["Th"]);
    terminal.sees("Th");
    place.ok(&["respond", "--next", "--set", "cuisine=Mexican"]);
    terminal.sees("already answered: accept by operator");
    terminal.sees("Shall it be vegetarian?");
    terminal.at("leave it open (Esc)", &[ENTER]);
    terminal.at("Vegetarian [y/N]", &["n"]);
    terminal.at("Send this answer?", &[ENTER]);
    terminal.sees("A Mexican dinner for 2:");
    assert_eq!(terminal.ends().1, 0);
}

#[test]
fn a_timeout_at_the_prompt_leaves_the_question_open() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("fill_form");
    let mut terminal = Terminal::run(&place, &["respond", &id, "--timeout", "1s"]);
    let (rest, code) = terminal.ends();
    assert_eq!(code, 7, "{rest}");
    assert!(rest.contains(SHOW_CURSOR), "{rest}");
    assert!(is_open(&place, &id));
}

#[test]
fn nobody_is_asked_where_it_was_forbidden() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    let mut forbidden = Terminal::run(&place, &["respond", &id, "--no-input"]);
    assert_eq!(forbidden.ends().1, 6);
    let mut in_ci = Terminal::run_with(&place, &["respond", &id], &[("CI", "true")]);
    let (rest, code) = in_ci.ends();
    assert_eq!(code, 6, "{rest}");
    assert!(rest.contains("--accept --set cuisine=TEXT"), "{rest}");
}
