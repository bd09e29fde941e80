//! How long a file a process may make, and how many it may have open.

use crate::place::Place;

/// Runs a program under a limit of the system's.
fn limited(kind: &str) -> [&str; 2] {
    ["prlimit", kind]
}

#[test]
fn a_worker_that_may_make_no_longer_file_says_so_and_goes_on_when_it_may() {
    let place = Place::new();
    let tools = place.file(
        "tools.toml",
        "[tools.sh]\ndescription = \"runs a line\"\ninput = { line = \"text\" }\n\
         command = [\"/bin/sh\", \"-c\", \"eval \\\"$MCPTASK_ARG_LINE\\\"\"]\n",
    );
    let begun = place.background(&["worker", "--json", "--config", &tools]);
    drop(begun);
    let length =
        |name: &str| std::fs::metadata(place.database().with_file_name(name)).map_or(0, |it| it.len());
    let most = length("tasks.db").max(length("tasks.db-wal")) + 300_000;
    let limit = format!("--fsize={most}:unlimited");
    let worker = place.background_in(&limited(&limit), &["worker", "--json", "--config", &tools]);
    let id = place.ok(&["submit", "sh", "--arg", "line=head -c 900000 /dev/zero | tr '\\0' x"]);
    let said = place.heard("ulimit -f");
    assert!(said.contains(&format!("files of {most} bytes at most")), "{said}");
    let raised = std::process::Command::new("prlimit")
        .args(["--fsize=unlimited", "--pid", &worker.id().to_string()])
        .status();
    assert!(raised.expect("prlimit runs").success());
    assert_eq!(place.ok(&["result", &id, "--wait"]).len(), 900_000);
}

#[test]
fn who_has_as_many_files_open_as_it_may_is_told_so() {
    let place = Place::new();
    drop(place.worker());
    // What a command needs before it comes to the file, and not what the file needs.
    let told = (8..40).map(|most| {
        let most = format!("--nofile={most}");
        let own = place.command(&["list", "--db", &place.database().to_string_lossy()]);
        let mut command = std::process::Command::new("prlimit");
        command.arg(most).arg(own.get_program()).args(own.get_args()).env_clear();
        command.envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let output = command.output().expect("runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    });
    let told: Vec<_> = told.filter(|(_, said)| said.contains("tasks.db")).collect();
    assert!(!told.is_empty());
    for (code, said) in told {
        assert!(code == Some(4) && said.contains("ulimit -n"), "{code:?}: {said}");
    }
}
