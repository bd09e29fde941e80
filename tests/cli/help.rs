//! The help of every command, in one checked file.

use crate::place::Place;

const COMMANDS: [&str; 12] = [
    "demo",
    "serve",
    "worker",
    "submit",
    "watch",
    "respond",
    "list",
    "show",
    "result",
    "cancel",
    "tools",
    "completions",
];

#[test]
fn help_is_as_checked_in() {
    let place = Place::new();
    let mut all = String::from("$ mcptask --help\n");
    all.push_str(&place.ok(&["--help"]));
    for command in COMMANDS {
        all.push_str(&format!("\n\n\n$ mcptask {command} --help\n"));
        all.push_str(&place.ok(&[command, "--help"]));
    }
    all.push('\n');
    crate::completing::checked("tests/cli/help.txt", &all, "help");
}

#[test]
fn help_names_every_command() {
    let place = Place::new();
    let out = place.ok(&["--help"]);
    assert!(COMMANDS.iter().all(|command| out.contains(command)), "{out}");
}
