//! A running command: the process that was started, and everything that it starts.

use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::time::{Instant, sleep, timeout};

use super::leftovers::Leftovers;
use super::orphans;

/// How long what a command started may outlive it: a `tee` at the end of a pipe ends a little later.
const SETTLE: Duration = Duration::from_millis(500);

/// How long the kernel may take to carry out SIGKILL.
const AFTER_KILL: Duration = Duration::from_secs(5);

/// Looks for leftovers are this far apart, doubled from the first to the last. Nobody tells when a process
/// ends that is not one's own child.
const FIRST_LOOK: Duration = Duration::from_millis(5);
const LAST_LOOK: Duration = Duration::from_millis(100);

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
        if self.gone_within(SETTLE).await { Remains::None } else { self.end(grace).await }
    }

    /// Ends everything: SIGTERM, and SIGKILL for what is there after `grace`.
    pub(super) async fn end(&mut self, grace: Duration) -> Remains {
        self.leftovers.signal(Signal::TERM);
        // A stopped process takes the signal only when it goes on.
        self.leftovers.signal(Signal::CONT);
        if self.gone_within(grace).await {
            return Remains::Ended;
        }
        self.leftovers.signal(Signal::KILL);
        if self.gone_within(AFTER_KILL).await { Remains::Ended } else { Remains::Stuck }
    }

    async fn gone_within(&mut self, most: Duration) -> bool {
        let deadline = Instant::now() + most;
        if timeout(most, self.exited()).await.is_err() {
            return false;
        }
        let mut pause = FIRST_LOOK;
        while self.any_left().await {
            let now = Instant::now();
            if now >= deadline {
                return false;
            }
            sleep(pause.min(deadline - now)).await;
            pause = (pause * 2).min(LAST_LOOK);
        }
        self.over = true;
        true
    }
}

impl Group {
    /// Reads the process table, which takes a while on a busy machine.
    async fn any_left(&self) -> bool {
        let leftovers = self.leftovers.clone();
        tokio::task::spawn_blocking(move || leftovers.any()).await.unwrap_or(true)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.over {
            self.leftovers.signal(Signal::KILL);
        }
        orphans::forget(self.id);
    }
}
