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

#[test]
fn a_killed_submit_can_be_taken_up_again_since_its_tasks_id_is_on_disk() {
    let place = Place::new();
    // It asks when its submitter is dead.
    let script = format!(
        "until [ -e '{}/go' ]; do sleep 0.05; done; exec {} ask 'Which cuisine?'",
        place.path().display(),
        env!("CARGO_BIN_EXE_mcptask")
    );
    let config =
        format!("[tools.dinner]\ndescription = \"Asks.\"\ncommand = [\"sh\", \"-c\", \"{script}\"]\n");
    let server = place.serve(&["--config", &place.file("mcptask.toml", &config)]);
    let way = ["--server", server.url(), "--era", "modern"];
    let with = |arguments: &[&str]| place.run(&[arguments, &way].concat());
    let submit = place.background(&[&["submit", "dinner", "--wait", "--json"][..], &way].concat());
    let id = submit.first["task"].as_str().expect("an id").to_owned();
    submit.kill();
    place.file("go", "");
    place.until(&id, "asked");
    let listed = with(&["list"]);
    assert!(listed.out.contains(&id) && listed.out.contains("Which cuisine?"), "{listed:?}");
    assert_eq!(with(&["respond", &id, "--set", "answer=Thai"]).code, 0);
    assert_eq!(with(&["result", &id, "--wait"]).out, "Thai\n");
    assert_eq!(with(&["list", "--status", "working"]).out, "");
    let json = with(&["list", "--status", "completed", "--json"]).out;
    assert!(json.contains(&id), "{json}");
    let legacy = place.run(&["list", "--server", server.url(), "--era", "legacy"]);
    assert_eq!((legacy.code, legacy.out.as_str()), (0, ""), "another session's tasks are not shown");
}

/// The command of a legacy server whose one task has failed.
fn failing(holds: &str) -> String {
    format!("python3 {}/tests/cli/failing.py {holds}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn a_legacy_task_that_failed_is_a_failure_whatever_its_result_holds() {
    let place = Place::new();
    for (holds, out) in [("nothing", ""), ("result", "half a cake\n"), ("error", "")] {
        let server = failing(holds);
        for command in [&["submit", "bake", "--wait"][..], &["result", "t-1"], &["result", "t-1", "--wait"]] {
            let ran = place.run(&[command, &["--stdio", &server, "--era", "legacy"]].concat());
            assert_eq!((ran.code, ran.out.as_str()), (5, out), "{holds}: {ran:?}");
            assert!(ran.err.contains("failed: the oven is cold"), "{holds}: {ran:?}");
            assert_eq!(ran.err.contains("no gas"), holds == "error", "{ran:?}");
        }
        let ran = place.run(&["result", "t-1", "--json", "--stdio", &server, "--era", "legacy"]);
        assert!(ran.out.contains(r#""status":"failed""#), "{ran:?}");
    }
}
