//! Opening the file: permissions, settings, layout.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::Instant;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _, Transaction, TransactionBehavior};

use super::super::{LAYOUT, Refusal, StoreError};
use super::failure::{self, Failure};
use super::files::Frozen;
use super::schema::SCHEMA;
use super::{busy, migrate, workers};

/// Marks the file as ours (`mcpt` in ASCII), so that another program's database is never written to.
const APPLICATION: i64 = 0x6d63_7074;

/// The most that a write-ahead log keeps of the disk once it was written into the file.
const LOG_FILE_BYTES: i64 = 16 * 1024 * 1024;

/// `auto_vacuum` of a file that gives space back when it is asked to.
const INCREMENTAL: i64 = 2;

/// A connection, and what it looked like where it is read as if nobody wrote to it.
pub(super) type Opened = (Connection, Option<Frozen>);

/// Refuses paths that SQLite takes for something else than a file that others find.
pub(super) fn check_path(path: &Path) -> Result<(), Failure> {
    let text = path.to_string_lossy();
    if text.is_empty() || text == ":memory:" || text.starts_with("file:") {
        let problem = format!("{text:?} is no path of a file: give one that other processes find as well");
        return Err(Failure::Unfit(problem));
    }
    Ok(())
}

/// Creates the file, and the directory it is in, for this user only. What exists is left as it is.
pub(super) fn prepare(path: &Path) -> Result<(), Failure> {
    let create = || -> io::Result<()> {
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
        }
        // SQLite gives its companion files the same permissions as this one.
        OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        Ok(())
    };
    create().map_err(|error| failure::of_io(path, &error))
}

/// Refuses a path that this user may not even look at: whether there is a file, nobody knows.
pub(super) fn check_rights(path: &Path) -> Result<(), Failure> {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(failure::of_io(path, &error)),
        _ => Ok(()),
    }
}

/// The connection that writes, on a file of the present layout.
pub(super) fn writer(path: &Path, now_ms: i64) -> Result<Connection, Failure> {
    let mut connection = connect(path)?;
    // First of all, because the next lines already change the file.
    if layout(&connection.transaction()?, path)? == 0 {
        connection.pragma_update(None, "auto_vacuum", INCREMENTAL)?;
    }
    write_ahead(&connection)?;
    settings(&connection)?;
    bring_up_to_date(&mut connection, path, now_ms)?;
    workers::add_details(&mut connection)?;
    give_space_back(&connection);
    Ok(connection)
}

/// What holds for one connection.
fn settings(connection: &Connection) -> Result<(), Failure> {
    // With a write-ahead log, NORMAL may lose the last commits when the machine loses power, never when
    // the process dies, and never harms the file. FULL costs 178 ms at the 95th percentile.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 1000)?;
    connection.pragma_update_and_check(None, "journal_size_limit", LOG_FILE_BYTES, |_| Ok(()))?;
    Ok(())
}

/// A connection that only reads, so that reads do not queue behind writes.
pub(super) fn reader(path: &Path) -> Result<Opened, Failure> {
    let (connection, frozen) = existing(path)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok((connection, frozen))
}

/// A connection to a file that somebody has begun; nothing is written.
pub(super) fn existing(path: &Path) -> Result<Opened, Failure> {
    let location = || path.display().to_string();
    if std::fs::metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        return Err(StoreError::NoStore { location: location() }.into());
    }
    let (mut connection, frozen) = readable(path)?;
    let layout = layout(&connection.transaction()?, path)?;
    match layout {
        0 => return Err(StoreError::NoStore { location: location() }.into()),
        LAYOUT => {}
        found => {
            let problem = "start a server or a worker of this version, which brings it up to date".to_owned();
            let now_ms = jiff::Timestamp::now().as_millisecond();
            let worker = migrate::living_worker(&connection.transaction()?, now_ms).unwrap_or_default();
            return Err(StoreError::OlderLayout { location: location(), found, problem, worker }.into());
        }
    }
    settings(&connection)?;
    Ok((connection, frozen))
}

/// A connection that can read the file. Where this user may not write beside it, SQLite cannot keep the index of the
/// write-ahead log there; the file is then read as it is, as long as there is no such log and nobody writes.
fn readable(path: &Path) -> Result<Opened, Failure> {
    let connection = connect(path)?;
    let looked = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()));
    let error = match looked.map_err(|error| (error.sqlite_error_code(), error)) {
        Ok(()) => return Ok((connection, None)),
        Err((Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied), error)) => {
            error
        }
        Err((_, error)) => return Err(error.into()),
    };
    drop(connection);
    let barred = failure::barred(path);
    if barred == Some(Refusal::TooManyFiles) {
        return Err(error.into());
    }
    let frozen = Frozen::note(path);
    if frozen.is_changed() {
        let problem =
            "another user writes to it, and this one may not write beside it, which reading along needs";
        let (problem, location) = (problem.to_owned(), path.display().to_string());
        return Err(match barred {
            Some(refusal) => StoreError::Refuses { location, refusal, problem }.into(),
            None => Failure::File(problem),
        });
    }
    let address =
        url::Url::from_file_path(path).map_err(|()| Failure::File("its path is no address".into()))?;
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(format!("{address}?immutable=1"), flags)?;
    connection.set_prepared_statement_cache_capacity(CACHED);
    Ok((connection, Some(frozen)))
}

/// The number of a namespace in this file.
pub(super) fn namespace(connection: &Connection, name: &str) -> Result<Option<i64>, Failure> {
    let sql = "SELECT id FROM namespace WHERE name = ?1";
    Ok(connection.query_row(sql, [name], |row| row.get(0)).optional()?)
}

/// The number of a namespace in this file, which is begun where it is new.
pub(super) fn begun_namespace(connection: &Connection, name: &str) -> Result<i64, Failure> {
    if let Some(id) = namespace(connection, name)? {
        return Ok(id);
    }
    connection.execute("INSERT OR IGNORE INTO namespace (name) VALUES (?1)", [name])?;
    namespace(connection, name)?.ok_or_else(|| Failure::Database(rusqlite::Error::QueryReturnedNoRows))
}

/// How many statements a connection keeps.
const CACHED: usize = 96;

fn connect(path: &Path) -> Result<Connection, Failure> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_handler(Some(busy::wait))?;
    connection.set_prepared_statement_cache_capacity(CACHED);
    Ok(connection)
}

/// Turns the write-ahead log on. SQLite does not ask the busy handler when two processes do this to a new
/// file at once, so the waiting is done here.
fn write_ahead(connection: &Connection) -> Result<(), Failure> {
    let began = Instant::now();
    loop {
        let mode =
            connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0));
        match mode {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(_) => {
                let problem = "its file system cannot share memory between processes; put it on a local disk";
                return Err(Failure::File(problem.into()));
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

fn bring_up_to_date(connection: &mut Connection, path: &Path, now_ms: i64) -> Result<(), Failure> {
    if layout(&connection.transaction()?, path)? == LAYOUT {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have done it meanwhile, so the layout is read again under the lock.
    match layout(&transaction, path)? {
        LAYOUT => return Ok(()),
        0 => transaction.execute_batch(SCHEMA)?,
        found => migrate::from_1(&transaction, (path, found), now_ms)?,
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", LAYOUT)?;
    transaction.commit()?;
    Ok(())
}

/// Has a file of an older layout give space back from now on, as new ones do. It is written anew for that, once; where
/// that cannot be done now, the next process tries.
fn give_space_back(connection: &Connection) {
    let mode = connection.query_row("PRAGMA auto_vacuum", [], |row| row.get::<_, i64>(0));
    if mode.is_ok_and(|mode| mode == INCREMENTAL) {
        return;
    }
    let done = connection
        .pragma_update(None, "auto_vacuum", INCREMENTAL)
        .and_then(|()| connection.execute_batch("VACUUM"));
    if let Err(error) = done {
        tracing::warn!(%error, "the database keeps its size for now, whatever is deleted");
    }
}

/// The file's layout, 0 for an empty file. It takes several reads, between which no other process may
/// migrate the file.
fn layout(transaction: &Transaction, path: &Path) -> Result<u32, Failure> {
    let number = |sql| transaction.query_row(sql, [], |row| row.get::<_, i64>(0));
    if number("PRAGMA application_id")? != APPLICATION {
        if number("SELECT count(*) FROM sqlite_schema")? > 0 {
            let problem = "it is the database of another program; give another path";
            return Err(Failure::Unfit(problem.into()));
        }
        return Ok(0);
    }
    let found = u32::try_from(number("PRAGMA user_version")?).unwrap_or(u32::MAX);
    if found > LAYOUT {
        return Err(StoreError::NewerLayout { location: path.display().to_string(), found }.into());
    }
    Ok(found)
}
