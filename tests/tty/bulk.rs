//! Many tasks at a terminal: what would be changed is said and asked before; and a command whose task goes with it.

use crate::place::Place;
use crate::screen::{Screen, words};
use crate::terminal::{CTRL_C, DOWN, ENTER, ESCAPE, Terminal};

/// So many tasks that ask.
fn asking(place: &Place, count: usize) -> Vec<String> {
    (0..count).map(|_| place.asking("plan_dinner")).collect()
}

fn status(place: &Place, id: &str) -> String {
    place.json(&["show", id])[0]["status"].as_str().expect("a status").to_owned()
}

#[test]
fn before_many_are_cancelled_somebody_says_so() {
    let place = Place::new();
    let _worker = place.worker();
    let ids = asking(&place, 3);
    for keys in [&[ESCAPE][..], &[ENTER]] {
        let mut terminal = Terminal::run(&place, &["cancel", "--tool", "plan_dinner"]);
        let before = terminal.sees("yes, cancel them");
        assert!(before.contains("this would cancel 3 tasks: 3 of plan_dinner"), "{before}");
        terminal.press(keys);
        let (rest, code) = terminal.ends();
        assert!(code == 10 && rest.contains("nothing was changed"), "{rest}");
        assert_eq!(status(&place, &ids[0]), "input_required");
    }
    let mut terminal = Terminal::run(&place, &["cancel", "--tool", "plan_dinner"]);
    terminal.sees("yes, cancel them");
    terminal.press(&[DOWN, ENTER]);
    let (rest, code) = terminal.ends();
    assert!(code == 0 && rest.contains("3 cancelled"), "{rest}");
    let (said, code) = Terminal::run(&place, &["cancel", "--tool", "plan_dinner"]).ends();
    assert!(code == 0 && said.contains("0 cancelled"), "where there is nothing, nobody is asked: {said}");
}

#[test]
fn before_many_are_answered_somebody_says_so() {
    let place = Place::new();
    let _worker = place.worker();
    let ids = asking(&place, 2);
    let all = ["respond", "--all", "--tool", "plan_dinner", "--set", "cuisine=Thai"];
    let mut terminal = Terminal::run(&place, &all);
    let before = terminal.sees("yes, answer them");
    assert!(before.contains("this would answer 2 questions: 2 of plan_dinner"), "{before}");
    terminal.press(&[ENTER]);
    let (rest, code) = terminal.ends();
    assert!(code == 10 && rest.contains("nothing was changed"), "{rest}");
    let mut terminal = Terminal::run(&place, &all);
    terminal.sees("yes, answer them");
    // Whoever asks meanwhile was not seen, and is not answered.
    let late = asking(&place, 1).remove(0);
    terminal.press(&[DOWN, ENTER]);
    let (rest, code) = terminal.ends();
    assert!(code == 0 && rest.contains("2 answered"), "{rest}");
    assert!(place.json(&["show", &late])[0]["questions"][0]["answer"].is_null());
    assert_eq!(place.json(&["show", &ids[0]])[0]["questions"][0]["answer"]["content"]["cuisine"], "Thai");
}

#[test]
fn ctrl_c_at_a_form_takes_the_task_along_where_that_was_said() {
    let place = Place::new();
    let _worker = place.worker();
    let mut screen = Screen::run(&place, &["submit", "plan_dinner", "--wait", "--cancel-on-exit"]);
    screen.at("What cuisine would you like?", CTRL_C);
    let (rest, code) = screen.ends();
    assert_eq!(code, 130, "{rest}");
    assert!(words(&rest).contains("is cancelled, as --cancel-on-exit says"), "{rest}");
    let tasks = place.json(&["list"]);
    assert_eq!((tasks.len(), &tasks[0]["status"]), (1, &"cancelled".into()));
}

#[test]
fn a_task_that_was_left_is_taken_up_at_its_form() {
    let place = Place::new();
    let _worker = place.worker();
    let mut screen = Screen::run(&place, &["submit", "plan_dinner", "--wait"]);
    screen.at("What cuisine would you like?", CTRL_C);
    assert_eq!(screen.ends().1, 130);
    let id = place.json(&["list"])[0]["task"].as_str().expect("an id").to_owned();
    let mut screen = Screen::run(&place, &["attach", &id]);
    screen.at("What cuisine would you like?", CTRL_C);
    let (rest, code) = screen.ends();
    assert!(code == 130 && rest.contains("the question stays open"), "{rest}");
    assert_eq!(status(&place, &id), "input_required");
}
