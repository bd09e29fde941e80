//! The bell: how those who wait learn of a change without asking again and again.
//!
//! In this process it is a channel. Between processes it is a file beside the database: the writer
//! overwrites its only byte after the commit, and everybody watches it. Watching the database's own
//! write-ahead log instead would race with the moment at which the commit can be seen.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use rusqlite::Connection;
use tokio::sync::watch;

use super::actor::Check;

/// How often to look for changes that the watcher did not tell of.
const NET: Duration = Duration::from_millis(750);
/// The same where nothing can be watched, such as when the machine's inotify instances are used up.
const POLL: Duration = Duration::from_millis(25);

/// One process's end of the bell.
#[derive(Debug)]
pub(super) struct Bell {
    file: File,
    rung: Arc<watch::Sender<()>>,
    watcher: Option<RecommendedWatcher>,
}

impl Bell {
    /// Opens the bell of the database at `database`, and begins to listen.
    pub(super) fn open(database: &Path) -> io::Result<Self> {
        let path = beside(database);
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path)?;
        let rung = Arc::new(watch::Sender::new(()));
        let watcher = match listen(&path, Arc::clone(&rung)) {
            Ok(watcher) => Some(watcher),
            Err(error) => {
                tracing::warn!(
                    path = %path.display(), %error,
                    "cannot watch the bell file; looking every {} ms instead", POLL.as_millis()
                );
                None
            }
        };
        Ok(Self { file, rung, watcher })
    }

    /// Wakes everybody who waits, here and in other processes. Call it after the commit.
    pub(super) fn ring(&self) {
        self.rung.send_replace(());
        if let Err(error) = self.file.write_at(b"!", 0) {
            // The change is stored; the others find it by their net.
            tracing::warn!(%error, "cannot ring the bell file");
        }
    }

    /// Listens from now on.
    pub(super) fn hear(&self) -> watch::Receiver<()> {
        self.rung.subscribe()
    }

    /// The net for changes that the watcher did not tell of.
    pub(super) fn net(&self) -> Check {
        let rung = Arc::clone(&self.rung);
        let mut seen: Option<i64> = None;
        let run = move |connection: &Connection| {
            // An error here shows in the verbs; the net has nobody to tell.
            let version = connection.query_row("PRAGMA data_version", [], |row| row.get(0)).ok();
            if version != seen {
                seen = version;
                rung.send_replace(());
            }
        };
        Check { every: if self.watcher.is_some() { NET } else { POLL }, run: Box::new(run) }
    }
}

/// The bell file of a database.
fn beside(database: &Path) -> PathBuf {
    let mut name: OsString = database.as_os_str().to_owned();
    name.push("-bell");
    name.into()
}

fn listen(path: &Path, rung: Arc<watch::Sender<()>>) -> notify::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // Opening the file is an event too, and every process opens it.
        if !event.is_ok_and(|event| matches!(event.kind, EventKind::Access(_))) {
            rung.send_replace(());
        }
    })?;
    watcher.watch(path, RecursiveMode::NonRecursive)?;
    Ok(watcher)
}
