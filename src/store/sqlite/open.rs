//! Opening the file: permissions, settings, layout.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::Instant;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _, Transaction, TransactionBehavior};

use super::super::StoreError;
use super::busy;
use super::fault::Fault;

/// Marks the file as ours (`mcpt` in ASCII), so that another program's database is never written to.
const APPLICATION: i64 = 0x6d63_7074;

/// The layout of files.
const LAYOUT: u32 = 1;

/// Each brings the layout that is its index to the next.
const MIGRATIONS: [&str; LAYOUT as usize] = [include_str!("migrations/1.sql")];

/// Creates the file, and the directory it is in, for this user only. What exists is left as it is.
pub(super) fn prepare(path: &Path) -> io::Result<()> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
    }
    // SQLite gives its companion files the same permissions as this one.
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    Ok(())
}

/// The connection that writes, on a file of the present layout.
pub(super) fn writer(path: &Path) -> Result<Connection, Fault> {
    let mut connection = connect(path)?;
    // First of all, because the next line already changes the file.
    layout(&connection.transaction()?, path)?;
    write_ahead(&connection)?;
    // With a write-ahead log, NORMAL may lose the last commits when the machine loses power, never when
    // the process dies, and never harms the file. FULL costs 178 ms at the 95th percentile.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 1000)?;
    migrate(&mut connection, path)?;
    Ok(connection)
}

/// A connection that only reads, so that reads do not queue behind writes.
pub(super) fn reader(path: &Path) -> Result<Connection, Fault> {
    let connection = connect(path)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// The number of a namespace in this file.
pub(super) fn namespace(connection: &Connection, name: &str) -> Result<i64, Fault> {
    let find = || {
        let sql = "SELECT id FROM namespaces WHERE name = ?1";
        connection.query_row(sql, [name], |row| row.get(0)).optional()
    };
    if let Some(id) = find()? {
        return Ok(id);
    }
    connection.execute("INSERT OR IGNORE INTO namespaces (name) VALUES (?1)", [name])?;
    find()?.ok_or_else(|| Fault::Database(rusqlite::Error::QueryReturnedNoRows))
}

fn connect(path: &Path) -> Result<Connection, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_handler(Some(busy::wait))?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Turns the write-ahead log on. SQLite does not ask the busy handler when two processes do this to a new
/// file at once, so the waiting is done here.
fn write_ahead(connection: &Connection) -> Result<(), Fault> {
    let began = Instant::now();
    loop {
        let mode =
            connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0));
        match mode {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(_) => {
                let problem = "its file system cannot share memory between processes; put it on a local disk";
                return Err(Fault::File(problem.into()));
            }
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && began.elapsed() < busy::PATIENCE =>
            {
                busy::pause();
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn migrate(connection: &mut Connection, path: &Path) -> Result<(), Fault> {
    if layout(&connection.transaction()?, path)? == LAYOUT {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have done it meanwhile, so the layout is read again under the lock.
    for step in MIGRATIONS.iter().skip(layout(&transaction, path)? as usize) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", LAYOUT)?;
    transaction.commit()?;
    Ok(())
}

/// The file's layout, 0 for an empty file. It takes several reads, between which no other process may
/// migrate the file.
fn layout(transaction: &Transaction, path: &Path) -> Result<u32, Fault> {
    let number = |sql| transaction.query_row(sql, [], |row| row.get::<_, i64>(0));
    if number("PRAGMA application_id")? != APPLICATION {
        if number("SELECT count(*) FROM sqlite_schema")? > 0 {
            let problem = "it is the database of another program; give another path";
            return Err(Fault::Unfit(problem.into()));
        }
        return Ok(0);
    }
    let found = u32::try_from(number("PRAGMA user_version")?).unwrap_or(u32::MAX);
    if found > LAYOUT {
        return Err(StoreError::NewerLayout { location: path.display().to_string(), found }.into());
    }
    Ok(found)
}
