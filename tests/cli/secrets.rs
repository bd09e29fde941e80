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

/// What the worker began with.
const DEEPER: &str = r#"[tools.spy]
description = "Shows what it can see of its worker."
command = ["bash", "-c", "env; tr '\\0' '\n' < /proc/$PPID/environ || echo denied"]
"#;

/// Runs the spy on a worker that was given secrets by its environment; `before` stands before the program.
fn spied(place: &Place, url: &str, before: &[&str]) -> String {
    let program = place.path().join("mcptask");
    std::fs::copy(env!("CARGO_BIN_EXE_mcptask"), &program).expect("copies");
    let config = place.file("spy.toml", DEEPER);
    let mut words = before.iter().map(ToString::to_string).collect::<Vec<_>>();
    words.extend([
        program.to_string_lossy().into_owned(),
        "worker".to_owned(),
        "--config".to_owned(),
        config,
    ]);
    let mut worker = std::process::Command::new(&words[0]);
    worker.args(&words[1..]).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    worker.env("HOME", place.path()).env("TMPDIR", place.path()).current_dir(place.path());
    worker.env("MCPTASK_REDIS_URL", url).env("MCPTASK_TOKEN", TOKEN);
    let said = std::fs::File::create(place.path().join("said")).expect("a file");
    let mut worker = worker.stderr(said).spawn().expect("starts");
    place.heard("tasks at once");
    let shown = place.run(&["submit", "spy", "--wait"]).out;
    worker.kill().expect("ours");
    worker.wait().expect("ours");
    format!("{shown}\n{}", place.heard("tasks at once"))
}

/// The worker reaches its Redis by a password that its commands cannot find.
#[test]
fn a_command_cannot_read_its_workers_secrets_whoever_runs_them() {
    let acl = format!(">{PASSWORD}");
    let redis = RedisServer::start_with(&["--user", "me", "on", &acl, "~*", "&*", "+@all"]);
    let url = redis.url().replace("redis://", &format!("redis://me:{PASSWORD}@"));
    let nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--"];
    let ways: &[&[&str]] = if rustix::process::geteuid().is_root() { &[&[], &nobody] } else { &[&[]] };
    for before in ways {
        let place = Place::on_redis(&url);
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        std::fs::set_permissions(place.path(), open).expect("ours");
        let shown = spied(&place, &url, before);
        assert!(shown.contains("MCPTASK_TASK="), "the spy has looked: {shown}");
        let (reads, denied) = (shown.contains("MCPTASK_HANDOVER="), shown.contains("denied"));
        assert!(reads != denied, "one or the other, by who runs it: {before:?}: {shown}");
        for secret in [PASSWORD, TOKEN] {
            assert!(!shown.contains(secret), "{before:?}: {shown}");
        }
    }
}
