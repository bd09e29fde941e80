//! Text of several lines that is pasted: it is text, whatever the terminal makes of it.

use crate::kitchen::Kitchen;
use crate::place::Place;
use crate::terminal::{CTRL_C, CTRL_Z, DOWN, ENTER, ESCAPE, MARKS, PASTE, Terminal};

const MENU: &str = "leave it open (Esc)";

fn is_open(place: &Place, id: &str) -> bool {
    place.json(&["show", id])[0]["status"] == "input_required"
}

/// The same paste as a terminal sends it that marks pastes, and as one does that knows nothing of them.
fn both(text: &str) -> [String; 2] {
    [format!("{}{text}{}", PASTE.0, PASTE.1), text.to_owned()]
}

#[test]
fn a_paste_of_several_lines_is_one_answer_that_is_sent_when_the_person_says_so() {
    let place = Place::new();
    let _worker = place.worker();
    for lines in ["Thai\rGreek\rFrench\r", "Thai\r\nGreek\nFrench\r\r"] {
        for paste in both(lines) {
            let id = place.asking("plan_dinner");
            let mut terminal = Terminal::run(&place, &["respond", &id]);
            terminal.at(MENU, &[ENTER]);
            terminal.at("Cuisine: ", &[&paste]);
            terminal.sees("Thai Greek French");
            assert!(is_open(&place, &id), "{paste:?}");
            terminal.press(&[ENTER]);
            terminal.at("Send this answer?", &[ENTER]);
            let (rest, code) = terminal.ends();
            assert_eq!(code, 0, "{rest}");
            assert!(rest.contains("cuisine=Thai Greek French"), "{rest}");
        }
    }
}

#[test]
fn a_paste_presses_no_button_and_says_neither_yes_nor_no() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    place.ok(&["respond", &id, "--set", "cuisine=Thai"]);
    place.until_asked(&id, "q2");
    for paste in both("yes\rquit now\r\r") {
        let mut terminal = Terminal::run(&place, &["respond", &id]);
        terminal.at(MENU, &[&paste]);
        // The menu is still there: keys move in it.
        terminal.at("What will you do?", &[DOWN]);
        terminal.at("> send it as it is", &[DOWN]);
        terminal.at("> decline: say no", &["k"]);
        terminal.at("> send it as it is", &["k"]);
        terminal.at("> answer: fill in", &[ENTER]);
        terminal.at("Vegetarian [y/N]", &[&paste]);
        terminal.at("Vegetarian [y/N]", &["n"]);
        terminal.at("Vegetarian: no", &[]);
        terminal.at(MENU, &[ESCAPE]);
        let (rest, code) = terminal.ends();
        assert_eq!(code, 10, "{rest}");
        assert!(is_open(&place, &id), "{paste:?}");
    }
}

#[test]
fn the_shell_gets_nothing_of_a_paste_and_pastes_as_before() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    let script = format!("\"$MCPTASK\" respond {id}; IFS= read -r line; echo \"got <$line>\"");
    let mut terminal = Terminal::shell(&place, &script);
    terminal.sees(MARKS.0);
    terminal.at(MENU, &[ENTER]);
    // What comes with the key that leaves is thrown away with the prompt.
    terminal.at("Cuisine: ", &[&format!("{CTRL_C}touch pwned\rtouch pwned\r")]);
    terminal.sees(MARKS.1);
    terminal.at("the question stays open", &["mine\r"]);
    terminal.sees("got <mine>");
    assert_eq!(terminal.ends().1, 0);
}

#[test]
fn ctrl_z_gives_the_shell_its_terminal_and_the_prompt_comes_back() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    let script = format!(
        "set -m; stty -a > before; \"$MCPTASK\" respond {id}; stty -a > after; cmp before after && echo as it was; fg"
    );
    let mut terminal = Terminal::shell(&place, &script);
    terminal.at(MENU, &[ENTER]);
    terminal.at("Cuisine: ", &["Tha", CTRL_Z]);
    terminal.sees(MARKS.1);
    terminal.sees("as it was");
    terminal.sees(MARKS.0);
    terminal.at("Cuisine: Tha", &["i", ENTER]);
    terminal.at("Send this answer?", &[ENTER]);
    let (rest, code) = terminal.ends();
    assert_eq!(code, 0, "{rest}");
    assert!(rest.contains("cuisine=Thai"), "{rest}");
}

#[test]
fn keys_that_are_none_of_the_prompts_type_nothing() {
    let place = Place::new();
    place.ok(&["list"]);
    let _kitchen = Kitchen::open(&place.database());
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    let mut terminal = Terminal::run(&place, &["respond", &id]);
    terminal.at(MENU, &[ENTER]);
    // F5, Ctrl-Left, and F1 in the terminal's other mode.
    terminal.at("Cuisine: ", &["\u{1b}[15~\u{1b}[1;5D\u{1b}OPThai", ENTER]);
    terminal.at("Cuisine: Thai\r\n", &[]);
    terminal.at("Send this answer?", &[ENTER]);
    let (rest, code) = terminal.ends();
    assert_eq!(code, 0, "{rest}");
    assert!(rest.contains("cuisine=Thai"), "{rest}");
}
