//! Identifiers. Each is a newtype, so that a session cannot be passed where a task is meant.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use rand::RngExt as _;
use serde::{Deserialize, Serialize};

/// Crockford's base 32 in lower case: no `i`, `l`, `o` or `u`, so an id survives being read aloud.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// 26 characters of 5 random bits each: 130 bits, above the 128 that "unguessable" asks for.
const RANDOM_LENGTH: usize = 26;

/// The longest identifier that is taken from outside (a session label, a worker's name).
const MAX_LENGTH: usize = 200;

/// The `_meta` key under which a modern `tools/call` may carry the session label of its task. Ours: the
/// modern protocol has no sessions, and `watch SESSION` is worth having all the same.
pub const SESSION_LABEL: &str = "mcptask/session";

fn random() -> String {
    let mut rng = rand::rng();
    (0..RANDOM_LENGTH).map(|_| char::from(ALPHABET[rng.random_range(0..ALPHABET.len())])).collect()
}

/// An identifier that was refused, with the reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {value:?} {problem}")]
pub struct InvalidId {
    what: &'static str,
    value: String,
    problem: &'static str,
}

/// Checks an identifier from outside: printable ASCII without spaces, so that it is safe in a key,
/// in a header and on a terminal.
fn checked(what: &'static str, value: &str) -> Result<Arc<str>, InvalidId> {
    let problem = if value.is_empty() {
        "is empty"
    } else if value.len() > MAX_LENGTH {
        "is longer than 200 characters"
    } else if value.contains(' ') {
        "has a space"
    } else if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
        "has a character that is not printable ASCII"
    } else {
        return Ok(value.into());
    };
    let shown = value.chars().take(60).collect();
    Err(InvalidId { what, value: shown, problem })
}

macro_rules! identifier {
    ($(#[$meta:meta])* $name:ident, $what:literal) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(value: &str) -> Result<Self, InvalidId> {
                checked($what, value).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(value: String) -> Result<Self, InvalidId> {
                value.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.as_str().to_owned()
            }
        }
    };
}

identifier! {
    /// One run of a tool in the background. Random and unguessable; people type its first characters.
    TaskId, "task id"
}
identifier! {
    /// The label of the client connection that launched a task: the `Mcp-Session-Id` of a legacy
    /// client, a generated id on stdio, or whatever `submit --session` was given.
    SessionId, "session id"
}
identifier! {
    /// One worker process: `host-pid-random`.
    WorkerId, "worker id"
}
identifier! {
    /// One question of one task, unique for the task's life: `q1` for the first asked, `q2` for the
    /// next. It is the key of the protocol's `inputRequests`, where the tool gives the question no name.
    QuestionId, "question id"
}

impl TaskId {
    /// A new random id.
    pub fn generate() -> Self {
        Self(random().into())
    }
}

impl SessionId {
    /// A new random id, for a connection that brings none.
    pub fn generate() -> Self {
        Self(random().into())
    }
}

impl WorkerId {
    /// A new id that tells people the machine and the process.
    pub fn generate(host: &str) -> Self {
        let host: String = host.chars().filter(char::is_ascii_alphanumeric).take(40).collect();
        let host = if host.is_empty() { "worker".to_owned() } else { host };
        Self(format!("{host}-{}-{}", std::process::id(), &random()[..6]).into())
    }
}

impl QuestionId {
    /// The id of the question asked at `position`, counted from 1 over the task's life.
    pub fn at(position: u32) -> Self {
        Self(format!("q{position}").into())
    }

    /// The position that [`QuestionId::at`] was given, or `None` where the text has another form.
    pub fn position(&self) -> Option<u32> {
        let digits = self.0.strip_prefix('q')?;
        if digits.starts_with('0') || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        digits.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_task_ids_are_long_and_differ() {
        let (one, two) = (TaskId::generate(), TaskId::generate());
        assert_eq!(one.as_str().len(), RANDOM_LENGTH);
        assert_ne!(one, two);
    }

    #[test]
    fn a_question_id_has_one_spelling_per_position() {
        assert_eq!(QuestionId::at(7).position(), Some(7));
        for odd in ["q", "q0", "q07", "q-1", "7", "q+7", "q99999999999"] {
            assert_eq!(odd.parse::<QuestionId>().expect("printable").position(), None, "{odd}");
        }
    }

    #[test]
    fn ids_from_outside_are_printable_ascii() {
        assert!("dinner".parse::<SessionId>().is_ok());
        for bad in ["", "two words", "esc\u{1b}[31m", "naïve", &"x".repeat(201)] {
            assert!(bad.parse::<SessionId>().is_err(), "{bad:?}");
        }
    }
}
