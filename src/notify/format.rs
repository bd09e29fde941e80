//! What a webhook is sent.

use serde_json::{Value, json};

use super::body;
use super::notice::Notice;
use crate::worker::script::template::{Context, Scope};
use crate::worker::script::{Template, TemplateError};

/// What a body looks like.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Format {
    /// JSON as docs/JSON.md has it.
    Standard,
    /// What Slack's incoming webhooks take, and Mattermost's.
    Slack,
    /// What a Microsoft Teams workflow takes: an adaptive card.
    Teams,
    /// What ntfy takes.
    Ntfy,
    /// Whatever the template makes.
    Template(Template),
}

/// The words for those that are no template.
pub(crate) const NAMES: [&str; 4] = ["standard", "slack", "teams", "ntfy"];

/// A body as it is sent.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Body {
    /// Its media type.
    pub(super) kind: &'static str,
    /// Its text.
    pub(super) text: String,
}

impl Format {
    /// The format of that word, or of that template.
    pub(crate) fn parse(text: &str) -> Result<Option<Self>, TemplateError> {
        Ok(Some(match text {
            "standard" => Self::Standard,
            "slack" => Self::Slack,
            "teams" => Self::Teams,
            "ntfy" => Self::Ntfy,
            template if template.contains("{{") || template.contains("{%") => {
                Self::Template(Template::parse(template)?)
            }
            _ => return Ok(None),
        }))
    }

    /// The body for a notice. `topic` is ntfy's.
    pub(super) fn body(&self, notice: &Notice, topic: Option<&str>) -> Result<Body, String> {
        let json = |value: Value| Body { kind: JSON, text: value.to_string() };
        Ok(match self {
            Self::Standard => json(standard(notice)),
            Self::Slack => json(body::slack(notice)),
            Self::Teams => json(body::teams(notice)),
            Self::Ntfy => json(body::ntfy(notice, topic.unwrap_or_default())),
            Self::Template(template) => filled_in(template, notice)?,
        })
    }
}

const JSON: &str = "application/json";

/// The words that a template sees: those of `data`.
pub(crate) const TEMPLATE_NAMES: [&str; 23] = [
    "event", "at", "task", "tool", "session", "status", "question", "message", "mode", "form", "url", "host",
    "asked_at", "deadline", "action", "by", "who", "text", "is_error", "command", "link", "summary",
    "source",
];

/// The body as docs/JSON.md has it, in the outer form that Standard Webhooks recommends.
pub(super) fn standard(notice: &Notice) -> Value {
    let mut data = data(notice);
    if let Value::Object(data) = &mut data {
        data.retain(|_, value| !value.is_null());
    }
    json!({ "type": format!("task.{}", notice.event), "timestamp": notice.at, "data": data })
}

/// Everything that is told, each name once.
fn data(notice: &Notice) -> Value {
    let question = notice.question.as_ref();
    let mode = question.and_then(|one| match (&one.message, &one.host) {
        (None, _) => None,
        (Some(_), Some(_)) => Some("url"),
        (Some(_), None) => Some("form"),
    });
    json!({
        "event": notice.event, "at": notice.at, "source": notice.source, "task": notice.task, "tool": notice.tool,
        "session": notice.session, "status": notice.status, "question": question.map(|one| &one.id),
        "message": question.and_then(|one| one.message.as_ref()), "mode": mode,
        "form": question.and_then(|one| one.form.as_ref()), "url": question.and_then(|one| one.url.as_ref()),
        "host": question.and_then(|one| one.host.as_ref()), "asked_at": question.and_then(|one| one.asked_at),
        "deadline": question.and_then(|one| one.deadline), "action": notice.action, "by": notice.by,
        "who": notice.who, "text": notice.text, "is_error": notice.is_error.then_some(true),
        "command": notice.command, "link": notice.link, "summary": body::headline(notice),
    })
}

fn filled_in(template: &Template, notice: &Notice) -> Result<Body, String> {
    let Value::Object(data) = data(notice) else { return Err("there is nothing to tell".to_owned()) };
    let scope: Scope = data.into_iter().collect();
    let text = template.render(&Context::new(&scope)).map_err(|error| error.to_string())?;
    let is_json = matches!(serde_json::from_str(&text), Ok(Value::Object(_) | Value::Array(_)));
    Ok(Body { kind: if is_json { JSON } else { "text/plain; charset=utf-8" }, text })
}

#[cfg(test)]
mod tests {
    use super::super::notice::{Asked, tests::notice};
    use super::*;
    use crate::task::Ask;

    fn body(format: &str, notice: &Notice) -> Body {
        let format = Format::parse(format).expect("a format").expect("is known");
        format.body(notice, Some("kitchen")).expect("a body")
    }

    #[test]
    fn the_standard_body_says_all_that_is_there_and_nothing_else() {
        let found: Value = serde_json::from_str(&body("standard", &notice()).text).expect("JSON");
        assert_eq!(found["type"], "task.asked");
        assert_eq!(found["data"]["message"], "Zoë <b>& [you](https://evil.example)*?");
        assert_eq!((&found["data"]["mode"], &found["data"]["question"]), (&json!("form"), &json!("q1")));
        assert_eq!(found["data"].get("action"), None);
        for name in found["data"].as_object().expect("an object").keys() {
            assert!(TEMPLATE_NAMES.contains(&name.as_str()), "{name}");
        }
    }

    #[test]
    fn what_a_stranger_wrote_is_no_markup_for_anybody() {
        let slack: Value = serde_json::from_str(&body("slack", &notice()).text).expect("JSON");
        assert_eq!(slack["text"].as_str().expect("text").matches("&lt;b&gt;&amp;").count(), 1, "{slack}");
        assert_eq!(slack["blocks"][1]["text"]["type"], "plain_text");
        let teams = body("teams", &notice()).text;
        assert!(!teams.contains("\"TextBlock\"") && teams.contains("RichTextBlock"), "{teams}");
        let ntfy: Value = serde_json::from_str(&body("ntfy", &notice()).text).expect("JSON");
        assert_eq!((&ntfy["topic"], ntfy.get("markdown")), (&json!("kitchen"), None));
    }

    #[test]
    fn slack_is_sent_no_empty_text() {
        let question = Some(Asked::open("q1", &Ask::form(" ", json!({})), None, None));
        let empty = [
            Notice { question, ..notice() },
            Notice { event: "cancelled".into(), question: None, text: Some(String::new()), ..notice() },
        ];
        for notice in empty {
            let slack: Value = serde_json::from_str(&body("slack", &notice).text).expect("JSON");
            let blocks = slack["blocks"].as_array().expect("blocks");
            let texts: Vec<_> = blocks.iter().filter_map(|block| block["text"]["text"].as_str()).collect();
            assert_eq!(texts.len(), 2, "{slack}");
            assert!(texts.iter().all(|text| !text.trim().is_empty()), "{slack}");
        }
    }

    #[test]
    fn a_template_makes_text_or_json() {
        let text = body("{{ tool }}: {{ message }}", &notice());
        assert_eq!(text.text, "deploy: Zoë <b>& [you](https://evil.example)*?");
        assert!(text.kind.starts_with("text/plain"));
        let json = body("{ \"content\": {{ message | tojson }} }", &notice());
        assert_eq!(json.kind, JSON);
        let missing = Format::parse("{{ nothing.at.all }}").expect("a format").expect("is known");
        assert!(missing.body(&notice(), None).is_err());
        assert_eq!(Format::parse("plain").expect("no template"), None);
        assert!(Format::parse("{{ message").is_err());
    }

    #[test]
    fn a_page_is_told_with_its_host() {
        let ask = Ask::url("Sign.", "https://user@bank.example/x?y");
        let notice = Notice { question: Some(Asked::open("q2", &ask, None, None)), ..notice() };
        let found = standard(&notice);
        assert_eq!((&found["data"]["host"], &found["data"]["mode"]), (&json!("bank.example"), &json!("url")));
        let words = body("slack", &notice).text;
        assert!(words.contains("bank.example"), "{words}");
    }
}
