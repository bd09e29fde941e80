//! Who gave an answer, beside what kind of answerer it was: a name, how that name is known, and a note.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest name of an answerer or of its client, in bytes.
pub const MAX_NAME_BYTES: usize = 200;
/// The longest note on an answer, in bytes.
pub const MAX_NOTE_BYTES: usize = 2048;

/// Under this `_meta` key of its reply a client says who its user is: `name` and `note`.
pub const ANSWERER: &str = "mcptask/answerer";

/// How the name of an answerer is known. Only a token proves anything; all else is as somebody said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Known {
    /// The answerer said so: `--as`, or what a client says of its user.
    Given,
    /// The user and host that the command ran as.
    Account,
    /// The name of the token that a client showed.
    Token,
    /// What a client calls itself: `clientInfo`.
    ClientInfo,
    /// The name of the rule that decided.
    Rule,
    /// The link by which it was answered was made for one of that name, or for whoever has it.
    Link,
    /// In a way that a newer version knows.
    #[serde(other)]
    Otherwise,
}

impl Known {
    /// In words, behind a name.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Given | Self::ClientInfo => "as given",
            Self::Account => "account",
            Self::Token => "token",
            Self::Rule => "rule",
            Self::Link => "link",
            Self::Otherwise => "known in a newer way",
        }
    }
}

/// Who gave an answer. Records of older versions have none of it, and readers pass over what newer ones add.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// Its name, by the best of the ways in which one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How the name is known; there with a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<Known>,
    /// What a client called its user, beside the name that its token has.
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub given: Option<String>,
    /// What a client calls itself, with its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// What the answerer wrote beside the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Who {
    /// Somebody of that name.
    pub fn named(name: impl Into<String>, known: Known) -> Self {
        Self { name: Some(name.into()), known: Some(known), ..Self::default() }
    }

    /// The user and host that a command runs as.
    pub fn of_account(account: &str) -> Self {
        Self::named(shortened(account, MAX_NAME_BYTES), Known::Account)
    }

    /// Whoever has a link, which may have been made for somebody.
    pub fn by_link(holder: Option<&str>) -> Self {
        Self { name: holder.map(str::to_owned), known: Some(Known::Link), ..Self::default() }
    }

    /// A client: by the name of its token where it showed one, by what it says of its user, or by what it calls itself.
    /// Names of strangers are shortened, since they must never keep an answer from counting.
    pub fn of_client(token: Option<&str>, client: Option<String>, said: Self) -> Self {
        let given = said.name.map(|name| shortened(&name, MAX_NAME_BYTES)).filter(|name| !name.is_empty());
        let client = client.map(|client| shortened(&client, MAX_NAME_BYTES)).filter(|name| !name.is_empty());
        let named = match (token, &given, &client) {
            (Some(token), ..) => Self::named(token, Known::Token),
            (None, Some(given), _) => Self::named(given, Known::Given),
            (None, None, Some(client)) => Self::named(client, Known::ClientInfo),
            (None, None, None) => Self::default(),
        };
        let note = said.note.map(|note| shortened(&note, MAX_NOTE_BYTES)).filter(|note| !note.is_empty());
        Self { given: given.filter(|_| token.is_some()), client, note, ..named }
    }

    /// What a client says of its user to a server: what was given, which rule decided, and nothing that only this machine
    /// knows.
    pub fn said(&self) -> Option<serde_json::Value> {
        let name = self.name.as_ref().and_then(|name| match self.known? {
            Known::Given => Some(name.clone()),
            Known::Rule => Some(format!("rule {name}")),
            _ => None,
        });
        let parts = [("name", name.as_ref()), ("note", self.note.as_ref())];
        let said: serde_json::Map<_, _> = parts
            .into_iter()
            .filter_map(|(key, text)| Some((key.to_owned(), text?.as_str().into())))
            .collect();
        (!said.is_empty()).then_some(said.into())
    }

    /// With a note.
    #[must_use]
    pub fn noting(self, note: Option<String>) -> Self {
        Self { note, ..self }
    }

    /// Nothing at all where it says nothing.
    pub fn if_any(self) -> Option<Box<Self>> {
        (self != Self::default()).then(|| Box::new(self))
    }
}

/// The name, and how it is known.
impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(name) = &self.name else {
            let is_link = self.known == Some(Known::Link);
            return f.write_str(if is_link { "whoever had the link" } else { "nobody named" });
        };
        write!(f, "{name}")?;
        if let Some(known) = self.known {
            write!(f, " ({})", known.in_words())?;
        }
        if let Some(given) = &self.given {
            write!(f, ", as {given}")?;
        }
        match &self.client {
            Some(client) if client != name => write!(f, ", by {client}"),
            _ => Ok(()),
        }
    }
}

/// The text, cut at a character where it is longer than `most` bytes.
fn shortened(text: &str, most: usize) -> String {
    const MORE: &str = "…";
    if text.len() <= most {
        return text.to_owned();
    }
    let end = (0..=most - MORE.len()).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    format!("{}{MORE}", &text[..end])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_token_is_the_name_and_the_rest_stands_beside_it() {
        let said = Who::named("ada", Known::Given).noting(Some("checked".into()));
        let who = Who::of_client(Some("ci"), Some("inspector 2.12".into()), said.clone());
        let wanted = json!({ "name": "ci", "known": "token", "as": "ada", "client": "inspector 2.12", "note": "checked" });
        assert_eq!(json!(who), wanted);
        assert_eq!(who.to_string(), "ci (token), as ada, by inspector 2.12");
        let who = Who::of_client(None, Some("inspector 2.12".into()), said);
        assert_eq!(who.to_string(), "ada (as given), by inspector 2.12");
        let who = Who::of_client(None, Some("inspector 2.12".into()), Who::default());
        assert_eq!(who.to_string(), "inspector 2.12 (as given)");
        assert_eq!(Who::of_client(None, None, Who::default()).if_any(), None);
    }

    #[test]
    fn what_strangers_say_is_shortened_and_never_refused() {
        let said = Who::named("ä".repeat(500), Known::Given).noting(Some("ö".repeat(5000)));
        let who = Who::of_client(Some("ci"), Some("ü".repeat(500)), said);
        let bytes = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        assert!((190..=MAX_NAME_BYTES).contains(&bytes(&who.given)), "{who}");
        assert!((190..=MAX_NAME_BYTES).contains(&bytes(&who.client)), "{who}");
        assert!((2000..=MAX_NOTE_BYTES).contains(&bytes(&who.note)), "{who}");
    }

    #[test]
    fn whoever_has_a_link_is_named_by_it_at_most() {
        use crate::task::{Answerer, answer::named};
        let (ada, somebody) = (Who::by_link(Some("ada")), Who::by_link(None));
        assert_eq!(json!(somebody), json!({ "known": "link" }));
        assert_eq!(
            (ada.to_string(), somebody.to_string()),
            ("ada (link)".into(), "whoever had the link".into())
        );
        let words = [ada, somebody].map(|who| named(Answerer::Operator, Some(&who)));
        assert_eq!(words, ["operator ada", "operator by link"]);
    }

    #[test]
    fn what_a_newer_version_says_is_read_as_far_as_it_is_known() {
        let newer = json!({ "name": "ada", "known": "passkey", "device": { "id": 3 } });
        let who: Who = serde_json::from_value(newer).expect("reads");
        assert_eq!((who.name.as_deref(), who.known), (Some("ada"), Some(Known::Otherwise)));
    }
}
