//! A place for state, to which a test opens as many handles as it likes.

use std::path::PathBuf;
use std::sync::Arc;

use mcptask::store::Store;
use mcptask::store::sqlite::SqliteStore;
use tempfile::TempDir;

/// The place. Dropping it removes the file or stops the server.
#[derive(Debug)]
pub enum Bench {
    /// A file of its own.
    Sqlite(TempDir),
}

impl Bench {
    /// An empty SQLite file.
    pub fn sqlite() -> Self {
        Self::Sqlite(TempDir::new().expect("a temporary directory"))
    }

    /// A handle as another process would have it: nothing is shared but the state.
    pub async fn store(&self) -> Arc<dyn Store> {
        self.namespace("test").await
    }

    /// A handle on another namespace.
    pub async fn namespace(&self, name: &str) -> Arc<dyn Store> {
        match self {
            Self::Sqlite(directory) => {
                SqliteStore::open(&file(directory), name).await.expect("opens the file")
            }
        }
    }
}

fn file(directory: &TempDir) -> PathBuf {
    directory.path().join("tasks.db")
}
