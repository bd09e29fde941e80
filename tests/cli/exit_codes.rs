//! Every exit code, provoked.

use crate::kitchen::Kitchen;
use crate::place::Place;

fn code(place: &Place, arguments: &[&str]) -> i32 {
    place.run(arguments).code
}

#[test]
fn done_is_0() {
    let place = Place::new();
    assert_eq!(code(&place, &["list"]), 0);
    assert_eq!(code(&place, &["--version"]), 0);
    assert_eq!(code(&place, &["--help"]), 0);
}

#[test]
fn a_store_of_a_newer_version_is_unexpected_1() {
    let place = Place::new();
    drop(place.worker());
    let file = rusqlite::Connection::open(place.database()).expect("a database");
    file.pragma_update(None, "user_version", 99).expect("can be written");
    drop(file);
    let ran = place.run(&["list"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("newer"), "{ran:?}");
}

#[test]
fn a_taken_port_is_unexpected_1_and_says_what_helps() {
    let place = Place::new();
    let server = place.serve(&[]);
    let address = server.url().trim_start_matches("http://").trim_end_matches("/mcp");
    let ran = place.run(&["serve", "--listen", address]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains(address) && ran.err.contains("--listen 127.0.0.1:0"), "{ran:?}");
}

#[test]
fn a_wrong_command_line_is_2() {
    let place = Place::new();
    let _worker = place.worker();
    assert_eq!(code(&place, &["lisst"]), 2);
    assert_eq!(code(&place, &["list", "--status", "sleepy"]), 2);
    assert_eq!(code(&place, &["list", "--db", "a", "--redis", "redis://b"]), 2);
    assert_eq!(code(&place, &["list", "--namespace", "{x}"]), 2);
    assert_eq!(code(&place, &["list", "--db", "/etc/passwd"]), 2);
    assert!(place.run(&["watch", "we ird"]).err.contains("has a space"));
    assert_eq!(code(&place, &["submit", "plan_dinner", "--arg", "guests=many"]), 2);
    assert_eq!(code(&place, &["submit", "plan_dinner", "--arg", "guests=0"]), 2);
    assert_eq!(code(&place, &["submit", "plan_dinner", "--arg", "guest=3"]), 2);
    assert_eq!(code(&place, &["submit", "plan_dinner", "--args-json", "[]"]), 2);
}

#[test]
fn an_option_that_would_mean_nothing_is_refused_2() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    let server = place.serve(&["--workers", "0"]);
    let through = ["--server", server.url()];
    for command in [
        &["list", "--redis", "redis://127.0.0.1:1"][..],
        &["list", "--db", "x.db"],
        &["show", &id, "--namespace", "other"],
    ] {
        let ran = place.run(&[command, &through].concat());
        assert!(ran.code == 2 && ran.err.contains("has no effect with --server"), "{command:?}: {ran:?}");
    }
    for command in [
        &["show", &id, "--era", "legacy"][..],
        &["respond", &id, "--direct", "--decline"],
        &["watch", "--follow", "--no-follow"],
        &["respond", "--next", "--question", "q1", "--decline"],
        &["list", "--limit", "0"],
        &["list", "--since", "yesterday"],
    ] {
        assert_eq!(code(&place, command), 2, "{command:?}");
    }
    for command in [&["list"][..], &["export"], &["watch", "--no-follow"]] {
        assert_eq!(
            code(&place, &[command, &["--since", "10"]].concat()),
            0,
            "as everywhere, seconds: {command:?}"
        );
    }
    // What the environment says is for other commands as well.
    let among = [("MCPTASK_REDIS_URL", "redis://127.0.0.1:1"), ("MCPTASK_NAMESPACE", "other")];
    assert_eq!(place.run_among(&among, &[&["list"][..], &through].concat()).code, 0);
}

#[test]
fn a_command_without_a_store_reads_nothing_of_the_store_in_the_environment() {
    let place = Place::new();
    let config = place.file("mcptask.toml", "[tools.x]\ndescription = \"x\"\ncommand = [\"true\"]\n");
    let server = place.serve(&[]);
    for odd in [("MCPTASK_REDIS_URL", "redis://:p#w@h"), ("MCPTASK_NAMESPACE", "{"), ("MCPTASK_DB", "/tmp")] {
        for command in [
            &["completions", "bash"][..],
            &["check", &config],
            &["help"],
            &["tools", "--server", server.url()],
        ] {
            let ran = place.run_among(&[odd], command);
            assert_eq!(ran.code, 0, "{odd:?} {command:?}: {ran:?}");
        }
        assert_eq!(place.run_among(&[odd], &["list"]).code, 2, "{odd:?}");
    }
}

#[test]
fn a_missing_token_is_unauthorised_3() {
    let place = Place::new();
    let tokens = place.file("tokens", "# who, and with what\nanna s3cret-token\n");
    let server = place.serve(&["--token-file", &tokens]);
    assert_eq!(code(&place, &["tools", "--server", server.url()]), 3);
    assert_eq!(code(&place, &["tools", "--server", server.url(), "--token", "wrong"]), 3);
    assert_eq!(code(&place, &["tools", "--server", server.url(), "--token", "s3cret-token"]), 0);
}

#[test]
fn what_cannot_be_reached_is_4_and_hides_the_password() {
    let place = Place::new();
    let ran = place.run(&["--redis", "redis://me:hunter2@127.0.0.1:1", "list", "-v"]);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(ran.err.contains("127.0.0.1:1") && !ran.err.contains("hunter2"), "{ran:?}");
    assert_eq!(code(&place, &["tools", "--server", "http://127.0.0.1:1/mcp"]), 4);
    assert_eq!(code(&place, &["list", "--db", "/dev/null/tasks.db"]), 4);
}

#[test]
fn a_failed_task_is_5() {
    let place = Place::new();
    place.ok(&["list"]);
    let _kitchen = Kitchen::open(&place.database());
    let refused = place.run(&["submit", "refuses", "--wait"]);
    assert_eq!((refused.code, refused.out.trim()), (5, "no dinner today"), "{refused:?}");
    let failed = place.run(&["submit", "fails", "--wait"]);
    assert_eq!((failed.code, failed.out.as_str()), (5, ""));
    assert!(failed.err.contains("the stove is broken"), "{failed:?}");
}

#[test]
fn an_answer_that_nobody_can_be_asked_for_is_6() {
    let place = Place::new();
    let _worker = place.worker();
    let ran = place.run(&["submit", "plan_dinner", "--wait"]);
    assert_eq!(ran.code, 6, "{ran:?}");
    assert!(ran.err.contains("--accept --set cuisine=TEXT"), "the command that answers is shown: {ran:?}");
    assert_eq!(code(&place, &["respond", "--next"]), 6);
}

#[test]
fn a_timeout_is_7_and_the_task_goes_on() {
    let place = Place::new();
    let _worker = place.worker();
    let ran = place.run(&["submit", "wait", "--arg", "seconds=3600", "--wait", "--timeout", "0.5"]);
    assert_eq!(ran.code, 7, "{ran:?}");
    assert!(ran.err.contains("the task goes on"), "{ran:?}");
    assert_eq!(place.json(&["list"])[0]["status"], "working");
}

#[test]
fn a_cancelled_task_is_8() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    place.ok(&["cancel", &id, "--reason", "not hungry"]);
    let ran = place.run(&["result", &id]);
    assert_eq!(ran.code, 8, "{ran:?}");
    assert!(ran.err.contains("not hungry"), "{ran:?}");
}

#[test]
fn an_expired_task_is_8() {
    let place = Place::new();
    let _worker = place.worker();
    let ran = place.run(&["submit", "wait", "--arg", "seconds=3600", "--ttl", "1s", "--wait"]);
    assert_eq!(ran.code, 8, "{ran:?}");
    assert!(ran.err.contains("expired"), "{ran:?}");
}

#[test]
fn what_is_not_there_is_9() {
    let place = Place::new();
    let _worker = place.worker();
    for arguments in [
        &["show", "zzzz"][..],
        &["result", "zzzz"],
        &["cancel", "zzzz"],
        &["respond", "zzzz", "--decline"],
        &["respond", "--next", "--decline"],
        &["submit", "nothing"],
        &["tools", "nothing"],
    ] {
        assert_eq!(code(&place, arguments), 9, "{arguments:?}");
    }
    let id = place.asking("plan_dinner");
    assert_eq!(code(&place, &["respond", &id, "--question", "q7", "--decline"]), 9);
}

#[test]
fn what_changes_nothing_is_10() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    place.ok(&["respond", &id, "--question", "q1", "--decline"]);
    let second = place.run(&["respond", &id, "--question", "q1", "--set", "cuisine=Thai"]);
    assert_eq!(second.code, 10, "{second:?}");
    assert!(second.err.contains("decline by operator"), "says who answered: {second:?}");
    place.until(&id, "completed");
    assert_eq!(code(&place, &["cancel", &id]), 10);
    assert_eq!(code(&place, &["respond", &id, "--decline"]), 10);
}

#[test]
fn ctrl_c_is_130_and_sigterm_143() {
    let place = Place::new();
    let _worker = place.worker();
    place.ok(&["submit", "plan_dinner"]);
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let watch = place.background(&["watch", "--json"]);
        watch.signal(signal);
        assert_eq!(watch.code(), code);
    }
}

#[test]
fn a_worker_and_a_server_that_are_told_to_stop_are_done() {
    let place = Place::new();
    for signal in ["INT", "TERM"] {
        let worker = place.worker();
        worker.signal(signal);
        assert_eq!(worker.code(), 0);
        let server = place.serve(&[]);
        server.signal(signal);
        assert_eq!(server.code(), 0);
    }
}

#[test]
fn the_help_and_the_readme_have_the_same_codes_with_the_same_meaning() {
    let help = Place::new().run(&["--help"]).out;
    let listed = help.split_once("Exit codes:\n").expect("a list").1;
    let listed = listed.lines().take_while(|line| !line.is_empty());
    // A long meaning goes on in the next line.
    let mut codes: Vec<String> = Vec::new();
    for line in listed {
        match line.trim_start().split_once("  ") {
            Some((code, meaning)) if code.parse::<u8>().is_ok() => {
                codes.push(format!("{code} {}", meaning.trim()));
            }
            _ => {
                let before = codes.last_mut().expect("a code before");
                before.push(' ');
                before.push_str(line.trim());
            }
        }
    }
    let readme = include_str!("../../README.md").split_once("## Exit codes").expect("a section").1;
    let rows =
        readme.lines().skip_while(|line| !line.starts_with("| 0 |")).take_while(|line| line.starts_with('|'));
    let told: Vec<_> =
        rows.map(|row| row.trim_matches(['|', ' ']).replace(" | ", " ").replace('`', "")).collect();
    assert_eq!(codes, told);
    assert!(codes.iter().any(|row| row.starts_with("11 ")), "{codes:?}");
}
