//! What the pages say works: every command of docs/AGENT-SKILL.md, and the host's configuration in the README.

use std::process::Command;

use serde_json::{Value, json};

use crate::peer::Host;
use crate::place::Place;

const PAGE: &str = include_str!("../../docs/AGENT-SKILL.md");

/// The blocks of that language.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    text.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap_or_default()).collect()
}

#[test]
fn every_command_of_the_agents_page_works() {
    let place = Place::new();
    let _worker = place.worker();
    let blocks = blocks(PAGE, "sh");
    assert!(blocks.len() >= 6, "{blocks:?}");
    // A line that fails ends the script, and so does one that waits for a person.
    let script = format!("set -euo pipefail\nmcptask() {{ \"$MCPTASK\" \"$@\"; }}\n{}", blocks.concat());
    let program = place.command(&[]);
    let mut command = Command::new("bash");
    command.args(["-c", &script]).env_clear().stdin(std::process::Stdio::null());
    command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.env("MCPTASK", program.get_program()).current_dir(place.path());
    let output = command.output().expect("bash runs");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).expect("JSON alone")).collect();
    let ended = lines.iter().find(|line| !line["result"].is_null()).expect("a result");
    assert_eq!(ended["result"]["content"][0]["text"], "No dinner then.", "{ended}");
    let answered: Vec<_> = lines.iter().filter(|line| line["by"] == "operator").collect();
    assert_eq!(answered.len(), 2);
    assert!(answered.iter().all(|receipt| receipt["who"]["name"] == "the person's name"), "{answered:?}");
}

#[test]
fn the_agents_page_begins_as_a_skill_does() {
    let front =
        PAGE.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n")).expect("front matter").0;
    let (name, description) = front.split_once('\n').expect("two lines");
    assert_eq!(name, "name: mcptask");
    let description = description.strip_prefix("description: ").expect("a description");
    assert!(description.len() <= 1024 && !description.contains(['\n', '<', ':']), "{description}");
}

#[test]
fn the_agents_page_has_all_tools_and_all_exit_codes() {
    let place = Place::new();
    let host = Host::legacy(&place, &["--allow-answer"], &json!({}));
    for tool in host.tools() {
        assert!(PAGE.contains(&format!("`{tool}`")), "{tool} is missing");
    }
    let help = place.ok(&["--help"]);
    let codes =
        help.lines().skip_while(|line| *line != "Exit codes:").skip(1).take_while(|line| !line.is_empty());
    let codes: Vec<&str> =
        codes.filter_map(|line| line.get(..5)?.trim().parse::<u8>().ok().map(|_| line.trim())).collect();
    assert!(codes.len() >= 12, "{codes:?}");
    for code in codes {
        let code = code.split_whitespace().next().expect("a number");
        assert!(PAGE.contains(&format!("| {code} |")), "{code} is missing");
    }
}

#[test]
fn the_hosts_configuration_of_the_readme_starts_it() {
    let readme = include_str!("../../README.md");
    let blocks = blocks(readme, "json");
    let block = blocks.iter().find(|block| block.contains("mcpServers")).expect("a block");
    let file: Value = serde_json::from_str(block).expect("JSON");
    let server = &file["mcpServers"]["mcptask"];
    assert_eq!(server["command"], "mcptask");
    let words: Vec<&str> =
        server["args"].as_array().expect("words").iter().map(|word| word.as_str().expect("text")).collect();
    let (first, rest) = words.split_first().expect("a word");
    assert_eq!(*first, "mcp");
    let place = Place::new();
    assert!(Host::legacy(&place, rest, &json!({})).tools().contains(&"list_waiting"));
    // Our own client finds it where hosts keep their servers.
    let own = place.command(&[]).get_program().to_string_lossy().into_owned();
    place.file(".mcp.json", &block.replace("\"command\": \"mcptask\"", &format!("\"command\": {own:?}")));
    let tools: Vec<String> =
        place.json(&["tools", "--server", "mcptask"]).iter().map(|tool| tool["name"].to_string()).collect();
    assert!(tools.contains(&"\"list_waiting\"".to_owned()), "{tools:?}");
}
