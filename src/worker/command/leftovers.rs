//! What is still running of a command: its process group, and on Linux also processes that left the group
//! (`setsid`, daemons), known by the socket in their environment.

use rustix::process::{Pid, Signal, kill_process_group};

/// The processes of one command.
#[derive(Debug, Clone)]
pub(super) struct Leftovers {
    group: Pid,
    /// The environment entry that only this run's processes have.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only Linux shows environments"))]
    mark: Vec<u8>,
}

impl Leftovers {
    pub(super) fn new(group: Pid, mark: Vec<u8>) -> Self {
        Self { group, mark }
    }

    /// Sends a signal to all of them. Those that are gone already need none.
    pub(super) fn signal(&self, signal: Signal) {
        let _ = kill_process_group(self.group, signal);
        #[cfg(target_os = "linux")]
        linux::signal_strays(self.group, &self.mark, signal);
    }

    /// Whether one is running; the dead that nobody has buried yet do not count.
    #[cfg(target_os = "linux")]
    pub(super) fn any(&self) -> bool {
        linux::bury(self.group);
        linux::processes().any(|one| one.is_of(self.group, &self.mark))
    }

    /// Whether one is running.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn any(&self) -> bool {
        rustix::process::test_kill_process_group(self.group).is_ok()
    }
}

/// Kills what an earlier run of the same task left on this machine, because its worker was killed: two runs
/// must not work at the same time. `mark` is the environment entry that all runs of the task have.
#[cfg(target_os = "linux")]
pub(super) fn end_earlier_run(mark: &[u8]) {
    linux::kill_marked(mark);
}

/// Nothing: only Linux shows which processes those are.
#[cfg(not(target_os = "linux"))]
pub(super) fn end_earlier_run(_: &[u8]) {}

#[cfg(target_os = "linux")]
pub(super) mod linux {
    use std::fs;

    use rustix::process::{
        Pid, PidfdFlags, Signal, WaitOptions, getpid, pidfd_open, pidfd_send_signal, waitpgid,
    };

    /// A line of `/proc`.
    pub(super) struct Process {
        pid: Pid,
        parent: i32,
        group: i32,
        alive: bool,
    }

    impl Process {
        fn read(pid: Pid) -> Option<Self> {
            let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
            // The name stands in parentheses and may hold anything; the fields count from the last one on:
            // state, parent, group (proc_pid_stat(5)).
            let (_, fields) = stat.rsplit_once(')')?;
            let mut fields = fields.split_ascii_whitespace();
            let alive = !matches!(fields.next()?, "Z" | "X" | "x");
            let parent = fields.next()?.parse().ok()?;
            Some(Self { pid, parent, group: fields.next()?.parse().ok()?, alive })
        }

        pub(super) fn is_of(&self, group: Pid, mark: &[u8]) -> bool {
            self.alive && (self.group == group.as_raw_nonzero().get() || self.has(mark))
        }

        /// Whether its environment has the entry. Other people's processes cannot be read, and are not ours.
        fn has(&self, mark: &[u8]) -> bool {
            let environment = fs::read(format!("/proc/{}/environ", self.pid.as_raw_nonzero()));
            environment.is_ok_and(|all| all.split(|byte| *byte == 0).any(|entry| entry == mark))
        }
    }

    pub(super) fn processes() -> impl Iterator<Item = Process> {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        entries.filter_map(|entry| {
            let number = entry.file_name().to_str()?.parse().ok()?;
            Process::read(Pid::from_raw(number)?)
        })
    }

    /// This process's own children that have ended and that nobody has waited for.
    pub(in crate::worker::command) fn dead_children() -> impl Iterator<Item = Pid> {
        let parent = getpid().as_raw_nonzero().get();
        processes().filter(move |one| !one.alive && one.parent == parent).map(|one| one.pid)
    }

    /// Signals those outside the group. The descriptor is taken before the look at the environment, so a
    /// process that got the same number meanwhile is never hit.
    pub(super) fn signal_strays(group: Pid, mark: &[u8], signal: Signal) {
        for one in processes().filter(|one| one.group != group.as_raw_nonzero().get()) {
            let Ok(descriptor) = pidfd_open(one.pid, PidfdFlags::empty()) else { continue };
            if one.is_of(group, mark) {
                let _ = pidfd_send_signal(&descriptor, signal);
            }
        }
    }

    pub(super) fn kill_marked(mark: &[u8]) {
        for one in processes().filter(|one| one.pid != getpid()) {
            let Ok(descriptor) = pidfd_open(one.pid, PidfdFlags::empty()) else { continue };
            if one.alive && one.has(mark) {
                let _ = pidfd_send_signal(&descriptor, Signal::KILL);
            }
        }
    }

    /// Reaps orphans that fell to this process, as they do where it is the first of a container.
    pub(super) fn bury(group: Pid) {
        while matches!(waitpgid(group, WaitOptions::NOHANG), Ok(Some(_))) {}
    }
}
