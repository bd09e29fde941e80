//! What can go wrong inside, and what the caller is told of it.

use std::fmt::Display;

use rusqlite::{ErrorCode, ffi};

use super::super::{Refusal, StoreError};
use crate::task::TaskId;

/// An error before it knows which file it is about.
#[derive(Debug)]
pub(super) enum Failure {
    /// The verb does not apply.
    Refused(StoreError),
    /// SQLite failed.
    Database(rusqlite::Error),
    /// Something that is stored is not what this program writes, in words.
    Unreadable(String),
    /// The file cannot be used now, in words.
    File(String),
    /// The file is not the one that was opened any more, in words.
    Gone(String),
    /// What is asked does not fit what the file holds, in words.
    Unfit(String),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error as Kind;
        match error {
            Kind::FromSqlConversionFailure(..)
            | Kind::IntegralValueOutOfRange(..)
            | Kind::Utf8Error(..)
            | Kind::InvalidColumnType(..) => Self::Unreadable(error.to_string()),
            error => Self::Database(error),
        }
    }
}

impl Failure {
    /// Something stored that cannot be read.
    pub(super) fn unreadable(problem: impl Display) -> Self {
        Self::Unreadable(problem.to_string())
    }

    /// The same, where it is known whose it is.
    pub(super) fn of(self, task: &TaskId) -> Self {
        match self {
            Self::Unreadable(problem) => StoreError::Unreadable { task: task.clone(), problem }.into(),
            other => other,
        }
    }

    /// The error for callers, about the file at `location`.
    pub(super) fn at(self, location: &str) -> StoreError {
        let location = location.to_owned();
        match self {
            Self::Refused(error) => error,
            Self::Unreadable(problem) => {
                let problem = format!("a record cannot be read: {problem}");
                StoreError::Backend { location, problem }
            }
            Self::File(problem) => StoreError::Unreachable { location, problem },
            Self::Gone(problem) => StoreError::Refuses { location, refusal: Refusal::FileGone, problem },
            Self::Unfit(problem) => StoreError::Backend { location, problem },
            Self::Database(error) => explained(location, &error),
        }
    }
}

/// Something that was read, or the words for why it cannot be; other faults are passed on.
pub(super) fn readable<T>(read: Result<T, Failure>) -> Result<Result<T, String>, Failure> {
    match read {
        Ok(value) => Ok(Ok(value)),
        Err(Failure::Unreadable(problem)) => Ok(Err(problem)),
        Err(other) => Err(other),
    }
}

/// What an error of SQLite is to callers.
fn explained(location: String, error: &rusqlite::Error) -> StoreError {
    let advice = match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => "it is not a SQLite database; give another path",
        Some(ErrorCode::DatabaseCorrupt) => "it is damaged; restore a copy, or move it away to begin anew",
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            let advice = "it cannot be opened; check that this user may write to the file and its directory";
            return StoreError::Unreachable { location, problem: format!("{advice} (SQLite: {error})") };
        }
        code => match code.and_then(|code| refusal(code, error)) {
            Some(refusal) => {
                return StoreError::Refuses { location, refusal, problem: format!("SQLite: {error}") };
            }
            None => return StoreError::Backend { location, problem: error.to_string() },
        },
    };
    StoreError::Backend { location, problem: format!("{advice} (SQLite: {error})") }
}

/// The refusal that an error of SQLite is.
fn refusal(code: ErrorCode, error: &rusqlite::Error) -> Option<Refusal> {
    let extended = error.sqlite_error().map(|error| error.extended_code);
    Some(match code {
        ErrorCode::ReadOnly if extended == Some(ffi::SQLITE_READONLY_DBMOVED) => Refusal::FileGone,
        ErrorCode::ReadOnly => Refusal::ReadOnly,
        ErrorCode::DiskFull => Refusal::DiskFull,
        ErrorCode::SystemIoFailure => Refusal::DiskError,
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed => {
            Refusal::Locked
        }
        _ => return None,
    })
}
