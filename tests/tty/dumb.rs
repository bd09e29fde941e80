//! Prompts on a terminal that cannot move its cursor: one line after the other, as dialoguer has them.

use serde_json::{Value, json};

use crate::kitchen::Kitchen;
use crate::place::Place;
use crate::terminal::{
    BACKSPACE, CTRL_C, CTRL_U, CTRL_Z, DOWN, ENTER, ESCAPE, MARKS, PASTE, SHOW_CURSOR, Terminal,
};

/// The menu before the form, and the one after it.
const BEFORE: &str = "leave it open (Esc)";
const AFTER: &str = "Send this answer?";

fn is_open(place: &Place, id: &str) -> bool {
    place.json(&["show", id])[0]["status"] == "input_required"
}

/// Goes as far as a list (the menu), a line of text, or a yes or no.
fn at_prompt(place: &Place, id: &str, kind: &str) -> Terminal {
    let mut terminal = Terminal::dumb(place, &["respond", id]);
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

/// The same paste as a terminal sends it that marks pastes, and as one does that knows nothing of them.
fn both(text: &str) -> [String; 2] {
    [format!("{}{text}{}", PASTE.0, PASTE.1), text.to_owned()]
}

#[test]
fn every_kind_of_field_is_filled_in_and_asked_again_where_it_is_wrong() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("fill_form");
    let mut terminal = Terminal::dumb(&place, &["respond"]);
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
fn what_is_chosen_is_named_by_its_number() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("fill_form");
    let mut terminal = Terminal::dumb(&place, &["respond", &id]);
    // As a line, since a shell within an editor sends nothing before Enter.
    terminal.at(BEFORE, &["1\r"]);
    terminal.at("Name: ", &["Ann\r"]);
    for field in ["E-mail: ", "Website: ", "Day: ", "Arrival: ", "Seats: 2", "Budget: "] {
        terminal.at(field, &[ENTER]);
    }
    terminal.at("By the window [Y/n]", &["y"]);
    terminal.at("(skip)", &["2\r"]);
    terminal.at("(skip)", &["9"]);
    terminal.at("(skip)", &["1\r"]);
    terminal.at("3 Room for a bicycle", &["3"]);
    terminal.at("> [ ] 3 Room for a bicycle", &[" "]);
    terminal.at("> [x] 3 Room for a bicycle", &[ENTER]);
    terminal.at("Extras: Wireless network, Room for a bicycle", &[]);
    let written = terminal.sees(AFTER);
    assert!(!written.contains("\u{1b}[1A"), "nothing goes up there: {written:?}");
    terminal.at(BEFORE, &["1\r"]);
    let (rest, code) = terminal.ends();
    assert_eq!(code, 0, "{rest}");
    let content: Value = serde_json::from_str(&place.ok(&["result", &id, "--wait"])).expect("JSON");
    assert_eq!(
        (&content["class"], &content["extras"]),
        (&json!("first"), &json!(["wifi", "bike"])),
        "{content}"
    );
    assert_eq!(content["meal"], "none", "there is no ninth");
}

#[test]
fn what_is_typed_ahead_reaches_the_prompt_key_by_key() {
    let place = Place::new();
    let _worker = place.worker();
    place.asking("fill_form");
    let mut terminal = Terminal::dumb(&place, &["respond"]);
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
    let mut terminal = Terminal::dumb(&place, &["respond"]);
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
fn a_form_of_defaults_is_sent_as_it_is() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    place.ok(&["respond", &id, "--set", "cuisine=Thai"]);
    place.until_asked(&id, "q2");
    let mut terminal = Terminal::dumb(&place, &["respond", &id]);
    terminal.sees("send it as it is, with the defaults");
    terminal.at(BEFORE, &[DOWN]);
    terminal.at(BEFORE, &[ENTER]);
    assert_eq!(terminal.ends().1, 0);
    assert!(place.ok(&["result", &id, "--wait"]).starts_with("A Thai dinner"));
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
fn a_paste_presses_no_button_and_says_neither_yes_nor_no() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    place.ok(&["respond", &id, "--set", "cuisine=Thai"]);
    place.until_asked(&id, "q2");
    for paste in both("yes\rquit now\r\r") {
        let mut terminal = Terminal::dumb(&place, &["respond", &id]);
        terminal.at(BEFORE, &[&paste]);
        // The menu is still there: keys move in it.
        terminal.at("What will you do?", &[DOWN]);
        terminal.at("> 2 send it as it is", &[DOWN]);
        terminal.at("> 3 decline: say no", &["k"]);
        terminal.at("> 2 send it as it is", &["k"]);
        terminal.at("> 1 answer: fill in", &[ENTER]);
        terminal.at("Vegetarian [y/N]", &[&paste]);
        terminal.at("Vegetarian [y/N]", &["n"]);
        terminal.at("Vegetarian: no", &[]);
        terminal.at(BEFORE, &[ESCAPE]);
        let (rest, code) = terminal.ends();
        assert_eq!(code, 10, "{rest}");
        assert!(is_open(&place, &id), "{paste:?}");
    }
}

#[test]
fn a_paste_of_several_lines_is_one_answer_that_is_sent_when_the_person_says_so() {
    let place = Place::new();
    let _worker = place.worker();
    for lines in ["Thai\rGreek\rFrench\r", "Thai\r\nGreek\nFrench\r\r"] {
        for paste in both(lines) {
            let id = place.asking("plan_dinner");
            let mut terminal = Terminal::dumb(&place, &["respond", &id]);
            terminal.at(BEFORE, &[ENTER]);
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
fn ctrl_z_gives_the_shell_its_terminal_and_the_prompt_comes_back() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    let script = format!(
        "set -m; export TERM=dumb; stty -a > before; \"$MCPTASK\" respond {id}; stty -a > after; cmp before after && echo as it was; fg"
    );
    let mut terminal = Terminal::shell(&place, &script);
    terminal.at(BEFORE, &[ENTER]);
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
    let mut terminal = Terminal::dumb(&place, &["respond", &id]);
    terminal.at(BEFORE, &[ENTER]);
    // F5, Ctrl-Left, and F1 in the terminal's other mode.
    terminal.at("Cuisine: ", &["\u{1b}[15~\u{1b}[1;5D\u{1b}OPThai", ENTER]);
    terminal.at("Cuisine: Thai\r\n", &[]);
    terminal.at("Send this answer?", &[ENTER]);
    let (rest, code) = terminal.ends();
    assert_eq!(code, 0, "{rest}");
    assert!(rest.contains("cuisine=Thai"), "{rest}");
}
