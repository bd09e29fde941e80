//! A SQLite store, and a hand that reads and writes its file past it.

use std::path::PathBuf;
use std::sync::Arc;

use mcptask::store::sqlite::SqliteStore;
use mcptask::store::{Store, StoreError};
use mcptask::task::TaskId;
use rusqlite::Connection;
use tempfile::TempDir;

/// All tables.
const TABLES: [&str; 11] = [
    "namespace",
    "task",
    "arguments",
    "outcome",
    "question",
    "scope",
    "event",
    "worker",
    "offer",
    "tool",
    "source",
];

/// A store in a file of its own.
pub(crate) struct Kitchen {
    pub(crate) directory: TempDir,
    pub(crate) store: Arc<SqliteStore>,
}

impl Kitchen {
    pub(crate) async fn new() -> Self {
        let directory = TempDir::new().expect("a temporary directory");
        let store = SqliteStore::open(&directory.path().join("tasks.db"), "test").await.expect("opens");
        Self { directory, store }
    }

    /// Where the file is.
    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("tasks.db")
    }

    /// Runs a statement as somebody else would; how many rows it changed.
    pub(crate) fn sql(&self, sql: &str) -> usize {
        let file = Connection::open(self.path()).expect("opens");
        file.execute(sql, []).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// The number that a query gives.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        let file = Connection::open(self.path()).expect("opens");
        file.query_row(sql, [], |row| row.get(0)).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// Everything that is stored.
    pub(crate) fn dump(&self) -> Vec<String> {
        let file = Connection::open(self.path()).expect("opens");
        let mut dump = Vec::new();
        for table in TABLES {
            let mut statement = file.prepare(&format!("SELECT * FROM {table}")).expect("is SQL");
            let columns = statement.column_count();
            let mut rows = statement.query([]).expect("reads");
            while let Some(row) = rows.next().expect("reads") {
                let values = (0..columns).map(|at| format!("{:?}", row.get_ref(at).expect("a value")));
                dump.push(format!("{table} {:?}", values.collect::<Vec<_>>()));
            }
        }
        dump
    }

    /// Damages the arguments of a task.
    pub(crate) fn poison(&self, task: &TaskId) {
        let of = format!("(SELECT number FROM task WHERE id = '{task}')");
        assert_eq!(self.sql(&format!("UPDATE arguments SET record = '{{\"a\":' WHERE task = {of}")), 1);
    }

    /// Why a task cannot be read.
    pub(crate) async fn unreadable(&self, task: &TaskId) -> String {
        match self.store.get(task).await {
            Err(StoreError::Unreadable { task: named, problem }) if &named == task => problem,
            other => panic!("{other:?}"),
        }
    }
}
