//! A SQLite file that this user may read and not write.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::place::Place;

/// Runs a command as a user whose the file is not; where the tests run as such a one already, as that.
fn as_guest(place: &Place, arguments: &[&str]) -> (Option<i32>, String) {
    let own = place.command(arguments);
    let mut command = if is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]).arg(own.get_program());
        command
    } else {
        Command::new(own.get_program())
    };
    command.args(own.get_args()).env_clear().current_dir("/");
    command.envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = command.output().expect("runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}

fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line.starts_with("Uid:\t0\t"))
}

#[test]
fn who_may_not_write_to_the_file_is_unauthorised_and_told_what_helps() {
    let place = Place::new();
    let worker = place.worker();
    let id = place.asking("plan_dinner");
    worker.signal("TERM");
    assert_eq!(worker.code(), 0);
    let database = place.database();
    let directory = database.parent().expect("it is in one");
    let mode = |path: &std::path::Path, mode| set_permissions(path, Permissions::from_mode(mode));
    for above in directory.ancestors().take_while(|above| above.starts_with(place.path())) {
        mode(above, 0o755).expect("is ours");
    }
    mode(&database, 0o444).expect("is ours");
    mode(directory, 0o555).expect("is ours");
    assert_eq!(as_guest(&place, &["list"]).0, Some(0), "reading is allowed");
    for command in [&["respond", &id, "--decline"][..], &["cancel", &id], &["submit", "wait"], &["worker"]] {
        let (code, said) = as_guest(&place, command);
        assert_eq!(code, Some(3), "{command:?}: {said}");
        assert!(said.contains("give this user the right to write"), "{command:?}: {said}");
        assert!(!said.contains("address of the primary"), "{command:?}: {said}");
    }
    let (code, said) = as_guest(&place, &["doctor"]);
    assert!(code == Some(5) && said.contains("store read only"), "{said}");
    mode(directory, 0o000).expect("is ours");
    let (code, said) = as_guest(&place, &["list", "--db", &database.to_string_lossy()]);
    assert!(code == Some(3) && said.contains("give this user the right"), "{said}");
    mode(directory, 0o755).expect("is ours");
}
