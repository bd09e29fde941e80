//! `respond` and answer files, without a terminal.

use serde_json::json;

use crate::place::Place;

#[test]
fn every_violation_is_named_and_the_question_stays_open() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("fill_form");
    let wrong =
        ["respond", &id, "--set", "name=x", "--set", "seats=9", "--set", "class=third", "--set", "hat=red"];
    let ran = place.run(&wrong);
    assert_eq!(ran.code, 2, "{ran:?}");
    for part in ["name", "shorter than 2", "greater than the maximum of 8", "class", "no field \"hat\""] {
        assert!(ran.err.contains(part), "{part:?} is not in {}", ran.err);
    }
    assert_eq!(place.json(&["show", &id])[0]["status"], "input_required");
}

#[test]
fn set_is_typed_by_the_form_and_the_rest_has_defaults() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("fill_form");
    place.ok(&[
        "respond",
        &id[..6],
        "--set",
        "name=Ann",
        "--set",
        "window=no",
        "--set",
        "extras=quiet,Wireless network",
    ]);
    let result = place.ok(&["result", &id, "--wait"]);
    let content: serde_json::Value = serde_json::from_str(&result).expect("JSON");
    let wanted =
        json!({ "name": "Ann", "window": false, "extras": ["quiet", "wifi"], "seats": 2, "class": "second" });
    assert_eq!(content, wanted);
}

#[test]
fn content_comes_from_the_line_a_file_or_stdin() {
    let place = Place::new();
    let _worker = place.worker();
    let content = r#"{"cuisine":"Thai"}"#;
    let file = format!("@{}", place.file("content.json", content));
    for (given, stdin) in [(content, ""), (file.as_str(), ""), ("-", content)] {
        let id = place.asking("plan_dinner");
        let ran = place.run_with(&["respond", &id, "--content", given], stdin);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!(place.json(&["show", &id])[0]["questions"][0]["answer"]["content"]["cuisine"], "Thai");
    }
}

#[test]
fn the_oldest_question_is_answered_where_the_next_one_is_asked_for() {
    let place = Place::new();
    let _worker = place.worker();
    let (first, second) = (place.asking("plan_dinner"), place.asking("plan_dinner"));
    let told = place.json(&["respond", "--next", "--cancel"]);
    assert_eq!(told[0]["task"], first.as_str());
    assert_eq!(told[0]["action"], "cancel");
    assert_eq!(place.json(&["show", &second])[0]["status"], "input_required");
}

#[test]
fn an_id_that_is_empty_or_short_means_nobodys_task() {
    let place = Place::new();
    let server = place.serve(&[]);
    let id = place.asking("plan_dinner");
    let modern = ["--server", server.url(), "--era", "modern"];
    for short in ["", &id[..1], &id[..3]] {
        for verb in [
            &["cancel", short][..],
            &["respond", short, "--set", "cuisine=Thai"],
            &["show", short],
            &["result", short],
            &["doctor", short],
            &["watch", "--task", short],
        ] {
            let ran = place.run(verb);
            assert_eq!(ran.code, 2, "{ran:?}");
        }
    }
    for verb in
        [&["cancel", ""][..], &["respond", "", "--set", "cuisine=Thai"], &["show", ""], &["result", ""]]
    {
        let ran = place.run(&[verb, &modern[..]].concat());
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.err.contains("is a variable unset"), "{ran:?}");
    }
    assert!(place.run(&["show", &id[..3]]).err.contains("type more of the id"));
    let unnamed = place.run(&["respond", "--set", "cuisine=Thai"]);
    assert_eq!(unnamed.code, 2, "{unnamed:?}");
    assert!(unnamed.err.contains("--next"), "{unnamed:?}");
    let task = &place.json(&["show", &id[..4]])[0];
    assert_eq!(task["status"], "input_required", "nothing was changed: {task}");
    assert!(task["questions"][0]["answer"].is_null(), "nothing was changed: {task}");
}

#[test]
fn an_answers_file_works_in_order_and_by_names() {
    let place = Place::new();
    let _worker = place.worker();
    let files = [
        r#"[{"cuisine":"Thai"},{"action":"accept","content":{"vegetarian":true}}]"#,
        "{\"cuisine\":\"Thai\"}\n{\"vegetarian\":true}\n",
        r#"{"vegetarian":true,"cuisine":"Thai","unused":1}"#,
    ];
    for text in files {
        let file = place.file("answers.json", text);
        let out = place.ok(&["submit", "plan_dinner", "--wait", "--answers", &file]);
        assert!(out.starts_with("A vegetarian Thai dinner"), "{text}: {out}");
    }
}

#[test]
fn an_answers_file_that_ends_too_soon_or_does_not_fit_leaves_the_question_open() {
    let place = Place::new();
    let _worker = place.worker();
    let short = place.file("short.json", r#"[{"cuisine":"Thai"}]"#);
    assert_eq!(place.run(&["submit", "plan_dinner", "--wait", "--answers", &short]).code, 6);
    let unfit = place.file("unfit.json", r#"[{"cuisine":7}]"#);
    let ran = place.run(&["submit", "plan_dinner", "--wait", "--answers", &unfit]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("entry 1 does not fit question 1: cuisine: 7 is not text"), "{ran:?}");
    assert_eq!(place.json(&["list", "--status", "input_required"]).len(), 2);
    let before = place.json(&["list"]).len();
    for text in
        ["[1]", r#"[{"otherwise":"decline"},{"cuisine":"Thai"}]"#, r#"[{"cuisine":"x"},{"action":"acept"}]"#]
    {
        let broken = place.file("broken.json", text);
        assert_eq!(place.run(&["submit", "plan_dinner", "--wait", "--answers", &broken]).code, 2, "{text}");
    }
    assert_eq!(place.json(&["list"]).len(), before, "none of these tasks was launched");
}

#[test]
fn what_is_wrong_with_an_answers_file_is_named_with_its_place() {
    let place = Place::new();
    let _worker = place.worker();
    let submit = |text: &str| {
        let file = place.file("answers.json", text);
        place.run(&["submit", "plan_dinner", "--wait", "--answers", &file])
    };
    for (text, code, said) in [
        (r#"[{"cusine":"Thai"}]"#, 2, "entry 1: the question has no field \"cusine\"; there is only cuisine"),
        (r#"[{"cuisine":"Thai"},{"action":"acept"}]"#, 2, "entry 2: \"acept\" is no action"),
        ("{\"cuisine\":\"Thai\"}\n{\"acton\":\"accept\",\"content\":{}}", 2, "line 2: \"acton\" is no part"),
        (r#"[{"cuisine":"Thai"}]"#, 6, "no entry for question 2: there are 1"),
        (r#"{"cusine":"Thai"}"#, 6, "they have \"cusine\""),
        (r#"{"cuisine":"Thai","action":"decline"}"#, 2, "the answers: \"action\" stands beside \"cuisine\""),
        (r#"[{"cuisine":"Thai"},{"vegetarian":true},{}]"#, 0, "no question took entry 3"),
        (r#"{"cuisine":"Thai","vegetarian":true,"spcie":1}"#, 0, "no question took the field \"spcie\""),
    ] {
        let ran = submit(text);
        assert_eq!(ran.code, code, "{text}: {ran:?}");
        assert!(ran.err.contains(said), "{said:?} is not in {}", ran.err);
    }
}

#[test]
fn an_answers_file_has_a_last_resort_finds_messages_and_accepts_pages() {
    let place = Place::new();
    place.file("mcptask.toml", SIGN);
    let server = place.serve(&[]);
    let waits = |text: &str, way: &[&str]| {
        let file = place.file("answers.json", text);
        place.ok(&[&["submit", "sign", "--wait", "--answers", &file], way].concat())
    };
    for way in [&[][..], &["--server", server.url()], &["--server", server.url(), "--era", "legacy"]] {
        for (text, wanted) in [
            (r#"[{"action":"accept"},{"why":"me"}]"#, "accept, me"),
            (r#"{"action":"accept","content":{"why":"me"}}"#, "accept, me"),
            (r#"{"why":"me","otherwise":"decline"}"#, "decline, me"),
            ("{\"message\":\"Why?\",\"content\":{\"why\":\"me\"}}\n{\"otherwise\":\"cancel\"}", "cancel, me"),
        ] {
            assert_eq!(waits(text, way), wanted, "{way:?}: {text}");
        }
    }
}

/// Asks to visit a page, then for a field.
const SIGN: &str = r#"
[tools.sign]
description = "Asks."
[[tools.sign.steps]]
ask = "Sign."
as = "signed"
url = "https://example.com/sign"
[[tools.sign.steps]]
ask = "Why?"
as = "a"
form = { why = "string" }
[[tools.sign.steps]]
return = "{{ signed.action }}, {{ a.content.why }}"
"#;

#[test]
fn a_closed_stdin_at_a_prompt_leaves_the_question_open_and_says_what_to_type() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    let ran = place.run_with(&["respond", &id], "");
    assert_eq!(ran.code, 6, "{ran:?}");
    assert!(ran.err.contains("there is nobody to ask here") && ran.err.contains("--set cuisine="), "{ran:?}");
    assert_eq!(place.json(&["show", &id])[0]["status"], "input_required");
}

#[test]
fn the_page_of_a_question_is_fetched_by_nobody() {
    let page = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    page.set_nonblocking(true).expect("it can be asked");
    let url = format!("http://{}/sign", page.local_addr().expect("bound"));
    let place = Place::new();
    let tool = "[tools.sign]\ndescription = \"Asks.\"\nsteps = [{ ask = \"Sign.\", as = \"signed\", url = \"URL\" }, \
                { return = \"{{ signed.action }}\" }]\n";
    let file = place.file("mcptask.toml", &tool.replace("URL", &url));
    let server = place.serve(&["--config", &file]);
    let id = place.ok(&["submit", "sign"]);
    place.until(&id, "asked");
    for way in [&["show"][..], &["show", "--server", server.url()]] {
        assert!(place.ok(&[way, &[&id]].concat()).contains("Sign."));
    }
    place.ok(&["respond", &id, "--accept"]);
    assert_eq!(place.ok(&["result", &id, "--wait"]), "accept");
    let visited = page.accept().expect_err("nobody came");
    assert_eq!(visited.kind(), std::io::ErrorKind::WouldBlock);
}

/// Clients of our servers know a question by its tool's name for it, and tell that name to operators.
#[test]
fn a_question_is_meant_by_its_id_and_by_its_name() {
    let place = Place::new();
    let asks = "[tools.two]\ndescription = \"d\"\nsteps = [{ ask = \"One?\", as = \"first\", form = { v = \"text\" } }, \
        { ask = \"Two?\", as = \"second\", form = { v = \"text\" } }, { return = \"x\" }]\n";
    place.file("mcptask.toml", asks);
    let _worker = place.worker();
    let id = place.asking("two");
    let id = id.trim();
    assert_eq!(place.run(&["respond", id, "--question", "second", "--set", "v=x"]).code, 9, "not yet asked");
    place.ok(&["respond", id, "--question", "first", "--set", "v=x"]);
    place.until_asked(id, "q2");
    let again = place.run(&["respond", id, "--question", "first", "--set", "v=x"]);
    assert!(again.code == 10 && again.err.contains("q1"), "{again:?}");
    place.ok(&["respond", id, "--question", "q2", "--set", "v=y"]);
    place.until(id, "completed");
}

#[test]
fn who_waits_for_the_result_of_a_task_that_asks_is_told_so_once_with_what_answers_it() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    let server = place.serve(&["--workers", "0"]);
    for way in [&[][..], &["--server", server.url()]] {
        let ran = place.run(&[&["result", &id, "--wait", "--timeout", "6s"], way].concat());
        let said = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(ran.code, 7, "{way:?}: {ran:?}");
        assert_eq!(said.matches("waits for an answer").count(), 1, "{way:?}: {said}");
        assert!(
            said.contains("What cuisine would you like?") && said.contains("mcptask respond"),
            "{way:?}: {said}"
        );
    }
    let ran = place.run(&["result", &id, "--wait", "--timeout", "6s", "--json"]);
    let lines = ran.err.lines().map(|line| serde_json::from_str(line).expect("a JSON line"));
    let lines: Vec<serde_json::Value> = lines.collect();
    assert!(lines[0]["event"] == "asked" && lines[0]["task"] == id.as_str(), "{ran:?}");
    assert!(lines[1]["code"] == "timed_out" && ran.out.is_empty(), "{ran:?}");
}

#[test]
fn an_entry_that_does_not_fit_is_named_and_never_called_given() {
    let place = Place::new();
    let _worker = place.worker();
    let answers = place.file("answers.json", r#"[{"cuisine": "Thai"}, {"vegetarian": "perhaps"}]"#);
    let ran = place.run(&["submit", "plan_dinner", "--wait", "--answers", &answers]);
    let said = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(said.contains("entry 2 does not fit question 2: vegetarian: "), "{said}");
    assert!(said.contains("cuisine=Thai") && !said.contains("vegetarian=perhaps"), "{said}");
}

#[test]
fn only_a_command_that_changes_something_says_that_nothing_was_changed() {
    let place = Place::new();
    let _worker = place.worker();
    let (looks, changes) = (place.run(&["show", "5nd"]), place.run(&["cancel", "5nd"]));
    assert!(looks.err.contains("too short") && !looks.err.contains("nothing was changed"), "{looks:?}");
    assert!(changes.err.contains("too short") && changes.err.contains("nothing was changed"), "{changes:?}");
}
