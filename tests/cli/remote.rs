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
    assert_eq!(with(&["show", "zzzz"]).code, 9);
}

/// However many answer at the same moment, one answer counts, and whoever gave another one is told so.
#[test]
fn one_of_many_answers_through_a_server_is_said_to_count() {
    let place = Place::new();
    let server = place.serve(&[]);
    for _ in 0..3 {
        let id = place.asking("plan_dinner");
        let answering = |number: usize| {
            let (place, id, url) = (&place, &id, server.url());
            move || {
                let answer = format!("cuisine=Number {number}");
                let words = ["respond", id, "--question", "q1", "--set", &answer, "--json"];
                place.run(&[&words[..], &["--server", url, "--era", "modern"]].concat())
            }
        };
        let ran: Vec<_> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..6).map(|number| scope.spawn(answering(number))).collect();
            all.into_iter().map(|one| one.join().expect("it ran")).collect()
        });
        let (sent, late): (Vec<_>, Vec<_>) = ran.into_iter().partition(|ran| ran.code == 0);
        assert!(sent.len() == 1 && late.iter().all(|ran| ran.code == 10), "{sent:?} {late:?}");
        let shown = &place.json(&["show", &id])[0]["questions"][0]["answer"]["content"]["cuisine"];
        let shown = shown.as_str().expect("an answer");
        let said: serde_json::Value = serde_json::from_str(&sent[0].out).expect("JSON");
        assert_eq!(said["counts"], true, "{said}");
        assert!(shown.starts_with("Number "), "{shown}");
    }
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
fn no_worker_is_suggested_where_a_server_has_no_tools() {
    let place = Place::new();
    let server = place.serve(&["--workers", "0"]);
    let ran = place.run(&["tools", "--server", server.url()]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ran.err.trim(), "this server offers no tools");
    assert!(place.run(&["tools"]).err.contains("mcptask worker"), "at its store there is one");
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
    let legacy = ["list", "--server", server.url(), "--era", "legacy"];
    assert!(place.run(&legacy).out.contains(&id), "what was launched from here is found in either era");
    let short = place.run(&[&["show", &id[..8]][..], &legacy[1..]].concat());
    assert!(short.code == 0 && short.out.contains(&id), "and by the beginning of its id: {short:?}");
    let other = Place::new().run(&legacy);
    assert_eq!((other.code, other.out.as_str()), (0, ""), "another session's tasks are not shown");
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

#[test]
fn an_ended_task_is_not_cancelled_and_its_command_says_so() {
    let place = Place::new();
    let ran = place.run(&["cancel", "t-1", "--stdio", &failing("error"), "--era", "legacy"]);
    assert_eq!(ran.code, 10, "{ran:?}");
    assert!(ran.err.contains("task t-1 has already ended: failed"), "{ran:?}");
    let server = place.serve(&[]);
    let way = ["--server", server.url(), "--era", "modern"];
    let with = |arguments: &[&str]| place.run(&[arguments, &way].concat());
    let id = with(&["submit", "plan_dinner"]).out.trim().to_owned();
    assert_eq!(with(&["cancel", &id]).code, 0);
    let ran = with(&["cancel", &id]);
    assert_eq!(ran.code, 10, "{ran:?}");
    assert!(ran.err.contains("has already ended: cancelled"), "{ran:?}");
    assert_eq!(with(&["cancel", "nobodys"]).code, 9);
}

#[test]
fn result_waits_through_a_server_while_others_answer() {
    let place = Place::new();
    let server = place.serve(&[]);
    let way = ["--server", server.url(), "--era", "modern"];
    let id = place.run(&[&["submit", "plan_dinner"], &way[..]].concat()).out.trim().to_owned();
    place.until_asked(&id, "q1");
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| place.run(&[&["result", &id, "--wait"], &way[..]].concat()));
        place.ok(&["respond", &id, "--set", "cuisine=Thai"]);
        place.until_asked(&id, "q2");
        place.ok(&["respond", &id, "--set", "vegetarian=yes"]);
        let ran = waiting.join().expect("it ends");
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(ran.out.starts_with("A vegetarian Thai dinner"), "{ran:?}");
    });
}

#[test]
fn list_forgets_what_has_expired_and_nothing_that_somebody_else_launched() {
    let place = Place::new();
    let server = place.serve(&[]);
    let way = ["--server", server.url(), "--era", "modern"];
    let id = place.run(&[&["submit", "plan_dinner"], &way[..]].concat()).out.trim().to_owned();
    let path = place.path().join("state/mcptask/submitted.jsonl");
    let kept = std::fs::read_to_string(&path).expect("it is kept");
    let other = kept.replace(&id, "others").replace(r#""who":""#, r#""who":"0"#);
    let elsewhere = kept.replace(server.url(), "http://elsewhere.example/mcp").replace(&id, "elsewhere");
    let expired = kept.replace(&id, "gone").replace(r#"","who""#, r#"","ends":"2026-01-01T00:00:00Z","who""#);
    let fresh = kept.replace(&id, "fresh");
    std::fs::write(&path, format!("{kept}{expired}{fresh}{other}{elsewhere}")).expect("is written");
    let listed = place.run(&[&["list"], &way[..]].concat());
    assert!(listed.code == 0 && listed.out.contains(&id), "{listed:?}");
    let now = std::fs::read_to_string(&path).expect("it is kept");
    assert!(!now.contains("gone") && now.contains("fresh") && now.contains("elsewhere"), "{now}");
    assert!(now.contains(&other) && now.contains(&id) && now.matches("missed").count() == 1, "{now}");
}

/// Answers every connection with that, whatever was asked.
fn answering(reply: &'static str) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("it has one");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            std::thread::spawn(move || {
                let mut asked = vec![0; 65536];
                while std::io::Read::read(&mut stream, &mut asked).is_ok_and(|bytes| bytes > 0) {
                    std::io::Write::write_all(&mut stream, reply.as_bytes()).expect("is written");
                }
            });
        }
    });
    format!("127.0.0.1:{}", address.port())
}

#[test]
fn whoever_answered_is_not_asked_whether_it_runs() {
    let place = Place::new();
    let listens = |scheme: &str, reply| format!("{scheme}://{}/mcp", answering(reply));
    for (url, code, words) in [
        (listens("http", "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n"), 3, "give a valid token"),
        (
            listens("http", "HTTP/1.1 403 Forbidden\r\ncontent-length: 17\r\n\r\nno such host here"),
            3,
            "forbids this (HTTP 403): no such host here",
        ),
        (
            listens("http", "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"),
            4,
            "answers HTTP 404: there is no MCP endpoint at this path",
        ),
        (
            listens("http", "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nhi"),
            4,
            "answers, and not as an MCP server does",
        ),
        (
            listens("https", "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"),
            4,
            "no secure connection",
        ),
    ] {
        let ran = place.run(&["tools", "--server", &url]);
        assert_eq!(ran.code, code, "{words}: {ran:?}");
        assert!(ran.err.contains(words), "{words}: {ran:?}");
        assert!(!ran.err.contains("is the server running"), "{words}: {ran:?}");
    }
    let nobody =
        std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("it has one");
    let ran = place.run(&["tools", "--server", &format!("http://{nobody}/mcp")]);
    assert!(ran.code == 4 && ran.err.contains("is the server running"), "{ran:?}");
}

#[test]
fn a_program_that_cannot_be_run_is_not_asked_whether_it_runs() {
    let place = Place::new();
    for command in ["/no/such/program", "false", "sh -c 'echo no licence >&2; exit 1'"] {
        let ran = place.run(&["tools", "--stdio", command]);
        assert_eq!(ran.code, 4, "{ran:?}");
        assert!(ran.err.contains("look at its command line"), "{ran:?}");
        assert!(!ran.err.contains("is the server running"), "{ran:?}");
    }
}

#[test]
fn an_address_without_its_path_is_told_how_it_is_written() {
    let place = Place::new();
    let server = place.serve(&[]);
    let host = server.url().trim_end_matches("/mcp");
    let ran = place.run(&["tools", "--server", host]);
    assert!(
        ran.code == 4 && ran.err.contains(&format!("the URL has no path, which is often /mcp: {host}/mcp")),
        "{ran:?}"
    );
}

#[test]
fn the_next_question_is_answered_through_a_server() {
    let place = Place::new();
    let server = place.serve(&[]);
    let way = ["--server", server.url(), "--era", "modern"];
    let with = |arguments: &[&str]| place.run(&[arguments, &way].concat());
    assert_eq!(with(&["respond", "--next", "--decline"]).code, 9);
    let id = with(&["submit", "plan_dinner"]).out.trim().to_owned();
    place.until_asked(&id, "q1");
    assert_eq!(with(&["respond", "--next", "--decline"]).code, 0);
    place.until(&id, "completed");
}

#[test]
fn what_a_task_of_an_older_server_returned_is_shown() {
    let place = Place::new();
    let server = place.serve(&[]);
    let answers = place.file("answers.json", ANSWERS);
    let wait = [
        "submit",
        "plan_dinner",
        "--server",
        server.url(),
        "--era",
        "legacy",
        "--wait",
        "--answers",
        &answers,
    ];
    place.ok(&wait);
    let id = place.json(&["list"])[0]["task"].as_str().expect("an id").to_owned();
    for era in ["legacy", "modern"] {
        let shown = place.ok(&["show", &id, "--server", server.url(), "--era", era]);
        assert!(shown.contains("A vegetarian Thai dinner"), "{era}: {shown}");
    }
}

#[test]
fn a_task_that_ends_with_the_server_that_the_command_started_is_warned_of() {
    let place = Place::new();
    let server = format!("{} serve --stdio", env!("CARGO_BIN_EXE_mcptask"));
    let left = place.run(&["submit", "plan_dinner", "--stdio", &server]);
    assert!(left.code == 0 && left.err.contains("--wait stays to its end"), "{left:?}");
}

const PARA: &str = r#"[tools.para]
description = "Asks for a colour."
steps = [{ ask = "Which?", as = "v", form = { colour = "text" } }, { return = "{{ v.action }}" }]
"#;

/// What nobody may answer is told in the same words wherever the task is, and stays open.
#[test]
fn a_question_that_nobody_may_be_asked_is_named_through_a_server_as_at_its_store() {
    let place = Place::new();
    let server = place.serve(&["--config", &place.file("mcptask.toml", PARA)]);
    let submit = ["submit", "para", "--wait", "--no-input"];
    let modern = ["--server", server.url(), "--era", "modern"];
    let legacy = ["--server", server.url(), "--era", "legacy"];
    for way in [&[][..], &modern, &legacy] {
        let ran = place.run(&[&submit[..], way].concat());
        assert_eq!(ran.code, 6, "{ran:?}");
        assert!(ran.err.contains(") asks, and nobody may be asked here: Which?"), "{ran:?}");
        // A legacy server tells only its own client which question it is.
        let more = if way == legacy { [" respond ", " attach "] } else { [", question ", " --question "] };
        assert!(more.iter().all(|words| ran.err.contains(words)), "{ran:?}");
        assert!(!ran.err.contains("run it at a terminal with --wait"), "the task is there: {ran:?}");
    }
    let waiting = place.json(&["list", "--waiting"]);
    assert_eq!(waiting.len(), 3, "each is still asked: {waiting:?}");
}
