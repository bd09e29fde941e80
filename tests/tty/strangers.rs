//! Messages and pages of strangers on the screen, and colours.

use crate::kitchen::Kitchen;
use crate::place::Place;
use crate::screen::Screen;
use crate::terminal::{DOWN, ENTER, ESCAPE};

fn kitchen(place: &Place) -> Kitchen {
    place.ok(&["list"]);
    Kitchen::open(&place.database())
}

#[test]
fn a_message_that_a_terminal_would_obey_is_shown() {
    let place = Place::new();
    let _kitchen = kitchen(&place);
    let id = place.asking("rude");
    let mut screen = Screen::run(&place, &["respond", &id]);
    screen.sees("\\u{1b}[2J");
    screen.at("optional", ESCAPE);
    screen.ends();
    let written = screen.written();
    for harmful in ["\u{1b}[2J", "\u{1b}]0", "\u{7}", "\u{202e}"] {
        assert!(!written.contains(harmful), "{harmful:?} reached the terminal: {written:?}");
    }
}

#[test]
fn a_page_is_shown_with_its_host_and_never_opened() {
    let place = Place::new();
    let _kitchen = kitchen(&place);
    let id = place.asking("visit");
    let mut screen = Screen::run(&place, &["respond", &id]);
    screen.sees("https://xn--80ak6aa92e.com/login?a=b");
    screen.sees("Host: xn--80ak6aa92e.com");
    screen.sees("! This host's name is written in Punycode");
    // Leaving it open is what Enter does: consent takes a step.
    screen.at("> [ Leave it open ]", ENTER);
    assert_eq!(screen.ends().1, 10);
    let mut screen = Screen::run(&place, &["respond", &id]);
    screen.at("> [ Leave it open ]", DOWN);
    screen.at("> [ Accept: I trust this host, and open the page myself ]", ENTER);
    assert_eq!(screen.ends().1, 0);
    assert_eq!(place.ok(&["result", &id, "--wait"]), "accept");
}

#[test]
fn colours_only_repeat_what_words_say() {
    let place = Place::new();
    let _kitchen = kitchen(&place);
    let id = place.asking("visit");
    let shown = ["0", "1"].map(|plain| {
        let variables: &[(&str, &str)] = if plain == "1" { &[("NO_COLOR", "1")] } else { &[] };
        let mut screen = Screen::run_with(&place, &["respond", &id], variables);
        let shown = screen.sees("> [ Leave it open ]");
        let is_coloured = screen.written().contains("\u{1b}[1m");
        assert_eq!(is_coloured, plain == "0", "{:?}", screen.written());
        screen.press(ESCAPE);
        assert_eq!(screen.ends().1, 10);
        shown.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
    });
    assert_eq!(shown[0], shown[1]);
    let mut screen = Screen::run(&place, &["respond", &id]);
    screen.at("> [ Leave it open ]", "d");
    assert_eq!(screen.ends().1, 0);
    assert_eq!(place.ok(&["result", &id, "--wait"]), "decline");
}
