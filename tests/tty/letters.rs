//! Words that are typed where no text is: they answer nothing, whatever letters they have, and neither does Enter behind them.

use std::time::Duration;

use crate::fields::OPEN;
use crate::place::Place;
use crate::screen::{SEND, Screen, TAB};
use crate::terminal::ENTER;

/// Types as a hand does, key by key.
fn types(screen: &mut Screen, text: &str) {
    for letter in text.chars() {
        screen.press(&letter.to_string());
        std::thread::sleep(Duration::from_millis(80));
    }
}

fn is_open(place: &Place, id: &str) -> bool {
    place.json(&["show", id])[0]["status"] == "input_required"
}

#[test]
fn a_word_that_is_typed_on_at_the_buttons_neither_declines_nor_sends() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    let mut screen = Screen::run(&place, &["respond", &id]);
    screen.at(OPEN, "Thai\r");
    screen.sees(SEND);
    for word in ["and", "word", "deny"] {
        types(&mut screen, word);
        screen.sees("a word presses nothing here");
        screen.press(ENTER);
        screen.sees("Enter came right behind letters");
        let shown = screen.sees(SEND);
        assert!(is_open(&place, &id), "{word}: {shown}");
    }
    screen.press(ENTER);
    assert_eq!(screen.ends().1, 0);
    let shown = place.json(&["show", &id]);
    assert_eq!(shown[0]["questions"][0]["answer"]["content"]["cuisine"], "Thai", "{shown:?}");
}

#[test]
fn a_word_answers_no_yes_or_no() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    place.ok(&["respond", &id, "--set", "cuisine=Thai"]);
    place.until_asked(&id, "q2");
    let mut screen = Screen::run(&place, &["respond", &id]);
    screen.sees("> Vegetarian  no");
    for word in ["approved", "done", "any"] {
        types(&mut screen, word);
        screen.sees("a word answers nothing here: y or n alone does");
        // Whoever has read that presses another key.
        std::thread::sleep(Duration::from_secs(1));
        assert!(is_open(&place, &id), "{word}");
        screen.press(TAB);
        screen.at(SEND, crate::screen::BACK_TAB);
        screen.sees("> Vegetarian  no");
    }
    // One key alone is one.
    screen.press("d");
    let (rest, code) = screen.ends();
    assert!(code == 0 && rest.contains("declined"), "{rest}");
}
