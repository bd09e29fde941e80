//! The bell: how those who wait learn of a change without asking again and again.
//!
//! In this process it is a channel. Between processes it is a file beside the database: the writer
//! overwrites its only byte after the commit, and everybody watches it. Watching the database's own
//! write-ahead log instead would race with the moment at which the commit can be seen.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use notify::event::ModifyKind;
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use rusqlite::Connection;
use rustix::fs::{OFlags, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT};
use tokio::sync::watch;

use super::actor::Check;
use super::failure::Failure;
use super::files::{Files, beside};

/// How often to look for changes that the watcher did not tell of.
const NET: Duration = Duration::from_millis(750);
/// The same where nothing can be watched, such as when the machine's inotify instances are used up.
const POLL: Duration = Duration::from_millis(25);

/// One process's end of the bell.
#[derive(Debug)]
pub(super) struct Bell {
    path: PathBuf,
    /// Opened when it is there: a process that may create nothing can come before the one that creates it.
    file: OnceLock<File>,
    rung: Arc<watch::Sender<()>>,
    watcher: Option<RecommendedWatcher>,
}

impl Bell {
    /// Opens the bell of the database at `database`, which is created where `create` says so, and begins to listen.
    pub(super) fn open(database: &Path, create: bool) -> Self {
        let path = beside(database, "-bell");
        let (file, rung) = (OnceLock::new(), Arc::new(watch::Sender::new(())));
        let mut bell = Self { path, file, rung, watcher: None };
        match bell.try_open(create) {
            Ok(()) => {}
            Err(error) if !create && error.kind() == io::ErrorKind::NotFound => {}
            // Whoever only looks waits for nobody.
            Err(error) if !create => {
                tracing::debug!(path = %bell.path.display(), %error, "cannot use the bell file; looking now and then");
            }
            Err(error) => tracing::warn!(
                path = %bell.path.display(), %error,
                "cannot use the bell file; looking every {} ms instead", POLL.as_millis()
            ),
        }
        bell
    }

    fn try_open(&mut self, create: bool) -> io::Result<()> {
        let file = open(&self.path, create)?;
        self.file.get_or_init(|| file);
        self.watcher = Some(listen(&self.path, Arc::clone(&self.rung)).map_err(io::Error::other)?);
        Ok(())
    }

    fn file(&self) -> io::Result<&File> {
        if let Some(file) = self.file.get() {
            return Ok(file);
        }
        let file = open(&self.path, false)?;
        Ok(self.file.get_or_init(|| file))
    }

    /// Wakes everybody who waits, here and in other processes. Call it after the commit.
    pub(super) fn ring(&self) {
        self.rung.send_replace(());
        if let Err(error) = self.file().and_then(|file| file.write_at(b"!", 0)) {
            // The change is stored; the others find it by their net.
            tracing::debug!(%error, "cannot ring the bell file");
        }
    }

    /// Listens from now on.
    pub(super) fn hear(&self) -> watch::Receiver<()> {
        self.rung.subscribe()
    }

    /// The file system's present time, in milliseconds since the epoch: what it stamps the bell with when it is
    /// touched. `None` where it cannot be.
    pub(super) fn file_system_ms(&self) -> Option<i64> {
        let file = self.file().ok()?;
        let nanoseconds = |tv_nsec| Timespec { tv_sec: 0, tv_nsec };
        let touch =
            Timestamps { last_access: nanoseconds(UTIME_OMIT), last_modification: nanoseconds(UTIME_NOW) };
        rustix::fs::futimens(file, &touch).ok()?;
        let stamped = rustix::fs::fstat(file).ok()?;
        let millis = i64::try_from(stamped.st_mtime_nsec).ok()? / 1_000_000;
        stamped.st_mtime.checked_mul(1000)?.checked_add(millis)
    }

    /// The net for changes that the watcher did not tell of, and for files that are gone: whoever waits looks, and
    /// is told.
    pub(super) fn net(&self, files: Arc<Files>) -> Check {
        let rung = Arc::clone(&self.rung);
        let mut seen: Option<i64> = None;
        let mut was_gone = false;
        let run = move |connection: &Connection| {
            // An error here shows in the verbs; the net has nobody to tell.
            let version = connection.query_row("PRAGMA data_version", [], |row| row.get(0)).ok();
            let checked = files.check();
            let gone = checked.is_err();
            if let (Err(Failure::Gone(problem)), false) = (checked, was_gone) {
                tracing::warn!(problem, "the database is gone; nothing is stored until it is back");
            }
            if was_gone && !gone {
                tracing::info!("the database is back");
            }
            if version != seen || gone != was_gone {
                (seen, was_gone) = (version, gone);
                rung.send_replace(());
            }
        };
        Check { every: if self.watcher.is_some() { NET } else { POLL }, run: Box::new(run) }
    }
}

/// Opens the bell, whatever it is now: a link that somebody put there leads to a file that is not ours to write to.
fn open(path: &Path, create: bool) -> io::Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
    let flags = i32::try_from(flags).map_err(io::Error::other)?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(create).truncate(false).mode(0o600).custom_flags(flags);
    let file = options.open(path)?;
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(io::Error::other("it is no plain file"));
    }
    // The first byte is overwritten, which would damage somebody's file.
    if found.nlink() > 1 || found.len() > 1 {
        return Err(io::Error::other("it is a file of somebody else, with a name or content of its own"));
    }
    Ok(file)
}

fn listen(path: &Path, rung: Arc<watch::Sender<()>>) -> notify::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // Opening the file is an event too, and every process opens it; so is touching it to see what time it is.
        let is_noise =
            |kind| matches!(kind, EventKind::Access(_) | EventKind::Modify(ModifyKind::Metadata(_)));
        if !event.is_ok_and(|event| is_noise(event.kind)) {
            rung.send_replace(());
        }
    })?;
    watcher.watch(path, RecursiveMode::NonRecursive)?;
    Ok(watcher)
}
