//! Text of several lines that is pasted: it is text, whatever the terminal makes of it.

use crate::kitchen::Kitchen;
use crate::place::Place;
use crate::screen::{SEND, Screen};
use crate::terminal::{CTRL_C, CTRL_Z, DOWN, ENTER, ESCAPE, MARKS, PASTE};

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
            let mut screen = Screen::run(&place, &["respond", &id]);
            screen.at("> Cuisine", &paste);
            screen.sees("Thai⏎");
            screen.sees("Greek⏎");
            screen.sees("French");
            assert!(is_open(&place, &id), "{paste:?}");
            std::thread::sleep(std::time::Duration::from_millis(150));
            screen.press(ENTER);
            screen.at(SEND, ENTER);
            let (rest, code) = screen.ends();
            assert_eq!(code, 0, "{rest}");
            let answer = &place.json(&["show", &id])[0]["questions"][0]["answer"];
            // Where pastes are not marked, nobody can tell a line end of two characters from two.
            let is_marked = paste.starts_with(PASTE.0);
            let lines = if !is_marked && lines.contains("\r\n") {
                "Thai\n\nGreek\nFrench"
            } else {
                "Thai\nGreek\nFrench"
            };
            assert_eq!(answer["content"]["cuisine"], lines);
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
        let mut screen = Screen::run(&place, &["respond", &id]);
        screen.at("> Vegetarian  no", &paste);
        screen.sees("what was pasted presses nothing here");
        std::thread::sleep(std::time::Duration::from_millis(150));
        screen.press(DOWN);
        screen.at(SEND, &paste);
        screen.sees("what was pasted presses nothing here");
        assert!(is_open(&place, &id), "{paste:?}");
        std::thread::sleep(std::time::Duration::from_millis(150));
        // Several letters at once are no key either.
        screen.press("dd");
        screen.press(ESCAPE);
        let (rest, code) = screen.ends();
        assert_eq!(code, 10, "{rest}");
        assert!(is_open(&place, &id), "{paste:?}");
    }
}

#[test]
fn a_long_paste_arrives_whole() {
    let place = Place::new();
    let tools = "[tools.t]\ndescription = \"d\"\nsteps = [{ as = \"q\", ask = \"Why?\", form = { why = \"text\" } }]\n";
    let _worker = place.background(&["worker", "--json", "--config", &place.file("tools.toml", tools)]);
    for paste in both(&format!("{}END", "x".repeat(3000))) {
        let id = place.asking("t");
        let mut screen = Screen::run(&place, &["respond", &id]);
        screen.at("> why", &paste);
        screen.at("END", ENTER);
        screen.at(SEND, ENTER);
        assert_eq!(screen.ends().1, 0);
        let answer = &place.json(&["show", &id])[0]["questions"][0]["answer"];
        assert_eq!(answer["content"]["why"].as_str().map(str::len), Some(3003));
    }
}

#[test]
fn the_shell_gets_nothing_of_a_paste_and_pastes_as_before() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    let script = format!("\"$MCPTASK\" respond {id}; IFS= read -r line; echo \"got <$line>\"");
    let mut screen = Screen::shell(&place, &script);
    screen.writes(MARKS.0);
    // What comes with the key that leaves, and just behind it, is thrown away with the form.
    screen.at("> Cuisine", &format!("{CTRL_C}touch pwned\rtouch pwned\r"));
    for _ in 0..5 {
        std::thread::sleep(std::time::Duration::from_millis(5));
        screen.press("touch pwned\r");
    }
    screen.writes(MARKS.1);
    screen.at("the question stays open", "mine\r");
    screen.sees("got <mine>");
    assert_eq!(screen.ends().1, 0);
}

#[test]
fn ctrl_z_gives_the_shell_its_terminal_and_the_form_comes_back_with_what_was_typed() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    let script = format!(
        "set -m; stty -a > before; \"$MCPTASK\" respond {id}; stty -a > after; cmp before after && echo as it was; fg"
    );
    let mut screen = Screen::shell(&place, &script);
    screen.at("> Cuisine", "Tha");
    screen.at("> Cuisine  Tha", CTRL_Z);
    screen.sees("as it was");
    let shown = screen.sees("> Cuisine  Tha");
    assert_eq!(shown.matches("[ Send ]").count(), 1, "{shown}");
    screen.press("i");
    screen.at("> Cuisine  Thai", ENTER);
    screen.at(SEND, ENTER);
    let (rest, code) = screen.ends();
    assert_eq!(code, 0, "{rest}");
    assert!(rest.contains("cuisine=Thai"), "{rest}");
}

#[test]
fn a_stop_from_outside_gives_the_terminal_back_and_the_form_comes_back_at_fg() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    let script = format!(
        "set -m; stty -a > before; \"$MCPTASK\" respond {id}; stty -a > after; cmp before after && echo as it was; fg; \
         fg; echo over"
    );
    let mut screen = Screen::shell(&place, &script);
    screen.at("> Cuisine", "Tha");
    screen.sees("> Cuisine  Tha");
    let shell = screen.id().to_string();
    let stop = || {
        let found = std::process::Command::new("pgrep").args(["-P", &shell]).output().expect("pgrep runs");
        let id = String::from_utf8(found.stdout).expect("a number");
        let sent = std::process::Command::new("kill").args(["-TSTP", id.trim()]).status().expect("kill runs");
        assert!(sent.success(), "{id}");
    };
    stop();
    screen.sees("as it was");
    // The shell has taken it up again at once.
    let shown = screen.sees("> Cuisine  Tha");
    assert_eq!(shown.matches("[ Send ]").count(), 1, "{shown}");
    screen.press("i");
    screen.sees("> Cuisine  Thai");
    stop();
    let shown = screen.sees("> Cuisine  Thai");
    assert_eq!(shown.matches("[ Send ]").count(), 1, "{shown}");
    screen.press(ENTER);
    screen.at(SEND, ENTER);
    screen.sees("over");
    let (rest, code) = screen.ends();
    assert_eq!(code, 0, "{rest}");
    assert!(rest.contains("cuisine=Thai"), "{rest}");
}

#[test]
fn ctrl_z_is_nothing_where_no_shell_would_wake_the_program() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    let mut screen = Screen::run(&place, &["respond", &id]);
    screen.writes(MARKS.0);
    screen.at("> Cuisine", CTRL_Z);
    screen.writes(MARKS.0);
    screen.at("> Cuisine", "x");
    screen.at("> Cuisine  x", CTRL_C);
    assert_eq!(screen.ends().1, 130);
}

#[test]
fn keys_that_are_none_of_the_forms_type_nothing() {
    let place = Place::new();
    place.ok(&["list"]);
    let _kitchen = Kitchen::open(&place.database());
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    let mut screen = Screen::run(&place, &["respond", &id]);
    // F5, Ctrl-Left, and F1 in the terminal's other mode.
    screen.at("> Cuisine", "\u{1b}[15~\u{1b}[1;5D\u{1b}OPThai\r");
    screen.at(SEND, ENTER);
    let (rest, code) = screen.ends();
    assert_eq!(code, 0, "{rest}");
    assert!(rest.contains("cuisine=Thai"), "{rest}");
}
