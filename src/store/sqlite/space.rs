//! Giving space back, and leaving everything in one file at the end.

use rusqlite::Connection;

use super::failure::Failure;

/// How many free pages are kept, since they are used again soon.
const KEPT_PAGES: i64 = 256;

/// How many pages one step gives back, so that none is long: 4 MiB.
const PAGES_AT_ONCE: i64 = 1024;

/// How many pages a process gives back at its end.
const PAGES_AT_END: i64 = 16 * PAGES_AT_ONCE;

/// How many pages are free and too many.
pub(super) fn surplus(connection: &Connection) -> Result<i64, Failure> {
    let free: i64 = connection.prepare_cached("PRAGMA freelist_count")?.query_row([], |row| row.get(0))?;
    // A step for a few pages is not worth its transaction.
    Ok(if free < 2 * KEPT_PAGES { 0 } else { free - KEPT_PAGES })
}

/// Gives a step's pages back.
pub(super) fn give_back(connection: &Connection) -> Result<(), Failure> {
    give(connection, surplus(connection)?.min(PAGES_AT_ONCE))
}

fn give(connection: &Connection, pages: i64) -> Result<(), Failure> {
    if pages > 0 {
        let mut statement = connection.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
    }
    Ok(())
}

/// Writes all that is in the log into the file, and empties the log, as far as other processes let it.
pub(super) fn settle(connection: &Connection) -> Result<(), Failure> {
    if connection.is_readonly("main")? {
        return Ok(());
    }
    give(connection, surplus(connection)?.min(PAGES_AT_END))?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(())
}
