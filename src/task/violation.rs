//! One way in which something is not as it has to be, with its place.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One way in which a value breaks a rule: where, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// A JSON pointer into the checked value, empty for the whole.
    pub path: String,
    /// What is wrong, in words that follow the path.
    pub problem: String,
}

impl Violation {
    /// A violation at `path`.
    pub fn new(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { path: path.into(), problem: problem.into() }
    }

    /// The same violation seen from further up.
    #[must_use]
    pub fn under(self, prefix: &str) -> Self {
        Self { path: format!("{prefix}{}", self.path), problem: self.problem }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.trim_start_matches('/');
        if path.is_empty() { f.write_str(&self.problem) } else { write!(f, "{path}: {}", self.problem) }
    }
}

/// What there is instead of a name that nothing has, as the end of a sentence.
pub fn instead<T: AsRef<str>>(known: &[T]) -> String {
    match known {
        [] => "there are none".to_owned(),
        [one] => format!("there is only {}", one.as_ref()),
        several => format!("there are {}", several.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ")),
    }
}

/// All violations in one line.
pub fn joined(violations: &[Violation]) -> String {
    violations.iter().map(Violation::to_string).collect::<Vec<_>>().join("; ")
}
