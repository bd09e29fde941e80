//! `serve` on a network: what it refuses to do by mistake.

use std::fs::{Permissions, set_permissions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::place::Place;
use crate::redis::RedisServer;

#[test]
fn nobody_is_let_in_from_the_network_without_a_token_unless_told_so() {
    let place = Place::new();
    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:8737"] {
        let ran = place.run(&["serve", "--listen", listen]);
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.err.contains("there are no tokens"), "{ran:?}");
        assert!(ran.err.contains("--token-file") && ran.err.contains("--insecure"), "{ran:?}");
    }
    let tokens = place.file("tokens", "anna s3cret-token\n");
    for access in [&["--insecure"][..], &["--token-file", &tokens]] {
        let arguments = [&["serve", "--json", "--listen", "0.0.0.0:0"][..], access].concat();
        assert_eq!(place.background(&arguments).first["event"], "listening", "{access:?}");
    }
}

/// `--stdio` of `serve` is no server that it goes through: it keeps the tasks itself, wherever it is told to. What a
/// command takes is asked of clap's commands, since matches answer for unknown names in release builds only
/// (clippy.toml).
#[test]
fn serve_on_stdio_takes_the_options_of_its_store() {
    let (place, redis) = (Place::new(), RedisServer::start());
    let (file, url) = (place.path().join("x.db"), format!("redis://127.0.0.1:{}/0", redis.port()));
    let file = file.to_string_lossy();
    let ping = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n";
    for store in [
        &["--db", &file][..],
        &["--db", &file, "--namespace", "mine"],
        &["--namespace", "mine"],
        &["--redis", &url],
        &["--redis", &url, "--namespace", "mine"],
    ] {
        for line in [[&["serve", "--stdio"][..], store].concat(), [store, &["serve", "--stdio"]].concat()] {
            let ran = place.run_with(&line, ping);
            assert_eq!(ran.code, 0, "{line:?}: {ran:?}");
            assert!(ran.out.contains("\"id\":1,\"result\":{"), "{line:?}: {ran:?}");
        }
    }
}

#[test]
fn a_client_starts_a_server_on_stdio_with_a_store_of_its_own() {
    let place = Place::new();
    let file = place.path().join("theirs.db");
    let server = format!("{} serve --stdio --db {}", env!("CARGO_BIN_EXE_mcptask"), file.display());
    let ran = place.run(&["submit", "plan_dinner", "--stdio", &server, "--wait", "--no-input"]);
    assert_eq!(ran.code, 6, "the question reached the client: {ran:?}");
    assert_eq!(place.json(&["list", "--db", &file.to_string_lossy()]).len(), 1);
    let both = place.run(&["submit", "plan_dinner", "--stdio", &server, "--db", "mine.db"]);
    assert!(both.code == 2 && both.err.contains("--db has no effect with --stdio"), "{both:?}");
}

#[test]
fn a_server_on_stdio_whose_client_does_not_read_stops_all_the_same() {
    let place = Place::new();
    let mut command = place.command(&["serve", "--stdio"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut server = command.spawn().expect("it starts");
    let (mut stdin, stdout) = (server.stdin.take().expect("a pipe"), server.stdout.take().expect("a pipe"));
    let asked: String = (0..3000)
        .map(|id| {
            let meta = serde_json::json!({
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientInfo": { "name": "deaf", "version": "1" },
                "io.modelcontextprotocol/clientCapabilities": {},
            });
            let params = serde_json::json!({ "_meta": meta });
            serde_json::json!({ "jsonrpc": "2.0", "id": id, "method": "tools/list", "params": params })
                .to_string()
                + "\n"
        })
        .collect();
    let mut stdout = BufReader::new(stdout);
    stdin.write_all(asked.as_bytes()).expect("it reads all");
    stdout.read_line(&mut String::new()).expect("it answers");
    let pid = rustix::process::Pid::from_child(&server);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it is there");
    let begun = Instant::now();
    let ended = loop {
        if let Some(status) = server.try_wait().expect("it is ours") {
            break Some(status);
        }
        if begun.elapsed() > Duration::from_secs(40) {
            break None;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    // Nothing of a server that is stuck shall outlive its test.
    let _ = server.kill();
    assert_eq!(ended.map(|status| status.code()), Some(Some(0)), "it has stopped");
}

#[test]
fn what_is_wrong_with_a_token_file_is_said_without_a_token() {
    let place = Place::new();
    for (text, words) in [
        ("anna\n", "line 1 of"),
        ("# who\n\nanna s3cret and-more\n", "line 3 of"),
        ("anna s3cret\nben s3cret\n", "line 2 of"),
        ("# nobody yet\n", "has no tokens"),
    ] {
        let tokens = place.file("tokens", text);
        let ran = place.run(&["serve", "--listen", "127.0.0.1:0", "--token-file", &tokens]);
        assert_eq!(ran.code, 2, "{text:?}: {ran:?}");
        assert!(ran.err.contains(words) && !ran.err.contains("s3cret"), "{text:?}: {ran:?}");
    }
}

#[test]
fn tokens_that_others_can_read_or_hear_are_warned_of() {
    let place = Place::new();
    let tokens = place.file("tokens", "anna s3cret-token\n");
    set_permissions(&tokens, Permissions::from_mode(0o644)).expect("a file of ours");
    let mut serve = place.command(&["serve", "--listen", "0.0.0.0:0", "--token-file", &tokens]);
    let said = std::fs::File::create(place.path().join("said")).expect("a file");
    let mut child = serve.stderr(said).spawn().expect("starts");
    let said = place.heard("tokens travel in the clear");
    child.kill().expect("ours");
    child.wait().expect("ours");
    assert!(said.contains("chmod 600"), "{said}");
}

/// With required arguments of each kind.
const DEPLOYS: &str = r#"[tools.deploy]
description = "Deploys."
input = { version = "text", count = "integer" }
steps = [{ return = "{{ args.version }}" }]
"#;

#[test]
fn built_in_tools_stand_beside_those_of_a_file_where_that_is_asked_for() {
    let place = Place::new();
    place.file("mcptask.toml", DEPLOYS);
    let offered = |arguments: &[&str]| {
        let worker = place.background(&[&["worker", "--json"][..], arguments].concat());
        let tools = place.json(&["tools"]);
        let names: Vec<_> = tools
            .iter()
            .filter(|tool| tool["workers"] != serde_json::json!([]))
            .map(|tool| tool["name"].clone())
            .collect();
        worker.signal("TERM");
        assert_eq!(worker.code(), 0);
        names
    };
    assert_eq!(offered(&[]), ["deploy"]);
    assert_eq!(offered(&["--builtin"]), ["deploy", "fill_form", "plan_dinner", "wait"]);
}

#[test]
fn what_a_server_suggests_to_try_names_the_arguments_that_its_tool_needs() {
    let place = Place::new();
    place.file("mcptask.toml", DEPLOYS);
    let mut serve = place.command(&["serve", "--listen", "127.0.0.1:0"]);
    let mut server = serve.stderr(Stdio::piped()).spawn().expect("serves");
    let lines = BufReader::new(server.stderr.take().expect("a pipe")).lines().map_while(Result::ok);
    let mut said = String::new();
    lines.take_while(|line| !line.contains("mcptask respond")).for_each(|line| said += &line);
    server.kill().and_then(|()| server.wait()).expect("ends");
    assert!(
        said.contains("mcptask submit deploy --session dinner --arg version=TEXT --arg count=NUMBER"),
        "{said}"
    );
    let pasted = ["submit", "deploy", "--arg", "version=TEXT", "--arg", "count=3"];
    let _worker = place.worker();
    let ran = place.run(&pasted);
    assert!(ran.code == 2 && ran.err.contains("TEXT stands for the value"), "pasted as it is: {ran:?}");
}

#[test]
fn a_file_of_tokens_that_is_none_is_said_and_nothing_is_waited_for() {
    let place = Place::new();
    let pipe = place.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("coreutils");
    assert!(made.success());
    for (file, words) in [
        (pipe.to_str().expect("plain"), "pipe with a name"),
        ("/tmp", "irectory"),
        ("/dev/zero", "no file of tokens"),
    ] {
        let ran = place.run(&["serve", "--listen", "127.0.0.1:0", "--token-file", file]);
        assert_eq!(ran.code, 2, "{file}: {ran:?}");
        assert!(ran.err.contains(words) && !ran.err.contains("chmod"), "{file}: {ran:?}");
    }
}
