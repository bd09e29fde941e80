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
/// Who answers: `--as`.
pub(crate) const AS: &str = "MCPTASK_AS";
/// The profile: `--profile`.
pub(crate) const PROFILE: &str = "MCPTASK_PROFILE";
/// Where people reach the server's pages: `--public-url`.
pub(crate) const PUBLIC_URL: &str = "MCPTASK_PUBLIC_URL";
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

    /// The environment without that variable.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.variables.remove(name);
        self
    }

    /// A variable that says something.
    pub(crate) fn given(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// Whether this runs in continuous integration, where nobody sits at the terminal.
    pub(crate) fn is_ci(&self) -> bool {
        self.given("CI").is_some_and(|value| !matches!(value, "false" | "0"))
    }

    /// The user and host of this process, as `ada@kitchen`: the machine's word for whoever runs it.
    pub(crate) fn account(&self) -> String {
        let id = rustix::process::geteuid().as_raw();
        let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        let given = || self.given("USER").or_else(|| self.given("LOGNAME")).map(str::to_owned);
        let user = user_of(&users, id).or_else(given).unwrap_or_else(|| format!("user {id}"));
        match host() {
            host if host.is_empty() => user,
            host => format!("{user}@{host}"),
        }
    }

    /// Where state goes, by the XDG base directory specification; `None` without a home directory.
    pub(crate) fn state_directory(&self) -> Option<PathBuf> {
        self.directory("XDG_STATE_HOME", ".local/state")
    }

    /// Where the user's configuration is, likewise.
    pub(crate) fn config_directory(&self) -> Option<PathBuf> {
        self.directory("XDG_CONFIG_HOME", ".config")
    }

    fn directory(&self, variable: &str, below_home: &str) -> Option<PathBuf> {
        let absolute = |name: &str| self.given(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let base = absolute(variable).or_else(|| Some(absolute("HOME")?.join(below_home)))?;
        Some(base.join("mcptask"))
    }
}

/// The user of that number, in the text of a passwd file.
fn user_of(users: &str, id: u32) -> Option<String> {
    let entries = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let named = entries.filter_map(|entry| Some((entry.get(2)?.parse().ok()?, (*entry.first()?).to_owned())));
    named
        .filter(|(_, name)| !name.is_empty())
        .find(|(number, _): &(u32, _)| *number == id)
        .map(|(_, name)| name)
}

/// This machine's name; empty where it has none.
pub(super) fn host() -> String {
    std::fs::read_to_string("/etc/hostname").unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_their_number() {
        let users = "root:x:0:0:root:/root:/bin/sh\nbroken\n:x:5::\nada:x:1000:1000::/home/ada:/bin/sh\n";
        assert_eq!(user_of(users, 1000).as_deref(), Some("ada"));
        assert_eq!((user_of(users, 5), user_of(users, 7)), (None, None));
    }

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
