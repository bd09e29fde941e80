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
    pub(super) async fn signal(&self, signal: Signal) {
        let _ = kill_process_group(self.group, signal);
        #[cfg(target_os = "linux")]
        if let Some(table) = linux::table().await {
            table.signal_strays(self.group, &self.mark, signal);
        }
    }

    /// Kills all of them, where there is no time to wait for anything.
    pub(super) fn kill(&self) {
        let _ = kill_process_group(self.group, Signal::KILL);
        #[cfg(target_os = "linux")]
        linux::Table::read().signal_strays(self.group, &self.mark, Signal::KILL);
    }

    /// Whether one is running; the dead that nobody has buried yet do not count.
    #[cfg(target_os = "linux")]
    pub(super) async fn any(&self) -> bool {
        linux::bury(self.group);
        linux::table().await.is_none_or(|table| table.has(self.group, &self.mark))
    }

    /// Whether one is running.
    #[cfg(not(target_os = "linux"))]
    pub(super) async fn any(&self) -> bool {
        rustix::process::test_kill_process_group(self.group).is_ok()
    }
}

/// Kills what an earlier run of the same task left on this machine, because its worker was killed: two runs
/// must not work at the same time. `mark` is the environment entry that all runs of the task have.
#[cfg(target_os = "linux")]
pub(super) async fn end_earlier_run(mark: &[u8]) {
    if let Some(table) = linux::table().await {
        table.kill_marked(mark);
    }
}

/// Nothing: only Linux shows which processes those are.
#[cfg(not(target_os = "linux"))]
pub(super) async fn end_earlier_run(_: &[u8]) {}

#[cfg(target_os = "linux")]
pub(super) mod linux {
    use std::fs;
    use std::sync::Arc;

    use rustix::process::{
        Pid, PidfdFlags, Signal, WaitOptions, getpid, pidfd_open, pidfd_send_signal, waitpgid,
    };

    use super::super::looks::Looks;
    use crate::ask::protocol::{SOCKET_VARIABLE, TASK_VARIABLE};

    /// A line of `/proc`.
    struct Process {
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

        /// What marks it as one of a command. Other people's processes cannot be read, and are not ours.
        fn marks(&self) -> Vec<Vec<u8>> {
            let environment = fs::read(format!("/proc/{}/environ", self.pid.as_raw_nonzero()));
            let environment = environment.unwrap_or_default();
            let is_mark = |entry: &&[u8]| {
                let name = entry.split(|byte| *byte == b'=').next();
                [SOCKET_VARIABLE, TASK_VARIABLE].map(str::as_bytes).map(Some).contains(&name)
            };
            environment.split(|byte| *byte == 0).filter(is_mark).map(<[u8]>::to_vec).collect()
        }
    }

    fn processes() -> impl Iterator<Item = Process> {
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

    /// Every process that is alive, with its marks.
    pub(super) struct Table(Vec<(Process, Vec<Vec<u8>>)>);

    /// The table as it is from now on, read once for all commands that want it at the same time: each reading costs two files
    /// of each process, and a worker that stops ends all of its commands at once. `None` where the process ends.
    pub(super) async fn table() -> Option<Arc<Table>> {
        static TABLES: Looks<Table> = Looks::new();
        TABLES.since(TABLES.asked(), Table::read).await.ok()
    }

    impl Table {
        pub(super) fn read() -> Self {
            let with_marks = |one: Process| {
                let marks = one.marks();
                (one, marks)
            };
            Self(processes().filter(|one| one.alive).map(with_marks).collect())
        }

        /// Whether one is of the group or has the mark.
        pub(super) fn has(&self, group: Pid, mark: &[u8]) -> bool {
            let group = group.as_raw_nonzero().get();
            self.0.iter().any(|(one, marks)| one.group == group || marks.iter().any(|own| own == mark))
        }

        /// Signals those outside the group.
        pub(super) fn signal_strays(&self, group: Pid, mark: &[u8], signal: Signal) {
            let group = group.as_raw_nonzero().get();
            self.signal_marked(mark, signal, |one| one.group != group);
        }

        pub(super) fn kill_marked(&self, mark: &[u8]) {
            self.signal_marked(mark, Signal::KILL, |one| one.pid != getpid());
        }

        /// The descriptor is taken before another look at the process, so one that got the same number meanwhile is never
        /// hit.
        fn signal_marked(&self, mark: &[u8], signal: Signal, is_meant: impl Fn(&Process) -> bool) {
            let has = |marks: &[Vec<u8>]| marks.iter().any(|own| own == mark);
            for (one, _) in self.0.iter().filter(|(one, marks)| has(marks) && is_meant(one)) {
                let Ok(descriptor) = pidfd_open(one.pid, PidfdFlags::empty()) else { continue };
                if Process::read(one.pid).is_some_and(|now| now.alive && is_meant(&now) && has(&now.marks()))
                {
                    let _ = pidfd_send_signal(&descriptor, signal);
                }
            }
        }
    }

    /// Reaps orphans that fell to this process, as they do where it is the first of a container.
    pub(super) fn bury(group: Pid) {
        while matches!(waitpgid(group, WaitOptions::NOHANG), Ok(Some(_))) {}
    }
}
