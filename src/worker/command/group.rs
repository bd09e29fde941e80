//! A running command: the process that was started, and everything that it starts.

use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

use super::leftovers::Leftovers;
use super::orphans;
use crate::process_group::{ProcessGroup, ends_within, stop};

/// How long what a command started may outlive it: a `tee` at the end of a pipe ends a little later.
const SETTLE: Duration = Duration::from_millis(500);

/// How long the kernel may take to carry out SIGKILL.
const AFTER_KILL: Duration = Duration::from_secs(5);

/// All processes of a command. Dropping it kills them.
#[derive(Debug)]
pub(super) struct Group {
    id: Pid,
    leader: Child,
    status: Option<ExitStatus>,
    leftovers: Leftovers,
    over: bool,
}

/// The ends of the pipes.
pub(super) struct Pipes {
    pub(super) stdin: ChildStdin,
    pub(super) stdout: ChildStdout,
    pub(super) stderr: ChildStderr,
}

/// How the processes of a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remains {
    /// They were gone by themselves.
    None,
    /// They had to be ended.
    Ended,
    /// Some could not be ended.
    Stuck,
}

impl Group {
    /// Starts `process`, which must be set to lead a group and to have three pipes.
    pub(super) fn start(process: &mut Command, mark: Vec<u8>) -> io::Result<(Self, Pipes)> {
        let (mut leader, id) = orphans::start(process)?;
        let pipes = (leader.stdin.take(), leader.stdout.take(), leader.stderr.take());
        let leftovers = Leftovers::new(id, mark);
        let group = Self { id, leader, status: None, leftovers, over: false };
        match pipes {
            (Some(stdin), Some(stdout), Some(stderr)) => Ok((group, Pipes { stdin, stdout, stderr })),
            _ => Err(io::Error::other("the process has no pipes")),
        }
    }

    /// Waits until the process that was started ends. Dropping the future loses nothing.
    pub(super) async fn exited(&mut self) -> io::Result<ExitStatus> {
        if let Some(status) = self.status {
            return Ok(status);
        }
        let status = self.leader.wait().await?;
        self.status = Some(status);
        Ok(status)
    }

    /// After the command ended by itself: what it left behind is ended.
    pub(super) async fn sweep(&mut self, grace: Duration) -> Remains {
        self.over = ends_within(self, SETTLE).await;
        if self.over { Remains::None } else { self.end(grace).await }
    }

    /// Ends everything.
    pub(super) async fn end(&mut self, grace: Duration) -> Remains {
        self.over = stop(self, grace, AFTER_KILL).await;
        if self.over { Remains::Ended } else { Remains::Stuck }
    }
}

impl ProcessGroup for Group {
    async fn leader_ended(&mut self) {
        // One that cannot be waited for is no child any more.
        let _ = self.exited().await;
    }

    /// Reads the process table, which takes a while on a busy machine.
    async fn is_any_left(&self) -> bool {
        self.leftovers.any().await
    }

    async fn signal(&self, signal: Signal) {
        self.leftovers.signal(signal).await;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.over {
            self.leftovers.kill();
        }
        orphans::forget(self.id);
    }
}
