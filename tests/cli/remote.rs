//! The same commands through an MCP server, in both eras and both transports.

use crate::place::Place;

const ANSWERS: &str = r#"{"cuisine":"Thai","vegetarian":true}"#;

#[test]
fn submit_and_wait_answers_in_both_eras_over_http() {
    let place = Place::new();
    let server = place.serve(&[]);
    let answers = place.file("answers.json", ANSWERS);
    for era in ["legacy", "modern", "auto"] {
        let arguments = [
            "submit",
            "plan_dinner",
            "--server",
            server.url(),
            "--era",
            era,
            "--wait",
            "--answers",
            &answers,
        ];
        let out = place.ok(&arguments);
        assert!(out.starts_with("A vegetarian Thai dinner"), "{era}: {out}");
    }
}

#[test]
fn submit_and_wait_answers_over_stdio() {
    let place = Place::new();
    let answers = place.file("answers.json", ANSWERS);
    let server = format!("{} serve --stdio", env!("CARGO_BIN_EXE_mcptask"));
    for era in ["legacy", "modern"] {
        let arguments =
            ["submit", "plan_dinner", "--stdio", &server, "--era", era, "--wait", "--answers", &answers];
        let out = place.ok(&arguments);
        assert!(out.starts_with("A vegetarian Thai dinner"), "{era}: {out}");
    }
}

#[test]
fn a_modern_task_is_answered_shown_and_finished_through_the_server() {
    let place = Place::new();
    let server = place.serve(&[]);
    let way = ["--server", server.url(), "--era", "modern"];
    let with = |arguments: &[&str]| place.run(&[arguments, &way].concat());
    let id = with(&["submit", "plan_dinner"]).out.trim().to_owned();
    place.until(&id, "asked");
    assert!(with(&["show", &id]).out.contains("What cuisine would you like?"));
    assert_eq!(with(&["respond", &id, "--set", "cuisine="]).code, 2);
    assert_eq!(with(&["respond", &id, "--set", "cuisine=Thai"]).code, 0);
    assert_eq!(with(&["respond", &id]).code, 6, "nobody can be asked here");
    assert_eq!(with(&["cancel", &id]).code, 0);
    assert_eq!(with(&["result", &id]).code, 8);
    assert_eq!(with(&["show", "zzz"]).code, 9);
}

#[test]
fn tools_are_the_servers() {
    let place = Place::new();
    let server = place.serve(&[]);
    let out = place.ok(&["tools", "--server", server.url()]);
    assert!(out.contains("plan_dinner"), "{out}");
    let out = place.ok(&["tools", "plan_dinner", "--server", server.url()]);
    assert!(out.contains("guests"), "{out}");
}
