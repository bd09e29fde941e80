//! Hosts that are written with the Python SDK, unchanged.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::python::python;
use crate::stage::Stage;

/// Runs a host's script; what it printed last.
fn host(stage: &Stage, environment: &str, name: &str, arguments: &[&str]) -> Value {
    let own = stage.command(&["mcp", "--allow-answer"]);
    let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/hosts").join(name);
    let mut command = Command::new(python(environment));
    command.arg(script).args(arguments).arg(own.get_program()).args(own.get_args());
    command.env_clear().envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.env("PYTHONDONTWRITEBYTECODE", "1").stdin(Stdio::null());
    let output = command.output().expect("the host runs");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    serde_json::from_str(out.lines().last().unwrap_or_default())
        .unwrap_or_else(|error| panic!("{error}: {out}\n{err}"))
}

/// A host whose user decides; what it saw.
fn decides(environment: &str, name: &str, mode: &[&str]) -> Value {
    let stage = Stage::sqlite();
    let task = stage.asking_deploy();
    let seen = host(&stage, environment, name, &[&[&*task], mode].concat());
    assert_eq!(seen["waiting"], json!([task]));
    assert!(seen["asked"].as_str().expect("a message").ends_with("asks: Deploy 1.2?"), "{seen}");
    assert_eq!((&seen["receipt"]["action"], &seen["ended"]), (&json!("accept"), &json!("ended")));
    assert_eq!((&seen["late"]["code"], &seen["late"]["isError"]), (&json!("nothing_changed"), &json!(true)));
    assert_eq!(stage.ok(&["result", &task]), "accept: by a Python host");
    seen
}

#[test]
fn a_host_of_the_python_sdk_1_30_asks_its_user() {
    decides("mcp-1.30", "sdk1.py", &[]);
}

#[test]
fn a_host_of_the_python_sdk_2_3_asks_its_user_in_both_eras() {
    for (mode, version) in [("legacy", "2025-11-25"), ("auto", "2026-07-28")] {
        assert_eq!(decides("mcp-2.3", "sdk2.py", &[mode])["version"], version);
    }
}
