//! What a command finds around it.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use crate::bench::{Bench, error, quick, text};

const PRINT_ENVIRONMENT: &str = "#!/usr/bin/env python3
import json, os
print(json.dumps(dict(os.environ)))
";

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_is_an_allow_list() {
    let bench = Bench::new().await;
    let mut command = quick(bench.script("run.py", PRINT_ENVIRONMENT));
    // cargo sets this one for every test; it stands for a secret that nobody listed.
    assert!(std::env::var_os("CARGO_PKG_NAME").is_some());
    command.environment.inherit = vec!["CARGO_PKG_VERSION".into(), "THERE_IS_NO_SUCH_VARIABLE".into()];
    command.environment.set = BTreeMap::from([("LANG".to_owned(), "xx".to_owned())]);
    let task = bench.command(command).once().await;
    let found: BTreeMap<String, Value> = serde_json::from_str(text(&task)).expect("JSON");
    assert!(found.contains_key("PATH") && found.contains_key("CARGO_PKG_VERSION"), "{found:?}");
    assert!(!found.contains_key("CARGO_PKG_NAME") && !found.contains_key("CARGO"), "{found:?}");
    assert_eq!(found["LANG"], "xx");
    assert_eq!(found["MCPTASK_TASK"], task.id().as_str());
    let own = found.keys().filter(|name| name.starts_with("MCPTASK_")).cloned().collect::<Vec<_>>();
    assert_eq!(own, ["MCPTASK_SOCKET", "MCPTASK_TASK"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_descriptor_of_the_worker_is_open() {
    let script = "#!/usr/bin/env python3
import os
print(sorted(int(name) for name in os.listdir('/dev/fd') if os.path.exists('/dev/fd/' + name)))
";
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("list.py"), script).expect("writes the script");
    let mut control = std::process::Command::new("python3");
    // What this test was started with, before there is a store or a worker, is not the worker's doing.
    let control = control.arg(folder.path().join("list.py")).stdin(std::process::Stdio::null()).output();
    let before = String::from_utf8(control.expect("python3 runs").stdout).expect("text");
    let bench = Bench::new().await;
    let script = bench.script("run.py", script);
    let task = bench.command(quick(script)).once().await;
    assert_eq!(text(&task), before.trim());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_working_directory_is_as_told() {
    let bench = Bench::new().await;
    let mut command = quick("pwd");
    let folder = fs::canonicalize(bench.folder.path()).expect("there");
    command.directory = Some(folder.clone());
    let task = bench.command(command).once().await;
    assert_eq!(text(&task), folder.display().to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_on_the_command_line_are_literal() {
    let mut command = quick("printf");
    command.args = vec!["%s|".into(), "{name}".into(), "$HOME".into(), "a b".into()];
    let task = Bench::new().await.command(command).once().await;
    assert_eq!(text(&task), "{name}|$HOME|a b|");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_socket_is_private_and_gone_with_the_task() {
    let script = "s=$MCPTASK_SOCKET; python3 -c \"import os
for p in ('$s', os.path.dirname('$s')): print(oct(os.stat(p).st_mode & 0o777))\"; echo $s";
    let task = Bench::new().await.bash(script).once().await;
    let lines: Vec<_> = text(&task).lines().collect();
    assert_eq!(lines[..2], ["0o600", "0o700"]);
    let socket = std::path::Path::new(lines[2]);
    assert!(!socket.exists() && !socket.parent().expect("a folder").exists());
}

/// The modes alone say the same; where a test may become somebody else, it tries.
#[tokio::test(flavor = "multi_thread")]
async fn another_user_cannot_reach_the_socket() {
    if !rustix::process::geteuid().is_root() {
        return the_modes_shut_others_out().await;
    }
    let script = "setpriv --reuid=65534 --regid=65534 --clear-groups /bin/sh -c \
        '[ -e \"$0\" ] && echo reached || echo shut out' \"$MCPTASK_SOCKET\"";
    let task = Bench::new().await.bash(script).once().await;
    assert_eq!(text(&task), "shut out");
}

async fn the_modes_shut_others_out() {
    let script = "stat -c %a \"$MCPTASK_SOCKET\" \"$(dirname \"$MCPTASK_SOCKET\")\"";
    let task = Bench::new().await.bash(script).once().await;
    assert_eq!(text(&task).split_whitespace().collect::<Vec<_>>(), ["600", "700"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_too_long_for_a_variable_are_on_stdin_all_the_same() {
    let bench = Bench::new().await.bash("echo \"[$MCPTASK_ARG_LONG]\"; wc -c");
    let running = bench.start().await;
    let task = bench.submit(json!({ "long": "x".repeat(500_000) })).await;
    assert_eq!(text(&bench.ended(&task).await).split_whitespace().collect::<Vec<_>>(), ["[]", "500012"]);
    let task = bench.submit(json!({ "a-b": 1, "a_b": 2 })).await;
    let task = bench.ended(&task).await;
    assert!(error(&task).contains("would both be MCPTASK_ARG_A_B"), "{}", error(&task));
    running.drain().await;
}
