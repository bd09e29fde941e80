//! The commands of `mcptask`, at servers that a test plays.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::PATIENCE;
use crate::peer::Peer;

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) took: Duration,
}

/// Runs `mcptask` with those answers in `answers.json`; it has ended before the patience of a test has.
pub(crate) fn run(words: &[&str], answers: &str) -> Ran {
    run_in(&TempDir::new().expect("a folder"), words, answers)
}

/// The same as one user, whose home that is.
pub(crate) fn run_in(home: &TempDir, words: &[&str], answers: &str) -> Ran {
    std::fs::write(home.path().join("answers.json"), answers).expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_mcptask"));
    command.env_clear().env("HOME", home.path()).current_dir(home.path());
    command.args(words).args(["--timeout", &format!("{}s", PATIENCE.as_secs())]);
    let begun = Instant::now();
    let output = command.stdin(Stdio::null()).output().expect("mcptask runs");
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    Ran { code: output.status.code(), out, err, took: begun.elapsed() }
}

/// The same at that server.
pub(crate) fn at(peer: &Peer, words: &[&str], answers: &str) -> Ran {
    run(&[words, &["--server", &peer.url()]].concat(), answers)
}
