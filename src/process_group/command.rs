//! A command that is told of something: that is in its environment and on its stdin, never in its text or its arguments. It
//! leads a group of its own.

use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, ChildStdin};

use super::{ProcessGroup, stop};

/// How long it has after SIGTERM, and how long the kernel may take to carry out SIGKILL.
const GRACE: Duration = Duration::from_secs(2);

/// The most bytes of a variable: systems take 128 KiB. Everything is on the command's stdin.
const MOST_BYTES: usize = 32 * 1024;

/// As much of a value as a variable takes, without the one character that it cannot have.
pub(crate) fn variable(value: &str) -> String {
    let end =
        (0..=MOST_BYTES.min(value.len())).rev().find(|at| value.is_char_boundary(*at)).unwrap_or_default();
    value[..end].replace('\0', "\u{fffd}")
}

/// A command with all that it started in its group. Dropping it kills them.
pub(crate) struct Group {
    leader: Child,
    id: Pid,
    is_over: bool,
}

impl Group {
    /// That of a process which was started as the leader of a group.
    pub(crate) fn of(leader: Child) -> io::Result<Self> {
        let id = leader.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        let id = id.ok_or_else(|| io::Error::other("the process has no id"))?;
        Ok(Self { leader, id, is_over: false })
    }

    /// Hands a line over and waits for the end of the process that was started. One that does not read it is none the worse
    /// for it.
    pub(crate) async fn told(&mut self, line: &str) -> io::Result<ExitStatus> {
        let stdin = self.leader.stdin.take();
        tokio::select! {
            biased;
            ended = self.leader.wait() => return ended,
            () = hand_over(stdin, line) => {}
        }
        self.leader.wait().await
    }

    /// It has ended by itself. What it leaves in the background goes on.
    pub(crate) fn leave(mut self) {
        self.is_over = true;
    }

    fn send(&self, signal: Signal) {
        // A group that is gone needs none.
        let _ = kill_process_group(self.id, signal);
    }

    /// Ends all of it.
    pub(crate) async fn end(mut self) {
        self.is_over = stop(&mut self, GRACE, GRACE).await;
    }
}

/// Writes the line, and closes the pipe behind it.
async fn hand_over(stdin: Option<ChildStdin>, line: &str) {
    if let Some(mut stdin) = stdin {
        // An error only means that nobody reads it.
        let _ = stdin.write_all(line.as_bytes()).await;
        let _ = stdin.write_all(b"\n").await;
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

    async fn signal(&self, signal: Signal) {
        self.send(signal);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.is_over {
            self.send(Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_fits_into_a_variable() {
        assert_eq!(variable("a\0b"), "a\u{fffd}b");
        assert_eq!(variable(&"ä".repeat(MOST_BYTES)).len(), MOST_BYTES);
        assert_eq!(variable("$(id) '; rm"), "$(id) '; rm");
    }
}
