//! Who answered, on the command line: given, kept, told, and never believed.

use serde_json::json;

use crate::json_shapes;
use crate::place::Place;

#[test]
fn a_name_and_a_note_are_kept_and_told_everywhere() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    let note = "ticket 7\nas agreed";
    let receipt = place.json(&["respond", &id, "--set", "cuisine=Thai", "--as", "ada", "--note", note]);
    let who = json!({ "name": "ada", "known": "given", "note": note });
    json_shapes::is_line("receipt", &receipt[0]);
    assert_eq!((&receipt[0]["by"], &receipt[0]["who"]), (&json!("operator"), &who));
    let shown = place.json(&["show", &id]);
    json_shapes::is_line("task", &shown[0]);
    assert_eq!(shown[0]["questions"][0]["answer"]["who"], who);
    let events = place.json(&["watch", "--no-follow", "--task", &id]);
    let answered = events.iter().find(|event| event["event"] == "answered").expect("was answered");
    json_shapes::is_line("event", answered);
    assert_eq!(answered["who"], who);
    let sheet = place.ok(&["show", &id]);
    for part in [
        "accept by operator\n",
        "by              ada (as given)\n",
        "note            ticket 7\n",
        "as agreed\n",
    ] {
        assert!(sheet.contains(part), "{part:?} is not in {sheet}");
    }
    let log = place.ok(&["watch", "--no-follow", "--task", &id]);
    assert!(log.contains("answered q1: accept by operator ada, noting: ticket 7; as agreed"), "{log}");
    let second = place.run(&["respond", &id, "--question", "q1", "--decline"]);
    assert!(second.code == 10 && second.err.contains("accept by operator ada, "), "{second:?}");
}

#[test]
fn who_says_nothing_is_named_by_variable_or_by_account() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    let mut command = place.command(&["respond", &id, "--set", "cuisine=Thai"]);
    assert!(command.env("MCPTASK_AS", "ben").output().expect("runs").status.success());
    let named = |id: &str| place.json(&["show", id])[0]["questions"][0]["answer"]["who"].clone();
    assert_eq!(named(&id), json!({ "name": "ben", "known": "given" }));
    let id = place.asking("plan_dinner");
    let mut command = place.command(&["respond", &id, "--decline"]);
    assert!(command.env_remove("MCPTASK_AS").output().expect("runs").status.success());
    let who = named(&id);
    assert_eq!(who["known"], "account");
    assert!(who["name"].as_str().is_some_and(|name| !name.is_empty()), "{who}");
}

#[test]
fn answers_from_a_file_have_a_name_too() {
    let place = Place::new();
    let _worker = place.worker();
    let answers = place.file("answers.json", r#"{"otherwise": "decline"}"#);
    let mut command = place.command(&["submit", "plan_dinner", "--wait", "--answers", &answers, "--json"]);
    let output = command.env("MCPTASK_AS", "ben").output().expect("runs");
    let first = String::from_utf8_lossy(&output.stdout).lines().next().map(str::to_owned).expect("a line");
    let task: serde_json::Value = serde_json::from_str(&first).expect("JSON");
    let shown = place.json(&["show", task["task"].as_str().expect("an id")]);
    assert_eq!(shown[0]["questions"][0]["answer"]["who"]["name"], "ben");
}

#[test]
fn what_a_terminal_would_obey_is_stored_as_given_and_shown_as_what_it_is() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    let evil = "a\u{1b}[31md\u{202e}a";
    place.ok(&["respond", &id, "--decline", "--as", evil, "--note", evil]);
    assert_eq!(place.json(&["show", &id])[0]["questions"][0]["answer"]["who"]["name"], evil);
    for arguments in [&["show", &id][..], &["show", &id, "--json"], &["watch", "--no-follow", "--task", &id]]
    {
        let told = place.ok(arguments);
        assert!(!told.contains(['\u{1b}', '\u{202e}']), "{told:?}");
    }
    let told = place.run(&["respond", &id, "--question", "q1", "--decline"]).err;
    assert!(told.contains("\\u{1b}[31m") && !told.contains('\u{1b}'), "{told}");
}

#[test]
fn a_name_or_a_note_that_cannot_be_kept_is_refused_before_anything_is_sent() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    let (long, longer) = ("x".repeat(201), "x".repeat(2049));
    for (option, value, words) in [
        ("--as", "", "--as is empty"),
        ("--as", " ", "--as is empty"),
        ("--as", &long, "--as has 201 bytes, more than 200"),
        ("--note", &longer, "--note has 2049 bytes, more than 2048"),
        ("--note", "", "--note is empty"),
    ] {
        let ran = place.run(&["respond", &id, "--decline", option, value]);
        assert!(ran.code == 2 && ran.err.contains(words), "{ran:?}");
    }
    assert_eq!(place.json(&["show", &id])[0]["status"], "input_required");
}

#[test]
fn through_our_server_the_name_and_the_note_are_kept_as_the_clients_word() {
    let place = Place::new();
    let server = place.serve(&["--builtin"]);
    let url = server.first["url"].as_str().expect("a URL").to_owned();
    let id = place.ok(&["submit", "plan_dinner", "--server", &url, "--era", "modern"]);
    let way = ["--server", &url, "--era", "modern"];
    let words =
        [&["respond", &id, "--wait", "--decline", "--as", "ada", "--note", "ticket 7"][..], &way].concat();
    let ran = place.run(&words);
    assert!(ran.code == 0 && !ran.err.contains("may keep neither"), "{ran:?}");
    let who = place.json(&["show", &id])[0]["questions"][0]["answer"]["who"].clone();
    assert_eq!(
        (&who["name"], &who["known"], &who["note"]),
        (&json!("ada"), &json!("given"), &json!("ticket 7"))
    );
    assert!(who["client"].as_str().is_some_and(|client| client.starts_with("mcptask ")), "{who}");
    let id = place.ok(&["submit", "plan_dinner", "--server", &url, "--era", "modern"]);
    let mut command = place.command(&[&["respond", &id, "--wait", "--decline"][..], &way].concat());
    assert!(command.env_remove("MCPTASK_AS").output().expect("runs").status.success());
    let who = place.json(&["show", &id])[0]["questions"][0]["answer"]["who"].clone();
    assert_eq!(
        who["known"], "client_info",
        "who runs a command is nobody's business but its own store's: {who}"
    );
}

#[test]
fn a_script_is_told_who_answered() {
    let place = Place::new();
    let tools = place.file(
        "tools.toml",
        r#"[tools.asks]
description = "Says who answered."
steps = [
  { as = "sure", ask = "Are you sure?", form = { sure = "boolean" } },
  { return = "{{ sure.who.name }}: {{ sure.who.note }}" },
]
[tools.runs]
description = "Prints the whole answer."
command = ["sh", "-c", "\"$0\" ask --confirm Sure? --json", "mcptask"]
"#,
    );
    let tools_text = std::fs::read_to_string(&tools)
        .expect("reads")
        .replace("\"mcptask\"", &format!("{:?}", env!("CARGO_BIN_EXE_mcptask")));
    std::fs::write(&tools, tools_text).expect("writes");
    let _worker = place.background(&["worker", "--json", "--config", &tools]);
    for (tool, told) in
        [("asks", "ada: ticket 7"), ("runs", r#""who":{"name":"ada","known":"given","note":"ticket 7"}"#)]
    {
        let id = place.asking(tool);
        let set = if tool == "asks" { "sure=yes" } else { "answer=yes" };
        let ran = place.run(&["respond", &id, "--set", set, "--as", "ada", "--note", "ticket 7"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        let result = place.ok(&["result", &id, "--wait"]);
        assert!(result.contains(told), "{told:?} is not in {result}");
    }
}
