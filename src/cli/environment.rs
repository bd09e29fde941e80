//! The process's environment as a value, so that nothing reads it behind a test's back.

use std::collections::HashMap;
use std::path::PathBuf;

/// Redis to use: `--redis`.
pub(crate) const REDIS_URL: &str = "MCPTASK_REDIS_URL";
/// The SQLite file to use: `--db`.
pub(crate) const DB: &str = "MCPTASK_DB";
/// The namespace: `--namespace`.
pub(crate) const NAMESPACE: &str = "MCPTASK_NAMESPACE";
/// The bearer token for `--server`: `--token`, which other users of the machine could read.
pub(crate) const TOKEN: &str = "MCPTASK_TOKEN";
/// What to log, in `tracing`'s filter syntax: over `-v` and `-q`.
pub(crate) const LOG: &str = "MCPTASK_LOG";

/// Environment variables. Those that are not Unicode are as if they were not set.
#[derive(Debug, Clone, Default)]
pub(crate) struct Environment {
    variables: HashMap<String, String>,
}

impl Environment {
    /// The process's own.
    pub(crate) fn of_process() -> Self {
        let unicode = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self { variables: std::env::vars_os().filter_map(unicode).collect() }
    }

    #[cfg(test)]
    pub(crate) fn of(variables: &[(&str, &str)]) -> Self {
        let owned = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self { variables: owned.collect() }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// Gives a variable a value, in this value only.
    pub(crate) fn set(&mut self, name: String, value: String) {
        self.variables.insert(name, value);
    }

    /// The same without what says where one's own tasks are: a command that has nothing to do with them is not refused
    /// because of it.
    pub(crate) fn without_store(&self) -> Self {
        let mut without = self.clone();
        for name in [REDIS_URL, DB, NAMESPACE] {
            without.variables.remove(name);
        }
        without
    }

    /// A variable that says something.
    pub(crate) fn given(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// Whether this runs in continuous integration, where nobody sits at the terminal.
    pub(crate) fn is_ci(&self) -> bool {
        self.given("CI").is_some_and(|value| !matches!(value, "false" | "0"))
    }

    /// Where state goes, by the XDG base directory specification; `None` without a home directory.
    pub(crate) fn state_directory(&self) -> Option<PathBuf> {
        let absolute = |name: &str| self.given(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let base = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))?;
        Some(base.join("mcptask"))
    }
}

/// This machine's name; empty where it has none.
pub(super) fn host() -> String {
    std::fs::read_to_string("/etc/hostname").unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_goes_where_xdg_says() {
        let of = |variables: &[(&str, &str)]| Environment::of(variables).state_directory();
        assert_eq!(of(&[("XDG_STATE_HOME", "/s"), ("HOME", "/h")]), Some("/s/mcptask".into()));
        assert_eq!(
            of(&[("XDG_STATE_HOME", "relative"), ("HOME", "/h")]),
            Some("/h/.local/state/mcptask".into())
        );
        assert_eq!(of(&[]), None);
    }
}
