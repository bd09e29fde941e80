//! The private socket of one run: in a folder of its own, for this user only, gone with the run.

use std::env;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rand::RngExt as _;
use tokio::net::{UnixListener, UnixStream};

use super::shortage::is_shortage;

/// The longest path that every system takes for a socket: macOS has 104 bytes with the NUL at the end.
const MAX_PATH_BYTES: usize = 103;

/// A listening socket. Dropping it removes the socket and its folder.
#[derive(Debug)]
pub(super) struct PrivateSocket {
    listener: UnixListener,
    folder: PathBuf,
    path: PathBuf,
}

impl PrivateSocket {
    /// Opens a socket under `XDG_RUNTIME_DIR` or the folder for temporary files, whichever works.
    pub(super) fn open() -> io::Result<Self> {
        let runtime = env::var_os("XDG_RUNTIME_DIR").filter(|path| !path.is_empty()).map(PathBuf::from);
        let candidates = runtime.into_iter().chain([env::temp_dir(), PathBuf::from("/tmp")]);
        let mut last = io::Error::other("there is no folder for temporary files with a short path");
        for parent in candidates.filter(|parent| parent.is_absolute()) {
            match Self::open_in(&parent) {
                Ok(socket) => return Ok(socket),
                // No other folder helps, and the system's own error says so.
                Err(error) if is_shortage(&error) => return Err(error),
                Err(error) => last = io::Error::new(error.kind(), format!("{}: {error}", parent.display())),
            }
        }
        Err(last)
    }

    /// A folder that exists already is never used: somebody else may have made it.
    fn open_in(parent: &Path) -> io::Result<Self> {
        let folder = parent.join(format!("mcptask-{:016x}", rand::rng().random::<u64>()));
        let path = folder.join("ask");
        if path.as_os_str().as_bytes().len() > MAX_PATH_BYTES {
            let problem = format!("the path of a socket there would be longer than {MAX_PATH_BYTES} bytes");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
        }
        DirBuilder::new().mode(0o700).create(&folder)?;
        let made = UnixListener::bind(&path).and_then(|listener| {
            fs::set_permissions(&path, Permissions::from_mode(0o600))?;
            Ok(listener)
        });
        match made {
            Ok(listener) => Ok(Self { listener, folder, path }),
            Err(error) => {
                let _ = fs::remove_dir_all(&folder);
                Err(error)
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Waits for the next connection of this user; others are turned away.
    pub(super) async fn accept(&self) -> io::Result<UnixStream> {
        loop {
            let (stream, _) = self.listener.accept().await?;
            let peer = stream.peer_cred()?.uid();
            if is_own(peer) {
                return Ok(stream);
            }
            tracing::warn!(uid = peer, "another user tried to talk on a task's socket");
        }
    }
}

fn is_own(peer: u32) -> bool {
    peer == rustix::process::geteuid().as_raw()
}

impl Drop for PrivateSocket {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            tracing::warn!(%error, folder = %self.folder.display(), "could not remove a task's socket");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_socket_is_private_and_goes_away() {
        let parent = tempfile::tempdir().expect("a folder");
        let socket = PrivateSocket::open_in(parent.path()).expect("a socket");
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(&socket.folder), 0o700);
        assert_eq!(mode(&socket.path), 0o600);
        drop(socket);
        assert_eq!(fs::read_dir(parent.path()).expect("there").count(), 0);
    }

    #[tokio::test]
    async fn a_path_that_is_too_long_is_refused_before_anything_is_made() {
        let parent = tempfile::tempdir().expect("a folder");
        let long = parent.path().join("x".repeat(90));
        let error = PrivateSocket::open_in(&long).expect_err("too long");
        assert!(error.to_string().contains("longer than 103"), "{error}");
    }

    #[test]
    fn other_users_are_turned_away() {
        let own = rustix::process::geteuid().as_raw();
        assert!(is_own(own));
        assert!(!is_own(own + 1));
    }
}
