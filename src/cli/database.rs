//! Which paths can be a database: one that several processes share and that is there tomorrow.

use std::fs;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use super::failure::Failure;

/// The path, where a database can be kept there.
pub(super) fn checked(path: &Path) -> Result<PathBuf, Failure> {
    match problem(path) {
        None => Ok(path.to_owned()),
        Some((problem, hint)) => {
            Err(Failure::usage(format!("cannot keep tasks in {:?}: {problem}", path.display())).hint(hint))
        }
    }
}

/// What is wrong with it, and what to give instead.
fn problem(path: &Path) -> Option<(&'static str, &'static str)> {
    const A_FILE: &str = "give the path of a file, such as --db tasks.db";
    let text = path.to_string_lossy();
    if text.trim().is_empty() {
        return Some(("the path is empty", A_FILE));
    }
    if text.starts_with(':') {
        let problem = "each process would have a database of its own, which is gone when it ends";
        return Some((
            problem,
            "give the path of a file, such as --db tasks.db, or --db ./:NAME for one of that name",
        ));
    }
    if is_uri(&text) {
        return Some(("it is a URI", "give the path alone, such as --db tasks.db; a Redis goes to --redis"));
    }
    if path.as_os_str().as_encoded_bytes().ends_with(b"/") {
        return Some(("it is the path of a folder", A_FILE));
    }
    let kind = fs::metadata(path).ok()?.file_type();
    if kind.is_dir() {
        Some(("it is a folder", "give the path of a file in it, such as --db FOLDER/tasks.db"))
    } else if kind.is_block_device() || kind.is_char_device() {
        Some(("it is a device, which keeps nothing", A_FILE))
    } else if !kind.is_file() {
        Some(("it is a pipe or a socket", A_FILE))
    } else {
        None
    }
}

/// `file:…`, which SQLite reads as more than a name, and what was meant for `--redis`.
fn is_uri(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let scheme = lower.split_once("://").map(|(scheme, _)| scheme).unwrap_or_default();
    let letters = |one: char| one.is_ascii_alphanumeric() || matches!(one, '+' | '-' | '.');
    lower.starts_with("file:")
        || lower.starts_with("sqlite:")
        || (!scheme.is_empty() && scheme.chars().all(letters))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_is_refused() {
        for path in [
            "",
            " ",
            ":memory:",
            ":MEMORY:",
            ":x",
            "file::memory:",
            "file:x.db?mode=memory",
            "FILE:x",
            "sqlite:x",
            "redis://127.0.0.1",
            "/dev/null",
            "/dev/zero",
            "/dev/full",
            "/",
            "/tmp",
            "/tmp/",
            "nowhere/",
        ] {
            assert!(checked(Path::new(path)).is_err(), "{path:?}");
        }
    }

    #[test]
    fn files_that_are_there_or_may_be_are_fine() {
        use std::os::unix::ffi::OsStrExt as _;
        let odd = Path::new(std::ffi::OsStr::from_bytes(b"/tmp/\xff.db"));
        for path in ["tasks.db", "./:memory:", "/tmp/no such folder/x.db", "my file:1.db", "/dev/shm/x.db"] {
            assert!(checked(Path::new(path)).is_ok(), "{path:?}");
        }
        assert!(checked(odd).is_ok());
    }
}
