//! Words of command lines, as a shell takes them.

use std::fmt;

/// A word of a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Word {
    /// As it is.
    Text(String),
    /// What a variable of the environment holds: a secret, which is not shown. Where the variable is not set the command
    /// is refused, instead of reaching other tasks.
    Variable(&'static str),
}

impl From<&str> for Word {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(&quoted(text)),
            Self::Variable(name) => write!(f, "\"${name}\""),
        }
    }
}

/// A word as a shell takes it.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |one: char| one.is_ascii_alphanumeric() || "-_./:=@,+%".contains(one);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else if word.chars().any(char::is_control) {
        // What ends a line, or moves the cursor, is written so that it can be pasted.
        format!("$'{}'", word.chars().map(escaped).collect::<String>())
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// A character between `$'` and `'`.
fn escaped(one: char) -> String {
    match one {
        '\\' | '\'' => format!("\\{one}"),
        '\n' => "\\n".to_owned(),
        '\t' => "\\t".to_owned(),
        one if one.is_control() => {
            one.to_string().bytes().fold(String::new(), |all, byte| all + &format!("\\x{byte:02x}"))
        }
        one => one.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_one_word_of_one_line_whatever_is_in_it() {
        for (word, wanted) in [
            ("a-b", "a-b"),
            ("it's", r"'it'\''s'"),
            ("new\nline", r"$'new\nline'"),
            ("a\u{1b}[2J'\\", r"$'a\x1b[2J\'\\'"),
            ("\u{85}é", r"$'\xc2\x85é'"),
        ] {
            assert_eq!(quoted(word), wanted);
            let echo =
                std::process::Command::new("bash").args(["-c", &format!("printf %s {wanted}")]).output();
            assert_eq!(echo.expect("runs").stdout, word.as_bytes());
        }
    }
}
