//! Processes of a run: started, looked at from outside, and killed when dropped.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// How long a process may take until it says its first line; Python's imports take seconds.
const START: Duration = Duration::from_secs(60);

/// Clock ticks per second in `/proc/PID/stat`: a constant of Linux' interface to programs.
const TICKS: f64 = 100.0;

/// A process in the background.
pub(crate) struct Process {
    child: Child,
    /// The first line that it printed.
    pub(crate) first: String,
}

impl Process {
    /// Starts it and waits for its first line.
    pub(crate) fn start(command: &mut Command) -> Self {
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        let first = first_line(child.stdout.take().expect("piped"));
        Self { child, first: first.unwrap_or_else(|| panic!("{command:?} says nothing")) }
    }

    /// Starts it without waiting.
    pub(crate) fn silent(command: &mut Command) -> Self {
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        let child = spawned.unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        Self { child, first: String::new() }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Resident memory in bytes.
    pub(crate) fn resident(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or(0.0) * 1024.0
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn first_line(stdout: ChildStdout) -> Option<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut lines = BufReader::new(stdout).lines();
        // Nobody waits any more once the time is over.
        let _ = sender.send(lines.next());
        // It may go on to print; a full pipe would stop it.
        lines.for_each(drop);
    });
    receiver.recv_timeout(START).ok()??.ok()
}

/// Seconds of CPU that processes have used so far; 0 where the system does not show it as Linux does.
#[derive(Debug, Clone)]
pub(crate) struct Cpu(Vec<(&'static str, Vec<u32>, f64)>);

impl Cpu {
    /// Begins to measure groups of processes.
    pub(crate) fn begin(groups: Vec<(&'static str, Vec<u32>)>) -> Self {
        Self(groups.into_iter().map(|(name, ids)| (name, ids.clone(), seconds(&ids))).collect())
    }

    /// What each group has used since, in percent of one core over `period` seconds.
    pub(crate) fn percent(&self, period: f64) -> Vec<(&'static str, f64)> {
        let used = |(name, ids, before): &(&'static str, Vec<u32>, f64)| {
            (*name, 100.0 * (seconds(ids) - before).max(0.0) / period)
        };
        self.0.iter().map(used).collect()
    }
}

fn seconds(ids: &[u32]) -> f64 {
    ids.iter().map(|id| ticks(*id) / TICKS).sum()
}

fn ticks(id: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    // The name before may hold spaces and brackets; the times are the 12th and 13th field after it.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    [11, 12].iter().filter_map(|at| fields.get(*at)?.parse::<f64>().ok()).sum()
}
