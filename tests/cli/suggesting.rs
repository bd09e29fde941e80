//! Commands that are suggested, pasted: they do what their line says.

use std::process::Command;

use serde_json::Value;

use crate::place::{Place, Ran};
use crate::redis::RedisServer;

/// A tool that asks two things at once.
const TWO: &str = r#"[tools.two]
description = "Asks twice."
steps = [
  { ask_all = [
    { as = "del", ask = "Delete the database?", form = { ok = "boolean" } },
    { as = "back", ask = "Make a backup first?", form = { ok = "boolean" } },
  ] },
  { return = "done" },
]
"#;

/// The commands that stand in a text: each to the end of its line, or to the backtick behind it.
pub(crate) fn suggested(text: &str) -> Vec<String> {
    let commands = text.split("mcptask ").skip(1).filter_map(|rest| rest.split(['\n', '`']).next());
    commands.map(|words| format!("mcptask {}", words.trim_end())).collect()
}

/// Runs a line in a shell, as somebody who pastes it and has those variables set.
pub(crate) fn paste(place: &Place, line: &str, variables: &[(&str, &str)]) -> Ran {
    let own = place.command(&[]);
    let binary = std::path::Path::new(own.get_program());
    let folder = binary.parent().expect("a folder").display();
    let mut shell = Command::new("sh");
    shell.args(["-c", line]).env_clear().current_dir(place.path());
    shell.envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.envs(variables.iter().copied());
    shell.env("PATH", format!("{folder}:{}", std::env::var("PATH").unwrap_or_default()));
    let output = shell.output().expect("runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Ran { code: output.status.code().expect("ends"), out: text(output.stdout), err: text(output.stderr) }
}

fn answered(place: &Place, id: &str) -> Vec<String> {
    let task = &place.json(&["show", id])[0];
    let questions = task["questions"].as_array().expect("questions");
    let ids = questions.iter().filter(|one| !one["answer"].is_null()).map(|one| one["id"].as_str());
    ids.map(|id| id.expect("an id").to_owned()).collect()
}

#[test]
fn the_command_beside_a_question_answers_that_question() {
    let place = Place::new();
    let config = place.file("mcptask.toml", TWO);
    let _worker = place.background(&["worker", "--json", "--config", &config]);
    let ways: [(&[&str], &str); 5] = [
        (&["show", "ID"], "q2"),
        (&["watch", "--no-follow", "--task", "ID"], "q2"),
        (&["doctor", "ID"], "q2"),
        (&["respond", "ID", "--question", "q2"], "q2"),
        (&["result", "ID"], "q1"),
    ];
    for (way, question) in ways {
        let id = place.asking("two");
        let words: Vec<_> = way.iter().map(|word| if *word == "ID" { id.as_str() } else { word }).collect();
        let ran = place.run(&words);
        let commands = suggested(&(ran.out.clone() + &ran.err));
        let command =
            commands.iter().rfind(|command| command.contains(" respond ")).expect("one that answers");
        let command = command.replace("ok=yes", "ok=no");
        let command = if command.contains("--set") { command } else { format!("{command} --set ok=no") };
        let pasted = paste(&place, &command, &[]);
        assert_eq!(pasted.code, 0, "{command}: {pasted:?}");
        assert_eq!(answered(&place, &id), [question], "{command}");
    }
}

#[test]
fn a_question_that_was_answered_meanwhile_is_not_answered_in_anothers_place() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    let shown = place.ok(&["show", &id]);
    place.ok(&["respond", &id, "--question", "q1", "--set", "cuisine=Thai"]);
    place.until_asked(&id, "q2");
    let command =
        suggested(&shown).into_iter().find(|one| one.contains(" respond ")).expect("one that answers");
    let pasted = paste(&place, &command, &[]);
    assert_eq!(pasted.code, 10, "{command}: {pasted:?}");
    assert_eq!(answered(&place, &id), ["q1"]);
}

#[test]
fn an_id_of_a_stranger_is_one_word_in_a_shell() {
    let script = format!("{}/tests/cli/rude.py", env!("CARGO_MANIFEST_DIR"));
    for id in ["x; touch pwned #", "$(touch pwned)", "`touch pwned`", "' ; touch pwned '", "--quiet"] {
        let place = Place::new();
        let server = format!("python3 {script} \"{}\"", id.replace('$', "\\$").replace('`', "\\`"));
        let way = ["--stdio", &server, "--era", "legacy"];
        let submit = place.background(&[&["submit", "rude", "--wait", "--json"][..], &way].concat());
        submit.signal("INT");
        assert_eq!(submit.code(), 130);
        let said: Value = serde_json::from_str(place.heard("hint").trim()).expect("one JSON line");
        let hint = said["hint"].as_str().expect("a hint");
        let command = hint.split_once("is lost; `").and_then(|(_, rest)| rest.rsplit_once("` takes it up"));
        let (line, _) = command.unwrap_or_else(|| panic!("no command for {id}: {hint}"));
        // This server's task never ends, so that it is looked at instead of waited for, by the same words.
        let line = &line.replacen("mcptask attach", "mcptask show", 1);
        let pasted = paste(&place, line, &[]);
        assert!(pasted.out.contains("working"), "{line}: {pasted:?}");
        assert!(!place.path().join("pwned").exists(), "{line}");
    }
}

#[test]
fn hints_reach_the_store_and_namespace_of_the_command_that_failed() {
    let server = RedisServer::start();
    let place = Place::new();
    let url = server.url();
    let flags = ["--redis", &url, "--namespace", "mine"];
    let _worker = place.background(&[&["worker", "--json"][..], &flags].concat());
    let id = place.ok(&[&["submit", "plan_dinner"][..], &flags].concat());
    let wrong: [&[&str]; 3] =
        [&["show", "nowhere"], &["submit", "nothing"], &["respond", &id, "--question", "q9"]];
    for command in wrong {
        let ran = place.run(&[command, &flags].concat());
        assert_ne!(ran.code, 0, "{ran:?}");
        let commands = suggested(&ran.err);
        assert!(!commands.is_empty(), "{ran:?}");
        for line in commands {
            let pasted = paste(&place, &line, &[]);
            assert_eq!(pasted.code, 0, "{line}: {pasted:?}");
            assert!(pasted.out.contains("plan_dinner"), "{line}: {pasted:?}");
        }
    }
    let json: Value = {
        let ran = place.run(&[&["show", "nowhere", "--json"][..], &flags].concat());
        serde_json::from_str(&ran.err).expect("JSON")
    };
    assert!(json["hint"].as_str().is_some_and(|hint| hint.contains("--namespace mine")), "{json}");
}

#[test]
fn the_file_that_offers_a_tool_is_named_where_no_worker_runs_it() {
    let place = Place::new();
    place.file(
        "mcptask.toml",
        "[tools.deploy]\ndescription = \"Deploys.\"\nsteps = [{ ask = \"Where to?\", as = \"where\", form = { to = \"text\" } }, { return = \"done\" }]\n",
    );
    let worker = place.worker();
    let waits = place.asking("deploy");
    worker.signal("TERM");
    assert_eq!(worker.code(), 0);
    let queued = place.run(&["submit", "deploy"]);
    let doctor = place.run(&["doctor"]);
    let waiting = place.run(&["doctor", &waits]);
    let workers = place.run(&["workers", "--tool", "deploy"]);
    for ran in [&queued, &doctor, &waiting, &workers] {
        let said = format!("{} {}", ran.out, ran.err).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("worker --config mcptask.toml`"), "{said}");
        assert!(!said.contains("--builtin"), "{said}");
    }
    assert!(waiting.out.contains("no worker offers") && waiting.out.contains("question open"), "{waiting:?}");
    std::fs::remove_file(place.path().join("mcptask.toml")).expect("it is there");
    let elsewhere = place.run(&["submit", "deploy"]);
    assert!(elsewhere.err.contains("worker --config FILE`"), "{elsewhere:?}");
}

#[test]
fn what_can_never_be_is_said_at_once_and_hints_keep_what_was_given() {
    let place = Place::new();
    let never = place.run(&["submit", "wait", "--ttl", "0"]);
    assert!(never.code == 2 && never.err.contains("kept for no time"), "{never:?}");
    let link = place.run(&["link", "0123", "--server", "http://127.0.0.1:9/mcp"]);
    assert!(link.code == 2 && link.err.contains("only tasks of our own store have links"), "{link:?}");
    let submit = ["submit", "dine", "--arg", "guests=3", "--ttl", "60s", "--wait"];
    let deployed = place.run(&[&submit[..], &["--redis", "redis://127.0.0.1:9", "--docket", "x"]].concat());
    let hint = "mcptask submit dine --arg guests=3 --ttl 60s --wait --server URL";
    assert!(deployed.code == 2 && deployed.err.contains(hint), "{deployed:?}");
    let new = place.run(&["submit", "dine", "--db", "new.db"]);
    assert!(new.code == 9 && new.err.contains("mcptask --db new.db worker"), "{new:?}");
}

/// A task of FastMCP 4 that waits for an answer, as its server leaves it in Redis; its id.
fn parked(server: &RedisServer, schema: &Value) -> String {
    let id = "a".repeat(43);
    let (key, own) = (format!("anon:{id}:tool:tool%3Aplan%40"), format!("fastmcp:fastmcp:task:anon:{id}"));
    let params = serde_json::json!({ "mode": "form", "message": "What?", "requestedSchema": schema });
    let request = serde_json::json!({ "method": "elicitation/create", "params": params }).to_string();
    for words in [
        &["XGROUP", "CREATE", "fastmcp:stream", "docket-workers", "$", "MKSTREAM"][..],
        &["HSET", &format!("fastmcp:runs:{key}"), "state", "completed", "function", "tool:plan@"],
        &["SET", &own, &key],
        &["SET", &format!("{own}:current_leg"), &key],
        &["SET", &format!("{own}:created_at"), "2026-11-27T10:00:00+00:00"],
        &["SET", &format!("{own}:args"), "{}", "EX", "1800"],
        &["HSET", &format!("{own}:input:1:requests"), "k1", &request],
        &["HSET", &format!("{own}:input:1:map"), "k1", "q"],
    ] {
        server.ask::<redis::Value>(words).unwrap_or_else(|error| panic!("{words:?}: {error}"));
    }
    id
}

#[test]
fn a_command_that_answers_another_way_gives_the_answer_that_was_given() {
    let server = RedisServer::start();
    let schema = serde_json::json!({ "type": "object", "required": ["cuisine"], "properties": {
        "cuisine": { "type": "string" }, "pin": { "type": "string", "format": "password" } } });
    let id = parked(&server, &schema);
    let place = Place::on_redis(&server.url());
    for (given, repeated) in [
        (
            &["--set", "cuisine=it's hot", "--note", "ticket 7"][..],
            r"--set 'cuisine=it'\''s hot' --note 'ticket 7'",
        ),
        (&["--content", r#"{"cuisine":"thai"}"#], r#"--content '{"cuisine":"thai"}'"#),
        (&["--decline", "--as", "ann"], "--decline --as ann"),
        (&["--set", "pin=hunter2", "--set", "cuisine=thai"], "--set pin=TEXT --set cuisine=thai"),
        (&["--content", r#"{"cuisine":"thai","pin":"hunter2"}"#], "--content JSON"),
    ] {
        let ran = place.run(&[&["respond", &id], given].concat());
        assert_eq!(ran.code, 2, "{ran:?}");
        let commands = suggested(&ran.err.split_whitespace().collect::<Vec<_>>().join(" "));
        assert_eq!(commands.len(), 2, "{ran:?}");
        for command in &commands {
            assert!(command.contains("--question k1") && command.contains(repeated), "{repeated}: {command}");
        }
        assert!(commands[0].contains("--server URL") && commands[1].contains("--direct"), "{commands:?}");
        assert!(!ran.err.contains("hunter2"), "{ran:?}");
    }
}
