//! Nothing is trusted on a terminal, and no secret is shown.

use serde_json::{Value, json};

use crate::kitchen::{Kitchen, RUDE, RUDE_TOOL};
use crate::place::Place;

/// Whether a terminal would obey it, or show other text than there is.
fn is_harmful(character: char) -> bool {
    (character.is_control() && character != '\n')
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || matches!(character, '\u{e0000}'..='\u{e007f}')
}

/// Runs it in both manners: nothing harmful is sent, and JSON is JSON. A result in a pipe is exact.
fn harmless(place: &Place, arguments: &[&str]) -> String {
    let plain = place.run(arguments);
    let is_exact = arguments.iter().any(|argument| matches!(*argument, "--wait" | "result"));
    let shown = if is_exact { plain.err } else { plain.out + &plain.err };
    let harmful: Vec<_> = shown.chars().filter(|character| is_harmful(*character)).collect();
    assert!(harmful.is_empty(), "{arguments:?} sends {harmful:?}: {shown}");
    let json = place.run(&[&["--json"], arguments].concat());
    for line in json.out.lines().chain(json.err.lines()) {
        assert!(!line.chars().any(is_harmful), "{arguments:?} --json sends it: {line}");
        serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {line}"));
    }
    shown
}

#[test]
fn what_a_terminal_would_obey_is_shown_and_never_sent() {
    let place = Place::new();
    place.ok(&["list"]);
    let _kitchen = Kitchen::open(&place.database());
    let (rude, rudest) = (place.asking("rude"), place.asking("rudest"));
    let ended = place.asking("rudest");
    place.ok(&["respond", &ended, "--decline"]);
    place.until(&ended, "failed");
    let answers = place.file("answers.json", &json!([{ RUDE: RUDE, "x": RUDE }]).to_string());
    let all = ["watch", "--no-follow", "-v"];
    for (arguments, told) in [
        (&all[..], true),
        (&["watch", "--no-follow", "--task", &rudest], true),
        (&["list"], false),
        (&["list", "--tool", RUDE_TOOL], false),
        (&["show", &rude], true),
        (&["show", &rudest], true),
        (&["show", &ended], true),
        (&["result", &rudest], false),
        (&["result", &ended], true),
        (&["respond", &rude], true),
        (&["respond", &rudest], true),
        (&["respond", &rudest, "--set", "many=\u{1b}[2J"], false),
        (&["respond", &rudest, "--accept"], false),
        (&["cancel", &ended], false),
        (&["doctor"], false),
        (&["doctor", &rudest], false),
        (&["tools"], true),
        (&["tools", "rudest"], true),
        (&["tools", RUDE_TOOL], true),
        (&["submit", "rudest", "--wait", "-vv", "--answers", &answers], true),
        (&["submit", "rudest", "--wait", "-vv", "--no-input"], true),
        (&["submit", RUDE_TOOL, "--wait"], false),
    ] {
        let shown = harmless(&place, arguments);
        assert!(!told || shown.contains("\\u{1b}"), "{arguments:?} hides it: {shown}");
    }
}

#[test]
fn what_is_typed_or_named_on_the_command_line_is_shown_and_never_sent() {
    let place = Place::new();
    place.ok(&["list"]);
    let file =
        place.file(&format!("{}.toml", RUDE.replace('/', "_")), &format!("[tools.x]\nsteps = 5\n# {RUDE}"));
    let tokens = place.file(&format!("tokens {}", RUDE.replace('/', "_")), "a b c\n");
    for arguments in [
        &["show", RUDE][..],
        &["cancel", RUDE],
        &["result", RUDE],
        &["respond", RUDE],
        &["doctor", RUDE],
        &["tools", RUDE],
        &["submit", RUDE],
        &["submit", "x", "--arg", RUDE],
        &["submit", "x", "--args", RUDE],
        &["submit", "x", "--answers", RUDE],
        &["submit", "x", "--server", RUDE],
        &["submit", "x", "--stdio", RUDE],
        &["watch", RUDE, "--no-follow"],
        &["watch", "--no-follow", "--since", RUDE],
        &["list", "--tool", RUDE],
        &["list", RUDE],
        &[RUDE],
        &["list", "--redis", RUDE],
        &["list", "--namespace", RUDE],
        &["list", "--timeout", RUDE],
        &["check", RUDE],
        &["check", &file],
        &["serve", "--listen", RUDE],
        &["serve", "--token-file", RUDE],
        &["serve", "--token-file", &tokens],
        &["serve", "--listen", "127.0.0.1:0", "--tls-cert", RUDE, "--tls-key", RUDE],
        &["worker", "--config", &file],
        &["completions", RUDE],
        &["ask", RUDE],
        &["report", RUDE],
        &["demo", RUDE],
    ] {
        harmless(&place, arguments);
    }
}

#[test]
fn what_is_completed_is_harmless() {
    let place = Place::new();
    place.ok(&["list"]);
    let _kitchen = Kitchen::open(&place.database());
    place.asking("rude");
    for (verb, shell) in [("submit", "bash"), ("submit", "zsh"), ("show", "fish"), ("tools", "elvish")] {
        let mut command = place.command(&["--", "mcptask", verb, ""]);
        command.env("COMPLETE", shell).env("_CLAP_COMPLETE_INDEX", "2").env("_CLAP_IFS", "\n");
        let output = command.output().expect("runs");
        let shown = String::from_utf8(output.stdout).expect("text").replace('\t', " ");
        assert!(!shown.is_empty() && !shown.chars().any(is_harmful), "{verb} {shell}: {shown:?}");
    }
}

#[test]
fn what_a_hostile_server_says_is_shown_and_never_sent() {
    let place = Place::new();
    let server = format!("python3 {}/tests/cli/rude.py", env!("CARGO_MANIFEST_DIR"));
    let way = ["--stdio", &server, "--era", "legacy", "-vv", "--timeout", "20s"];
    let task = format!("t-{}", &RUDE[..4]);
    for (arguments, told) in [
        (&["tools"][..], true),
        (&["tools", "rude"], true),
        (&["tools", "nothing"], true),
        (&["submit", "rude"], true),
        (&["submit", "rude", "--wait", "--no-input"], true),
        (&["submit", "rude", "--arg", "a=b"], false),
        (&["show", &task], true),
        (&["result", &task], false),
        (&["cancel", &task], true),
        (&["respond", &task], true),
    ] {
        let shown = harmless(&place, &[arguments, &way].concat());
        assert!(!told || shown.contains("\\u{1b}"), "{arguments:?} hides it: {shown}");
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

#[test]
fn a_database_that_nobody_else_would_find_is_refused() {
    let place = Place::new();
    for path in
        [":memory:", "file::memory:?cache=shared", "file:x.db", "/dev/null", "/tmp", "redis://127.0.0.1"]
    {
        let by_flag = place.run(&["list", "--db", path]);
        let mut command = place.command(&["list"]);
        let by_variable = command.env("MCPTASK_DB", path).output().expect("runs");
        let said = String::from_utf8_lossy(&by_variable.stderr);
        for (code, said) in [(Some(by_flag.code), &*by_flag.err), (by_variable.status.code(), &*said)] {
            assert!(code == Some(2) && said.contains("cannot keep tasks in"), "{path:?}: {said}");
            assert!(said.contains("hint: give the path"), "{path:?}: {said}");
        }
    }
}
