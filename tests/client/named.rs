//! `--server NAME`: servers that the files of MCP hosts name.

use std::path::Path;
use std::process::{Command, Stdio};

use rstest::rstest;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::peer::{Peer, legacy};
use crate::python::{python, script};
use crate::redis::RedisServer;

/// A user's home with a project in it, `work`, which is a repository.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(TempDir::new().expect("a folder"));
        std::fs::create_dir_all(home.path("work/deep")).expect("made");
        std::fs::create_dir_all(home.path("work/.git")).expect("made");
        home
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        // As the process sees its own folder.
        self.0.path().canonicalize().expect("it is there").join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    }

    /// Runs `mcptask` in a folder; its exit code and all that it says.
    fn run(&self, folder: &str, words: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mcptask"));
        command
            .env_clear()
            .env("HOME", self.path(""))
            .env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.envs(variables.iter().copied()).current_dir(self.path(folder)).args(words);
        let output = command.stdin(Stdio::null()).output().expect("mcptask runs");
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        (output.status.code(), said.concat())
    }
}

fn of(key: &str, server: &Value) -> String {
    let mut whole = json!({});
    whole[key] = json!({ "kitchen": server });
    whole.to_string()
}

#[rstest]
#[case::claude_code("work/.mcp.json", "mcpServers")]
#[case::claude_code_of_the_user(".claude.json", "mcpServers")]
#[case::claude_desktop(".config/Claude/claude_desktop_config.json", "mcpServers")]
#[case::cursor("work/.cursor/mcp.json", "mcpServers")]
#[case::cursor_of_the_user(".cursor/mcp.json", "mcpServers")]
#[case::vs_code("work/.vscode/mcp.json", "servers")]
#[case::vs_code_of_the_user(".config/Code/User/mcp.json", "servers")]
#[cfg_attr(target_os = "macos", ignore = "the paths of Linux")]
fn a_server_is_found_by_the_name_that_a_host_gives_it(#[case] file: &str, #[case] key: &str) {
    let (home, peer) = (Home::new(), Peer::start(legacy));
    home.write(
        file,
        &of(key, &json!({ "type": "http", "url": peer.url(), "headers": { "X-Team": "cooks" } })),
    );
    let (code, said) = home.run("work/deep", &["tools", "--server", "kitchen"], &[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(peer.said()[0].head.contains("x-team: cooks\r\n"), "{:?}", peer.said()[0]);
}

#[test]
fn a_server_that_its_host_has_switched_off_is_named_so() {
    let (home, peer) = (Home::new(), Peer::start(legacy));
    let entry = json!({ "type": "http", "url": peer.url(), "disabled": true });
    home.write("work/.cursor/mcp.json", &of("mcpServers", &entry));
    let (code, said) = home.run("work", &["tools", "--server", "kitchen"], &[]);
    assert!(code == Some(2) && said.contains("is disabled there"), "{code:?} {said}");
    assert!(said.contains(".cursor/mcp.json") && said.contains("\"disabled\": true"), "{said}");
    let (code, said) = home.run("work", &["tools", "--server", "other"], &[]);
    assert!(code == Some(2) && said.contains("here names any"), "{code:?} {said}");
    assert!(peer.said().is_empty());
    home.write("work/.cursor/mcp.json", &of("mcpServers", &json!({ "url": peer.url(), "disabled": false })));
    assert_eq!(home.run("work", &["tools", "--server", "kitchen"], &[]).0, Some(0));
}

#[test]
fn what_is_for_this_folder_comes_first() {
    let (home, peers) = (Home::new(), [(); 3].map(|()| Peer::start(legacy)));
    let of_url = |peer: &Peer| json!({ "mcpServers": { "kitchen": { "type": "http", "url": peer.url() } } });
    let mut claude = of_url(&peers[2]);
    home.write(".claude.json", &claude.to_string());
    home.write("work/.mcp.json", &of_url(&peers[1]).to_string());
    let run = || home.run("work", &["tools", "--server", "kitchen"], &[]);
    assert_eq!(run().0, Some(0));
    assert!(!peers[1].said().is_empty() && peers[2].said().is_empty(), "the project before the user");
    claude["projects"] = json!({ home.path("work").to_str().expect("text"): of_url(&peers[0]) });
    home.write(".claude.json", &claude.to_string());
    assert_eq!(run().0, Some(0));
    assert!(!peers[0].said().is_empty(), "what Claude Code has for this folder alone before the project");
}

/// As a host starts it: `serve --stdio` keeps its tasks where its line says.
#[test]
fn a_server_of_ours_on_stdio_keeps_its_tasks_where_its_entry_says() {
    let (home, redis) = (Home::new(), RedisServer::start());
    let (file, other, url) = (home.path("x.db"), home.path("y.db"), redis.url());
    let [file, other] = [&file, &other].map(|path| path.to_str().expect("text"));
    for store in [
        &["--db", file][..],
        &["--db", other, "--namespace", "mine"],
        &["--redis", &url],
        &["--redis", &url, "--namespace", "mine"],
    ] {
        let words = [&["serve", "--stdio"][..], store].concat();
        let entry = json!({ "command": env!("CARGO_BIN_EXE_mcptask"), "args": words });
        home.write("work/.mcp.json", &of("mcpServers", &entry));
        let submit = ["submit", "plan_dinner", "--server", "kitchen", "--wait"];
        let (code, said) = home.run("work", &submit, &[]);
        assert_eq!(code, Some(6), "{store:?}: its question reached the client: {said}");
        let (code, said) = home.run("work", &[&["list", "--json"][..], store].concat(), &[]);
        assert!(code == Some(0) && said.lines().count() == 1, "{store:?}: {said}");
        assert!(said.contains("plan_dinner"), "{store:?}: {said}");
    }
}

#[test]
fn a_program_is_started_with_its_variables_in_its_folder() {
    let home = Home::new();
    let source = script("bare.py");
    let line = r#"[ "$DISH" = soup ] && [ "$(pwd)" = "$PLACE" ] && exec "$0" "$@""#;
    home.write(
        "work/.vscode/mcp.json",
        &format!(
            "// VS Code takes comments\n{}",
            json!({ "servers": { "kitchen": {
                "command": "sh",
                "args": ["-c", line, python("mcp-1.30"), source, "legacy", "${workspaceFolder}/log"],
                "env": { "DISH": "${env:FOOD}", "PLACE": "${workspaceFolder}/deep" },
                "cwd": "deep",
            } } })
        ),
    );
    let (code, said) =
        home.run("work", &["tools", "--server", "kitchen", "--era", "legacy"], &[("FOOD", "soup")]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("sign"), "{said}");
    assert!(Path::new(&home.path("work/log")).exists());
    let (code, said) = home.run("work", &["tools", "--server", "kitchen"], &[]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("FOOD") && said.contains("mcp.json"), "{said}");
}

#[test]
fn variables_are_filled_in_as_claude_code_does_and_a_given_header_wins() {
    let (home, peer) = (Home::new(), Peer::start(legacy));
    let headers = json!({ "Authorization": "Bearer ${KEY}", "X-Team": "${TEAM:-cooks}", "X-Odd": "$5 {x}" });
    home.write(
        "work/.mcp.json",
        &of("mcpServers", &json!({ "type": "http", "url": peer.url(), "headers": headers })),
    );
    let words = ["tools", "--server", "kitchen", "--header", "X-Odd: even"];
    let (code, said) = home.run("work", &words, &[("KEY", "s3cret"), ("MCPTASK_TOKEN", "another")]);
    assert_eq!(code, Some(0), "{said}");
    let head = &peer.said()[0].head;
    for line in ["authorization: bearer s3cret\r\n", "x-team: cooks\r\n", "x-odd: even\r\n"] {
        assert_eq!(head.matches(line).count(), 1, "{line:?} in {head}");
    }
    assert!(!head.contains("another") && !head.contains("$5"), "{head}");
}

#[rstest]
#[case::of_another_age(json!({ "type": "sse", "url": "http://127.0.0.1:1/sse" }), "sse")]
#[case::of_its_host(json!({ "command": "x", "args": ["${input:key}"] }), "${input:key}")]
#[case::of_nothing(json!({ "note": 1 }), "neither a url nor a command")]
fn what_cannot_be_used_says_why_and_where(#[case] server: Value, #[case] words: &str) {
    let home = Home::new();
    home.write("work/.mcp.json", &of("mcpServers", &server));
    let (code, said) = home.run("work", &["tools", "--server", "kitchen"], &[]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains(words) && said.contains(".mcp.json"), "{said}");
}

#[test]
fn an_unknown_name_is_told_from_an_address_and_the_known_ones_are_named() {
    let home = Home::new();
    home.write("work/.mcp.json", &of("mcpServers", &json!({ "url": "http://127.0.0.1:1/mcp" })));
    home.write("work/.cursor/mcp.json", "{ broken");
    let (code, said) = home.run("work", &["tools", "--server", "kitchn"], &[]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("kitchn") && said.contains("kitchen"), "{said}");
    assert!(said.replace(['\n', ' '], "").contains(".cursor/mcp.jsoncannotberead"), "{said}");
    let (_, said) = home.run("work", &["tools", "--server", "localhost:8737"], &[]);
    assert!(said.contains("http://localhost:8737/mcp"), "{said}");
}

#[test]
fn a_file_above_a_folder_that_is_no_repository_is_not_taken() {
    let home = Home::new();
    home.write(".mcp.json", &of("mcpServers", &json!({ "url": "http://127.0.0.1:1/mcp" })));
    home.write("elsewhere/note", "");
    let (code, said) = home.run("elsewhere", &["tools", "--server", "kitchen"], &[]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("names any"), "{said}");
}

#[test]
fn a_folder_that_is_missing_is_named_with_its_file() {
    let home = Home::new();
    home.write("work/.mcp.json", &of("mcpServers", &json!({ "command": "cat", "cwd": "gone" })));
    let (code, said) = home.run("work", &["tools", "--server", "kitchen"], &[]);
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("/work/gone") && said.contains("no such folder") && said.contains(".mcp.json"),
        "{said}"
    );
}
