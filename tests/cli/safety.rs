//! Nothing is trusted on a terminal, and no secret is shown.

use crate::kitchen::{Kitchen, RUDE};
use crate::place::Place;

#[test]
fn what_a_terminal_would_obey_is_shown_and_never_sent() {
    let place = Place::new();
    place.ok(&["list"]);
    let _kitchen = Kitchen::open(&place.database());
    let id = place.asking("rude");
    for arguments in [&["watch", "--no-follow"][..], &["show", &id], &["list"], &["respond", &id]] {
        let ran = place.run(arguments);
        let shown = ran.out + &ran.err;
        for harmful in ['\u{1b}', '\u{7}', '\u{202e}'] {
            assert!(!shown.contains(harmful), "{arguments:?} sends {harmful:?}: {shown}");
        }
        assert!(shown.contains("\\u{1b}[2J"), "{arguments:?} hides it: {shown}");
    }
}

#[test]
fn a_result_in_a_pipe_is_exact() {
    let place = Place::new();
    place.ok(&["list"]);
    let _kitchen = Kitchen::open(&place.database());
    let id = place.asking("rude");
    place.ok(&["respond", &id, "--decline"]);
    assert_eq!(place.ok(&["result", &id, "--wait"]), RUDE);
}

#[test]
fn help_and_errors_show_no_secret_of_the_environment() {
    let place = Place::new();
    for arguments in [&["--help"][..], &["submit", "--help"], &["list", "--json"], &["list", "-vv"]] {
        let mut command = place.command(arguments);
        command.env("MCPTASK_REDIS_URL", "redis://me:hunter2@127.0.0.1:1").env("MCPTASK_TOKEN", "s3cret");
        let output = command.output().expect("runs");
        let shown = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(!shown.contains("hunter2") && !shown.contains("s3cret"), "{arguments:?}: {shown}");
    }
}
