//! Names in which a `*` stands for anything.

/// A name or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(String);

impl Pattern {
    /// The pattern of that text.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether it is about that name.
    pub(crate) fn admits(&self, name: &str) -> bool {
        let mut parts = self.0.split('*');
        let Some(mut left) = name.strip_prefix(parts.next().unwrap_or_default()) else { return false };
        let Some(last) = parts.next_back() else { return left.is_empty() };
        for part in parts {
            let Some(at) = left.find(part) else { return false };
            left = &left[at + part.len()..];
        }
        left.ends_with(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, name, admits) in [
            ("deploy", "deploy", true),
            ("deploy", "deploys", false),
            ("deploy*", "deploy_all", true),
            ("deploy*", "deploy", true),
            ("deploy*", "redeploy", false),
            ("*deploy", "redeploy", true),
            ("*", "", true),
            ("a*a", "a", false),
            ("a*b*c", "a_b_b_c", true),
            ("a*b*c", "a_c_b", false),
            ("ä*", "äö", true),
        ] {
            assert_eq!(Pattern::new(pattern).admits(name), admits, "{pattern} {name}");
        }
    }
}
