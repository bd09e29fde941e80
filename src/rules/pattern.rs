//! What is looked for in a question's message: a regular expression that takes time in proportion to the text.

use regex::{Regex, RegexBuilder};

/// The longest pattern, in bytes.
const MAX_BYTES: usize = 4 * 1024;

/// The most memory of a pattern, in bytes.
const MAX_COMPILED_BYTES: usize = 1024 * 1024;

/// A regular expression, of the `regex` crate's kind.
#[derive(Debug, Clone)]
pub(crate) struct Pattern(Regex);

impl Pattern {
    /// Reads one; an error says in words what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_BYTES {
            return Err(format!("has {} bytes, more than {MAX_BYTES}", text.len()));
        }
        let mut builder = RegexBuilder::new(text);
        let built = builder.size_limit(MAX_COMPILED_BYTES).dfa_size_limit(MAX_COMPILED_BYTES).build();
        built.map(Self).map_err(|error| match error {
            regex::Error::CompiledTooBig(most) => format!("takes more than {most} bytes"),
            // It comes over several lines, the last of which says what is wrong.
            error => {
                let whole = error.to_string();
                let why = whole.lines().last().unwrap_or_default();
                format!("is no regular expression: {}", why.trim_start_matches("error: "))
            }
        })
    }

    /// Whether the text has it anywhere.
    pub(crate) fn is_in(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}
