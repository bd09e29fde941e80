//! Secrets that are planted everywhere are found nowhere.

use std::fmt::Write as _;

use crate::place::Place;
use crate::redis::RedisServer;

const PASSWORD: &str = "planted-redis-password";
const TOKEN: &str = "planted-bearer-token";
const FOREIGN: &str = "planted-environment-secret";

const CONFIG: &str = r#"[tools.spy]
description = "Shows what it can see of its worker."
command = ["bash", "-c", "env; tr '\\0' ' ' < /proc/$PPID/cmdline"]
"#;

#[test]
fn planted_secrets_are_in_no_log_no_event_no_error_and_no_process() {
    let acl = format!(">{PASSWORD}");
    let redis = RedisServer::start_with(&["--user", "me", "on", &acl, "~*", "&*", "+@all"]);
    let url = redis.url().replace("redis://", &format!("redis://me:{PASSWORD}@"));
    let place = Place::on_redis(&url);
    let (tokens, config) = (place.file("tokens", &format!("anna {TOKEN}\n")), place.file("spy.toml", CONFIG));
    let mut serve = place.command(&["serve", "-vv", "--listen", "127.0.0.1:0", "--config", &config]);
    serve.args(["--token-file", &tokens]).env("MCPTASK_LOG", "trace").env("FOREIGN_SECRET", FOREIGN);
    let said = std::fs::File::create(place.path().join("said")).expect("a file");
    let mut server = serve.stderr(said).spawn().expect("starts");
    let announced = place.heard("/mcp");
    let at =
        announced.split("serving ").nth(1).and_then(|rest| rest.split_whitespace().next()).expect("a url");
    let mut shown = String::new();
    let remote: &[&[&str]] =
        &[&["submit", "spy", "--wait"], &["tools"], &["submit", "none"], &["show", "0123456789"]];
    let local: &[&[&str]] =
        &[&["list"], &["watch", "--no-follow"], &["doctor"], &["tools"], &["show", "zzz"]];
    let mut run = |arguments: &[&str], token: Option<&str>, log: &str| {
        let mut command = place.command(arguments);
        if let Some(token) = token {
            command.env("MCPTASK_TOKEN", token);
        }
        let output = command.env("MCPTASK_LOG", log).output().expect("runs");
        for part in [output.stdout, output.stderr] {
            let _ = write!(shown, "{}", String::from_utf8_lossy(&part));
        }
    };
    for manner in ["--json", "-vv"] {
        for arguments in remote {
            for token in [TOKEN, &format!("{TOKEN}-wrong")] {
                run(&[arguments, &["--server", at, manner][..]].concat(), Some(token), "trace");
            }
        }
        for arguments in local {
            run(&[arguments, &[manner][..]].concat(), None, "trace");
        }
        let wrong = url.replace("me:", "nobody:");
        run(&["list", manner, "--redis", &wrong], None, "trace");
    }
    let arguments = std::fs::read_to_string(format!("/proc/{}/cmdline", server.id())).expect("Linux");
    server.kill().expect("ours");
    server.wait().expect("ours");
    assert!(shown.contains("MCPTASK_TASK="), "the spy has looked: {shown}");
    for (place, text) in [("shown", shown), ("logged", place.heard("/mcp")), ("arguments", arguments)] {
        for secret in [PASSWORD, TOKEN, FOREIGN] {
            let lines: Vec<_> = text.lines().filter(|line| line.contains(secret)).take(3).collect();
            assert!(lines.is_empty(), "{secret} is {place}: {lines:#?}");
        }
    }
}
