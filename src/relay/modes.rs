//! In which ways a client declared that its user can be asked.

use rmcp::model::ClientCapabilities;

use crate::task::AskKind;

/// The modes of elicitation that a client declared (2025-11-25 and 2026-07-28, client/elicitation).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Modes {
    form: bool,
    url: bool,
}

impl Modes {
    /// Every mode.
    pub(crate) const ALL: Self = Self { form: true, url: true };

    /// Those of a client with these capabilities. An empty elicitation capability means forms only.
    pub(crate) fn of(capabilities: Option<&ClientCapabilities>) -> Self {
        let declared = capabilities.and_then(|all| all.elicitation.as_ref());
        let url = declared.is_some_and(|modes| modes.url.is_some());
        let form = declared.is_some_and(|modes| modes.form.is_some() || !url);
        Self { form, url }
    }

    /// Whether the client can be asked anything.
    pub(crate) fn any(self) -> bool {
        self.form || self.url
    }

    /// What the client did not declare and would have to, to be asked this.
    pub(crate) fn missing(self, kind: &AskKind) -> Option<String> {
        let declared = match kind {
            AskKind::Form { .. } => self.form,
            AskKind::Url { .. } => self.url,
        };
        let missing = match kind {
            _ if declared => return None,
            _ if !self.any() => "the elicitation capability",
            AskKind::Form { .. } => "elicitation by form",
            AskKind::Url { .. } => "elicitation by URL",
        };
        Some(format!("the client did not declare {missing}"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_empty_capability_means_forms_and_each_mode_stands_for_itself() {
        for (declared, form, url) in [
            (json!({}), false, false),
            (json!({ "elicitation": {} }), true, false),
            (json!({ "elicitation": { "form": {} } }), true, false),
            (json!({ "elicitation": { "url": {} } }), false, true),
            (json!({ "elicitation": { "form": {}, "url": {} } }), true, true),
        ] {
            let capabilities = serde_json::from_value(declared.clone()).expect("capabilities");
            assert_eq!(Modes::of(Some(&capabilities)), Modes { form, url }, "{declared}");
        }
        assert!(!Modes::of(None).any());
    }
}
