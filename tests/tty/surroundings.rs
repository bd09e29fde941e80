//! What stands around the questions of the inbox: the profile that guards them, the terminal, and the store or the server
//! that they come from.

use rexpect::process::Signal;
use serde_json::json;

use crate::inbox::{TOOLS, allowing, answer, worker};
use crate::place::Place;
use crate::redis::RedisServer;
use crate::screen::{Screen, TAB, words};
use crate::terminal::{CTRL_Z, DOWN, ENTER, ESCAPE};

/// A place whose profile wants to be asked before something is changed.
fn guarded() -> Place {
    let place = Place::new();
    std::fs::create_dir_all(place.path().join(".config/mcptask")).expect("a folder");
    place.file(".config/mcptask/config.toml", "default = \"prod\"\n[profile.prod]\nconfirm = true\n");
    place
}

#[test]
fn a_guarded_profile_stands_above_everything_and_is_asked_for_once() {
    let place = guarded();
    let _worker = worker(&place);
    let id = allowing(&place, "table", "friday");
    let mut screen = Screen::run_with(&place, &["inbox"], &[("CLICOLOR_FORCE", "1")]);
    let shown = screen.sees("[ 1 waiting ]");
    assert!(words(&shown).starts_with("profile prod: this changes tasks at"), "{shown}");
    // Red and bold.
    assert!(screen.written().contains("\u{1b}[38;5;1"), "{:?}", screen.written());
    screen.press(ENTER);
    screen.at("Change something there?", ESCAPE);
    screen.at("nothing was changed", ENTER);
    screen.at("Change something there?", "y");
    screen.at_form("> ok");
    screen.press("y");
    screen.sees("accept with ok=yes");
    assert_eq!(answer(&place, &id)["content"], json!({ "ok": true }));
    screen.press("q");
    assert_eq!(screen.ends().1, 0);
}

#[test]
fn respond_opens_it_with_the_profile_above_and_asks_only_once() {
    let place = guarded();
    let _worker = worker(&place);
    let id = allowing(&place, "table", "friday");
    allowing(&place, "chair", "friday");
    let mut screen = Screen::run(&place, &["respond", "--yes"]);
    let shown = screen.sees("[ 2 waiting ]");
    assert!(words(&shown).starts_with("profile prod: this changes tasks at"), "{shown}");
    screen.press(ENTER);
    screen.at_form("> ok");
    screen.press("y");
    screen.sees("accept with ok=yes");
    assert_eq!(answer(&place, &id)["content"], json!({ "ok": true }));
    screen.press("q");
    assert_eq!(screen.ends().1, 0);
}

#[test]
fn another_size_a_stop_and_a_redrawing_leave_all_as_it_was() {
    let place = Place::new();
    let _worker = worker(&place);
    for what in ["a", "b", "c"] {
        allowing(&place, what, "friday");
    }
    let mut screen = Screen::shell(&place, "echo before; \"$MCPTASK\" inbox; echo after");
    screen.at("[ 3 waiting ]", DOWN);
    screen.at_row("May I delete b?");
    for (columns, rows) in [(60, 24), (120, 30), (80, 8), (80, 24)] {
        screen.resize(columns, rows);
        let shown = screen.sees("[ 3 waiting ]");
        assert_eq!(shown.matches("waiting ]").count(), 1, "{columns}x{rows}: {shown}");
        screen.at_row("May I delete b?");
        screen.press("\u{c}");
        screen.press("j");
        screen.at_row("May I delete c?");
        screen.press("k");
        screen.at_row("May I delete b?");
    }
    screen.forget_written();
    // Nobody would wake a group that no shell looks after: it is not stopped, and is drawn anew.
    screen.press(CTRL_Z);
    screen.writes("\u{1b}[?1049h");
    screen.at_row("May I delete b?");
    screen.press("q");
    screen.at("after", "");
    let (rest, _) = screen.ends();
    assert_eq!(rest, "before\nafter\n");
}

#[test]
fn the_shell_has_the_terminal_while_it_is_stopped_and_it_comes_back_as_it_was() {
    let place = Place::new();
    let _worker = worker(&place);
    let _ids = ["a", "b"].map(|what| allowing(&place, what, "friday"));
    let mut screen = Screen::shell(&place, "PS1='ready: ' exec bash --norc --noprofile -i");
    screen.at("ready:", "\"$MCPTASK\" inbox\r");
    screen.at("[ 2 waiting ]", " ");
    screen.at_row("May I delete b?");
    screen.at("1 marked", CTRL_Z);
    screen.sees("Stopped");
    let shown = screen.gone("waiting ]");
    assert!(screen.cursor().1, "{shown}");
    let id = allowing(&place, "c", "friday");
    screen.press("fg\r");
    // What came meanwhile is there, and so is what was marked.
    screen.sees("[ 3 waiting ]");
    screen.sees("1 marked");
    screen.at_row("May I delete b?");
    screen.press("G");
    screen.at_row("May I delete c?");
    screen.press("x");
    screen.at("Cancel task", "y");
    screen.at("[ 2 waiting ]", "q");
    // What is typed while it leaves is thrown away.
    screen.at("inbox ready: \"$MCPTASK\" inbox ready:", "exit\r");
    assert_eq!(screen.ends().1, 0);
    assert_eq!(place.json(&["show", &id])[0]["status"], "cancelled");
}

#[test]
fn a_stop_from_outside_gives_the_terminal_back_and_it_comes_back_at_fg() {
    let place = Place::new();
    let _worker = worker(&place);
    allowing(&place, "a", "friday");
    let script = "set -m; stty -a > before; \"$MCPTASK\" inbox; stty -a > after; cmp before after && echo as it was; fg; \
                  echo over";
    let mut screen = Screen::shell(&place, script);
    screen.at_row("May I delete a?");
    let shell = screen.id().to_string();
    let found = std::process::Command::new("pgrep").args(["-P", &shell]).output().expect("pgrep runs");
    let id = String::from_utf8(found.stdout).expect("a number");
    screen.forget_written();
    let sent = std::process::Command::new("kill").args(["-TSTP", id.trim()]).status().expect("kill runs");
    assert!(sent.success(), "{id}");
    // The shell has taken it up again at once.
    screen.writes("\u{1b}[?1049h");
    screen.at_row("May I delete a?");
    screen.press("q");
    screen.sees("over");
    let (rest, code) = screen.ends();
    assert!(code == 0 && rest.contains("as it was"), "{rest}");
}

#[test]
fn a_terminal_that_goes_away_ends_it() {
    let place = Place::new();
    let _worker = worker(&place);
    allowing(&place, "a", "friday");
    let mut screen = Screen::run(&place, &["inbox"]);
    screen.sees("[ 1 waiting ]");
    screen.signal(Signal::SIGHUP);
    let (rest, code) = screen.ends();
    assert!(code == 143 && rest.contains("the terminal was closed"), "{rest}");
    assert!(screen.cursor().1);
}

#[test]
fn a_store_that_is_away_is_told_and_what_came_meanwhile_is_there_when_it_is_back() {
    let mut redis = RedisServer::persistent();
    let place = Place::on_redis(&redis.url());
    let _worker = worker(&place);
    allowing(&place, "a", "friday");
    let mut screen = Screen::sized(&place, &["inbox"], (120, 24));
    screen.sees("[ 1 waiting ]");
    redis.kill();
    let shown = screen.sees("waiting until it is back");
    assert!(shown.contains("May I delete a?"), "{shown}");
    redis.restart();
    allowing(&place, "b", "friday");
    screen.sees("[ 2 waiting ]");
    screen.sees("the store is back");
    // Whoever has read that goes on without it.
    screen.press("j");
    screen.gone("the store is back");
    screen.press("q");
    assert_eq!(screen.ends().1, 0);
}

#[test]
fn a_servers_questions_are_answered_through_it() {
    let place = Place::new();
    let server = place.serve(&["--config", &place.file("tools.toml", TOOLS)]);
    let id =
        place.ok(&["submit", "allow", "--arg", "what=table", "--server", server.url(), "--era", "modern"]);
    let mut screen =
        Screen::sized(&place, &["inbox", "--server", server.url(), "--era", "modern"], (120, 24));
    screen.at("[ 1 waiting ]", ENTER);
    screen.at_form("> ok");
    screen.press("y");
    screen.sees("[ 0 waiting ]");
    assert_eq!(answer(&place, &id)["content"], json!({ "ok": true }));
    // The next one is seen at one of the looks that have to be taken there.
    place.ok(&["submit", "allow", "--arg", "what=chair", "--server", server.url(), "--era", "modern"]);
    screen.sees("May I delete chair?");
    screen.press("q");
    assert_eq!(screen.ends().1, 0);
}

#[test]
fn what_a_server_tells_is_on_the_screen_at_once() {
    let place = Place::new();
    let file = place.file("tools.toml", TOOLS);
    let server = place.serve(&["--config", &file, "--workers", "0"]);
    // What a worker offers stays known when it leaves.
    drop(worker(&place));
    let at = ["--server", server.url(), "--era", "modern"];
    // Known before anybody works on it, so that only its question is news.
    let id = place.ok(&[&["submit", "allow", "--arg", "what=table"][..], &at].concat());
    let mut screen = Screen::sized(&place, &[&["inbox"][..], &at].concat(), (120, 24));
    screen.sees("Nothing waits.");
    screen.press(TAB);
    screen.sees("the server tells of the tasks that were launched from here by subscription");
    screen.press(TAB);
    let _worker = worker(&place);
    place.until(&id, "asked");
    let asked = std::time::Instant::now();
    screen.sees("May I delete table?");
    assert!(asked.elapsed() < std::time::Duration::from_secs(1), "{:?}", asked.elapsed());
    screen.press("q");
    assert_eq!(screen.ends().1, 0);
}

#[test]
fn without_a_screen_it_says_what_works_in_scripts() {
    let place = Place::new();
    let ran = place.run(&["inbox"]);
    assert_eq!(ran.code, 6, "{ran:?}");
    assert!(ran.err.contains("list --waiting --json") && ran.err.contains("respond --next"), "{ran:?}");
    let (rest, code) = Screen::run_with(&place, &["inbox"], &[("TERM", "dumb")]).ends();
    assert!(code == 6 && words(&rest).contains("TERM is dumb") && rest.contains("respond --next"), "{rest}");
}
