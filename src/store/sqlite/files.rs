//! Which files the database is: whether they are still those that were opened.
//!
//! SQLite goes on with files that were removed or replaced, and nobody else would ever see what it writes there. So
//! they are compared with what the paths lead to before anything is acknowledged, and from time to time.

use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::failure::Failure;

/// What tells a file from another one under its name.
pub(super) type Identity = (u64, u64);

/// The database and its companions, as they were when they were opened.
#[derive(Debug)]
pub(super) struct Files {
    watched: Vec<(PathBuf, Identity)>,
}

/// A path with something after its last part.
pub(super) fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn identity(metadata: &Metadata) -> Identity {
    (metadata.dev(), metadata.ino())
}

/// What the file at `path` is; [`Failure::Gone`] where there is none.
pub(super) fn identify(path: &Path) -> Result<Identity, Failure> {
    let found = fs::metadata(path).map_err(|error| Failure::Gone(format!("{}: {error}", path.display())))?;
    Ok(identity(&found))
}

impl Files {
    /// Notes what is at `path`, which was `before` when it was about to be opened, and what the log and index are
    /// that are beside `real`, where links led to. A file that is in no need of these has none.
    pub(super) fn note(path: &Path, real: &Path, before: Identity) -> Self {
        let companion = |suffix| {
            let path = beside(real, suffix);
            let found = identify(&path).ok()?;
            Some((path, found))
        };
        let companions = ["-wal", "-shm"].into_iter().filter_map(companion);
        Self { watched: std::iter::once((path.to_owned(), before)).chain(companions).collect() }
    }

    /// [`Failure::Gone`] where one of them is another one now, or none.
    pub(super) fn check(&self) -> Result<(), Failure> {
        for (path, before) in &self.watched {
            let problem = match fs::metadata(path) {
                Ok(now) if identity(&now) == *before => continue,
                Ok(_) => "was replaced by another file while it was open",
                Err(error) if error.kind() == ErrorKind::NotFound => "was removed while it was open",
                // It cannot be looked at now, which says nothing about what it is.
                Err(_) => continue,
            };
            return Err(Failure::Gone(format!("{} {problem}", path.display())));
        }
        Ok(())
    }
}

/// A file that is read as if nobody wrote to it, and what it looked like when it was opened.
#[derive(Debug)]
pub(super) struct Frozen {
    database: PathBuf,
    before: Option<(Identity, u64, i64, i64)>,
}

impl Frozen {
    /// Notes what it looks like.
    pub(super) fn note(database: &Path) -> Self {
        Self { database: database.to_owned(), before: look(database) }
    }

    /// Whether somebody has written to it since.
    pub(super) fn is_changed(&self) -> bool {
        self.before.is_none() || look(&self.database) != self.before
    }
}

/// What changes with each write; `None` where somebody may be writing.
fn look(database: &Path) -> Option<(Identity, u64, i64, i64)> {
    if fs::metadata(beside(database, "-wal")).is_ok_and(|log| log.len() > 0) {
        return None;
    }
    let found = fs::metadata(database).ok()?;
    Some((identity(&found), found.len(), found.mtime(), found.mtime_nsec()))
}
