//! Work that takes milliseconds, without holding a thread that others wait for.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Does the work here, while the tasks that would run on this thread go on elsewhere. Where there is one thread for
/// all, or none of a runtime's, it is simply done.
pub(crate) fn aside<T>(work: impl FnOnce() -> T) -> T {
    let shared = Handle::try_current().is_ok_and(|one| one.runtime_flavor() == RuntimeFlavor::MultiThread);
    if shared { tokio::task::block_in_place(work) } else { work() }
}
