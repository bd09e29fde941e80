//! A profile that wants to be asked: named in words and in red, asked before anything is changed.

use crate::place::Place;
use crate::terminal::{DOWN, ENTER, ESCAPE, Terminal};

#[test]
fn a_guarded_profile_is_named_and_asked_for_before_something_is_changed() {
    let place = Place::new();
    std::fs::create_dir_all(place.path().join(".config/mcptask")).expect("a folder");
    place.file(".config/mcptask/config.toml", "default = \"prod\"\n[profile.prod]\nconfirm = true\n");
    let _worker = place.background(&["worker", "--json", "--yes"]);
    let id = place.ok(&["submit", "plan_dinner", "--yes"]);
    place.until(&id, "asked");
    for keys in [&[ESCAPE][..], &[ENTER]] {
        let mut terminal = Terminal::run(&place, &["cancel", &id]);
        let before = terminal.sees("Change something there?");
        assert!(before.contains("profile prod:") && before.contains("this changes tasks at"), "{before}");
        terminal.press(keys);
        let (rest, code) = terminal.ends();
        assert!(code == 10 && rest.contains("nothing was changed"), "{rest}");
        assert_eq!(place.json(&["show", &id])[0]["status"], "input_required");
    }
    let mut terminal = Terminal::run_with(&place, &["cancel", &id], &[("CLICOLOR_FORCE", "1")]);
    let before = terminal.sees("yes, in prod");
    assert!(before.contains("\u{1b}[31m"), "named in red: {before:?}");
    terminal.press(&[DOWN, ENTER]);
    assert_eq!(terminal.ends().1, 0);
    assert_eq!(place.json(&["show", &id])[0]["status"], "cancelled");
}

#[test]
fn what_only_looks_is_not_asked() {
    let place = Place::new();
    std::fs::create_dir_all(place.path().join(".config/mcptask")).expect("a folder");
    place.file(".config/mcptask/config.toml", "default = \"prod\"\n[profile.prod]\nconfirm = true\n");
    for arguments in [&["list"][..], &["config", "show"], &["doctor"]] {
        let (said, code) = Terminal::run(&place, arguments).ends();
        assert!(code == 0 && !said.contains("Change something"), "{arguments:?}: {said}");
    }
}
