//! What a process takes, looked at from outside, in `/proc`.

use std::time::{Duration, Instant};

use crate::place::Background;

/// Clock ticks per second in `/proc/PID/stat`: a constant of Linux' interface to programs.
const TICKS: f64 = 100.0;

/// What a process takes at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Taken {
    /// Resident memory.
    pub(crate) kib: u64,
    /// Open descriptors.
    pub(crate) files: usize,
}

/// Looks at a process.
pub(crate) fn taken(process: &Background) -> Taken {
    let status = read(process, "status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("resident memory");
    let kib = line.split_whitespace().next().and_then(|kib| kib.parse().ok()).expect("a number");
    let files = std::fs::read_dir(format!("/proc/{}/fd", process.id())).expect("the process lives");
    Taken { kib, files: files.count() }
}

/// How much of one core a process uses over that time, in percent.
pub(crate) async fn cpu(process: &Background, over: Duration) -> f64 {
    let (before, began) = (ticks(process), Instant::now());
    tokio::time::sleep(over).await;
    100.0 * (ticks(process) - before) / TICKS / began.elapsed().as_secs_f64()
}

fn ticks(process: &Background) -> f64 {
    let stat = read(process, "stat");
    // The name before may hold spaces and brackets; the times are the 12th and 13th field after it.
    let fields: Vec<&str> = stat.rsplit(')').next().expect("a last part").split_whitespace().collect();
    [11, 12].iter().map(|at| fields[*at].parse::<f64>().expect("a number")).sum()
}

fn read(process: &Background, name: &str) -> String {
    std::fs::read_to_string(format!("/proc/{}/{name}", process.id())).expect("the process lives")
}
