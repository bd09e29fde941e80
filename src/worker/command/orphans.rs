//! Orphans: where this process is the first of a container, every process that loses its parent there becomes its
//! child, and stays in the process table until this one has waited for it.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::Pid;
use tokio::process::{Child, Command};

/// The processes that this one started itself. Whoever holds their [`Child`] waits for them.
static STARTED: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

fn started() -> MutexGuard<'static, Vec<Pid>> {
    STARTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a process that is no orphan until [`forget`] is told of it.
pub(super) fn start(process: &mut Command) -> io::Result<(Child, Pid)> {
    // Held meanwhile, so that one that ends at once is not taken for an orphan.
    let mut started = started();
    let child = process.spawn()?;
    let id = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    let id = id.ok_or_else(|| io::Error::other("the process has no id"))?;
    started.push(id);
    Ok((child, id))
}

/// That process has been waited for, or nobody will.
pub(super) fn forget(id: Pid) {
    started().retain(|started| *started != id);
}

/// Whether orphans become children of this process.
pub(crate) fn fall_here() -> bool {
    cfg!(target_os = "linux") && rustix::process::getpid().is_init()
}

/// Waits for the orphans that have ended. A program that starts processes in other ways may not use this.
#[cfg(target_os = "linux")]
pub(crate) fn bury() {
    use rustix::process::{WaitOptions, waitpid};

    let started = started();
    for orphan in super::leftovers::linux::dead_children().filter(|one| !started.contains(one)) {
        // Somebody else may have waited for it meanwhile.
        let _ = waitpid(Some(orphan), WaitOptions::NOHANG);
    }
}

/// Nothing: containers are Linux'.
#[cfg(not(target_os = "linux"))]
pub(crate) fn bury() {}
