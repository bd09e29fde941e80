//! The processes of a server on stdio: the program that was started leads a group, and all of the group ends with the
//! connection.

use std::io;
use std::process::ExitStatus;
use std::sync::LazyLock;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions, kill_process_group, test_kill_process_group, waitpgid};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::process_group::{ProcessGroup, ends_within, stop};

/// How long a server has after its stdin closed, and how long after SIGTERM; the SDKs of TypeScript and Python take
/// two seconds as well.
const GRACE: Duration = Duration::from_secs(2);
/// How long the kernel may take to carry out SIGKILL.
const AFTER_KILL: Duration = Duration::from_secs(2);

/// All programs of this process that have not ended. It is one for all connections, since a command that is interrupted
/// drops them in the middle of what they do, and has to wait for the programs all the same.
static RUNNING: LazyLock<TaskTracker> = LazyLock::new(TaskTracker::new);

/// Waits until every program that was started as a server has ended, those of dropped connections among them. The
/// runtime has to go on meanwhile; whatever runs when it ends is killed.
pub async fn programs_ended() {
    RUNNING.close();
    RUNNING.wait().await;
}

/// A program with all that it started in its group. Dropping it kills them.
pub(super) struct Program {
    leader: Child,
    group: Pid,
    /// Fires when this value goes.
    gone: CancellationToken,
    is_over: bool,
    _running: TaskTrackerToken,
}

impl Program {
    /// Starts `command` as the leader of a group, so that Ctrl-C at the terminal does not reach it.
    pub(super) fn start(command: &mut Command) -> io::Result<Self> {
        adopt_orphans();
        let leader = command.process_group(0).spawn()?;
        let group = leader.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        let group = group.ok_or_else(|| io::Error::other("the process has no id"))?;
        let (gone, is_over) = (CancellationToken::new(), false);
        Ok(Self { leader, group, gone, is_over, _running: RUNNING.token() })
    }

    /// The process that was started.
    pub(super) fn leader(&mut self) -> &mut Child {
        &mut self.leader
    }

    /// Fires when the program has ended.
    pub(super) fn gone(&self) -> CancellationToken {
        self.gone.clone()
    }

    /// How the leader ended, where it has, or does at once.
    pub(super) async fn status_within(&mut self, most: Duration) -> Option<ExitStatus> {
        tokio::time::timeout(most, self.leader.wait()).await.ok()?.ok()
    }

    /// Ends all of it: its stdin is closed, now it has time, then SIGTERM, time again, and SIGKILL (MCP, lifecycle,
    /// shutdown on stdio).
    pub(super) async fn end(mut self) {
        self.is_over = ends_within(&mut self, GRACE).await || stop(&mut self, GRACE, AFTER_KILL).await;
        if !self.is_over {
            tracing::warn!(group = self.group.as_raw_nonzero(), "processes of the server do not end");
        }
    }
}

impl ProcessGroup for Program {
    async fn leader_ended(&mut self) {
        // One that cannot be waited for is no child any more.
        let _ = self.leader.wait().await;
    }

    async fn is_any_left(&self) -> bool {
        // Orphans are children of this process.
        while matches!(waitpgid(self.group, WaitOptions::NOHANG), Ok(Some(_))) {}
        test_kill_process_group(self.group).is_ok()
    }

    async fn signal(&self, signal: Signal) {
        self.send(signal);
    }
}

impl Program {
    fn send(&self, signal: Signal) {
        // A group that is gone needs none.
        let _ = kill_process_group(self.group, signal);
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if !self.is_over {
            self.send(Signal::KILL);
        }
        self.gone.cancel();
    }
}

/// Has processes that lose their parent fall to this one, which then waits for them: some containers have nobody who does,
/// and the dead cannot be told from the living there.
#[cfg(target_os = "linux")]
fn adopt_orphans() {
    if let Err(error) = rustix::process::set_child_subreaper(Some(rustix::process::getpid())) {
        tracing::debug!(%error, "orphans of servers are left to others");
    }
}

/// Only Linux lets a process do that.
#[cfg(not(target_os = "linux"))]
fn adopt_orphans() {}
