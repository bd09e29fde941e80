//! Who answers for a client: the name of its token, what it calls itself, and what it says of its user.

use rmcp::model::Implementation;
use serde_json::Value;

use crate::task::who::ANSWERER;
use crate::task::{Known, Scope, Who};

/// Who gave that reply to a question. Only the token proves anything; the rest is kept as it was given.
pub(crate) fn of_reply(scope: Option<&Scope>, client: Option<&Implementation>, reply: &Value) -> Who {
    let token = scope.filter(|scope| !scope.is_anonymous()).map(Scope::as_str);
    let client = client.map(|client| format!("{} {}", client.name.trim(), client.version.trim()));
    Who::of_client(token, client.map(|client| client.trim().to_owned()), said(reply))
}

/// What the reply says of its user. What cannot be read there says nothing.
fn said(reply: &Value) -> Who {
    let said = |key: &str| {
        let text = reply.get("_meta")?.get(ANSWERER)?.get(key)?.as_str()?;
        Some(text.to_owned()).filter(|text| !text.trim().is_empty())
    };
    let who = said("name").map(|name| Who::named(name, Known::Given)).unwrap_or_default();
    who.noting(said("note"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_reply_names_its_user_and_its_note_where_it_can_be_read() {
        let client = Implementation::new("inspector", "2.12");
        let meta = |meta: Value| json!({ "action": "accept", "_meta": meta });
        let said = meta(json!({ "mcptask/answerer": { "name": "ada", "note": "checked" } }));
        let who = of_reply(Some(&Scope::named("ci")), Some(&client), &said);
        assert_eq!(who.to_string(), "ci (token), as ada, by inspector 2.12");
        assert_eq!(who.note.as_deref(), Some("checked"));
        for odd in [
            json!(null),
            json!(3),
            json!({ "mcptask/answerer": [1] }),
            json!({ "mcptask/answerer": { "name": 3, "note": " " } }),
        ] {
            let who = of_reply(Some(&Scope::anonymous()), Some(&client), &meta(odd));
            assert_eq!((who.to_string().as_str(), who.note), ("inspector 2.12 (as given)", None));
        }
        assert_eq!(of_reply(None, None, &json!({})), Who::default());
    }
}
