//! The processes of a command of `--exec`: the shell leads a group of its own.

use std::io;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::process::Child;

use crate::process_group::{ProcessGroup, stop};

/// How long it has after SIGTERM, and how long the kernel may take to carry out SIGKILL.
const GRACE: Duration = Duration::from_secs(2);

/// A command with all that it started in its group. Dropping it kills them.
pub(super) struct Group {
    leader: Child,
    id: Pid,
    is_over: bool,
}

impl Group {
    /// That of a process which was started as the leader of a group.
    pub(super) fn of(leader: Child) -> io::Result<Self> {
        let id = leader.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        let id = id.ok_or_else(|| io::Error::other("the process has no id"))?;
        Ok(Self { leader, id, is_over: false })
    }

    /// The process that was started.
    pub(super) fn leader(&mut self) -> &mut Child {
        &mut self.leader
    }

    /// It has ended by itself. What it leaves in the background goes on.
    pub(super) fn leave(mut self) {
        self.is_over = true;
    }

    /// Ends all of it.
    pub(super) async fn end(mut self) {
        self.is_over = stop(&mut self, GRACE, GRACE).await;
    }
}

impl ProcessGroup for Group {
    async fn leader_ended(&mut self) {
        // One that cannot be waited for is no child any more.
        let _ = self.leader.wait().await;
    }

    async fn is_any_left(&self) -> bool {
        test_kill_process_group(self.id).is_ok()
    }

    fn signal(&self, signal: Signal) {
        // A group that is gone needs none.
        let _ = kill_process_group(self.id, signal);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.is_over {
            self.signal(Signal::KILL);
        }
    }
}
