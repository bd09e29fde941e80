//! What a Redis says of itself in `INFO`.

use std::collections::HashMap;

/// The figures of some sections, by their names.
#[derive(Debug, Default)]
pub(crate) struct Figures(HashMap<String, String>);

impl Figures {
    /// Reads the text of an `INFO`.
    pub(crate) fn of(info: &str) -> Self {
        let pairs = info.lines().filter_map(|line| line.split_once(':'));
        Self(pairs.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect())
    }

    /// The one of that name.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The same as a number; 0 where it is none.
    pub(crate) fn number(&self, name: &str) -> u64 {
        self.text(name).and_then(|value| value.parse().ok()).unwrap_or_default()
    }
}
