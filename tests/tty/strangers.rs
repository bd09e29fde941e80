//! Messages and pages of strangers at the prompt, and colours.

use crate::kitchen::Kitchen;
use crate::place::Place;
use crate::terminal::{DOWN, ENTER, ESCAPE, Terminal};

fn kitchen(place: &Place) -> Kitchen {
    place.ok(&["list"]);
    Kitchen::open(&place.database())
}

#[test]
fn a_message_that_a_terminal_would_obey_is_shown() {
    let place = Place::new();
    let _kitchen = kitchen(&place);
    let id = place.asking("rude");
    let mut terminal = Terminal::run(&place, &["respond", &id]);
    let mut shown = terminal.sees("leave it open (Esc)");
    terminal.press(&[ENTER]);
    shown += &terminal.sees("optional");
    terminal.press(&[ESCAPE]);
    shown += &terminal.ends().0;
    // The terminal's bytes come as one character each; the last is a bidi control's second and third byte.
    for harmful in ["\u{1b}[2J", "\u{1b}]0", "\u{7}", "\u{80}\u{ae}"] {
        assert!(!shown.contains(harmful), "{harmful:?} reached the terminal: {shown:?}");
    }
    assert!(shown.contains("\\u{1b}[2J"), "{shown:?}");
}

#[test]
fn a_page_is_shown_with_its_host_and_never_opened() {
    let place = Place::new();
    let _kitchen = kitchen(&place);
    let id = place.asking("visit");
    let mut terminal = Terminal::run(&place, &["respond", &id]);
    terminal.sees("https://xn--80ak6aa92e.com/login?a=b");
    terminal.sees("Host: xn--80ak6aa92e.com");
    terminal.sees("Punycode");
    // Leaving it open is what Enter does: consent takes a step.
    terminal.at("cancel: dismiss", &[ENTER]);
    assert_eq!(terminal.ends().1, 10);
    let mut terminal = Terminal::run(&place, &["respond", &id]);
    terminal.at("cancel: dismiss", &[DOWN]);
    terminal.at("cancel: dismiss", &[ENTER]);
    assert_eq!(terminal.ends().1, 0);
    assert_eq!(place.ok(&["result", &id, "--wait"]), "accept");
}

#[test]
fn the_coloured_prompt_works_as_the_plain_one() {
    let place = Place::new();
    let _kitchen = kitchen(&place);
    let id = place.asking("visit");
    let mut terminal = Terminal::run_with(&place, &["respond", &id], &[]);
    let shown = terminal.sees("cancel: dismiss");
    assert!(shown.contains("\u{1b}["), "coloured: {shown:?}");
    terminal.press(&[DOWN]);
    terminal.at("cancel: dismiss", &[DOWN]);
    terminal.at("cancel: dismiss", &[ENTER]);
    assert_eq!(terminal.ends().1, 0);
    assert_eq!(place.ok(&["result", &id, "--wait"]), "decline");
}
