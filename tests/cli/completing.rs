//! Completions: scripts that are checked in, and ids as they are.

use std::path::Path;

use crate::place::Place;

/// Compares a file of the repository with what it should be. `UPDATE=1` writes it instead.
pub(crate) fn checked(file: &str, wanted: &str, test: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("can be made");
        std::fs::write(&path, wanted).expect("can be written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == wanted, "{file} is out of date; refresh it with: UPDATE=1 cargo test --test cli {test}");
}

#[test]
fn completions_are_as_checked_in() {
    let place = Place::new();
    let scripts = [
        ("bash", "mcptask.bash"),
        ("zsh", "_mcptask"),
        ("fish", "mcptask.fish"),
        ("powershell", "_mcptask.ps1"),
        ("elvish", "mcptask.elv"),
    ];
    for (shell, file) in scripts {
        let script = place.ok(&["completions", shell, "--static"]);
        checked(&format!("completions/{file}"), &format!("{script}\n"), "completions");
    }
}

#[test]
fn every_shell_has_a_script_that_completes_ids() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(place.ok(&["completions", shell]).contains("COMPLETE"), "{shell}");
    }
}

/// What bash would offer for the last word.
fn offered(place: &Place, words: &[&str]) -> String {
    let mut command = place.command(&[&["--", "mcptask"], words].concat());
    command.env("COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", words.len().to_string());
    command.env("_CLAP_COMPLETE_COMP_TYPE", "9").env("_CLAP_COMPLETE_SPACE", "true").env("_CLAP_IFS", "\n");
    String::from_utf8(command.output().expect("runs").stdout).expect("UTF-8")
}

#[test]
fn ids_complete_where_they_can_be_used() {
    let place = Place::new();
    let _worker = place.worker();
    let waiting = place.asking("plan_dinner");
    let done = place.ok(&["submit", "wait", "--arg", "seconds=0"]);
    place.until(&done, "completed");
    let respond = offered(&place, &["respond", ""]);
    assert!(respond.contains(&waiting[..8]) && !respond.contains(&done[..8]), "{respond}");
    let show = offered(&place, &["show", ""]);
    assert!(show.contains(&waiting[..8]) && show.contains(&done[..8]), "{show}");
    let whole = offered(&place, &["show", &waiting[..10]]);
    assert!(whole.contains(&waiting), "{whole}");
    assert!(offered(&place, &["submit", "pl"]).contains("plan_dinner"));
    let elsewhere = offered(&place, &["--db", "/dev/null/x", "show", ""]);
    assert!(!elsewhere.contains(&waiting[..8]), "{elsewhere}");
}
