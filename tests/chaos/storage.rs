//! A disk without room, and one that may only be read, under a SQLite file.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::protocol::redis::free_port;
use crate::stage::{Stage, Views as _, saw_everything};

/// Says that the test runs where it may mount.
const APART: &str = "MCPTASK_TEST_APART";

/// Runs the test of that name where it may mount, and nobody else sees it: again, in namespaces of its own.
fn apart(test: &str, body: impl FnOnce()) {
    if std::env::var_os(APART).is_some() {
        return body();
    }
    let mut again = Command::new("unshare");
    again.args(["--user", "--map-root-user", "--mount"]).arg(std::env::current_exe().expect("a path"));
    let status = again.args(["--exact", test, "--nocapture"]).env(APART, "1").status();
    let status = status.expect("unshare runs; install it: apt-get install util-linux");
    assert!(status.success(), "{test} failed, or this machine allows no user namespaces");
}

/// A small disk; gone when dropped.
struct Disk(PathBuf);

impl Disk {
    /// Where the stage's tasks are.
    fn under(stage: &Stage) -> Self {
        let place = stage.path().join("state");
        std::fs::create_dir(&place).expect("creates it");
        mount(&["-t", "tmpfs", "-o", "size=2m,mode=700", "none"], &place);
        Self(place)
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }

    /// Leaves no room.
    fn fill(&self) {
        let mut file = OpenOptions::new().create(true).append(true).open(self.filler()).expect("creates it");
        while file.write_all(&[0; 4096]).is_ok() {}
    }

    fn make_room(&self) {
        std::fs::remove_file(self.filler()).expect("removes it");
    }

    fn may(&self, mode: &str) {
        mount(&["-o", &format!("remount,{mode}"), "none"], &self.0);
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // It ends with this process at the latest.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn mount(words: &[&str], place: &Path) {
    assert!(Command::new("mount").args(words).arg(place).status().expect("mount runs").success());
}

/// Waits until that holds of what the processes have said.
fn heard(stage: &Stage, holds: impl Fn(&str) -> bool) {
    let begun = std::time::Instant::now();
    while !holds(&stage.heard("")) {
        assert!(begun.elapsed() < crate::place::BOUND, "{}", stage.heard(""));
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[test]
fn a_full_disk_is_told_and_costs_nothing() {
    apart("storage::a_full_disk_is_told_and_costs_nothing", || {
        let stage = Stage::sqlite();
        let disk = Disk::under(&stage);
        let (_worker, _server) = (stage.worker(), stage.serve_on(free_port(), &[]));
        let task = stage.asking("plan_dinner");
        let watch = stage.background(&["watch", "--json"]);
        disk.fill();
        let mut acknowledged = vec![task.clone()];
        let refused = loop {
            let ran = stage.run(&["submit", "plan_dinner"]);
            if ran.code != 0 {
                break ran;
            }
            acknowledged.push(ran.out.trim().to_owned());
            assert!(acknowledged.len() < 1000, "the disk is never full");
        };
        assert!(
            refused.code == 4 && refused.err.contains("the disk is full: make room on it"),
            "{refused:?}"
        );
        let answer = ["respond", &task, "--accept", "--set", "cuisine=Thai"];
        let answered = stage.run(&answer);
        assert!(matches!(answered.code, 0 | 4), "{answered:?}");
        disk.make_room();
        if answered.code == 4 {
            stage.ok(&answer);
        }
        stage.until_asked(&task, "q2");
        stage.answer_vegetarian(&task);
        stage.menu(&task);
        saw_everything(&stage, watch, &task);
        for other in &acknowledged[1..] {
            stage.until(other, "asked");
        }
        let waiting = stage.json(&["list", "--status", "input_required"]);
        assert_eq!(waiting.len(), acknowledged.len() - 1);
    });
}

#[test]
fn media_that_may_only_be_read_are_named_and_left_alone() {
    apart("storage::media_that_may_only_be_read_are_named_and_left_alone", || {
        let stage = Stage::sqlite();
        let disk = Disk::under(&stage);
        let task = {
            let _worker = stage.worker();
            stage.asking("plan_dinner")
        };
        disk.may("ro");
        for command in [&["list"][..], &["show", &task], &["watch", "--no-follow"]] {
            let ran = stage.run(command);
            assert!(
                ran.code == 0 && ran.out.contains(&task[..7]) && ran.err.is_empty(),
                "{command:?}: {ran:?}"
            );
        }
        for command in [&["submit", "plan_dinner"][..], &["cancel", &task]] {
            let ran = stage.run(command);
            let said =
                ["Read-only file system", "may only be read"].iter().any(|said| ran.err.contains(said));
            assert!(ran.code == 4 && said && ran.err.contains("tasks.db"), "{command:?}: {ran:?}");
        }
        disk.may("rw");
        let _worker = stage.worker();
        stage.answer_cuisine(&task);
        stage.until_asked(&task, "q2");
        stage.answer_vegetarian(&task);
        stage.menu(&task);
    });
}

/// A file that is moved away for a moment and put back is the same store: a worker and a server wait for it, and what they
/// had goes on at its first attempt.
#[test]
fn a_file_that_is_moved_away_and_put_back_ends_nobody() {
    let stage = Stage::sqlite();
    let (worker, _server) = (stage.worker(), stage.serve_on(free_port(), &["--concurrency", "0"]));
    let task = stage.asking("plan_dinner");
    let (here, there) = (stage.database(), stage.path().join("elsewhere.db"));
    for times in 1..=2 {
        std::fs::rename(&here, &there).expect("moves it away");
        let gone =
            |said: &str| said.matches("the database is gone; nothing is stored until it is back").count();
        heard(&stage, |said| gone(said) == 2 * times);
        std::fs::rename(&there, &here).expect("puts it back");
        heard(&stage, |said| said.matches("the database is back").count() == 2 * times);
    }
    stage.answer_cuisine(&task);
    stage.until_asked(&task, "q2");
    stage.answer_vegetarian(&task);
    stage.menu(&task);
    let claims = stage.events(&task).iter().filter(|event| event["event"] == "claimed").count();
    assert_eq!(claims, 1, "{:?}", stage.events(&task));
    let said = stage.heard("");
    assert!(!said.contains("cannot record") && !said.contains("could not record"), "{said}");
    assert!(!said.contains("does not work"), "it is said once by each: {said}");
    worker.signal("TERM");
    assert_eq!(worker.code(), 0);
}

/// A file that was removed under running processes does not come back: each says so and ends.
#[test]
fn processes_whose_file_was_removed_end_and_say_why() {
    let stage = Stage::sqlite();
    let worker = stage.worker();
    stage.asking("plan_dinner");
    let watch = stage.background(&["watch", "--json"]);
    let folder = stage.path().join("state").join("mcptask");
    for file in std::fs::read_dir(&folder).expect("lists") {
        std::fs::remove_file(file.expect("a file").path()).expect("removes it");
    }
    for (name, process) in [("worker", worker), ("watch", watch)] {
        assert_eq!(process.code(), 4, "{name}");
    }
}
