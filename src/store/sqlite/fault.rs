//! What can go wrong inside, and what the caller is told of it.

use rusqlite::ErrorCode;

use super::super::StoreError;

/// An error before it knows which file it is about.
#[derive(Debug)]
pub(super) enum Fault {
    /// The verb does not apply.
    Refused(StoreError),
    /// SQLite failed.
    Database(rusqlite::Error),
    /// A record is not what this program writes.
    Record(serde_json::Error),
    /// Something else about the file, in words.
    File(String),
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Self {
        Self::Record(error)
    }
}

impl Fault {
    /// The error for callers, about the file at `location`.
    pub(super) fn at(self, location: &str) -> StoreError {
        let location = location.to_owned();
        match self {
            Self::Refused(error) => error,
            Self::Record(error) => {
                StoreError::Backend { location, problem: format!("a record cannot be read: {error}") }
            }
            Self::File(problem) => StoreError::Unreachable { location, problem },
            Self::Database(error) => match advice(&error) {
                Some(advice) => {
                    StoreError::Unreachable { location, problem: format!("{advice} (SQLite: {error})") }
                }
                None => StoreError::Backend { location, problem: error.to_string() },
            },
        }
    }
}

/// What to do about an error that is about the file and not about a statement.
fn advice(error: &rusqlite::Error) -> Option<&'static str> {
    Some(match error.sqlite_error_code()? {
        ErrorCode::NotADatabase => "it is not a SQLite database; give another path",
        ErrorCode::DatabaseCorrupt => "it is damaged; restore a copy, or move it away to begin anew",
        ErrorCode::CannotOpen | ErrorCode::PermissionDenied => {
            "it cannot be opened; check that this user may write to the file and its directory"
        }
        ErrorCode::ReadOnly => "it may only be read; it has to be on a disk that this user may write to",
        ErrorCode::DiskFull => "the disk is full; make room on it",
        ErrorCode::SystemIoFailure => "the disk reports an error; look at the system's log",
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            "another process kept it locked for 10 seconds; look for one that hangs with it open"
        }
        _ => return None,
    })
}
