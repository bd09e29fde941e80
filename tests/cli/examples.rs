//! The examples in each command's help do what their lines say.

use std::process::Command;

use rstest::rstest;

use crate::place::Place;

/// The id that stands in the examples.
const ID: &str = "7w3k9q2m";

/// The server that stands in them.
const SERVER: &str = "http://127.0.0.1:8737/mcp";

/// A tool of the configuration file that the examples name.
const TOOLS: &str = "[tools.greet]\ndescription = \"Greets.\"\nsteps = [{ return = \"hello\" }]\n";

/// The example lines of a command's help.
fn examples(place: &Place, command: &str) -> Vec<String> {
    let help = place.ok(&[command, "--help"]);
    let examples = help.lines().skip_while(|line| *line != "Examples:").skip(1);
    let lines = examples.take_while(|line| !line.is_empty()).filter(|line| !line.starts_with("  # "));
    lines.map(|line| line.trim().to_owned()).collect()
}

/// Runs a line in a shell that knows the program; its exit code, and what it printed.
fn shell(place: &Place, line: &str) -> (Option<i32>, String) {
    let program = place.command(&[]);
    let mut command = Command::new("bash");
    command.args(["-c", &format!("mcptask() {{ \"$MCPTASK\" \"$@\"; }}\n{line}")]);
    command.env_clear().envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.env("MCPTASK", program.get_program()).current_dir(place.path());
    let output = command.output().expect("bash runs");
    let printed = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&printed).into_owned())
}

/// A place, and the three examples of a command.
fn stage(command: &str) -> (Place, Vec<String>) {
    let place = Place::new();
    place.file("tokens.txt", "alice 0123456789abcdef0123456789abcdef\n");
    place.file("rules.toml", "[[rule]]\nname = \"late\"\nmessage = \"approve\"\ndecline = true\n");
    let examples = examples(&place, command);
    assert_eq!(examples.len(), 3, "{command}: {examples:?}");
    (place, examples)
}

/// A task that has ended, for the example to start again.
fn retried(place: &Place, example: &str) -> String {
    if example.contains("seconds") {
        return place
            .ok(&["submit", "wait", "--arg", "seconds=0", "--wait", "--json"])
            .lines()
            .find_map(|line| {
                let line: serde_json::Value = serde_json::from_str(line).ok()?;
                line["task"].as_str().map(str::to_owned)
            })
            .expect("an id");
    }
    let id = place.asking("plan_dinner");
    place.ok(&["attach", &id, "--answers", "answers.json"]);
    id
}

#[rstest]
fn they_succeed(
    #[values(
        "demo",
        "submit",
        "attach",
        "respond",
        "list",
        "show",
        "result",
        "link",
        "extend",
        "cancel",
        "retry",
        "prune",
        "doctor",
        "tools",
        "workers",
        "export",
        "check",
        "completions",
        "config",
        "init",
        "help"
    )]
    command: &str,
) {
    let (place, examples) = stage(command);
    let server = place.serve(&[]);
    place.file("mcptask.toml", TOOLS);
    place.file("answers.json", r#"{"cuisine":"Thai","vegetarian":true}"#);
    for example in examples {
        let mut id = place.ok(&["submit", "plan_dinner", "--session", "dinner"]);
        place.until(&id, "asked");
        if command == "retry" {
            id = retried(&place, &example);
        }
        if command == "attach" && !example.contains("--answers") {
            id = place.ok(&["submit", "wait", "--arg", "seconds=1"]);
        }
        if command == "result" {
            place.ok(&["respond", &id, "--decline"]);
            place.until(&id, "end");
        }
        if example.contains("--withdraw") {
            place.ok(&["link", &id, "--public-url", "https://tasks.example.com"]);
        }
        // Only fish has such a `source`.
        let line =
            example.replace(ID, &id).replace(SERVER, server.url()).replace("| source", "| grep -q complete");
        let (code, printed) = shell(&place, &line);
        assert_eq!(code, Some(0), "{line}: {printed}");
    }
}

#[rstest]
fn they_begin(#[values("serve", "worker", "watch")] command: &str) {
    let (place, examples) = stage(command);
    let _worker = place.worker();
    let id = place.ok(&["submit", "plan_dinner", "--session", "dinner"]);
    place.until(&id, "asked");
    place.file("mcptask.toml", TOOLS);
    for example in examples {
        let mut words = shell_words::split(&example.replace(ID, &id)).expect("a command line").split_off(1);
        words.push("--json".to_owned());
        words.dedup();
        if command == "serve" {
            words.extend(["--listen".to_owned(), "127.0.0.1:0".to_owned()]);
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        // What it prints first says that it has begun, or what has happened.
        let begun = place.background(&words);
        assert!(begun.first["event"].is_string() || begun.first["url"].is_string(), "{}", begun.first);
    }
}

#[rstest]
#[case("ask", "asked")]
#[case("report", "progress")]
fn they_reach_the_task_of_the_command_that_runs_them(#[case] command: &str, #[case] event: &str) {
    let (place, examples) = stage(command);
    let (by_hand, within): (Vec<_>, Vec<_>) = examples.into_iter().partition(|line| line.contains("--local"));
    for line in by_hand {
        assert_eq!(shell(&place, &line).0, Some(0), "{line}");
    }
    let program = place.command(&[]).get_program().to_string_lossy().into_owned();
    for line in within {
        let script = format!("mcptask() {{ '{program}' \"$@\"; }}\n{line}");
        let run = serde_json::json!(["bash", "-c", script]);
        let tools = format!("[tools.example]\ndescription = \"Runs it.\"\ncommand = {run}\n");
        let _worker = place.background(&["worker", "--json", "--config", &place.file("tools.toml", &tools)]);
        let id = place.ok(&["submit", "example"]);
        place.until(&id, event);
        place.run(&["cancel", &id]);
    }
}

#[test]
fn the_tool_of_the_first_file_goes_on_when_its_question_is_declined() {
    let place = Place::new();
    place.ok(&["init"]);
    let _worker = place.background(&["worker", "--json", "--config", "mcptask.toml"]);
    let id = place.ok(&["submit", "greet", "--arg", "name=Ann"]);
    place.until(&id, "asked");
    place.ok(&["respond", &id, "--decline"]);
    place.until(&id, "completed");
    assert!(place.ok(&["result", &id]).contains("Hello, Ann!"));
}
