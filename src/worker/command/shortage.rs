//! What a machine is short of for a while, as its errors say it.

use std::io;

use rustix::io::Errno;

/// Processes and descriptors that others have now, memory, room on a disk; a program that is being written.
const SHORTAGES: [Errno; 8] = [
    Errno::AGAIN,
    Errno::NOMEM,
    Errno::MFILE,
    Errno::NFILE,
    Errno::TXTBSY,
    Errno::NOBUFS,
    Errno::NOSPC,
    Errno::DQUOT,
];

/// Whether the same may work a little later, with nothing about it changed.
pub(super) fn is_shortage(error: &io::Error) -> bool {
    error.raw_os_error().is_some_and(|code| SHORTAGES.iter().any(|errno| errno.raw_os_error() == code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_and_what_lasts() {
        for errno in SHORTAGES {
            assert!(is_shortage(&errno.into()), "{errno:?}");
        }
        for errno in [Errno::NOENT, Errno::ACCESS, Errno::NOEXEC, Errno::NAMETOOLONG] {
            assert!(!is_shortage(&errno.into()), "{errno:?}");
        }
    }
}
