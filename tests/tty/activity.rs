//! What `serve` and `worker` say on a terminal while they run.

use std::time::{Duration, Instant};

use crate::place::{BOUND, Place};
use crate::screen::{Screen, words};
use crate::terminal::{CTRL_C, Terminal};

/// A tool that fails, and one that asks.
const TOOLS: &str = r#"[tools.breaks]
description = "Its result is an error."
command = ["sh", "-c", "exit 1"]

[tools.greet]
description = "Asks for a name."
steps = [{ as = "who", ask = "Who are you?", form = { name = "text" } }, { return = "hello" }]
"#;

/// Lives through one of each, beside a terminal that tells of it.
fn one_of_each(place: &Place, terminal: &mut Terminal) {
    let id = place.asking("greet");
    terminal.sees(&id[..8]);
    terminal.sees("asked q1: Who are you?");
    place.ok(&["respond", &id, "--set", "name=Ada", "--as", "ada"]);
    terminal.sees("answered q1");
    let id = place.asking("greet");
    place.ok(&["cancel", &id]);
    terminal.sees("- cancelled");
    place.ok(&["submit", "breaks"]);
    terminal.sees("completed with an error");
}

#[test]
fn on_a_narrow_terminal_it_is_still_said_what_is_asked_and_who_answered() {
    let place = Place::new();
    let config = place.file("tools.toml", TOOLS);
    let mut screen = Screen::sized(&place, &["worker", "--config", &config], (60, 24));
    screen.sees("mcptask submit breaks");
    let id = place.asking("greet");
    place.ok(&["respond", &id, "--set", "name=Ada", "--as", "ada"]);
    let shown = words(&screen.sees("ada"));
    assert!(
        shown.contains("asked q1: Who are you?") && shown.contains("answered q1: accept by operator ada"),
        "{shown}"
    );
    screen.press(CTRL_C);
    screen.ends();
}

#[test]
fn a_worker_tells_of_what_is_asked_answered_failed_and_cancelled() {
    let place = Place::new();
    let config = place.file("tools.toml", TOOLS);
    let mut terminal = Terminal::run(&place, &["worker", "--config", &config]);
    terminal.sees("try, in another terminal:");
    // A tool that it offers, not one that nobody does.
    terminal.sees("mcptask submit breaks --session dinner");
    terminal.sees("mcptask respond");
    one_of_each(&place, &mut terminal);
    // What another worker runs is that one's to tell.
    let other = place.file("other.toml", &TOOLS.replace("greet", "greet_too"));
    let elsewhere = place.background(&["worker", "--json", "--config", &other]);
    let id = place.asking("greet_too");
    place.ok(&["cancel", &id]);
    drop(elsewhere);
    let id_of_own = place.asking("greet");
    let before = terminal.sees(&id_of_own[..8]);
    assert!(!before.contains(&id[..8]), "{before}");
    terminal.press(&[CTRL_C]);
    assert_eq!(terminal.ends().1, 0);
}

#[test]
fn a_server_tells_of_all_tasks_of_its_store() {
    let place = Place::new();
    let config = place.file("tools.toml", TOOLS);
    let mut terminal =
        Terminal::run(&place, &["serve", "--listen", "127.0.0.1:0", "--workers", "0", "--config", &config]);
    terminal.sees("no worker runs a tool here yet");
    terminal.sees("mcptask worker --builtin");
    let _worker = place.background(&["worker", "--json", "--config", &config]);
    one_of_each(&place, &mut terminal);
    terminal.press(&[CTRL_C]);
    assert_eq!(terminal.ends().1, 0);
}

#[test]
fn what_a_rule_of_the_server_answered_is_told_once() {
    let place = Place::new();
    let config = place.file("tools.toml", TOOLS);
    let rules = "[[rule]]\nname = \"names\"\ntool = \"greet\"\naccept = { name = \"Ada\" }\n";
    let rules = place.file("rules.toml", rules);
    let serve = ["serve", "--listen", "127.0.0.1:0", "--config", &config, "--rules", &rules];
    let mut terminal = Terminal::run(&place, &serve);
    terminal.sees("try, in another terminal:");
    let id = place.ok(&["submit", "greet"]);
    place.until(&id, "end");
    // It goes on telling.
    place.ok(&["submit", "breaks"]);
    let said = terminal.sees("completed with an error");
    assert_eq!(said.matches("answered").count(), 1, "{said}");
    assert!(said.contains("names"), "{said}");
    terminal.press(&[CTRL_C]);
    assert_eq!(terminal.ends().1, 0);
}

/// Waits until a worker has begun, which says nothing of it.
fn until_begun(place: &Place) {
    let begun = Instant::now();
    while place.json(&["workers"]).is_empty() {
        assert!(begun.elapsed() < BOUND, "no worker begins");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn whoever_wants_quiet_is_told_nothing() {
    let place = Place::new();
    let config = place.file("tools.toml", TOOLS);
    let mut terminal = Terminal::run(&place, &["worker", "-q", "--config", &config]);
    until_begun(&place);
    let id = place.asking("greet");
    place.ok(&["cancel", &id]);
    terminal.press(&[CTRL_C]);
    let (said, code) = terminal.ends();
    assert!(!said.contains("greet") && code == 0, "{said}");
}

#[test]
fn without_a_terminal_no_tasks_are_told_of() {
    let place = Place::new();
    let mut command = place.command(&["worker"]);
    let log = std::fs::File::create(place.path().join("worker.log")).expect("a file can be written");
    let mut worker = command.stderr(log).spawn().expect("the program starts");
    until_begun(&place);
    let id = place.asking("plan_dinner");
    place.ok(&["cancel", &id]);
    worker.kill().expect("is ours");
    worker.wait().expect("is ours");
    let said = std::fs::read_to_string(place.path().join("worker.log")).expect("reads");
    assert!(!said.contains("asked") && !said.contains("try,"), "{said}");
}

#[test]
fn a_watch_rings_for_new_questions_alone() {
    let place = Place::new();
    let _worker = place.worker();
    let old = place.asking("plan_dinner");
    let mut terminal = Terminal::run(&place, &["watch", "--bell"]);
    let before = terminal.sees("answer with:");
    assert!(before.contains(&old[..8]) && !before.contains('\u{7}'), "{before:?}");
    let new = place.asking("plan_dinner");
    let rung = terminal.sees("\u{7}");
    assert!(rung.contains(&new[..8]), "{rung:?}");
    terminal.press(&[CTRL_C]);
    terminal.ends();
}
