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
    /// The file cannot be used now, in words.
    File(String),
    /// What is asked does not fit what the file holds, in words.
    Unfit(String),
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
            Self::Unfit(problem) => StoreError::Backend { location, problem },
            Self::Database(error) => explained(location, &error),
        }
    }
}

/// What to do about an error of SQLite. [`StoreError::Unreachable`] is for what may end by itself or by
/// making room: then it is worth trying again.
fn explained(location: String, error: &rusqlite::Error) -> StoreError {
    let lasting = |advice: &str| (false, advice.to_owned());
    let passing = |advice: &str| (true, advice.to_owned());
    let (is_passing, advice) = match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => lasting("it is not a SQLite database; give another path"),
        Some(ErrorCode::DatabaseCorrupt) => {
            lasting("it is damaged; restore a copy, or move it away to begin anew")
        }
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            passing("it cannot be opened; check that this user may write to the file and its directory")
        }
        Some(ErrorCode::ReadOnly) => {
            passing("it may only be read; it has to be on a disk that this user may write to")
        }
        Some(ErrorCode::DiskFull) => passing("the disk is full; make room on it"),
        Some(ErrorCode::SystemIoFailure) => passing("the disk reports an error; look at the system's log"),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            passing("another process kept it locked for 10 seconds; look for one that hangs with it open")
        }
        _ => return StoreError::Backend { location, problem: error.to_string() },
    };
    let problem = format!("{advice} (SQLite: {error})");
    if is_passing {
        StoreError::Unreachable { location, problem }
    } else {
        StoreError::Backend { location, problem }
    }
}
