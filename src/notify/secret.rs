//! Secrets: where they stand, and what they are once they were read. Nothing shows them.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;

/// The largest file of a secret, in bytes.
const MAX_BYTES: u64 = 64 * 1024;

/// Where a text stands.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// In the file itself.
    Text(String),
    /// In a variable of the environment.
    Variable(String),
    /// In a file of its own, whose first line it is.
    File(PathBuf),
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Text"),
            Self::Variable(name) => f.debug_tuple("Variable").field(name).finish(),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}

impl Source {
    /// The text, where `variable` knows the environment; the error says where it is missing.
    pub(crate) fn read(&self, variable: impl Fn(&str) -> Option<String>) -> Result<Secret, String> {
        let text = match self {
            Self::Text(text) => text.clone(),
            Self::Variable(name) => {
                variable(name).ok_or_else(|| format!("the variable {name} is not set"))?
            }
            Self::File(path) => {
                let shown = path.display();
                let mut bytes = Vec::new();
                let read = File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes));
                read.map_err(|error| format!("the file {shown} cannot be read: {error}"))?;
                let text = String::from_utf8(bytes).map_err(|_| format!("the file {shown} is no text"))?;
                text.lines().next().unwrap_or_default().trim().to_owned()
            }
        };
        match (text.is_empty(), self) {
            (false, _) => Ok(Secret(text)),
            (true, Self::File(path)) => Err(format!("the file {} is empty", path.display())),
            (true, Self::Variable(name)) => Err(format!("the variable {name} is empty")),
            (true, Self::Text(_)) => Err("it is empty".to_owned()),
        }
    }
}

/// A text that is not shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    /// The text itself.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_where_it_stands_and_never_shown() {
        let none = |_: &str| None;
        let of = |name: &str| (name == "HOOK").then(|| "s3cret".to_owned());
        let read = Source::Variable("HOOK".into()).read(of).expect("is set");
        assert_eq!((read.as_str(), format!("{read:?}").as_str()), ("s3cret", "Secret"));
        assert!(Source::Variable("HOOK".into()).read(none).is_err_and(|problem| problem.contains("HOOK")));
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "s3cret\r\nmore").expect("writes");
        assert_eq!(Source::File(file.path().into()).read(none).expect("reads").as_str(), "s3cret");
        std::fs::write(file.path(), "").expect("writes");
        assert!(Source::File(file.path().into()).read(none).is_err());
        assert!(!format!("{:?}", Source::Text("s3cret".into())).contains("s3cret"));
    }
}
