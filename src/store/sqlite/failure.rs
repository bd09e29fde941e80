//! What can go wrong inside, and what the caller is told of it.

use std::fmt::Display;
use std::fs::File;
use std::io;
use std::path::Path;

use rusqlite::{ErrorCode, ffi};
use rustix::fs::{Access, access};
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

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
        Some(ErrorCode::NotADatabase) => {
            let problem = format!("it is not a SQLite database; give another path (SQLite: {error})");
            return StoreError::Address { location, problem };
        }
        Some(ErrorCode::DatabaseCorrupt) => "it is damaged; restore a copy, or move it away to begin anew",
        code => match code.and_then(|code| refusal(code, error, Path::new(&location))) {
            Some(refusal) => {
                let problem = format!("SQLite: {error}{}", more(refusal));
                return StoreError::Refuses { location, refusal, problem };
            }
            None if matches!(code, Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied)) => {
                let advice =
                    "it cannot be opened; check that this user may write to the file and its directory";
                return StoreError::Unreachable { location, problem: format!("{advice} (SQLite: {error})") };
            }
            None => return StoreError::Backend { location, problem: error.to_string() },
        },
    };
    StoreError::Backend { location, problem: format!("{advice} (SQLite: {error})") }
}

/// The refusal that an error of SQLite is.
fn refusal(code: ErrorCode, error: &rusqlite::Error, path: &Path) -> Option<Refusal> {
    let extended = error.sqlite_error().map(|error| error.extended_code);
    Some(match code {
        ErrorCode::ReadOnly if extended == Some(ffi::SQLITE_READONLY_DBMOVED) => Refusal::FileGone,
        ErrorCode::ReadOnly => barred(path).unwrap_or(Refusal::ReadOnly),
        ErrorCode::CannotOpen | ErrorCode::PermissionDenied => return barred(path),
        ErrorCode::DiskFull => Refusal::DiskFull,
        ErrorCode::SystemIoFailure if extended.is_some_and(is_write) && most_bytes().is_some() => {
            Refusal::FileTooLarge
        }
        ErrorCode::SystemIoFailure => Refusal::DiskError,
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed => {
            Refusal::Locked
        }
        _ => return None,
    })
}

/// What the system says where this user may not write to a file or its directory, or cannot now. SQLite does not tell
/// these apart.
pub(super) fn barred(path: &Path) -> Option<Refusal> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let barred = |place: &Path| access(place, Access::WRITE_OK).err().and_then(of_system);
    barred(path).or_else(|| barred(directory)).or_else(no_place)
}

/// The files that a store has open: two connections with the database, its log and its index, and what they open for
/// the moment.
const FILES: usize = 8;

/// What the system says where there is no place for so many files. The root can be opened for any other reason.
fn no_place() -> Option<Refusal> {
    let opened: io::Result<Vec<File>> = (0..FILES).map(|_| File::open("/")).collect();
    of_system(Errno::from_io_error(&opened.err()?)?)
}

/// The refusal that an error of the system is.
fn of_system(error: Errno) -> Option<Refusal> {
    Some(match error {
        Errno::ACCESS | Errno::PERM => Refusal::FileNotPermitted,
        Errno::ROFS => Refusal::ReadOnly,
        Errno::MFILE | Errno::NFILE => Refusal::TooManyFiles,
        Errno::NOSPC | Errno::DQUOT => Refusal::DiskFull,
        Errno::FBIG => Refusal::FileTooLarge,
        _ => return None,
    })
}

/// What a failure to create or open the file is to callers.
pub(super) fn of_io(path: &Path, error: &io::Error) -> Failure {
    let location = path.display().to_string();
    match Errno::from_io_error(error).and_then(of_system) {
        Some(refusal) => StoreError::Refuses { location, refusal, problem: error.to_string() }.into(),
        None => {
            Failure::File(format!("{error}; check that this user may write to the file and its directory"))
        }
    }
}

/// Whether the error is one of making a file longer.
fn is_write(extended: i32) -> bool {
    [ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_IOERR_SHMSIZE, ffi::SQLITE_IOERR_TRUNCATE].contains(&extended)
}

/// How long a file this process may make, where that is bounded.
fn most_bytes() -> Option<u64> {
    getrlimit(Resource::Fsize).current
}

/// What SQLite does not say of it.
fn more(refusal: Refusal) -> String {
    match most_bytes().filter(|_| refusal == Refusal::FileTooLarge) {
        Some(most) => format!("; this process may make files of {most} bytes at most (ulimit -f)"),
        None => String::new(),
    }
}
