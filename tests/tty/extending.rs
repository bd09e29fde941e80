//! A question that is extended while it is on the screen: the form and the inbox show its new end.

use crate::inbox::{allowing, worker};
use crate::place::Place;
use crate::screen::Screen;
use crate::terminal::ENTER;

#[test]
fn a_form_and_the_inbox_show_when_a_question_ends_now() {
    let place = Place::new();
    let _worker = worker(&place);
    let id = allowing(&place, "table", "friday");
    let mut form = Screen::run(&place, &["respond", &id]);
    let shown = form.at_form("> ok");
    assert!(shown.contains("cancels itself in"), "{shown}");
    assert!(!shown.contains("cancels itself in 5 h"), "{shown}");
    let mut inbox = Screen::sized(&place, &["inbox"], (120, 24));
    inbox.sees("[ 1 waiting ]");
    place.ok(&["extend", &id, "5h"]);
    form.sees("cancels itself in 5 h");
    inbox.sees("cancels itself in 5 h");
    inbox.press(ENTER);
    inbox.at_form("> ok");
    // Its task is kept for longer too, where it would have ended before.
    place.ok(&["extend", &id, "50h"]);
    form.sees("the task ends: in 2 days");
    inbox.sees("the task ends: in 2 days");
    form.press("y");
    let (rest, code) = form.ends();
    assert_eq!(code, 0, "{rest}");
}
